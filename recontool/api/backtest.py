"""Paths and rules in, the intervals out in which the rules would have fired; and what other thresholds would do."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from msgspec import Struct

from recontool.alerts.backtest import backtest, grid
from recontool.alerts.instances import Plan
from recontool.alerts.rules import Rule
from recontool.alerts.sweep import Axis, Score, Truth, score, variants
from recontool.analysis.series import SeriesFleet
from recontool.api.analyze import analyze
from recontool.api.fold import by_reference
from recontool.api.sources import DEFAULT, Reading, opened
from recontool.logs.inputs import find_inputs, short_names
from recontool.logs.lines import STDIN, LineStream, read_once
from recontool.model.errors import NoDataError, UsageError
from recontool.model.findings import Alert, Analysis
from recontool.model.series import Ints, SeriesBuilder, SeriesSet
from recontool.storage.samples import PARQUET_MAGIC, is_samples_head, read_csv, read_parquet

STEP_US: Final = 15_000_000
_MOST_STEPS: Final = 20_000_000


class Backtested(Struct, frozen=True):
    """What the rules would have done, and where each interval has its evidence ("" where nobody knows)."""

    rules: tuple[Rule, ...]
    workers: tuple[str, ...]
    since_us: int
    until_us: int
    step_us: int
    alerts: tuple[Alert, ...]
    evidence: tuple[str, ...]
    notes: tuple[str, ...]
    scores: tuple[Score, ...] = ()


def run_backtest(
    paths: Sequence[str],
    rules: Sequence[Rule],
    *,
    since_us: int | None = None,
    until_us: int | None = None,
    step_us: int = STEP_US,
    axes: Sequence[Axis] = (),
    reading: Reading = DEFAULT,
) -> Backtested:
    """Evaluate `rules` over logs and snapshot files at since, since + step, ... up to and including until.

    Raises:
        UsageError: a path, a value in a file or the grid cannot be used.
        NoDataError: the inputs hold no sample of any metric that the rules read.
    """
    with _readable(paths) as files:
        series = read_series(files, rules, reading)
        known = _truth(files, reading) if axes else None
    at_us = _grid(series, since_us, until_us, step_us)
    found = backtest(rules, series, at_us)
    scores = tuple(
        score(rule, settings, backtest([changed], series, at_us), int(at_us[-1]), known)
        for rule in rules
        if axes
        for settings, changed in variants(rule, axes)
    )
    rows = {worker: row for row, worker in enumerate(series.workers)}
    watched = {rule.name: _watched(rule) for rule in rules}
    return Backtested(
        tuple(rules),
        tuple(series.workers),
        int(at_us[0]),
        int(at_us[-1]),
        step_us,
        tuple(found),
        tuple(_evidence(series, watched[alert.alert], alert, rows) for alert in found),
        (*series.notes, *_unread(series, rules)),
        scores,
    )


def read_series(paths: Sequence[str], rules: Sequence[Rule], reading: Reading = DEFAULT) -> SeriesSet:
    """The samples behind `paths` that `rules` read. What events show wins over what snapshots say of the same worker.

    Raises:
        UsageError, NoDataError: as `run_backtest`.
    """
    found = find_inputs(paths)
    kinds = {path: "parquet" if path in found.snapshots else _kind(path) for path in (*found.logs, *found.snapshots)}
    names = short_names(kinds)
    builder = SeriesBuilder()
    for path, kind in kinds.items():
        if kind == "csv":
            _read_csv(path, names[path], builder, reading)
        elif kind == "parquet":
            read_parquet(Path(path), names[path], builder, reading.zone)
    logs = [path for path, kind in kinds.items() if kind == "log"]
    if logs:
        fleet = SeriesFleet(rules, builder.file)
        folded = by_reference(opened(logs, reading), reading, fleet)
        fleet.add_series(builder)
        builder.notes += [f"{note.subject}: {note.text}" for note in folded.parts.notes_on_identity()]
        builder.notes += [f"{name}: the packed file ends early ({why}); read up to there" for name, why in folded.torn]
        builder.notes += [
            f"{file.name}: {file.lines.unparsed:,} {'line fits' if file.lines.unparsed == 1 else 'lines fit'} no format"
            for file in folded.files
            if file.lines.unparsed
        ]
    return builder.build()


def _kind(path: str) -> str:
    stream = LineStream(path)
    first = next(iter(stream.head()), b"")
    stream.close()
    if first.startswith(PARQUET_MAGIC):
        return "parquet"
    return "csv" if is_samples_head(first.decode("utf-8", "replace")) else "log"


def _read_csv(path: str, name: str, builder: SeriesBuilder, reading: Reading) -> None:
    stream = LineStream(path)
    try:
        read_csv((line.decode("utf-8", "replace") for line in stream), name, builder, reading.zone)
    finally:
        stream.close()
    if stream.torn:
        builder.notes.append(f"{name}: the packed file ends early ({stream.torn}); read up to there")


@contextmanager
def _readable(paths: Sequence[str]) -> Iterator[list[str]]:
    """`paths` with stdin and pipes put into files: they are looked at before they are read."""
    with ExitStack() as stack:
        yield [_spooled(path, stack) if read_once(path) else path for path in paths]


def _spooled(path: str, stack: ExitStack) -> str:
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / ("stdin" if path == STDIN else Path(path).name)
    with copy.open("wb") as out, nullcontext(sys.stdin.buffer) if path == STDIN else Path(path).open("rb") as stream:
        shutil.copyfileobj(stream, out)
    return str(copy)


def _grid(series: SeriesSet, since_us: int | None, until_us: int | None, step_us: int) -> Ints:
    span = series.span()
    if span is None:
        hint = "; ".join(series.notes[:3]) or "the rules read metrics that the input does not hold"
        raise NoDataError("no sample of any metric that the rules read", hint=hint)
    first_us = span[0] if since_us is None else since_us
    last_us = span[1] if until_us is None else until_us
    if step_us <= 0 or last_us < first_us or (last_us - first_us) // step_us > _MOST_STEPS:
        raise UsageError(
            "there is no instant to evaluate at, or too many",
            where="--since/--until/--step",
            hint=f"at most {_MOST_STEPS:,} steps, --since before --until",
        )
    return grid(first_us, last_us, step_us)


def _watched(rule: Rule) -> str:
    """The metric whose sample is an interval's evidence: the first one the condition reads."""
    return next(iter(Plan(rule).reads()), "")


