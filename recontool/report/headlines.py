"""The three findings of the first screen, each linked to the row that proves it."""

from collections.abc import Iterator
from typing import Final

from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Analysis, Outage
from recontool.model.units import SECOND_US
from recontool.report import quantity, ranking, timeline
from recontool.report.language import say, several, spoken
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
    sentence = say(
        "{who} never connected: {attempts}, no session", who=who, attempts=quantity.counted(attempts, "attempt")
    )
    refused = any("auth" in found.event for found in analysis.security)
    yield Headline(
        "CRITICAL", sentence, "#security" if refused else "#timeline", say("security events" if refused else "timeline")
    )


def _incidents(analysis: Analysis) -> Iterator[Headline]:
    anchors = outage_anchors(analysis)
    for incident in sorted(analysis.incidents, key=lambda found: (-found.lost_us, found.start_us)):
        anchor = first_listed(incident, anchors)
        sentence = say(
            "{time} UTC: {what} ({lost} of worker time lost)",
            time=timeline.when(analysis, incident.start_us),
            what=spoken(incident.title).removesuffix("."),
            lost=quantity.duration(incident.lost_us),
        )
        severity = "CRITICAL" if incident.end_us is None else "WARNING"
        yield Headline(severity, sentence, f"#{anchor or 'incidents'}", say("first outage" if anchor else "incidents"))


def _open(analysis: Analysis) -> Iterator[Headline]:
    """Outages that had not ended with the log, unless an incident tells of them."""
    anchors, told = outage_anchors(analysis), _told(analysis)
    for worker in ranking.by_damage(analysis.workers.values()):
        outage = worker.still_down
        if outage is not None and (outage.worker, outage.start_us) not in told:
            sentence = say(
                "{worker} was still down when its log ended, since {time} UTC ({lost})",
                worker=worker.key,
                time=timeline.when(analysis, outage.start_us),
                lost=quantity.duration(ranking.length_us(outage, worker.last_us)),
            )
            yield Headline("CRITICAL", sentence, _anchor(anchors, outage), say("outage"))


def _failed_tasks(analysis: Analysis) -> Iterator[Headline]:
    failed = sum(worker.tasks.failed for worker in analysis.workers.values())
    if failed:
        executed = sum(worker.tasks.executed for worker in analysis.workers.values())
        first = next((worker.first_error for worker in analysis.workers.values() if worker.first_error), "")
        numbers = {"failed": f"{failed:,}", "executions": quantity.counted(executed, "execution")}
        sentence = (
            say("{failed} of {executions} failed, first: {error}", **numbers, error=first)
            if first
            else say("{failed} of {executions} failed", **numbers)
        )
        yield Headline("WARNING", sentence, "#tasks", say("tasks"))


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
        yield Headline(
            "WARNING", _away(analysis, length, outage), _anchor(outage_anchors(analysis), outage), say("outage")
        )


def _away(analysis: Analysis, length: int, outage: Outage) -> str:
    return say(
        "{worker} was away {length} from {time} UTC ({cause}, {attempts})",
        worker=outage.worker,
        length=quantity.duration(length),
        time=timeline.when(analysis, outage.start_us),
        cause=spoken(outage.cause),
        attempts=quantity.counted(outage.attempts, "attempt"),
    )


def _security(analysis: Analysis) -> Iterator[Headline]:
    refused = [found for found in analysis.security if found.event != "auth_ok"]
    if refused:
        worst = max(refused, key=lambda found: found.count)
        said = say(
            "{n} x {event} at {source}",
            n=f"{worst.count:,}",
            event=spoken(worst.event.replace("_", " ")),
            source=worst.source,
        )
        sentence = f"{said}: {worst.detail}" if worst.detail else said
        yield Headline("WARNING", sentence, "#security", say("security events"))


def _unreadable(analysis: Analysis) -> Iterator[Headline]:
    total = sum(file.lines.total for file in analysis.inputs)
    unparsed = sum(file.lines.unparsed for file in analysis.inputs)
    if unparsed > total * _UNREADABLE:
        sentence = say("{share} of the lines could not be read", share=quantity.percent(unparsed, total))
        yield Headline("WARNING", sentence, "#quality", say("data quality"))


def _claims(analysis: Analysis) -> Iterator[Headline]:
    if analysis.disagreements:
        sentence = several(
            len(analysis.disagreements),
            "Processes report {n} number that their events contradict",
            "Processes report {n} numbers that their events contradict",
        )
        yield Headline("INFO", sentence, "#claims", say("claims"))


def _told(analysis: Analysis) -> set[tuple[str, int]]:
    return {(outage.worker, outage.start_us) for incident in analysis.incidents for outage in incident.outages}


def _anchor(anchors: dict[tuple[str, int], str], outage: Outage) -> str:
    return f"#{anchors.get((outage.worker, outage.start_us), 'outages')}"
