"""Outages one by one, and the incidents that several of them are: when, why, for how long, on which evidence."""

from collections.abc import Mapping

from recontool.model.detail import Detail
from recontool.model.findings import Analysis, Incident, Outage
from recontool.report import quantity, ranking, timeline, view
from recontool.report.anchors import numbered, outage_anchor, worker_anchor
from recontool.report.language import say, spoken
from recontool.report.view import Cell, Figure, Row, Section


def incidents_section(analysis: Analysis, detail: Detail) -> Section:
    """Outages of several workers that share one cause."""
    if not analysis.incidents:
        empty = say(
            "No incidents: no two outages share a cause in time."
            if analysis.workers
            else "No incidents: no worker log was among the inputs."
        )
        return Section("incidents", say("Incidents"), empty=empty)
    ranked = sorted(analysis.incidents, key=lambda incident: (-incident.lost_us, incident.start_us))
    anchors = outage_anchors(analysis)
    repeated = {(steps.worker, steps.start_us): steps.repeated for steps in detail.steps}
    rows = [_incident_row(incident, anchors, repeated) for incident in ranked]
    titles = view.columns(
        "Incident",
        "Cause",
        "From (UTC)",
        "Until (UTC)",
        "#Workers",
        "#Outages",
        "#Time lost",
        "#Tasks repeated",
        "`Evidence",
    )
    return Section(
        "incidents",
        say("Incidents"),
        lead=say("Outages of several workers that belong together, the costliest first."),
        badge=quantity.count(len(ranked)),
        tone="warning",
        figures=(Figure(say("Recovery"), _recovery_finding(analysis, ranked[0]), chart="recovery"),),
        tables=(view.table(say("Incidents by worker time lost"), titles, rows, what="incidents"),),
    )


def outages_section(analysis: Analysis) -> Section:
    """Each outage with its cause, attempts, duration and the lines that prove it."""
    shown, total = listed_outages(analysis)
    if not total:
        return Section("outages", say("Outages"), empty=_no_outages(analysis))
    anchors = outage_anchors(analysis)
    orderly = ranking.stopped(analysis)
    rows = [
        _outage_row(outage, last_us, anchors[outage.worker, outage.start_us], in_order=outage in orderly)
        for outage, last_us in shown
    ]
    titles = view.columns("`Worker", "Lost at (UTC)", "#Duration", "Cause", "#Attempts", "`Evidence")
    lost = sum(ranking.lost_us(worker) for worker in analysis.workers.values())
    still = sum(worker.still_down is not None for worker in analysis.workers.values())
    numbers = {"outages": quantity.counted(total, "outage"), "lost": quantity.duration(lost)}
    lead = say("{outages} cost {lost} of worker time, all of them ended.", **numbers)
    if still:
        lead = say(
            "{outages} cost {lost} of worker time; {n} had not ended when the log did.", **numbers, n=f"{still:,}"
        )
    table = say("Outages in time order")
    return Section(
        "outages",
        say("Outages"),
        lead=lead,
        badge=quantity.count(total),
        tone="warning",
        tables=(view.table(table, titles, rows, of=total, what="shorter outages", whole=True),),
    )


def outage_anchors(analysis: Analysis) -> dict[tuple[str, int], str]:
    """The id of the row of each outage that is listed, by worker and start."""
    shown, _ = listed_outages(analysis)
    numbers = numbered(analysis.workers.values())
    known = ((outage.worker, outage.start_us) for outage, _ in shown)
    return {one: outage_anchor(one[0], numbers[one]) for one in known}


def first_listed(incident: Incident, anchors: Mapping[tuple[str, int], str]) -> str:
    """The id of the row of the first outage of the incident that is listed; "" when none is."""
    return next((anchors[known] for o in incident.outages if (known := (o.worker, o.start_us)) in anchors), "")


