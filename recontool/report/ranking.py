"""What deserves the reader's eye first: workers by damage, outages and alerts by length, bounded lists."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from recontool.model.findings import Alert, Analysis, MetricValue, Outage, WorkerResult
from recontool.model.outages import down_us, longest

Item = TypeVar("Item")
SEVERITIES = ("CRITICAL", "WARNING", "INFO")


def lost_us(worker: WorkerResult) -> int:
    """Time the worker was down; an open outage counts to its last record."""
    return down_us(worker.outages, worker.last_us)


def length_us(outage: Outage, last_us: int) -> int:
    """Length of `outage`; an open one counts to `last_us`."""
    return max((last_us if outage.end_us is None else outage.end_us) - outage.start_us, 0)


def never_connected(worker: WorkerResult) -> bool:
    """Whether the worker tried to connect and no session was ever established."""
    established = worker.metrics["successful_connections"].value
    return not worker.observed and established == 0


def by_damage(workers: Iterable[WorkerResult]) -> list[WorkerResult]:
    """The worst first: never connected, then least stable, most time lost, most failed tasks; then as they came."""
    return sorted(
        workers,
        key=lambda worker: (
            not never_connected(worker),
            _number(worker.metrics["connection_stability"], 1.0),
            -lost_us(worker),
            -worker.tasks.failed,
        ),
    )


def stopped(analysis: Analysis) -> frozenset[Outage]:
    """Outages that no log ends because their process had been told to stop."""
    return frozenset(
        worker.outages[-1]
        for worker in analysis.workers.values()
        if worker.outages and worker.outages[-1].end_us is None and worker.still_down is None
    )


def worst_outages(worker: WorkerResult, most: int) -> list[Outage]:
    """The open outage first, then the longest; equal ones in time order."""
    found = longest(worker.outages, most, worker.last_us)
    last = worker.still_down
    if last is not None and last not in found:
        found = [last, *found[:-1]]  # it matters most however short it is
    return sorted(
        found, key=lambda outage: (outage.end_us is not None, -length_us(outage, worker.last_us), outage.start_us)
    )


def listed_outages(worker: WorkerResult, most: int) -> tuple[list[Outage], int]:
    """The `most` longest outages in time order, and how many were left out."""
    found = longest(worker.outages, most, worker.last_us)
    return sorted(found, key=lambda outage: outage.start_us), len(worker.outages) - len(found)


def outages_with_end(analysis: Analysis) -> list[tuple[Outage, int]]:
    """Every outage of every worker with the instant its worker was last seen, in time order."""
    pairs = [(outage, worker.last_us) for worker in analysis.workers.values() for outage in worker.outages]
    return sorted(pairs, key=lambda pair: (pair[0].start_us, pair[0].worker))


def alerts_by_rule(alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
    """The intervals that fired, by rule, the most severe rule first; within a rule in time order."""
    rules: dict[str, list[Alert]] = {}
    fired = (alert for alert in alerts if alert.fired_us is not None)
    for alert in sorted(fired, key=lambda a: (SEVERITIES.index(a.severity), a.alert, a.pending_us, a.worker or "")):
        rules.setdefault(alert.alert, []).append(alert)
    return rules


def alert_end_us(alert: Alert, analysis: Analysis) -> int:
    """When the alert was resolved; one still firing counts to the last record of its worker, or of all."""
    if alert.resolved_us is not None:
        return alert.resolved_us
    worker = analysis.workers.get(alert.worker or "")
    return (analysis.last_us or 0) if worker is None else worker.last_us


def bounded(
    items: Iterable[Item], room: int, weight: Callable[[Item], float], at: Callable[[Item], int]
) -> tuple[list[Item], int]:
    """The `room` heaviest items in time order, and how many were left out."""
    everything = list(items)
    heaviest = sorted(everything, key=lambda item: (-weight(item), at(item)))[:room]
    return sorted(heaviest, key=at), max(len(everything) - room, 0)


def _number(found: MetricValue, otherwise: float) -> float:
    return otherwise if found.value is None else found.value
