"""Groups outages of several workers that have one cause, using the coordinators' own logs as witnesses.

First form: by time. Outages whose starts lie close together form a group; a coordinator that started, stopped
or stayed up meanwhile says what the cause was.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from recontool.analysis.clocks import WORTH_US
from recontool.model.findings import ClockOffset, CoordinatorResult, Incident, Outage, Span, WorkerResult
from recontool.model.instant import seconds
from recontool.model.outages import causes, starts_us
from recontool.model.said import clauses, said
from recontool.model.settings import BY_NAME
from recontool.model.units import SECOND_US

CLOSE_US: Final = 2 * SECOND_US  # closed sockets are noticed at once
_HEARTBEAT_S: Final = float(BY_NAME["heartbeat_interval"].default or 0)  # where a log does not tell
_PLANNED: Final = frozenset({1001, 1012})
_MOMENT_S: Final = 0.1
_ENDS_NAMED: Final = 3  # places of the coordinator in the evidence of an incident
# Only outages of a kind share a cause. Deliberate disconnects share a moment by chance, so `forced` is in none.
_KINDS: Final = (frozenset({"closed", "error"}), frozenset({"heartbeat"}), frozenset({"crash"}))
_SLACK_US: Final = 2 * SECOND_US
_LAST_WORDS_US: Final = 30 * SECOND_US  # a coordinator that said nothing for longer may have been idle
_OUTLIVED_US: Final = 5 * SECOND_US  # by so much a worker's log goes on after that of a coordinator that is gone


class _Witness(Struct, frozen=True):
    """What the coordinators' logs say about a stretch of time."""

    restarted: tuple[str, ...] = ()  # evidence of starts inside it
    stopped: bool = False  # an orderly stop stands at its beginning
    up: bool = False  # a coordinator logged all through it
    frozen: bool = False  # a coordinator wrote nothing from before the losses to well after them
    gone: bool = False  # a coordinator wrote nothing any more


def find_incidents(
    workers: Mapping[str, WorkerResult],
    coordinators: Sequence[CoordinatorResult],
    last_us: int,
    clocks: Sequence[ClockOffset] = (),
) -> tuple[Incident, ...]:
    """Incidents of at least two workers, in time order.

    Args:
        workers: by key; those that dial different coordinators share no incident.
        coordinators: the witnesses.
        last_us: where open outages are counted to.
        clocks: how far the workers' clocks are off. An incident stands in the coordinators' time; its outages keep
            the times of their own logs.
    """
    offsets = {clock.worker: clock.offset_us for clock in clocks if abs(clock.offset_us) >= WORTH_US}
    known = {coordinator.port for coordinator in coordinators if coordinator.port is not None}
    fleets: dict[int | None, list[WorkerResult]] = {}
    for worker in workers.values():
        # A port no coordinator listens on is a proxy's; it tells nothing when there is one coordinator only.
        port = worker.port if len(known) > 1 and worker.port in known else None
        fleets.setdefault(port, []).append(_shifted(worker, -offsets.get(worker.key, 0)))
    found: list[Incident | None] = []
    for port, members in fleets.items():
        if len(members) == 1:
            continue
        witnesses = [one for one in coordinators if port is None or one.port in {port, None}]
        told_us = max(member.last_us for member in members)
        for kind in _KINDS:
            reach_us = _deadline_spread_us(members) if "heartbeat" in kind else CLOSE_US
            groups = _shared(members, kind, reach_us)
            found.extend(_incident(group, witnesses, last_us, reach_us, told_us) for group in groups)
    return tuple(
        replace(one, outages=tuple(_moved(outage, offsets.get(outage.worker, 0)) for outage in one.outages))
        for one in sorted((one for one in found if one is not None), key=lambda incident: incident.start_us)
    )


def _shifted(worker: WorkerResult, by_us: int) -> WorkerResult:
    """The worker with what stands here of it on another clock."""
    if not by_us:
        return worker
    return replace(
        worker,
        outages=tuple(_moved(outage, by_us) for outage in worker.outages),
        starts_us=tuple(at_us + by_us for at_us in worker.starts_us),
        stops_us=tuple(at_us + by_us for at_us in worker.stops_us),
        last_us=worker.last_us + by_us,
        gaps=tuple(Span(gap.start_us + by_us, gap.end_us + by_us) for gap in worker.gaps),
    )