def listed_outages(analysis: Analysis) -> tuple[list[tuple[Outage, int]], int]:
    """The outages the page lists (open ones, then the longest) in time order, and how many there are."""
    pairs = ranking.outages_with_end(analysis)
    shown, omitted = ranking.bounded(
        pairs,
        view.most_rows(),
        lambda pair: float("inf") if pair[0].end_us is None else ranking.length_us(*pair),
        lambda pair: pair[0].start_us,
    )
    return shown, len(shown) + omitted


def _recovery_finding(analysis: Analysis, incident: Incident) -> str:
    """How fast the workers of the costliest incident came back."""
    after = sorted(outage.end_us - incident.start_us for outage in incident.outages if outage.end_us is not None)
    which = say(
        "The costliest, at {time} UTC, took {sessions}",
        time=timeline.when(analysis, incident.start_us),
        sessions=quantity.counted(len(incident.outages), "session"),
    )
    if len(after) * 2 < len(incident.outages):
        return say("{which}; {n} of them came back before the logs end.", which=which, n=f"{len(after):,}")
    half = quantity.duration(after[(len(incident.outages) - 1) // 2])
    if len(after) < len(incident.outages):
        return say(
            "{which}; half were back after {half}, {n} were not when the logs end.",
            which=which,
            half=half,
            n=f"{len(incident.outages) - len(after):,}",
        )
    last = quantity.duration(after[-1])
    return say("{which}; half were back after {half}, all after {last}.", which=which, half=half, last=last)


def _incident_row(
    incident: Incident, anchors: Mapping[tuple[str, int], str], repeated: Mapping[tuple[str, int], int]
) -> Row:
    anchor = first_listed(incident, anchors)
    again = sum(repeated.get((outage.worker, outage.start_us), 0) for outage in incident.outages)
    return Row(
        (
            Cell(quantity.sentence(spoken(incident.title)), href=f"#{anchor}" if anchor else ""),
            Cell(spoken(incident.cause.replace("_", " "))),
            Cell(quantity.moment(incident.start_us), sort=incident.start_us),
            Cell(
                say("still open") if incident.end_us is None else quantity.moment(incident.end_us), sort=incident.end_us
            ),
            Cell(quantity.count(len(incident.workers)), sort=len(incident.workers)),
            Cell(quantity.count(len(incident.outages)), sort=len(incident.outages)),
            Cell(quantity.duration(incident.lost_us), sort=incident.lost_us),
            Cell(quantity.count(again), sort=again) if repeated else Cell(quantity.NOTHING),
            Cell(view.evidence(incident.evidence)),
        ),
        span=(incident.start_us, max((o.end_us or o.start_us for o in incident.outages), default=incident.start_us)),
    )


def _outage_row(outage: Outage, last_us: int, anchor: str, *, in_order: bool) -> Row:
    took = outage.duration_us
    cause = spoken(outage.cause)
    if outage.code is not None:
        cause = say("{cause} (code {code})", cause=cause, code=f"{outage.code}")
    return Row(
        (
            Cell(outage.worker, href=f"#{anchor}"),
            Cell(quantity.moment(outage.start_us), sort=outage.start_us),
            Cell(
                quantity.lasted(took, in_order=in_order),
                "critical" if took is None and not in_order else "",
                sort=2.0**62 if took is None and not in_order else took or 0,
            ),
            Cell(cause),
            Cell(quantity.count(outage.attempts), sort=outage.attempts),
            Cell(view.evidence(outage.evidence)),
        ),
        anchor,
        (outage.start_us, last_us if took is None else outage.start_us + took),
        worker_anchor(outage.worker),
    )


def _no_outages(analysis: Analysis) -> str:
    if not analysis.workers:
        return say("No outages: no worker log was among the inputs.")
    if all(ranking.never_connected(worker) for worker in analysis.workers.values()):
        return say(
            "No outages: no session was ever established, so none could be lost. See security events for refused keys."
        )
    return say("No outages: every session that was established lasted to its orderly end or to the last record.")
