"""The one sentence on top: how bad it is, whom it hit, what it cost."""

from collections.abc import Mapping, Sequence
from typing import Final

from recontool.analysis.security import refusals
from recontool.model.findings import Alert, Incident, MetricValue, SecurityFinding, Verdict, WorkerResult
from recontool.model.instant import iso, seconds, spelled
from recontool.model.outages import down_us
from recontool.model.said import clauses, first_clause, other_clauses, said, said_of
from recontool.model.units import DAY_US

_MANY_REFUSED: Final = 10  # fewer are somebody's typing error


def judge_fleet(
    workers: Mapping[str, WorkerResult],
    incidents: Sequence[Incident],
    alerts: Sequence[Alert],
    *,
    fleet: Mapping[str, MetricValue],
    security: Sequence[SecurityFinding],
    coordinators: int,
) -> Verdict:
    """How bad it is.

    CRITICAL: a worker never connected or did not come back, a critical alert still holds, or one fired and stability is
    broken. WARNING: anything else happened.
    """
    if not workers:
        return Verdict(
            "NO DATA",
            said_of(
                coordinators,
                "{n} coordinator log and no worker log: sessions can only be counted, not judged",
                "{n} coordinator logs and no worker log: sessions can only be counted, not judged",
                n=str(coordinators),
            ),
        )
    outages = sum(len(worker.outages) for worker in workers.values())
    still_down = [worker.key for worker in workers.values() if worker.still_down is not None]
    unborn = sum(_never_connected(worker) for worker in workers.values())
    unseen = sum(int(worker.derived.get("reconnections", 0)) for worker in workers.values() if not worker.files)
    refused = sum(finding.count for finding in refusals(security, workers))
    refused = refused if refused >= _MANY_REFUSED else 0
    alerts = [alert for alert in alerts if alert.fired_us is not None]
    critical = [alert for alert in alerts if alert.severity == "CRITICAL"]
    holds = any(alert.resolved_us is None for alert in critical)
    broken = fleet["connection_stability"].status == "outside"
    outside = sum(value.status == "outside" for value in fleet.values())
    length_us = max(worker.last_us for worker in workers.values()) - min(worker.first_us for worker in workers.values())
    told = clauses(
        *_incident_parts(incidents, length_us),
        _outage_part(outages, workers),
        _down_part(still_down, workers),
        said_of(unborn, "{n} worker never connected", "{n} workers never connected") if unborn else "",
        _unseen_part(unseen),
        said_of(refused, "{n} login refused", "{n} logins refused") if refused else "",
        _task_part(workers),
    ) or _quiet_part(alerts, outside, len(fleet))
    if still_down or unborn or holds or (broken and critical):
        return Verdict("CRITICAL", told)
    if outages or alerts or outside or refused or unseen:
        return Verdict("WARNING", told)
    calm = said_of(len(workers), "no outage and no alert on {n} worker", "no outage and no alert on {n} workers")
    return Verdict("OK", calm)


def _never_connected(worker: WorkerResult) -> bool:
    tried, succeeded = (worker.metrics[name].value for name in ("connection_attempts", "successful_connections"))
    return bool(tried) and succeeded == 0


def _unseen_part(reconnections: int) -> str:
    if not reconnections:
        return ""
    return said_of(
        reconnections,
        "{n} reconnection known from snapshots alone, which do not tell when",
        "{n} reconnections known from snapshots alone, which do not tell when",
    )


def _quiet_part(alerts: Sequence[Alert], outside: int, metrics: int) -> str:
    """What to say where no session was lost and no task failed."""
    if outside:
        return said("no outage, yet {n} of {all} metrics outside their normal range", n=str(outside), all=str(metrics))
    return said("no outage, yet alerts: {names}", names=", ".join(sorted({alert.alert for alert in alerts})))


def _incident_parts(incidents: Sequence[Incident], length_us: int) -> tuple[str, ...]:
    if not incidents:
        return ()
    worst = max(incidents, key=lambda incident: incident.lost_us)
    stamp = iso(worst.start_us)
    at = stamp[11:19] if length_us <= DAY_US else f"{stamp[:10]} {stamp[11:19]}"
    what = said(
        "{what} at {time} UTC ({lost} worker-seconds lost)",
        what=first_clause(worst.title),
        time=at,
        lost=f"{seconds(worst.lost_us):,.0f}",
    )
    return (what, *other_clauses(worst.title))


def _outage_part(outages: int, workers: Mapping[str, WorkerResult]) -> str:
    if not outages:
        return ""
    lost_us = sum(down_us(worker.outages, worker.last_us) for worker in workers.values())
    if len(workers) == 1:
        return said_of(
            outages,
            "{n} outage, {lost} without a session in all",
            "{n} outages, {lost} without a session in all",
            lost=spelled(lost_us),
        )
    return said_of(
        outages,
        "{n} outage, {lost} without a session in all, on {hit} of {all} workers",
        "{n} outages, {lost} without a session in all, on {hit} of {all} workers",
        lost=spelled(lost_us),
        hit=f"{sum(bool(worker.outages) for worker in workers.values()):,}",
        all=f"{len(workers):,}",
    )


def _down_part(still_down: Sequence[str], workers: Mapping[str, WorkerResult]) -> str:
    if not still_down:
        return ""
    if len(workers) == 1:
        return said("the worker had not come back when the log ended")
    return said("{n} had not come back when their log ended", n=f"{len(still_down):,}")


def _task_part(workers: Mapping[str, WorkerResult]) -> str:
    failed = sum(worker.tasks.failed for worker in workers.values())
    unfinished = sum(worker.tasks.unfinished for worker in workers.values())
    if failed and unfinished:
        return said_of(
            failed,
            "{n} task failed, {unfinished} unfinished",
            "{n} tasks failed, {unfinished} unfinished",
            unfinished=f"{unfinished:,}",
        )
    if failed:
        return said_of(failed, "{n} task failed", "{n} tasks failed")
    return said_of(unfinished, "{n} task unfinished", "{n} tasks unfinished") if unfinished else ""
