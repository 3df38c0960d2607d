"""The tables of the terminal screen: outages and metrics of one worker, and the fleet, worst first."""

from collections.abc import Mapping, Sequence
from typing import Final

from recontool.model.catalogue import CATALOGUE, DOCUMENTED
from recontool.model.findings import Analysis, MetricValue, Outage, WorkerResult
from recontool.model.units import DAY_US
from recontool.report import quantity, ranking
from recontool.report.terminal import Screen

# What stands in the table when nothing is wrong with it, the most telling first.
_TELLING: Final = (
    "connection_stability",
    "avg_reconnect_time",
    "max_reconnect_time",
    "task_success_rate",
    "avg_message_latency_ms",
    "compression_ratio",
    "successful_connections",
    "message_errors",
)


def outage_table(on: Screen, worker: WorkerResult, most: int) -> list[str]:
    """The worst `most` outages of `worker` in time order; the rest as a count."""
    if not worker.outages:
        return [] if worker.observed else ["outages   none: no session was ever established, so none could be lost"]
    shown = sorted(ranking.worst_outages(worker, most), key=lambda outage: outage.start_us)
    table = [["outage", "down", "tries", "cause", "evidence"], *(_outage_row(outage, worker) for outage in shown)]
    tones = ["dim", *("outside" if outage == worker.still_down else "" for outage in shown)]
    lines = on.rows(table, frozenset({0, 1, 2}), tones)
    rest = len(worker.outages) - len(shown)
    if rest:
        total = quantity.duration(ranking.lost_us(worker))
        lines.append(
            on.paint(
                f"  and {rest:,} shorter; {quantity.counted(len(worker.outages), 'outage')}, {total} in all", "dim"
            )
        )
    return lines


def metric_table(on: Screen, worker: WorkerResult, room: int) -> list[str]:
    """The metrics outside their range first, then the most telling, in at most `room` lines with the heading."""
    known = [name for name, found in worker.metrics.items() if found.value is not None]
    outside = [name for name in known if worker.metrics[name].status == "outside"]
    telling = [name for name in (*_TELLING, *known) if name in known and name not in outside]
    names = list(dict.fromkeys((*outside, *telling)))[: max(room - 2, 1)]
    table = [["metric", "value", "normal", "verdict"]]
    tones = ["dim"]
    for name in sorted(names, key=list(worker.metrics).index):
        found = worker.metrics[name]
        table.append(metric_row(name, found, worker))
        tones.append("outside" if found.status == "outside" else "")
    lines = on.rows(table, frozenset({1, 2}), tones)
    return [*lines, on.paint(_rest_of_metrics(worker, names), "dim")]


def metric_row(name: str, found: MetricValue, worker: WorkerResult) -> list[str]:
    """Name, value, normal range and verdict of one metric."""
    metric = CATALOGUE[name]
    verdict = quantity.standing(found)
    return [
        name,
        quantity.value(metric, found.value),
        quantity.limit(metric, worker.metrics),
        verdict.upper() if found.status == "outside" else verdict,
    ]


def fleet_table(on: Screen, analysis: Analysis, workers: Sequence[WorkerResult]) -> list[str]:
    """One row per worker and one for the fleet."""
    table = [["worker", "stable", "outages", "mean", "max", "down", "ok/failed", "alerts"]]
    tones = ["dim"]
    for worker in workers:
        fired = sum(alert.worker == worker.key and alert.fired_us is not None for alert in analysis.alerts)
        table.append(_fleet_row(worker.key, worker.metrics, [worker], fired))
        tones.append("outside" if worker.metrics["connection_stability"].status == "outside" else "")
    fired = sum(alert.fired_us is not None for alert in analysis.alerts)
    everyone = list(analysis.workers.values())
    label = f"all {quantity.count(len(everyone))}"
    table.append(_fleet_row(label, analysis.fleet, everyone, fired))
    tones.append("bold")
    return on.rows(table, frozenset(range(1, 8)), tones)


def _outage_row(outage: Outage, worker: WorkerResult) -> list[str]:
    duration_us, long = outage.duration_us, worker.last_us - worker.first_us > DAY_US
    code = f" {outage.code}" if outage.code is not None else ""
    return [
        quantity.moment(outage.start_us)[5:] if long else quantity.clock(outage.start_us),
        quantity.duration(duration_us) if duration_us is not None else "stopped" if worker.stopped(outage) else "open",
        quantity.count(outage.attempts),
        f"{outage.cause}{code}",
        outage.evidence[0] if outage.evidence else "",
    ]


def _rest_of_metrics(worker: WorkerResult, shown: Sequence[str]) -> str:
    rest = [worker.metrics[metric.name] for metric in DOCUMENTED if metric.name not in shown]
    parts = [
        f"{number} {word}"
        for word, number in (
            ("ok", sum(found.status == "ok" for found in rest)),
            ("outside", sum(found.status == "outside" for found in rest)),
            ("without data", sum(found.status == "no_data" for found in rest)),
        )
        if number
    ]
    return (
        f"  and {quantity.counted(len(rest), 'metric')} more: {', '.join(parts)}" if rest else "  that is all of them"
    )


def _fleet_row(
    label: str, metrics: Mapping[str, MetricValue], workers: Sequence[WorkerResult], fired: int
) -> list[str]:
    names = ("connection_stability", "avg_reconnect_time", "max_reconnect_time")
    stability, mean, longest = (quantity.value(CATALOGUE[name], metrics[name].value) for name in names)
    lost = sum(ranking.lost_us(worker) for worker in workers)
    return [
        label,
        stability,
        quantity.count(sum(len(worker.outages) for worker in workers)),
        mean,
        longest,
        quantity.duration(lost) if lost else quantity.NOTHING,
        f"{sum(worker.tasks.succeeded for worker in workers):,}/{sum(worker.tasks.failed for worker in workers):,}",
        quantity.count(fired),
    ]
