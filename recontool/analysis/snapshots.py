"""Workers that only metric snapshots know: their last reported values, judged like any other."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from recontool.metrics.judgement import common_reason, common_source, judge
from recontool.model.catalogue import DOCUMENTED
from recontool.model.findings import MetricValue, Source, Tasks, WorkerResult
from recontool.model.instant import from_datetime, seconds

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


def fleet_with_snapshots(workers: Mapping[str, WorkerResult]) -> dict[str, MetricValue]:
    """The eighteen metrics of all workers together where some are known by their reported values only.

    Counters add up, the longest is the longest, means are weighted by what they count as far as a value tells it.
    """
    from recontool.alerts.fleet import of_samples  # numpy, which logs do without

    names = [metric.name for metric in DOCUMENTED]
    metrics = {key: worker.metrics for key, worker in workers.items()}
    samples = [
        {
            **{name: worker.metrics[name].value for name in names},
            "reconnections": worker.derived.get("reconnections"),
            "uptime_s": seconds(worker.last_us - worker.first_us),
        }
        for worker in workers.values()
    ]
    return judge(
        of_samples(samples, names),
        {name: common_source(name, metrics) for name in names},
        {name: common_reason(name, metrics) for name in names},
    )


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