def _evidence(series: SeriesSet, metric: str, alert: Alert, rows: Mapping[str, int]) -> str:
    return "" if alert.worker is None else series.place(metric, rows[alert.worker], alert.pending_us)


def _unread(series: SeriesSet, rules: Sequence[Rule]) -> Iterator[str]:
    for rule in rules:
        missing = [metric for metric in Plan(rule).reads() if metric not in series.columns]
        if missing:
            yield f"rule {rule.name} reads {', '.join(missing)}, of which the input holds no sample"


def _truth(paths: Sequence[str], reading: Reading) -> list[Truth] | None:
    """What really happened, as the logs tell: incidents, and outages that are part of none. None without logs."""
    logs = [path for path in find_inputs(paths).logs if _kind(path) == "log"]
    return list(_happened(analyze(logs, reading))) if logs else None


def _happened(found: Analysis) -> Iterator[Truth]:
    shared = {(outage.worker, outage.start_us) for incident in found.incidents for outage in incident.outages}
    for incident in found.incidents:
        yield Truth(incident.start_us, incident.end_us, frozenset(incident.workers))
    for worker in found.workers.values():
        for outage in worker.outages:
            if (outage.worker, outage.start_us) not in shared:
                yield Truth(outage.start_us, outage.end_us, frozenset({outage.worker}))
