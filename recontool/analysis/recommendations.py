"""Advice, and only what the evidence of these logs supports: each piece carries its lines and its arithmetic."""

from collections.abc import Mapping, Sequence
from typing import Final

from recontool.analysis.security import refusals, refused_workers
from recontool.model.findings import Incident, Recommendation, SecurityFinding, WorkerResult
from recontool.model.instant import seconds
from recontool.model.outages import starts_us
from recontool.model.said import said, said_of
from recontool.model.settings import BY_NAME
from recontool.model.units import SECOND_US

_LATE_US: Final = 5 * SECOND_US  # a worker back later than this after the first one waited for nothing else
_FEW: Final = 5  # evidence lines per piece of advice
_FLAPS: Final = 3


def recommend(
    workers: Mapping[str, WorkerResult], incidents: Sequence[Incident], security: Sequence[SecurityFinding]
) -> tuple[Recommendation, ...]:
    """All advice, the costliest problem first."""
    found = [
        *_late_returns(incidents, workers),
        *_refused_keys(security, workers),
        *_failing_tasks(workers),
        *_flapping(workers),
        *_given_up(workers),
    ]
    return tuple(found)


def _late_returns(incidents: Sequence[Incident], workers: Mapping[str, WorkerResult]) -> list[Recommendation]:
    """Workers that slept on while others of the same incident were already back: the backoff cap cost that time."""
    wasted_us = longest_us = 0
    late: dict[str, None] = {}
    evidence: list[str] = []
    for incident in incidents:
        returns = [(outage.end_us, outage) for outage in incident.outages if outage.end_us is not None]
        if len(returns) < 2:  # noqa: PLR2004
            continue
        first_us = min(end_us for end_us, _ in returns)
        for end_us, outage in returns:
            if end_us - first_us > _LATE_US and outage.attempts > 1:
                wasted_us += end_us - first_us
                longest_us = max(longest_us, end_us - first_us)
                late[outage.worker] = None
                evidence.extend(outage.evidence[-1:])
    if not late:
        return []
    current = _configured("max_reconnect_delay", late, workers)
    cap_s = _LATE_US // SECOND_US
    return [
        Recommendation(
            said("Lower max_reconnect_delay to {cap}", cap=f"{cap_s} s"),
            "max_reconnect_delay",
            current,
            f"{cap_s} s",
            said_of(
                len(late),
                "{n} worker came back up to {longest} after the first one of the same incident, while they slept between "
                "tries; {wasted} worker-seconds in all. A waiting worker dials within the cap, so {cap} would have bounded "
                "each of these waits by {cap}, at the price of more tries while the coordinator is down.",
                "{n} workers came back up to {longest} after the first one of the same incident, while they slept between "
                "tries; {wasted} worker-seconds in all. A waiting worker dials within the cap, so {cap} would have bounded "
                "each of these waits by {cap}, at the price of more tries while the coordinator is down.",
                longest=f"{seconds(longest_us):.1f} s",
                wasted=f"{seconds(wasted_us):.1f}",
                cap=f"{cap_s} s",
            ),
            tuple(late),
            tuple(evidence[:_FEW]),
        )
    ]


def _refused_keys(security: Sequence[SecurityFinding], workers: Mapping[str, WorkerResult]) -> list[Recommendation]:
    """Workers whose own logs tell of it need a key; who else is refused may be nobody of this fleet."""
    own = refused_workers(security, workers)
    seen = refusals(security, workers)
    found, count = [], sum(finding.count for finding in own)
    if own:
        advice = said_of(
            count,
            "{n} login failed ({reason}). Trying again with the same key cannot succeed: set --api-key or "
            "RECONTOOL_API_KEY to a key the coordinator knows.",
            "{n} logins failed ({reason}). Trying again with the same key cannot succeed: set --api-key or "
            "RECONTOOL_API_KEY to a key the coordinator knows.",
            n=str(count),
            reason=_reason(own),
        )
        found.append(_of_refused(said("Give the refused peer a valid key"), advice, own))
    others = sum(finding.count for finding in seen) - count
    if others > 0:
        advice = said_of(
            others,
            "{n} login was refused by the coordinator ({reason}), of a peer whose log is not here. If it is one of yours, "
            "give it a key the coordinator knows; if it is not, keep it away from the port.",
            "{n} logins were refused by the coordinator ({reason}), of peers whose logs are not here. If they are yours, "
            "give them keys the coordinator knows; if they are not, keep them away from the port.",
            n=str(others),
            reason=_reason(seen),
        )
        found.append(_of_refused(said("Find out who was refused"), advice, seen))
    return found


