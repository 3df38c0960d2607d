"""Worker Status: who is connected, since when, and each worker's sessions over the last half hour."""

from itertools import pairwise
from typing import Final

from recontool.model.findings import Outage, Span, Tasks, WorkerResult
from recontool.model.live import LiveWorker
from recontool.model.units import MINUTE_US, SECOND_US
from recontool.report import quantity, svg, timeline, view
from recontool.report.anchors import worker_anchor
from recontool.report.dashboard.fleet import Fleet, Shown, worst_connected
from recontool.report.sections.connection import strip_of
from recontool.report.view import Cell, Figure, Row, Section, Tone

LANES: Final = 24
_WINDOW_US: Final = 30 * MINUTE_US
_CELLS: Final = 240


def section(fleet: Fleet) -> Section:
    """The view; empty, with what to do, while no worker has come."""
    if not fleet.workers:
        return Section(
            "workers",
            "Worker Status",
            lead="No worker has connected since this coordinator started.",
            empty="Start one beside it with: recontool run-worker --worker-id worker-1",
            badge="0",
        )
    ranked = worst_connected(fleet.workers)
    titles = view.columns(
        "`Worker",
        "State",
        "Since (UTC)",
        "#Sessions lost",
        "Last report (UTC)",
        "#Uptime",
        "#Queued",
        "#Tasks held",
        "Alerts",
    )
    return Section(
        "workers",
        "Worker Status",
        lead=_lead(fleet),
        badge=f"{fleet.away:,} away" if fleet.away else quantity.count(len(fleet.workers)),
        tone="warning" if fleet.away else "ok",
        figures=(_sessions(fleet, ranked),),
        tables=(
            view.table(
                "Workers, those to look at first",
                titles,
                [_row(worker) for worker in ranked[: view.most_rows()]],
                of=len(ranked),
                what="workers with less to look at",
                where="/api/v1/workers lists them",
            ),
        ),
    )


def _lead(fleet: Fleet) -> str:
    connected = sum(worker.found.connected for worker in fleet.workers)
    left = sum(worker.found.left for worker in fleet.workers)
    quiet = sum(worker.quiet for worker in fleet.workers)
    text = f"{connected:,} of {quantity.counted(len(fleet.workers), 'worker')} connected"
    text += f", {fleet.away:,} away" if fleet.away else ""
    text += f", {left:,} said goodbye" if left else ""
    text += f"; {quiet:,} connected without metrics for over {quantity.duration(300 * SECOND_US)}" if quiet else ""
    return f"{text}. Seen since this coordinator started at {quantity.moment(fleet.live.process.started_us)} UTC."


def _row(worker: Shown) -> Row:
    found = worker.found
    uptime, queued = found.metrics.get("uptime_s"), found.metrics.get("queue_depth")
    return Row(
        (
            Cell(found.worker),
            _state(worker),
            Cell(quantity.moment(found.since_us), sort=found.since_us),
            Cell(quantity.count(found.losses), sort=found.losses),
            Cell(quantity.moment(found.heard_us) if found.heard_us else "none yet", sort=found.heard_us),
            Cell(quantity.NOTHING if uptime is None else quantity.duration(round(uptime * SECOND_US)), sort=uptime),
            Cell(quantity.NOTHING if queued is None else quantity.count(queued), sort=queued),
            Cell(quantity.count(found.tasks), sort=found.tasks),
            _alerts(worker),
        ),
        worker.anchor("status"),
    )


def _state(worker: Shown) -> Cell:
    if worker.away:
        return Cell("away", "critical")
    if worker.found.left:
        return Cell("said goodbye", "muted")
    return Cell("no reports", "warning") if worker.quiet else Cell("connected", "ok")


def _alerts(worker: Shown) -> Cell:
    number = sum(worker.firing.values())
    if not number:
        return Cell("none")
    worst: Tone = "critical" if worker.firing["CRITICAL"] else "warning" if worker.firing["WARNING"] else "muted"
    return Cell(f"{number:,} firing", worst, sort=number)


def _sessions(fleet: Fleet, ranked: list[Shown]) -> Figure:
    end_us = fleet.live.at_us
    start_us = max(min(worker.found.sessions[0].start_us for worker in ranked), end_us - _WINDOW_US)
    shown = [_result(worker.found, end_us) for worker in ranked[:LANES]]
    extent = start_us, max(end_us, start_us + SECOND_US)
    caption = f"Sessions as the coordinator saw them, {quantity.span(*extent)}." + (
        f" The {len(ranked) - LANES:,} workers with less to look at are not drawn." if len(ranked) > LANES else ""
    )
    lanes = [
        view.Lane(worker.key, svg.strip(worker, *extent, _CELLS, 14), worker_anchor(worker.key)) for worker in shown
    ]
    states = {state for worker in shown for state in timeline.cells(worker, *extent, _CELLS)}
    return Figure("Sessions over time", caption, strip=strip_of(lanes, extent, states))


def _result(found: LiveWorker, now_us: int) -> WorkerResult:
    """What the report's timeline draws: connected times, and an outage for every session lost."""
    outages = [
        Outage(found.worker, one.end_us, after.start_us, "closed", None, 0, ())
        for one, after in pairwise(found.sessions)
        if one.end_us is not None and not one.orderly
    ]
    last = found.sessions[-1]
    if last.end_us is not None and not last.orderly:
        outages.append(Outage(found.worker, last.end_us, None, "closed", None, 0, ()))
    return WorkerResult(
        key=found.worker,
        worker=found.worker,
        files=(),
        first_us=found.sessions[0].start_us,
        last_us=now_us,
        metrics={},
        derived={},
        outages=outages,
        tasks=Tasks(),
        markers={},
        observed=tuple(Span(one.start_us, now_us if one.end_us is None else one.end_us) for one in found.sessions),
    )