def _moved(outage: Outage, by_us: int) -> Outage:
    if not by_us:
        return outage
    end_us = None if outage.end_us is None else outage.end_us + by_us
    return replace(outage, start_us=outage.start_us + by_us, end_us=end_us)


def _shared(workers: Sequence[WorkerResult], kind: frozenset[str], reach_us: int) -> list[list[Outage]]:
    """Groups of outages of one kind, in time order: each starts within reach of the one before it.

    Groups of one worker are no incident and never become objects. A missed deadline right after the worker's
    own silence is left out: the worker was frozen, not the link. So is one in a session younger than a heartbeat.
    """
    starts: list[tuple[int, int, int]] = []
    for at, worker in enumerate(workers):
        found = zip(starts_us(worker.outages), causes(worker.outages), strict=True)
        starts += [(start_us, at, number) for number, (start_us, cause) in enumerate(found) if cause in kind]
    groups = []
    for group in _groups(sorted(starts), reach_us):
        if len({at for _, at, _ in group}) > 1:
            members = [(workers[at], number) for _, at, number in group]
            # Leaving one out may tear a group apart.
            kept = [worker.outages[number] for worker, number in members if not _own_fault(worker, number)]
            rest = [(one.start_us, 0, number) for number, one in enumerate(kept)]
            groups += [[kept[number] for _, _, number in part] for part in _groups(rest, reach_us)]
    return groups


def _own_fault(worker: WorkerResult, number: int) -> bool:
    """Whether it says nothing of the link or the coordinator: a stop, or a deadline that no frame could have met."""
    outage = worker.outages[number]
    if worker.stopped(outage):
        return True
    if outage.cause != "heartbeat":
        return False
    if any(abs(outage.start_us - gap.end_us) <= CLOSE_US for gap in worker.gaps):
        return True
    # Some workers count the silence from before they reconnected, and give up a session that has only begun.
    began_us = worker.outages[number - 1].end_us if number else None
    return began_us is not None and outage.start_us - began_us < _heartbeat_us([worker])


def _heartbeat_us(workers: Sequence[WorkerResult]) -> int:
    """The longest heartbeat interval their logs tell; that of recontool where none does."""
    logged = [worker.config.get("heartbeat_interval") for worker in workers]
    return round(max((one for one in logged if isinstance(one, float)), default=_HEARTBEAT_S) * SECOND_US)


def _deadline_spread_us(workers: Sequence[WorkerResult]) -> int:
    """Deadlines of one silence expire up to one heartbeat interval apart, plus a moment."""
    return _heartbeat_us(workers) + CLOSE_US // 2


def _groups(starts: Sequence[tuple[int, int, int]], reach_us: int) -> Iterable[list[tuple[int, int, int]]]:
    """(start, worker, number of the outage) in time order, cut where nothing follows within reach."""
    group: list[tuple[int, int, int]] = []
    for start in starts:
        if group and start[0] - group[-1][0] > reach_us:
            yield group
            group = []
        group.append(start)
    if group:
        yield group


def _incident(
    group: list[Outage], coordinators: Sequence[CoordinatorResult], last_us: int, reach_us: int, told_us: int
) -> Incident | None:
    workers = tuple(dict.fromkeys(outage.worker for outage in group))
    if len(workers) < 2:  # noqa: PLR2004
        return None
    start_us = group[0].start_us
    ends = [outage.end_us for outage in group if outage.end_us is not None]
    end_us = max(ends) if len(ends) == len(group) else None
    witness = _witness(coordinators, start_us, end_us if end_us is not None else last_us)
    witness = replace(witness, gone=any(_ends_at(one, start_us, told_us) for one in coordinators))
    # A coordinator that is cut off misses its workers' heartbeats at about the same time, and says so; one that stands
    # still says nothing until it goes on.
    if any(_silent(one, start_us, group[-1].start_us + reach_us) for one in coordinators):
        witness = replace(witness, frozen=True)
    cause, title = _cause(group, workers, witness)
    lost_us = sum((last_us if outage.end_us is None else outage.end_us) - outage.start_us for outage in group)
    seen = _ends_seen(group, coordinators, reach_us)[:_ENDS_NAMED]
    evidence = (*witness.restarted, *seen, *(place for outage in group for place in outage.evidence[:1]))
    return Incident(cause, title, start_us, end_us, workers, tuple(group), lost_us, evidence[:10])


