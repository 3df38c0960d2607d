"""`recontool.load`: one analysed fleet for notebooks, its parts as typed pandas DataFrames."""

from collections.abc import Mapping
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from recontool.api import table
from recontool.api.analyze import analyze, iter_events
from recontool.api.report import build_report
from recontool.logs.inputs import default_paths
from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Analysis, MetricValue
from recontool.model.instant import seconds

if TYPE_CHECKING:
    import plotly.graph_objects as go


def load(*paths: str | PathLike[str]) -> "Run":
    """Analyse logs, folders or patterns; without a path what ./recontool-data or the current folder holds.

    Raises:
        ReconError: nothing there can be analysed; the message says what to do.
    """
    named = [fspath(path) for path in paths] or default_paths(Path("recontool-data"))[0]
    return Run(named, analyze(named))


class Run:
    """One analysis. DataFrames are made when first asked for; all times are UTC-aware."""

    def __init__(self, paths: list[str], analysis: Analysis) -> None:
        self.paths = paths
        self.analysis = analysis
        self.plot = Plots(analysis)

    def __repr__(self) -> str:
        found = self.analysis
        return f"<recontool.Run {len(found.workers)} workers, {len(self.outages)} outages: {found.verdict.severity}>"

    @cached_property
    def events(self) -> pd.DataFrame:
        """All events in time order, one row each; one column per field of the vocabulary."""
        rows = list(table.arrow_rows(iter_events(self.paths)))
        import pyarrow as pa

        frame: pd.DataFrame = pa.Table.from_pylist(rows, table.arrow_schema()).to_pandas()
        for name in ("level", "source", "marker", "event", "file"):
            frame[name] = frame[name].astype("category")
        return frame.sort_values("at", kind="stable", ignore_index=True)

    @cached_property
    def outages(self) -> pd.DataFrame:
        """worker, start, end (NaT while open), duration_s, cause, code, attempts, evidence."""
        rows = [
            {
                "worker": outage.worker,
                "start": outage.start_us,
                "end": outage.end_us,
                "duration_s": None if outage.duration_us is None else seconds(outage.duration_us),
                "cause": outage.cause,
                "code": outage.code,
                "attempts": outage.attempts,
                "evidence": list(outage.evidence),
            }
            for worker in self.analysis.workers.values()
            for outage in worker.outages
        ]
        kinds = {"worker": "str", "duration_s": "float64", "cause": "str", "code": "Int64", "attempts": "int64"}
        return _frame(rows, (*kinds, "evidence"), kinds, times=("start", "end"), first="worker")

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Worker ("fleet" for all together), metric, value (NaN when there is nothing to count), unit, status, source, reason."""
        by_worker: Mapping[str, Mapping[str, MetricValue]] = {
            **{key: worker.metrics for key, worker in self.analysis.workers.items()},
            "fleet": self.analysis.fleet,
        }
        rows = [
            {
                "worker": key,
                "metric": name,
                "value": found.value,
                "unit": CATALOGUE[name].unit,
                "status": found.status,
                "source": found.source,
                "reason": found.reason,
            }
            for key, metrics in by_worker.items()
            for name, found in metrics.items()
        ]
        kinds = dict.fromkeys(("worker", "metric", "unit", "status", "source", "reason"), "str")
        return _frame(
            rows, ("worker", "metric", "value", "unit", "status", "source", "reason"), {**kinds, "value": "float64"}
        )

    @cached_property
    def alerts(self) -> pd.DataFrame:
        """alert, severity, worker, pending_at, fired_at, resolved_at (NaT while firing), peak."""
        rows = [
            {
                "alert": alert.alert,
                "severity": alert.severity,
                "worker": alert.worker,
                "pending_at": alert.pending_us,
                "fired_at": alert.fired_us,
                "resolved_at": alert.resolved_us,
                "peak": alert.peak,
            }
            for alert in self.analysis.alerts
        ]
        kinds = {"alert": "str", "severity": "str", "worker": "str", "peak": "float64"}
        return _frame(rows, tuple(kinds), kinds, times=("pending_at", "fired_at", "resolved_at"))

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

    def reconnect_times(self) -> "go.Figure":
        """Distribution of reconnect times by cause."""
        return self._figure("reconnect_times")

    def _figure(self, name: str) -> "go.Figure":
        from recontool.report.charts import figure  # plotly is slow to load

        return figure(self._analysis, name)


def _frame(
    rows: list[dict[str, Any]],
    columns: tuple[str, ...],
    kinds: Mapping[str, str],
    *,
    times: tuple[str, ...] = (),
    first: str = "",
) -> pd.DataFrame:
    """A frame with the same typed columns whether it has rows or not."""
    lead = (first,) if first else ()
    order = [*lead, *times, *(name for name in columns if name != first)] if first else [*columns, *times]
    frame = pd.DataFrame(rows, columns=pd.Index(dict.fromkeys(order)))
    for name in times:
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="us", utc=True).astype("datetime64[us, UTC]")
    return frame.astype(dict(kinds))
