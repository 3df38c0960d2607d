"""Looks each injected fault up in what the analysis found; a fault that is not there is a cross."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from recontool.demo.faults import LARGE_BYTES, WORKERS, Fault, Injected
from recontool.model.findings import Analysis, Outage
from recontool.model.instant import seconds
from recontool.model.units import SECOND_US

_SLACK_US: Final = 2 * SECOND_US  # between the act and the first line that shows it
_MOST: Final = 0.6  # share of a freeze that must be shown as unknown


class Found(Struct, frozen=True):
    """What the analysis has to say about one fault; `figure` is a sentence, empty when it was not found."""

    figure: str = ""
    evidence: tuple[str, ...] = ()


NOT_FOUND: Final = Found()


def look_up(injected: Injected, analysis: Analysis) -> Found:
    """What `analysis` found of one injected fault."""
    return _CHECKS[injected.fault](injected, analysis)


def results_are_exact(submitted: int, analysis: Analysis) -> Found:
    """Whether every submitted task was applied, each once, by the coordinators' own logs."""
    counts = [coordinator.counts for coordinator in analysis.coordinators.values()]
    taken, applied = (sum(one[name] for one in counts) for name in ("submitted", "applied"))
    if not submitted == taken == applied:
        return NOT_FOUND
    repeated = sum(one["duplicate"] for one in counts)
    executed = sum(worker.tasks.executed for worker in analysis.workers.values())
    return Found(f"{applied} submitted, {applied} applied; {executed} executions, {repeated} results came twice")


def _coordinator_killed(injected: Injected, analysis: Analysis) -> Found:
    for incident in analysis.incidents:
        hit = incident.cause == "coordinator_restart" and _within(incident.start_us, injected)
        if hit and set(incident.workers) >= set(WORKERS):
            lost = seconds(incident.lost_us)
            return Found(f"{len(incident.workers)} workers down, {lost:.1f} worker-seconds lost", incident.evidence)
    return NOT_FOUND


def _half_open(injected: Injected, analysis: Analysis) -> Found:
    outage = _outage(injected, analysis, "heartbeat")
    return (
        NOT_FOUND if outage is None else Found(f"{injected.target}: cause heartbeat, {_down(outage)}", outage.evidence)
    )


def _worker_killed(injected: Injected, analysis: Analysis) -> Found:
    outage = _outage(injected, analysis, "crash")
    worker = analysis.workers.get(injected.target)
    restored = worker.metrics["checkpoints_restored"].value if worker is not None else None
    if outage is None or not restored:
        return NOT_FOUND
    return Found(f"{injected.target}: cause crash, {_down(outage)}, {restored:.0f} resumed", outage.evidence)


def _frozen(injected: Injected, analysis: Analysis) -> Found:
    worker = analysis.workers.get(injected.target)
    if worker is None:
        return NOT_FOUND
    length_us = injected.end_us - injected.start_us
    for gap in worker.gaps:
        shared_us = min(gap.end_us, injected.end_us) - max(gap.start_us, injected.start_us)
        after = [one for one in worker.outages if abs(one.start_us - gap.end_us) <= _SLACK_US]
        if shared_us >= _MOST * length_us and after:
            silent_s = seconds(gap.end_us - gap.start_us)
            return Found(f"{injected.target}: unknown for {silent_s:.1f} s, then {_down(after[0])}", after[0].evidence)
    return NOT_FOUND


def _wrong_key(injected: Injected, analysis: Analysis) -> Found:
    for finding in analysis.security:
        refused = finding.event == "auth_failed" and injected.target in finding.detail
        if refused and _within(finding.first_us, injected) and finding.source in analysis.coordinators:
            return Found(f"refused {finding.count} x: {finding.detail}", finding.evidence)
    return NOT_FOUND


def _failing_tasks(injected: Injected, analysis: Analysis) -> Found:
    failed = sum(worker.tasks.failed for worker in analysis.workers.values())
    if failed != injected.count:
        return NOT_FOUND
    evidence = tuple(one.first_error_evidence for one in analysis.workers.values() if one.first_error_evidence)
    rate = analysis.fleet["task_success_rate"].value or 0.0
    return Found(f"{failed} executions failed, success rate {rate:.3f}", evidence)


def _large_results(injected: Injected, analysis: Analysis) -> Found:
    ratio = analysis.fleet["compression_ratio"].value
    raw = sum(bucket.counts.get("raw_bytes", 0) for one in analysis.workers.values() for bucket in one.activity)
    # Each result counts at least once; 2 is where the documented normal range begins.
    if ratio is None or ratio < 2.0 or raw < injected.count * LARGE_BYTES:  # noqa: PLR2004
        return NOT_FOUND
    return Found(f"{raw / 1e6:.1f} MB sent compressed {ratio:.1f} to 1")


_CHECKS: Final[Mapping[Fault, Callable[[Injected, Analysis], Found]]] = {
    Fault.COORDINATOR_KILLED: _coordinator_killed,
    Fault.HALF_OPEN: _half_open,
    Fault.WORKER_KILLED: _worker_killed,
    Fault.FROZEN: _frozen,
    Fault.WRONG_KEY: _wrong_key,
    Fault.FAILING_TASKS: _failing_tasks,
    Fault.LARGE_RESULTS: _large_results,
}


def _outage(injected: Injected, analysis: Analysis, cause: str) -> Outage | None:
    worker = analysis.workers.get(injected.target)
    outages = worker.outages if worker is not None else ()
    return next((one for one in outages if one.cause == cause and _within(one.start_us, injected)), None)


def _within(at_us: int, injected: Injected) -> bool:
    return injected.start_us - _SLACK_US <= at_us <= injected.end_us + _SLACK_US


def _down(outage: Outage) -> str:
    return "still down" if outage.duration_us is None else f"{seconds(outage.duration_us):.2f} s down"
