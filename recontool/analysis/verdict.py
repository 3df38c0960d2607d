"""The one sentence on top: how bad it is, whom it hit, what it cost."""

from collections.abc import Mapping, Sequence

from recontool.model.findings import Alert, Incident, MetricValue, Verdict, WorkerResult
from recontool.model.instant import DAY_US, iso, seconds, spelled
from recontool.model.outages import down_us


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
    length_us = max(worker.last_us for worker in workers.values()) - min(worker.first_us for worker in workers.values())
    parts = [
        _incident_part(incidents, length_us),
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


def _incident_part(incidents: Sequence[Incident], length_us: int) -> str:
    if not incidents:
        return ""
    worst = max(incidents, key=lambda incident: incident.lost_us)
    stamp = iso(worst.start_us)
    at = stamp[11:19] if length_us <= DAY_US else f"{stamp[:10]} {stamp[11:19]}"
    title, separator, rest = worst.title.partition("; ")
    return f"{title} at {at} UTC ({seconds(worst.lost_us):,.0f} worker-seconds lost){separator}{rest}"


def _outage_part(outages: int, workers: Mapping[str, WorkerResult]) -> str:
    if not outages:
        return ""
    count = "1 outage" if outages == 1 else f"{outages:,} outages"
    lost_us = sum(down_us(worker.outages, worker.last_us) for worker in workers.values())
    lost = f"{count}, {spelled(lost_us)} without a session in all"
    if len(workers) == 1:
        return lost
    return f"{lost}, on {sum(bool(worker.outages) for worker in workers.values()):,} of {len(workers):,} workers"


def _down_part(still_down: Sequence[str], workers: Mapping[str, WorkerResult]) -> str:
    if not still_down:
        return ""
    if len(workers) == 1:
        return "the worker had not come back when the log ended"
    return f"{len(still_down):,} had not come back when their log ended"


def _task_part(workers: Mapping[str, WorkerResult]) -> str:
    failed = sum(worker.tasks.failed for worker in workers.values())
    unfinished = sum(worker.tasks.unfinished for worker in workers.values())
    parts = []
    if failed:
        parts.append(f"{failed:,} task{'s' if failed != 1 else ''} failed")
    if unfinished:
        what = "" if failed else " task" if unfinished == 1 else " tasks"
        parts.append(f"{unfinished:,}{what} unfinished")
    return ", ".join(parts)


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count:,} workers"
