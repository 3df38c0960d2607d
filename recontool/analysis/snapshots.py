"""Workers that only metric snapshots know: their last reported values, judged like any other."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from recontool.metrics.judgement import judge
from recontool.model.catalogue import DOCUMENTED
from recontool.model.findings import Source, Tasks, WorkerResult
from recontool.model.instant import from_datetime

_NOT_REPORTED: Final = "the worker reported no value"


def snapshot_results(rows: Iterable[Mapping[str, Any]]) -> dict[str, WorkerResult]:
    """One result per worker from rows of `at` (datetime), `worker` and one column per metric.

    Counters start again with each process of a worker; the last row is what its last process reported.
    """
    first_us: dict[str, int] = {}
    last: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for row in rows:
        worker, at = str(row["worker"]), row["at"]
        at_us = from_datetime(at) if isinstance(at, datetime) else int(at)
        first_us[worker] = min(at_us, first_us.get(worker, at_us))
        if worker not in last or at_us >= last[worker][0]:
            last[worker] = (at_us, row)
    return {worker: _result(worker, first_us[worker], at_us, row) for worker, (at_us, row) in last.items()}


def _result(worker: str, first_us: int, last_us: int, row: Mapping[str, Any]) -> WorkerResult:
    values = {metric.name: _number(row.get(metric.name)) for metric in DOCUMENTED}
    sources: dict[str, Source] = dict.fromkeys(values, "snapshot")
    executed, rate = round(values["tasks_executed"] or 0), values["task_success_rate"]
    return WorkerResult(
        key=worker,
        worker=worker,
        files=(),
        first_us=first_us,
        last_us=last_us,
        metrics=judge(values, sources, dict.fromkeys(values, _NOT_REPORTED)),
        derived={
            name: value
            for name in ("reconnections", "failed_reconnections_total")
            if (value := _number(row.get(name))) is not None
        },
        outages=(),
        tasks=Tasks(
            executed, round((rate or 0.0) * executed), 0 if rate is None else executed - round(rate * executed)
        ),
        markers={},
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value == value else None  # noqa: PLR0124 - NaN
