"""What the page says: turns an `Analysis` into a `view.Page`. No markup, no files; the template lays it out."""

from recontool.model.detail import NO_DETAIL, Detail
from recontool.model.findings import Analysis
from recontool.model.instant import to_datetime
from recontool.report import activity, quantity, timeline, view
from recontool.report.activity import Series
from recontool.report.headlines import headlines
from recontool.report.keynumbers import key_numbers
from recontool.report.language import say, spoken
from recontool.report.sections import chain, connection, glossary, measures, outages, quality, reconnects, watch, work
from recontool.report.view import Page, Section


def page(analysis: Analysis, detail: Detail = NO_DETAIL) -> Page:
    """The whole page but its charts, which `charts` draws for the figures that name one."""
    course = activity.series(analysis)
    sentence, _, rest = spoken(analysis.verdict.sentence).partition("; ")
    return Page(
        title=_title(analysis),
        severity=analysis.verdict.severity,
        tone=view.TONES[analysis.verdict.severity],
        sentence=quantity.sentence(sentence),
        rest=say("{text}.", text=quantity.sentence(rest)) if rest else "",
        basis=_basis(analysis),
        numbers=key_numbers(analysis, course),
        strip=connection.first_screen(analysis),
        headlines=headlines(analysis),
        no_headlines=_nothing_stands_out(analysis),
        sections=(
            *(_worker_sections(analysis, detail, course) if analysis.workers else (measures.section(analysis),)),
            watch.security_section(analysis),
            *(_watched_sections(analysis) if analysis.workers else ()),
            quality.section(analysis),
            glossary.section(),
        ),
        version=analysis.version,
        extent=timeline.extent(analysis) or (0, 1),
    )


def _worker_sections(analysis: Analysis, detail: Detail, course: Series | None) -> tuple[Section, ...]:
    return (
        measures.section(analysis),
        connection.timeline_section(analysis),
        outages.incidents_section(analysis, detail),
        outages.outages_section(analysis),
        reconnects.section(analysis),
        chain.section(analysis, detail),
        work.tasks_section(analysis, detail, course),
        work.messages_section(analysis, course),
    )


def _watched_sections(analysis: Analysis) -> tuple[Section, ...]:
    return (watch.alerts_section(analysis), watch.advice_section(analysis), watch.claims_section(analysis))


def _nothing_stands_out(analysis: Analysis) -> str:
    if not analysis.workers:
        return say(
            "No worker log was among the inputs, so nothing can be said about workers. Give a worker's own log as well."
        )
    return say("Nothing stands out: no incident, no open or long outage, no failed task, no security event.")


def _title(analysis: Analysis) -> str:
    who = quantity.counted(len(analysis.workers), "worker") if analysis.workers else say("no worker log")
    if len(analysis.workers) == 1:
        who = next(iter(analysis.workers))
    day = "" if analysis.first_us is None else f", {to_datetime(analysis.first_us).date()}"
    return f"{who}{day}"


def _basis(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """What the page rests on, as term and description."""
    lines = [file.lines for file in analysis.inputs]
    total, parsed = sum(n.total for n in lines), sum(n.parsed for n in lines)
    unparsed, duplicate = sum(n.unparsed for n in lines), sum(n.duplicate for n in lines)
    formats = ", ".join(sorted({file.format for file in analysis.inputs if file.format})) or say("none recognised")
    names = [file.name for file in analysis.inputs]
    time = say("no records")
    if analysis.first_us is not None and analysis.last_us is not None:
        length = quantity.duration(analysis.last_us - analysis.first_us)
        time = f"{quantity.span(analysis.first_us, analysis.last_us)} ({length})"
    accounted = say(
        "{total}: {parsed} parsed, {unparsed} unparsed ({share}), {duplicate} duplicate",
        total=quantity.count(total),
        parsed=f"{parsed:,}",
        unparsed=f"{unparsed:,}",
        share=quantity.percent(unparsed, total),
        duplicate=f"{duplicate:,}",
    )
    return (
        (say("Time"), time),
        (say("Files"), f"{quantity.counted(len(names), 'file')}: {view.evidence(names, 2)}" if names else say("none")),
        (say("Lines"), accounted),
        (say("Format"), formats),
        (say("Made by"), say("recontool {version}; all times UTC", version=analysis.version)),
    )
