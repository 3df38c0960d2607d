"""`recontool.load`: one analysed fleet for notebooks, its parts as typed pandas DataFrames."""

from collections.abc import Iterable
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from recontool.api import frames, table
from recontool.api.analyze import analyze
from recontool.api.events import iter_events
from recontool.api.report import build_report
from recontool.api.rules import rules_of
from recontool.api.sources import DEFAULT, Reading
from recontool.logs.inputs import default_paths
from recontool.model.errors import NoDataError
from recontool.model.events import Event
from recontool.model.findings import Analysis
from recontool.model.instant import zone_named

if TYPE_CHECKING:
    import plotly.graph_objects as go


def load(
    *paths: str | PathLike[str],
    tz: str = "UTC",
    format_in: str = "",
    strict: bool = False,
    rules: str | PathLike[str] | None = None,
) -> "Run":
    """Analyse logs, folders or patterns; without a path what ./recontool-data or the current folder holds.

    Args:
        tz: IANA zone of times that carry none.
        format_in: format of the logs instead of detecting it.
        strict: refuse logs with lines that fit no format.
        rules: file of alert rules; the built-in ones without.

    Raises:
        ReconError: nothing there can be analysed; the message says what to do.
    """
    named = [fspath(path) for path in paths] or default_paths(Path("recontool-data"))[0]
    reading = Reading(
        format_in, zone_named(tz, "tz"), strict, rules=rules_of(None if rules is None else Path(rules)).rules
    )
    return Run(named, analyze(named, reading), reading)


class Run:
    """One analysis. DataFrames are made when first asked for; all times are UTC-aware."""

    def __init__(self, paths: list[str], analysis: Analysis, reading: Reading = DEFAULT) -> None:
        self.paths = paths
        self.analysis = analysis
        self.plot = Plots(analysis)
        self._reading = reading

    def __repr__(self) -> str:
        found = self.analysis
        outages = sum(len(worker.outages) for worker in found.workers.values())
        return f"<recontool.Run {len(found.workers)} workers, {outages} outages: {found.verdict.severity}>"

    def _repr_html_(self) -> str:
        """The verdict and the metrics of the fleet as a static table: no script, everything escaped, bounded."""
        from recontool.report.notebook import run_card  # jinja2 is slow to load

        return run_card(self.analysis)

    @cached_property
    def events(self) -> pd.DataFrame:
        """All events in time order, one row each; one column per field of the vocabulary."""
        import pyarrow as pa

        rows = list(table.arrow_rows(self._logged()))
        frame: pd.DataFrame = pa.Table.from_pylist(rows, table.arrow_schema()).to_pandas()
        for name in ("level", "source", "marker", "event", "file"):
            frame[name] = frame[name].astype("category")
        return frame.sort_values("at", kind="stable", ignore_index=True)

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """Every try to connect: worker, at, ended, took_s, marker, n, outcome, error, file, line."""
        return frames.attempts(self.analysis, self._logged())

    @cached_property
    def outages(self) -> pd.DataFrame:
        """worker, start, end (NaT while open), duration_s, cause, code, attempts, evidence."""
        return frames.outages(self.analysis)

    @cached_property
    def incidents(self) -> pd.DataFrame:
        """Outages of several workers with one cause: cause, title, start, end, workers, outages, lost_s, evidence."""
        return frames.incidents(self.analysis)

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Worker ("fleet" for all together), metric, value (NaN when there is nothing to count), unit, status, source, reason."""
        return frames.metrics(self.analysis)

    @cached_property
    def alerts(self) -> pd.DataFrame:
        """alert, severity, worker, peak, pending_at, fired_at, resolved_at (NaT while firing)."""
        return frames.alerts(self.analysis)

    @cached_property
    def recommendations(self) -> pd.DataFrame:
        """title, setting, current, proposed, reason, workers, evidence."""
        return frames.recommendations(self.analysis)

    def _logged(self) -> Iterable[tuple[str, Event]]:
        """Every event behind the run; none where snapshots are all there is."""
        if all(one.role == "snapshot" for one in self.analysis.inputs):
            return ()
        return iter_events(self.paths, self._reading)

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the offline HTML report to `path`."""
        return build_report(self.analysis, Path(path))


class Plots:
    """The report's charts as Plotly figures, times on a UTC axis."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    def timeline(self) -> "go.Figure":
        """State of each worker over time."""
        return self._figure("timeline")

    def connected(self) -> "go.Figure":
        """How many workers were connected, down or unknown over time."""
        return self._figure("connected")

    def outages(self) -> "go.Figure":
        """Duration of each outage over time, by cause."""
        return self._figure("outages")

    def reconnect_times(self) -> "go.Figure":
        """Distribution of reconnect times by cause."""
        return self._figure("reconnect_times")

    def tasks(self) -> "go.Figure":
        """Tasks completed and failed over time."""
        return self._figure("tasks", over_time=True)

    def task_times(self) -> "go.Figure":
        """Distribution of execution times."""
        return self._figure("task_times")

    def checkpoints(self) -> "go.Figure":
        """Checkpoints created and restored over time."""
        return self._figure("checkpoints", over_time=True)

    def messages(self) -> "go.Figure":
        """Messages sent and received over time; needs a log with DEBUG lines."""
        return self._figure("messages", over_time=True)

    def latency(self) -> "go.Figure":
        """Mean message latency over time; needs a log with DEBUG lines."""
        return self._figure("latency", over_time=True)

    def compression(self) -> "go.Figure":
        """Compression ratio over time."""
        return self._figure("compression", over_time=True)

    def alerts(self) -> "go.Figure":
        """When each alert rule fired."""
        return self._figure("alerts")

    def _figure(self, name: str, *, over_time: bool = False) -> "go.Figure":
        workers = self._analysis.workers.values()
        if not workers:
            raise NoDataError("no worker log was among the inputs, so there is nothing to draw", where=f"plot.{name}()")
        if over_time and not any(worker.activity for worker in workers):
            raise NoDataError("no task, checkpoint or message was logged with its time", where=f"plot.{name}()")
        from recontool.report.charts import figure  # plotly is slow to load

        return figure(self._analysis, name)
