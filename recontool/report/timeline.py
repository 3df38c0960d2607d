"""Turns one worker's observed spans, outages and gaps into states over time, and those into cells to draw.

Five states: `up`, `down`, `unknown` (a gap: no record), `connecting` (running, never yet established) and
`unobserved` (before the first record, after the last, between an orderly end and the next start).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recontool.model.findings import Analysis, Outage, Span, WorkerResult
from recontool.model.outages import spans_us
from recontool.model.units import DAY_US
from recontool.report import quantity

State: TypeAlias = Literal["up", "down", "unknown", "connecting", "unobserved"]
Cell: TypeAlias = Literal["up", "partly", "down", "unknown", "connecting", "unobserved"]

STATE_TEXT: Final[dict[State, str]] = {
    "up": "up",
    "down": "down",
    "unknown": "unknown (no records)",
    "connecting": "not connected yet",
    "unobserved": "not observed",
}
_BINS: Final = 8  # per cell, when there are too many outages to draw each
_ORDER: Final[tuple[State, ...]] = ("up", "connecting", "unknown", "down")  # later ones cover earlier ones


class Segment(Struct, frozen=True):
    """[start_us, end_us) in one state."""

    start_us: int
    end_us: int
    state: State


def extent(analysis: Analysis) -> tuple[int, int] | None:
    """First and last instant of all workers, at least one second apart; None without workers."""
    if not analysis.workers:
        return None
    first = min(worker.first_us for worker in analysis.workers.values())
    last = max(worker.last_us for worker in analysis.workers.values())
    return first, max(last, first + 1_000_000)


def when(analysis: Analysis, at_us: int) -> str:
    """The time of day in UTC, with its date where the logs reach over more than a day."""
    first_us, last_us = extent(analysis) or (0, 0)
    return quantity.moment(at_us) if last_us - first_us > DAY_US else quantity.clock(at_us)


def segments(worker: WorkerResult) -> tuple[Segment, ...]:
    """The worker's states in time order, without holes between its first and its last record."""
    spans: dict[State, Sequence[Span]] = {
        "up": worker.observed,
        "connecting": _before_first_session(worker),
        "unknown": worker.gaps,
        "down": [Span(o.start_us, worker.last_us if o.end_us is None else o.end_us) for o in worker.outages],
    }
    edges = {worker.first_us, worker.last_us}
    changes: list[tuple[int, int, State]] = []
    for state, parts in spans.items():
        for part in parts:
            changes += [(part.start_us, 1, state), (part.end_us, -1, state)]
            edges |= {part.start_us, part.end_us}
    return _joined(_walk(sorted(edges), sorted(changes)))


def cells(worker: WorkerResult, start_us: int, end_us: int, number: int) -> tuple[Cell, ...]:
    """`number` equal cells over [start_us, end_us); an outage always shows, however short it is.

    A cell is `down` when nothing else happened in it, `partly` when an outage shares it with other states.
    """
    width = max(end_us - start_us, 1)
    down = [False] * number
    longest: list[tuple[int, State]] = [(0, "unobserved")] * number
    shown = _telling(worker.outages, worker.last_us, start_us, width, number * _BINS)
    for part in segments(replace(worker, outages=shown)):
        first = max((part.start_us - start_us) * number // width, 0)
        last = min((part.end_us - start_us) * number // width, number - 1)
        for index in range(first, last + 1):
            left = start_us + index * width // number
            right = start_us + (index + 1) * width // number
            share = min(part.end_us, right) - max(part.start_us, left)
            if part.state == "down":
                down[index] = down[index] or share > 0 or part.start_us >= left
            if share > longest[index][0]:
                longest[index] = (share, part.state)
    return tuple(_cell(lost, longest[i], width // number) for i, lost in enumerate(down))


def _telling(outages: Sequence[Outage], last_us: int, start_us: int, width: int, bins: int) -> Sequence[Outage]:
    """Outages that decide what cells show: of those that start in one bin the longest, and the last for what it reaches."""
    if len(outages) <= 2 * bins:
        return outages
    kept: dict[int, list[tuple[int, int]]] = {}
    for number, (start, end) in enumerate(zip(*spans_us(outages, last_us), strict=True)):
        found = (end - start, number)
        held = kept.setdefault((start - start_us) * bins // width, [found, found])
        held[0], held[1] = max(held[0], found), found
    return [outages[number] for number in sorted({number for held in kept.values() for _, number in held})]


def _cell(lost: bool, longest: tuple[int, State], width_us: int) -> Cell:
    share, state = longest
    if lost:
        return "down" if state == "down" and share >= width_us else "partly"
    return "up" if state == "down" else state


def _before_first_session(worker: WorkerResult) -> list[Span]:
    end = worker.observed[0].start_us if worker.observed else worker.last_us
    return [Span(worker.first_us, end)] if end > worker.first_us else []


def _walk(edges: Sequence[int], changes: Sequence[tuple[int, int, State]]) -> Iterable[Segment]:
    """One segment per pair of neighbouring edges, in the state that covers the others there."""
    active = dict.fromkeys(_ORDER, 0)
    position = 0
    for start, end in pairwise(edges):
        while position < len(changes) and changes[position][0] <= start:
            _, step, state = changes[position]
            active[state] += step
            position += 1
        covering: State = "unobserved"
        for state in _ORDER:
            if active[state] > 0:
                covering = state
        yield Segment(start, end, covering)


def _joined(parts: Iterable[Segment]) -> tuple[Segment, ...]:
    joined: list[Segment] = []
    for part in parts:
        if joined and joined[-1].state == part.state:
            joined[-1] = Segment(joined[-1].start_us, part.end_us, part.state)
        else:
            joined.append(part)
    return tuple(joined)
