"""The one sentence on top: how bad it is, whom it hit, what it cost."""

from collections.abc import Mapping, Sequence
from typing import Final

from recontool.model.findings import Alert, Incident, MetricValue, Verdict, WorkerResult
from recontool.model.instant import MINUTE_US, iso, seconds
from recontool.model.outages import down_us

_MINUTES_US: Final = 2 * MINUTE_US  # from here on minutes read better than seconds


def judge_fleet(
    workers: Mapping[str, WorkerResult],
    incidents: Sequence[Incident],
    alerts: Sequence[Alert],
    fleet: Mapping[str, MetricValue],
    coordinators: int,
) -> Verdict:
    """CRITICAL: a worker did not come back or a critical alert still holds or stability is broken; WARNING: anything else happened."""
    if not workers:
        many = "1 coordinator log" if coordinators == 1 else f"{coordinators} coordinator logs"
        return Verdict("NO DATA", f"{many} and no worker log: sessions can only be counted, not judged")
    outages = sum(len(worker.outages) for worker in workers.values())
    still_down = [worker.key for worker in workers.values() if worker.outages and worker.outages[-1].end_us is None]
    stability = fleet["connection_stability"]
    alerts = [alert for alert in alerts if alert.fired_us is not None]
    critical = [alert for alert in alerts if alert.severity == "CRITICAL"]
    broken = stability.status == "outside"
    outside = sum(value.status == "outside" for value in fleet.values())
    parts = [
        _incident_part(incidents),
        _outage_part(outages, workers),
        _down_part(still_down, workers),
        _task_part(workers),
    ]
    said = "; ".join(part for part in parts if part)
    if still_down or (broken and critical):
        return Verdict("CRITICAL", said)
    if outages or alerts or outside:
        return Verdict(
            "WARNING", said or f"no outage, yet {outside} of {len(fleet)} metrics outside their normal range"
        )
    return Verdict("OK", f"no outage and no alert on {_workers(len(workers))}")


def _incident_part(incidents: Sequence[Incident]) -> str:
    if not incidents:
        return ""
    worst = max(incidents, key=lambda incident: incident.lost_us)
    at = iso(worst.start_us)[11:19]
    return f"{worst.title} at {at} UTC ({seconds(worst.lost_us):.0f} worker-seconds lost)"


def _outage_part(outages: int, workers: Mapping[str, WorkerResult]) -> str:
    if not outages:
        return ""
    count = "1 outage" if outages == 1 else f"{outages} outages"
    lost_us = sum(down_us(worker.outages, worker.last_us) for worker in workers.values())
    lost = (
        f"{count}, {seconds(lost_us):.3g} s without a session in all"
        if lost_us < _MINUTES_US
        else (f"{count}, {seconds(lost_us) / 60:.1f} min without a session in all")
    )
    if len(workers) == 1:
        return lost
    return f"{lost}, on {sum(bool(worker.outages) for worker in workers.values())} of {len(workers)} workers"


def _down_part(still_down: Sequence[str], workers: Mapping[str, WorkerResult]) -> str:
    if not still_down:
        return ""
    if len(workers) == 1:
        return "the worker had not come back when the log ended"
    return f"{len(still_down)} had not come back when their log ended"


def _task_part(workers: Mapping[str, WorkerResult]) -> str:
    failed = sum(worker.tasks.failed for worker in workers.values())
    unfinished = sum(worker.tasks.unfinished for worker in workers.values())
    parts = []
    if failed:
        parts.append(f"{failed} task{'s' if failed != 1 else ''} failed")
    if unfinished:
        parts.append(f"{unfinished} unfinished")
    return ", ".join(parts)


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
