"""Sets values beside their documented normal ranges: ok, outside with its side, or no data with a reason."""

from collections.abc import Mapping
from typing import Final, Literal

from recontool.metrics.definitions import FORMULAS, NOTHING_TO_COUNT
from recontool.metrics.fold import WorkerFold
from recontool.metrics.totals import Totals
from recontool.model.catalogue import DOCUMENTED, Metric
from recontool.model.findings import MetricValue, Source, Status

UNSEEN: Final = "the log holds no DEBUG message lines and no metrics record that tells"
NEVER_SEEN: Final = "no event of this worker was seen"
BETTER: Final = "better than the normal range"


def bounds(metric: Metric, values: Mapping[str, float | None]) -> tuple[float | None, float | None]:
    """(low, high) of the normal range in the metric's unit; (None, None) when it depends on a value that is absent."""
    normal = metric.normal
    if not normal.relative_to:
        return normal.low, normal.high
    base = values.get(normal.relative_to)
    if not base:
        return None, None
    return (
        None if normal.low is None else normal.low * base,
        None if normal.high is None else normal.high * base,
    )


def judge(
    values: Mapping[str, float | None], sources: Mapping[str, Source], reasons: Mapping[str, str]
) -> dict[str, MetricValue]:
    """All eighteen metrics with status; `reasons` explains values that are None."""
    return {
        metric.name: _judged(metric, values, sources.get(metric.name, ""), reasons.get(metric.name, NEVER_SEEN))
        for metric in DOCUMENTED
    }


def worker_metrics(fold: WorkerFold) -> dict[str, MetricValue]:
    """The eighteen metrics of one worker at its last record."""
    found = fold.reported(fold.last_us)
    sources = {metric.name: fold.source(metric.name) for metric in DOCUMENTED}
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for metric in DOCUMENTED:
        value = found[metric.name]
        seen = sources[metric.name] != ""
        values[metric.name] = value if seen and isinstance(value, (int, float)) else None
        reasons[metric.name] = NOTHING_TO_COUNT.get(metric.name, NEVER_SEEN) if seen else UNSEEN
    return judge(values, sources, reasons)


def fleet_metrics(
    folds: Mapping[str, WorkerFold], workers: Mapping[str, Mapping[str, MetricValue]]
) -> dict[str, MetricValue]:
    """The eighteen metrics of all workers together: counters add up, means are total over count, max is max."""
    totals = Totals()
    observed_us = outage_us = 0
    for fold in folds.values():
        totals = totals + fold.totals()
        observed, outage = fold.timeline.observed_us(fold.last_us)
        observed_us += observed
        outage_us += outage
    longest = [fold.max_reconnect_time() for fold in folds.values()]
    sources = {metric.name: common_source(metric.name, workers) for metric in DOCUMENTED}
    values: dict[str, float | None] = {}
    for metric in DOCUMENTED:
        formula = FORMULAS.get(metric.name)
        values[metric.name] = formula(totals) if formula is not None and sources[metric.name] else None
    values["max_reconnect_time"] = max((value for value in longest if value is not None), default=None)
    values["connection_stability"] = 1.0 - outage_us / observed_us if observed_us else (0.0 if folds else None)
    return judge(values, sources, {metric.name: common_reason(metric.name, workers) for metric in DOCUMENTED})


def common_reason(name: str, workers: Mapping[str, Mapping[str, MetricValue]]) -> str:
    """Why no worker has a value: that there was nothing to count says more than that nothing could be seen."""
    said = {metrics[name].reason for metrics in workers.values()} - {""}
    return next((reason for reason in sorted(said) if reason != UNSEEN), UNSEEN if said else NEVER_SEEN)


def common_source(name: str, workers: Mapping[str, Mapping[str, MetricValue]]) -> Source:
    """Where the value of all workers comes from: "events" as soon as one worker's does."""
    found = {metrics[name].source for metrics in workers.values() if metrics[name].source}
    if "events" in found:
        return "events"
    return next(iter(sorted(found)), "")


def _judged(metric: Metric, values: Mapping[str, float | None], source: Source, reason: str) -> MetricValue:
    value = values[metric.name]
    if value is None:
        return MetricValue(None, "", reason)
    low, high = bounds(metric, values)
    side: Literal["", "low", "high"] = ""
    if low is not None and value < low:
        side = "low"
    elif high is not None and value > high:
        side = "high"
    note = BETTER if side and side == metric.normal.too_good else ""
    status: Status = "outside" if side and not note else "ok"
    return MetricValue(value, source, "", status, side, note)