def _ends_seen(group: Sequence[Outage], coordinators: Sequence[CoordinatorResult], reach_us: int) -> list[str]:
    """Where coordinators saw the sessions of this group end."""
    victims = {outage.worker.partition("@")[0] for outage in group}
    first_us, last_us = group[0].start_us - reach_us, group[-1].start_us + reach_us
    found = []
    for one in coordinators:
        begin = bisect_left(one.ended, first_us, key=lambda end: end[0])
        end = bisect_right(one.ended, last_us, key=lambda end: end[0])
        found += [place for _, worker, place in one.ended[begin:end] if worker in victims]
    return found


def _silent(coordinator: CoordinatorResult, start_us: int, end_us: int) -> bool:
    return any(silence.start_us < start_us and silence.end_us > end_us for silence in coordinator.silences)


def _ends_at(coordinator: CoordinatorResult, start_us: int, told_us: int) -> bool:
    """Whether its log ends with the losses, while those of its workers go on, until `told_us`."""
    spoke_us = coordinator.last_us
    near = coordinator.first_us < start_us and start_us - _LAST_WORDS_US <= spoke_us <= start_us + _SLACK_US
    return near and told_us - spoke_us >= _OUTLIVED_US


def _witness(coordinators: Sequence[CoordinatorResult], start_us: int, end_us: int) -> _Witness:
    restarted: list[str] = []
    stopped = up = False
    for coordinator in coordinators:
        for at_us, place in zip(coordinator.starts_us, coordinator.start_evidence, strict=True):
            if start_us - _SLACK_US <= at_us <= end_us + _SLACK_US:
                restarted.append(place)
        stopped = stopped or any(abs(at_us - start_us) <= _SLACK_US for at_us in coordinator.stops_us)
        began = coordinator.starts_us[0] if coordinator.starts_us else coordinator.first_us
        up = up or (began < start_us and coordinator.last_us >= end_us and not restarted)
    return _Witness(tuple(restarted), stopped, up)


def _cause(group: Sequence[Outage], workers: Sequence[str], witness: _Witness) -> tuple[str, str]:
    n = str(len(workers))
    causes = {outage.cause for outage in group}
    planned = witness.stopped or 2 * sum(outage.code in _PLANNED for outage in group) >= len(group)
    if witness.restarted:
        if planned:
            how = said("the coordinator was restarted in an orderly way: {n} workers lost their session", n=n)
        else:
            how = said("the coordinator died and was started again: {n} workers lost their session", n=n)
        return "coordinator_restart", how
    if planned:
        title = said("the coordinator closed its sessions in an orderly way: {n} workers lost theirs", n=n)
        return "coordinator_stopped", title
    if causes == {"crash"}:
        return "workers_restarted", said("{n} workers were killed and started again at the same time", n=n)
    if "heartbeat" in causes:
        return _silent_cause(n, witness)
    spread_s = seconds(group[-1].start_us - group[0].start_us)
    moment = said("at the same moment") if spread_s < _MOMENT_S else said("within {time}", time=f"{spread_s:.1f} s")
    if witness.up:
        title = said("{n} workers lost their connection {moment} while the coordinator stayed up", n=n, moment=moment)
        return "connections_cut", title
    title = said("{n} workers lost their connection {moment}", n=n, moment=moment)
    why = said("the coordinator's log ends there") if witness.gone else said("no coordinator log tells why")
    return "coordinator_lost", clauses(title, why)


def _silent_cause(n: str, witness: _Witness) -> tuple[str, str]:
    if witness.frozen:
        title = said("the coordinator stood still: {n} workers heard nothing from it until their deadline", n=n)
        return "coordinator_frozen", title
    title = said("{n} workers heard nothing from the coordinator until their deadline", n=n)
    if witness.up:
        return "network_cut", clauses(title, said("the coordinator stayed up"))
    # It died, or it has nothing to log because it is cut off: a log cannot tell.
    why = (
        said("the coordinator's log ends there") if witness.gone else said("no coordinator log tells whether it was up")
    )
    return "network_cut", clauses(title, why)
