"""The three findings of the first screen, each linked to the row that proves it."""

from collections.abc import Iterator
from typing import Final

from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Analysis, Outage
from recontool.model.instant import SECOND_US
from recontool.report import quantity, ranking, timeline
from recontool.report.sections.outages import first_listed, outage_anchors
from recontool.report.view import Headline

MOST: Final = 3
_UNREADABLE: Final = 0.01  # a share of lines above which the numbers themselves are in doubt


def headlines(analysis: Analysis) -> tuple[Headline, ...]:
    """The most severe findings; among equals those that cost more come first."""
    found = [
        *_never_connected(analysis),
        *_incidents(analysis),
        *_open(analysis),
        *_failed_tasks(analysis),
        *_long(analysis),
        *_security(analysis),
        *_unreadable(analysis),
        *_claims(analysis),
    ]
    return tuple(sorted(found, key=lambda headline: ranking.SEVERITIES.index(headline.severity))[:MOST])


def _never_connected(analysis: Analysis) -> Iterator[Headline]:
    never = [worker for worker in analysis.workers.values() if ranking.never_connected(worker)]
    if not never:
        return
    attempts = sum(worker.metrics["connection_attempts"].value or 0 for worker in never)
    who = never[0].key if len(never) == 1 else quantity.counted(len(never), "worker")
    sentence = f"{who} never connected: {quantity.counted(attempts, 'attempt')}, no session"
    refused = any("auth" in found.event for found in analysis.security)
    yield Headline(
        "CRITICAL", sentence, "#security" if refused else "#timeline", "security events" if refused else "timeline"
    )


def _incidents(analysis: Analysis) -> Iterator[Headline]:
    anchors = outage_anchors(analysis)
    for incident in sorted(analysis.incidents, key=lambda found: (-found.lost_us, found.start_us)):
        anchor = first_listed(incident, anchors)
        title, lost = incident.title.removesuffix("."), quantity.duration(incident.lost_us)
        sentence = f"{timeline.when(analysis, incident.start_us)} UTC: {title} ({lost} of worker time lost)"
        severity = "CRITICAL" if incident.end_us is None else "WARNING"
        yield Headline(severity, sentence, f"#{anchor or 'incidents'}", "first outage" if anchor else "incidents")


def _open(analysis: Analysis) -> Iterator[Headline]:
    """Outages that had not ended with the log, unless an incident tells of them."""
    anchors, told = outage_anchors(analysis), _told(analysis)
    for worker in ranking.by_damage(analysis.workers.values()):
        for outage in worker.outages:
            if outage.end_us is None and (outage.worker, outage.start_us) not in told:
                lost = quantity.duration(ranking.length_us(outage, worker.last_us))
                since = timeline.when(analysis, outage.start_us)
                sentence = f"{worker.key} was still down when its log ended, since {since} UTC ({lost})"
                yield Headline("CRITICAL", sentence, _anchor(anchors, outage), "outage")


def _failed_tasks(analysis: Analysis) -> Iterator[Headline]:
    failed = sum(worker.tasks.failed for worker in analysis.workers.values())
    if failed:
        executed = sum(worker.tasks.executed for worker in analysis.workers.values())
        first = next((worker.first_error for worker in analysis.workers.values() if worker.first_error), "")
        sentence = f"{failed:,} of {quantity.counted(executed, 'execution')} failed" + (
            f", first: {first}" if first else ""
        )
        yield Headline("WARNING", sentence, "#tasks", "tasks")


def _long(analysis: Analysis) -> Iterator[Headline]:
    """The longest outage outside any incident, when it is over the limit."""
    told = _told(analysis)
    limit_us = (CATALOGUE["max_reconnect_time"].normal.high or 0) * SECOND_US
    single = [
        (ranking.length_us(outage, worker.last_us), outage, worker)
        for worker in analysis.workers.values()
        for outage in worker.outages
        if outage.end_us is not None and (outage.worker, outage.start_us) not in told
    ]
    if not single:
        return
    length, outage, _ = max(single, key=lambda found: (found[0], -found[1].start_us))
    if length > limit_us:
        yield Headline("WARNING", _away(analysis, length, outage), _anchor(outage_anchors(analysis), outage), "outage")


def _away(analysis: Analysis, length: int, outage: Outage) -> str:
    return (
        f"{outage.worker} was away {quantity.duration(length)} from {timeline.when(analysis, outage.start_us)} UTC "
        f"({outage.cause}, {quantity.counted(outage.attempts, 'attempt')})"
    )


def _security(analysis: Analysis) -> Iterator[Headline]:
    refused = [found for found in analysis.security if found.event != "auth_ok"]
    if refused:
        worst = max(refused, key=lambda found: found.count)
        name = worst.event.replace("_", " ")
        sentence = f"{worst.count:,} x {name} at {worst.source}" + (f": {worst.detail}" if worst.detail else "")
        yield Headline("WARNING", sentence, "#security", "security events")


def _unreadable(analysis: Analysis) -> Iterator[Headline]:
    total = sum(file.lines.total for file in analysis.inputs)
    unparsed = sum(file.lines.unparsed for file in analysis.inputs)
    if unparsed > total * _UNREADABLE:
        sentence = f"{quantity.percent(unparsed, total)} of the lines could not be read"
        yield Headline("WARNING", sentence, "#quality", "data quality")


def _claims(analysis: Analysis) -> Iterator[Headline]:
    if analysis.disagreements:
        number = quantity.counted(len(analysis.disagreements), "number", "numbers")
        yield Headline("INFO", f"Processes report {number} that their events contradict", "#claims", "claims")


def _told(analysis: Analysis) -> set[tuple[str, int]]:
    return {(outage.worker, outage.start_us) for incident in analysis.incidents for outage in incident.outages}


def _anchor(anchors: dict[tuple[str, int], str], outage: Outage) -> str:
    return f"#{anchors.get((outage.worker, outage.start_us), 'outages')}"
