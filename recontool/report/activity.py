"""Turns the activity buckets of all workers into one series over time on one grid, for charts and trends."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from recontool.model.findings import ACTIVITY, Analysis, WorkerResult
from recontool.model.units import SECOND_US
from recontool.report import timeline
from recontool.report.timeline import State

MOST_CELLS: Final = 120


class Series(Struct, frozen=True):
    """Counts of the whole fleet in equal cells from `start_us` on; every list in `counts` has one number per cell."""

    start_us: int
    width_us: int
    counts: dict[str, list[float]]

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.counts[ACTIVITY[0]])

    def starts_us(self) -> list[int]:
        """The instant each cell starts at."""
        return [self.start_us + i * self.width_us for i in range(self.cells)]

    def total(self, name: str) -> float:
        """The sum of one count over the whole time."""
        return sum(self.counts[name])

    def ratio(self, over: str, under: str) -> list[float | None]:
        """One count divided by another, cell by cell; None where there is nothing to divide by."""
        pairs = zip(self.counts[over], self.counts[under], strict=True)
        return [a / b if b else None for a, b in pairs]


class Standing(Struct, frozen=True):
    """How many workers are in each state from `at_us` on."""

    at_us: int
    workers: dict[State, int]


def coarser(course: Series, most: int) -> Series:
    """The same counts in at most `most` cells, for a table a person reads."""
    group = -(-course.cells // most)
    counts = {
        name: [sum(values[i : i + group]) for i in range(0, course.cells, group)]
        for name, values in course.counts.items()
    }
    return Series(course.start_us, course.width_us * group, counts)


def series(analysis: Analysis) -> Series | None:
    """The fleet's activity in at most `MOST_CELLS` cells (one more at the edges); None when there is none.

    A cell is never narrower than the widest bucket, so that no empty cells appear between full ones.
    """
    extent = timeline.extent(analysis)
    buckets = [bucket for worker in analysis.workers.values() for bucket in worker.activity]
    if extent is None or not buckets:
        return None
    width = max(bucket.width_us for bucket in buckets)
    while (extent[1] - extent[0]) // width >= MOST_CELLS:
        width *= 2
    first = extent[0] // width
    number = extent[1] // width - first + 1
    counts = {name: [0.0] * number for name in ACTIVITY}
    for bucket in buckets:
        index = min(max((bucket.start_us + bucket.width_us // 2) // width - first, 0), number - 1)
        for name, amount in bucket.counts.items():
            counts[name][index] += amount
    return Series(first * width, width, counts)


def standing(workers: Sequence[WorkerResult], start_us: int, end_us: int) -> list[Standing]:
    """How many workers are in each state from each change on, in time order."""
    changes: dict[int, dict[State, int]] = {start_us: {}, end_us: {}}
    for worker in workers:
        for part in timeline.segments(worker):
            for at_us, step in ((part.start_us, 1), (part.end_us, -1)):
                change = changes.setdefault(at_us, {})
                change[part.state] = change.get(part.state, 0) + step
    now: dict[State, int] = dict.fromkeys(timeline.STATE_TEXT, 0)
    course = []
    for at_us in sorted(changes):
        for state, step in changes[at_us].items():
            now[state] += step
        course.append(Standing(at_us, dict(now)))
    # At the very end everybody leaves; the last step repeats the one before instead of dropping to nothing.
    if len(course) > 1:
        course[-1] = Standing(course[-1].at_us, course[-2].workers)
    return course


def share_connected(workers: Sequence[WorkerResult], start_us: int, end_us: int, cells: int) -> list[float | None]:
    """Connected time over observed time in each of `cells` equal cells; None where nobody was observed."""
    width = max((end_us - start_us) / cells, SECOND_US / 1000)
    up, seen = [0.0] * cells, [0.0] * cells
    for worker in workers:
        for part in timeline.segments(worker):
            if part.state not in ("up", "down"):
                continue
            first = max(int((part.start_us - start_us) / width), 0)
            last = min(int((part.end_us - start_us) / width), cells - 1)
            for i in range(first, last + 1):
                left, right = start_us + i * width, start_us + (i + 1) * width
                share = max(min(part.end_us, right) - max(part.start_us, left), 0.0)
                seen[i] += share
                up[i] += share if part.state == "up" else 0.0
    return [a / b if b else None for a, b in zip(up, seen, strict=True)]
