"""The lower part of the terminal screen: incidents, alerts, security, claims, data quality and advice, a line each."""

from collections.abc import Iterator

from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Alert, Analysis, Disagreement
from recontool.report import quantity, ranking, timeline
from recontool.report.plain import shortened
from recontool.report.terminal import Screen

_SUBJECT = 40  # columns of what a note is about


def notices(on: Screen, analysis: Analysis, *, most_each: int) -> list[str]:
    """One labelled paragraph of at most `most_each` lines per subject that has something to say."""
    lines: list[str] = []
    for label, text in _subjects(analysis, most_each):
        lines += on.wrapped(label, text, most_each)
    return lines


def _subjects(analysis: Analysis, most_each: int) -> Iterator[tuple[str, str]]:
    """Label and text, in the order a reader acts on them."""
    if analysis.workers:
        yield "sessions", _sessions(analysis)
        yield "tasks", _tasks(analysis)
    if analysis.incidents:
        yield "incidents", _incidents(analysis)
    yield from _alerts(analysis, most_each)
    if analysis.security:
        found = analysis.security[0]
        rest = len(analysis.security) - 1
        more = f"; {rest} more kind{'s' if rest > 1 else ''}" if rest else ""
        yield "security", f"{found.count:,} x {found.event} in {found.source}, first: {found.detail or '-'}{more}"
    if analysis.coordinators:
        yield "coordin.", _coordinators(analysis)
    if analysis.disagreements:
        yield "claims", _claims(analysis)
    if _unreadable(analysis):
        yield "unparsed", _unreadable(analysis)
    if analysis.quality:
        rest = len(analysis.quality) - 1
        first = analysis.quality[0]
        yield (
            "quality",
            f"{shortened(first.subject, _SUBJECT)}: {first.text}"
            + (f"; {quantity.counted(rest, 'more note')}" if rest else ""),
        )
    if analysis.recommendations:
        advice = analysis.recommendations[0]
        more = f" (and {len(analysis.recommendations) - 1} more)" if len(analysis.recommendations) > 1 else ""
        yield "advice", f"{advice.title}{more}. {advice.reason}"


def _sessions(analysis: Analysis) -> str:
    workers = analysis.workers.values()

    def total(name: str) -> int:
        return round(sum(worker.derived.get(name, 0) for worker in workers))

    attempts = analysis.fleet["connection_attempts"].value or 0
    parts = [
        quantity.counted(attempts, "attempt"),
        quantity.counted(total("reconnections"), "reconnection"),
        f"{total('forced_reconnections'):,} forced",
        f"{total('failed_reconnections_total'):,} failed",
        quantity.counted(total("restarts"), "restart"),
    ]
    flaps = sum(len(worker.flaps) for worker in workers)
    if flaps:
        parts.append(quantity.counted(flaps, "flap"))
    if total("gave_up"):
        parts.append(f"{total('gave_up'):,} gave up")
    return ", ".join(parts)


def _tasks(analysis: Analysis) -> str:
    tasks = [worker.tasks for worker in analysis.workers.values()]
    executed, succeeded = sum(t.executed for t in tasks), sum(t.succeeded for t in tasks)
    failed, unfinished = sum(t.failed for t in tasks), sum(t.unfinished for t in tasks)
    if not executed:
        return "none started"
    created = analysis.fleet["checkpoints_created"].value or 0
    restored = analysis.fleet["checkpoints_restored"].value or 0
    return (
        f"{executed:,} started, {succeeded:,} ok, {failed:,} failed, {unfinished:,} unfinished; "
        f"{quantity.counted(created, 'checkpoint')}, {quantity.count(restored)} restored"
    )


def _incidents(analysis: Analysis) -> str:
    worst = max(analysis.incidents, key=lambda incident: incident.lost_us)
    rest = len(analysis.incidents) - 1
    title, separator, tail = worst.title.partition("; ")
    lost = f"{quantity.duration(worst.lost_us)} of worker time lost"
    at = timeline.when(analysis, worst.start_us)
    return f"{title} at {at} UTC, {lost}{separator}{tail}" + (f"; {rest:,} more" if rest else "")


def _alerts(analysis: Analysis, most_each: int) -> Iterator[tuple[str, str]]:
    rules = ranking.alerts_by_rule(analysis.alerts)
    if not rules:
        if analysis.workers:
            yield "alerts", "none fired"
        return
    if most_each == 1:
        yield "alerts", ", ".join(f"{fired[0].severity} {name} x{len(fired):,}" for name, fired in rules.items())
        return
    for i, (name, fired) in enumerate(rules.items()):
        yield "alerts" if i == 0 else " ", _rule(analysis, name, fired)


def _rule(analysis: Analysis, name: str, fired: list[Alert]) -> str:
    still = sum(alert.resolved_us is None for alert in fired)
    state = f", {still:,} still firing" if still else ""
    first = min(alert.fired_us or alert.pending_us for alert in fired)
    return f"{fired[0].severity} {name} x{len(fired):,}, first {timeline.when(analysis, first)}{state}"


def _coordinators(analysis: Analysis) -> str:
    counts = [found.counts for found in analysis.coordinators.values()]

    def total(name: str) -> int:
        return sum(count.get(name, 0) for count in counts)

    return (
        f"{quantity.counted(len(counts), 'log')}: {quantity.counted(total('starts'), 'start')}, "
        f"{total('accepted'):,} accepted, {total('disconnected'):,} disconnected, {total('rejected'):,} rejected"
    )


def _claims(analysis: Analysis) -> str:
    claims = analysis.disagreements
    return f"{quantity.counted(len(claims), 'claim differs', 'claims differ')} from events: {_claim(claims[0])}"


def _claim(claim: Disagreement) -> str:
    metric = CATALOGUE[claim.metric]
    shown = "nothing" if claim.shown is None else quantity.value(metric, claim.shown)
    where = f" ({claim.evidence[0]})" if claim.evidence else ""
    return f"{claim.metric} says {quantity.value(metric, claim.claimed)}, events show {shown}{where}"


def _unreadable(analysis: Analysis) -> str:
    for file in analysis.inputs:
        for line, text, why in file.unparsed_examples:
            return f"first: {file.name}:{line} ({why}) {text}"
    return ""
