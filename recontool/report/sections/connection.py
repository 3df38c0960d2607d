"""How the fleet stayed connected: every worker over time, and how many were connected at once."""

from collections.abc import Collection, Sequence

from recontool.model.findings import Analysis, WorkerResult
from recontool.model.instant import iso
from recontool.model.units import DAY_US, SECOND_US
from recontool.report import quantity, ranking, svg, timeline, view
from recontool.report.anchors import worker_anchor
from recontool.report.language import say, several
from recontool.report.view import Cell, Figure, Lane, Row, Section, Strip, Table

FIRST_SCREEN_LANES = 8
_PIECES_PER_ROW = 30  # so that the strips stay small however much happened
_TICKS = 5
_SHORT_US = 10 * SECOND_US  # so short that ticks need a part of a second
_TALL, _FLAT = 16, 12
STATES = {
    "up": "connected",
    "partly": "brief outage",
    "down": "down",
    "unknown": "unknown, no records",
    "connecting": "not connected yet",
    "unobserved": "not observed",
}


def first_screen(analysis: Analysis) -> Figure | None:
    """The strip on top of the page: the most damaged workers, or the one there is."""
    if not analysis.workers:
        return None
    strip = _strip(analysis, _first_lanes(analysis))
    return Figure(say("Connection over time"), _timeline_finding(analysis), strip=strip)


def _first_lanes(analysis: Analysis) -> int:
    """Few enough lanes that the findings below them stay on the first screen."""
    return len(analysis.workers) if len(analysis.workers) <= FIRST_SCREEN_LANES else FIRST_SCREEN_LANES - 2


def timeline_section(analysis: Analysis) -> Section:
    """Every worker over time, and how many were connected at once."""
    if not analysis.workers:
        empty = say("No timeline: no worker log was among the inputs.")
        return Section("timeline", say("Fleet timeline"), empty=empty)
    ranked = ranking.by_damage(analysis.workers.values())
    many = len(ranked) > 1
    most = view.most_rows(len(ranked))  # of a small page fewer than the first screen has shown already
    figures = [
        Figure(
            say("Workers over time" if many else "The worker over time"),
            _timeline_finding(analysis),
            strip=_strip(analysis, most) if most >= FIRST_SCREEN_LANES or not many else None,
            table=_states_table(ranked),
        )
    ]
    if many:
        figures.append(Figure(say("Workers connected"), _connected_finding(analysis), chart="connected"))
    return Section("timeline", say("Fleet timeline"), figures=tuple(figures), notes=_gap_notes(ranked))