def _reason(refused: Sequence[SecurityFinding]) -> str:
    """What the first refusal said, and a sign that there were more."""
    first = refused[0].detail or said("no reason logged")
    return first if sum(finding.count for finding in refused) == 1 else f"{first}, …"


def _of_refused(title: str, advice: str, refused: Sequence[SecurityFinding]) -> Recommendation:
    places = tuple(place for finding in refused for place in finding.evidence)[:_FEW]
    return Recommendation(title, "", "", "", advice, tuple(finding.source for finding in refused), places)


def _failing_tasks(workers: Mapping[str, WorkerResult]) -> list[Recommendation]:
    failing = [worker for worker in workers.values() if worker.tasks.failed]
    if not failing:
        return []
    worst = max(failing, key=lambda worker: worker.tasks.failed)
    total = sum(worker.tasks.failed for worker in failing)
    return [
        Recommendation(
            said("Look at the failing tasks"),
            "",
            "",
            "",
            said(
                "{executions} failed on {workers}. The first one on {worker} said: {error}",
                executions=said_of(total, "{n} execution", "{n} executions", n=str(total)),
                workers=said_of(len(failing), "{n} worker", "{n} workers", n=str(len(failing))),
                worker=worst.key,
                error=worst.first_error or said("nothing"),
            ),
            tuple(worker.key for worker in failing),
            tuple(worker.first_error_evidence for worker in failing if worker.first_error_evidence)[:_FEW],
        )
    ]


def _flapping(workers: Mapping[str, WorkerResult]) -> list[Recommendation]:
    flapping = [worker for worker in workers.values() if len(worker.flaps) >= _FLAPS]
    if not flapping:
        return []
    flaps = sum(len(worker.flaps) for worker in flapping)
    evidence = [place for worker in flapping for place in _first_losses(worker)]
    return [
        Recommendation(
            said("Find out who ends sessions right after they begin"),
            "",
            "",
            "",
            said(
                "{sessions} on {workers} ended within 10 s of being established; dialling succeeds, so no reconnect setting "
                "can help.",
                sessions=said_of(flaps, "{n} session", "{n} sessions", n=str(flaps)),
                workers=said_of(len(flapping), "{n} worker", "{n} workers", n=str(len(flapping))),
            ),
            tuple(worker.key for worker in flapping),
            tuple(evidence[:_FEW]),
        )
    ]


def _first_losses(worker: WorkerResult) -> list[str]:
    """Where the first flapping sessions were lost."""
    ends = {flap.end_us for flap in worker.flaps}
    numbers = [number for number, start_us in enumerate(starts_us(worker.outages)) if start_us in ends]
    return [place for number in numbers[:_FEW] for place in worker.outages[number].evidence[:1]]


def _given_up(workers: Mapping[str, WorkerResult]) -> list[Recommendation]:
    stopped = [worker for worker in workers.values() if worker.derived.get("gave_up")]
    if not stopped:
        return []
    return [
        Recommendation(
            said("Restart the workers that gave up"),
            "",
            "",
            "",
            said_of(
                len(stopped),
                "{n} worker reached the maximum number of tries and will not come back alone.",
                "{n} workers reached the maximum number of tries and will not come back alone.",
                n=str(len(stopped)),
            ),
            tuple(worker.key for worker in stopped),
            (),
        )
    ]


def _configured(setting: str, late: Mapping[str, None], workers: Mapping[str, WorkerResult]) -> str:
    values = {workers[key].config[setting] for key in late if key in workers and setting in workers[key].config}
    unit = BY_NAME[setting].unit
    return ", ".join(f"{value:g} {unit}" for value in sorted(float(value) for value in values)) or said("not logged")