def _strip(analysis: Analysis, most: int) -> Strip:
    ranked = ranking.by_damage(analysis.workers.values())
    shown = ranked[:most]
    extent = timeline.extent(analysis) or (0, 1)
    number = svg.resolution(shown, *extent, _PIECES_PER_ROW * view.most_rows())
    height = 44 if len(ranked) == 1 else _TALL if len(shown) <= FIRST_SCREEN_LANES else _FLAT
    lanes = tuple(
        Lane(worker.key, svg.strip(worker, *extent, number, height), worker_anchor(worker.key)) for worker in shown
    )
    found = {state for worker in shown for state in timeline.cells(worker, *extent, number)}
    left = len(ranked) - len(shown)
    note = say("One cell is {length}.", length=quantity.duration((extent[1] - extent[0]) // number))
    if left:
        note += " " + say("The {n} workers with less damage are not drawn.", n=f"{left:,}")
    return strip_of(lanes, extent, found, note)


def strip_of(lanes: Sequence[Lane], extent: tuple[int, int], states: Collection[str], note: str = "") -> Strip:
    """Lanes over the time from first to last microsecond of `extent`, with a legend of the states that occur."""
    named = tuple((state, say(name)) for state, name in STATES.items() if state in states)
    return Strip(tuple(lanes), _ticks(*extent), named, note)


def _ticks(start_us: int, end_us: int) -> tuple[tuple[float, str], ...]:
    long, short = end_us - start_us > DAY_US, end_us - start_us < _SHORT_US
    at = [start_us + (end_us - start_us) * i // (_TICKS - 1) for i in range(_TICKS)]
    return tuple(
        (
            100.0 * i / (_TICKS - 1),
            quantity.moment(a)[5:16] if long else iso(a)[11:21] if short else quantity.clock(a),
        )
        for i, a in enumerate(at)
    )


def _timeline_finding(analysis: Analysis) -> str:
    workers = list(analysis.workers.values())
    hit = [worker for worker in workers if worker.outages]
    never = [worker for worker in workers if ranking.never_connected(worker)]
    lost = quantity.duration(sum(ranking.lost_us(worker) for worker in workers))
    if len(workers) == 1:
        number = len(workers[0].outages)
        text = several(
            number, "{n} outage, {lost} without a session", "{n} outages, {lost} without a session", lost=lost
        )
        text = text if hit else say("No session was lost")
    elif hit:
        text = say(
            "{hit} of {all} workers lost their session at least once, {lost} of worker time in all",
            hit=f"{len(hit):,}",
            all=f"{len(workers):,}",
            lost=lost,
        )
    elif unseen := sum(int(worker.derived.get("reconnections", 0)) for worker in workers if not worker.files):
        text = several(
            unseen,
            "{n} reconnection known from snapshots alone, which do not tell when",
            "{n} reconnections known from snapshots alone, which do not tell when",
        )
    else:
        text = say("None of {all} workers lost a session", all=f"{len(workers):,}")
    if never:
        text = say("{text}; {n} never connected", text=text, n=f"{len(never):,}")
    return say("{text}.", text=text)


def _connected_finding(analysis: Analysis) -> str:
    extent = timeline.extent(analysis) or (0, 1)
    outages = [pair for worker in analysis.workers.values() for pair in ((o, worker.last_us) for o in worker.outages)]
    edges = sorted(
        step
        for outage, last in outages
        for step in ((outage.start_us, 1), (last if outage.end_us is None else outage.end_us, -1))
    )
    worst, worst_at, number = 0, extent[0], 0
    for at_us, step in edges:
        number += step
        if number > worst:
            worst, worst_at = number, at_us
    if not worst:
        return say("No worker was down at any time.")
    return several(
        worst,
        "At worst {n} worker was down at once, at {time} UTC.",
        "At worst {n} workers were down at once, at {time} UTC.",
        time=timeline.when(analysis, worst_at),
    )


def _states_table(ranked: Sequence[WorkerResult]) -> Table:
    states: tuple[timeline.State, ...] = ("up", "down", "unknown", "connecting")
    rows = []
    for worker in ranked[: view.most_rows(len(ranked))]:
        spent = dict.fromkeys(states, 0)
        for part in timeline.segments(worker):
            if part.state in spent:
                spent[part.state] += part.end_us - part.start_us
        shown = (Cell(quantity.duration(us) if us else quantity.NOTHING, sort=us) for us in spent.values())
        extra = (
            Cell(quantity.count(len(items)), sort=len(items)) for items in (worker.outages, worker.flaps, worker.gaps)
        )
        anchor = worker_anchor(worker.key)
        rows.append(Row((Cell(worker.key, href=f"#{anchor}"), *shown, *extra), anchor))
    titles = view.columns(
        "`Worker", "#Connected", "#Down", "#Unknown", "#Not connected yet", "#Outages", "#Flaps", "#Gaps"
    )
    return view.table(say("Time in each state"), titles, rows, of=len(ranked), what="workers")


def _gap_notes(workers: Sequence[WorkerResult]) -> tuple[str, ...]:
    gaps = sum(len(worker.gaps) for worker in workers)
    if not gaps:
        return ()
    return (
        several(
            gaps,
            "{n} gap without any record is shown as unknown, not as connected; connection stability does not subtract them.",
            "{n} gaps without any record are shown as unknown, not as connected; connection stability does not subtract them.",
        ),
    )
