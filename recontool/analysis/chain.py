"""Follows each outage from the last sign of life to the first task: events of a fleet -> `Steps` and `Wait`.

The outages are given, so that the steps always belong to the outages every other number is made of.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from recontool.model.detail import WAITS_KEPT, Steps, Wait
from recontool.model.events import Event
from recontool.model.findings import WorkerResult
from recontool.model.units import SECOND_US

_TRIES = frozenset({("CONNECT", "attempt"), ("RECONNECT", "attempt")})
# All others tell nothing about an outage, so a reader may leave them out.
KINDS: Final = _TRIES | {
    ("RECONNECT", "lost"),
    ("RECONNECT", "scheduled"),
    ("SYNC", "completed"),
    ("TASK", "started"),
}


class _Course(Struct):
    """The outages of one worker in time order, and the one its events have come to."""

    steps: list[Steps]
    ends_us: list[int | None]
    index: int = -1

    def come_to(self, at_us: int) -> int:
        """The outage that began last at or before `at_us`; -1 before the first."""
        while self.index + 1 < len(self.steps) and self.steps[self.index + 1].start_us <= at_us:
            self.index += 1
        return self.index


class ChainFold:
    """Feed the events of every file in log order; `workers` are those an analysis of the same files found."""

    def __init__(self, workers: Mapping[str, WorkerResult]) -> None:
        self._courses = {worker.key: _course(worker) for worker in workers.values()}
        self._keys = {(worker.worker, file): worker.key for worker in workers.values() for file in worker.files}
        self._waits: list[Wait] = []
        self._stride = 1
        self.waits_seen = 0
        self.repeated: dict[str, int] = {}

    def feed(self, file: str, event: Event) -> None:
        """Fold one event of `file`."""
        key = self._keys.get((event.source, file))
        if key is None or (event.marker, event.name) not in KINDS:
            return
        if event.name == "scheduled":
            self._wait(key, event)
        again = _is_repeat(event)
        if again:
            self.repeated[key] = self.repeated.get(key, 0) + 1
        course = self._courses[key]
        index = course.come_to(event.at_us)
        if index >= 0:
            steps = _stepped(course.steps[index], course.ends_us[index], event)
            course.steps[index] = replace(steps, repeated=steps.repeated + 1) if again else steps

    def spans(self, source: str, file: str) -> Sequence[tuple[int, int | None]]:
        """(start, end) of the outages of the worker `source` in `file`, in time order; end is None while open."""
        key = self._keys.get((source, file))
        if key is None:
            return ()
        course = self._courses[key]
        return [(steps.start_us, end_us) for steps, end_us in zip(course.steps, course.ends_us, strict=True)]

    def steps(self) -> tuple[Steps, ...]:
        """The steps of every outage in time order."""
        found = (steps for course in self._courses.values() for steps in course.steps)
        return tuple(sorted(found, key=lambda steps: (steps.start_us, steps.worker)))

    def waits(self) -> tuple[Wait, ...]:
        """At most `WAITS_KEPT` waits, evenly thinned."""
        return tuple(self._waits)

    def _wait(self, key: str, event: Event) -> None:
        n, delay_s = event.fields.get("n"), event.fields.get("delay_s")
        if not isinstance(n, int) or not isinstance(delay_s, float):
            return
        if self.waits_seen % self._stride == 0:
            self._waits.append(Wait(key, n, delay_s))
            if len(self._waits) > WAITS_KEPT:
                self._waits = self._waits[::2]
                self._stride *= 2
        self.waits_seen += 1


def follow(events: Iterable[tuple[str, Event]], workers: Mapping[str, WorkerResult]) -> ChainFold:
    """Fold all of `events`, (file, event) pairs in log order."""
    fold = ChainFold(workers)
    for file, event in events:
        fold.feed(file, event)
    return fold


def _is_repeat(event: Event) -> bool:
    attempt = event.fields.get("attempt") if (event.marker, event.name) == ("TASK", "started") else None
    return isinstance(attempt, int) and attempt > 1


def _course(worker: WorkerResult) -> _Course:
    outages = sorted(worker.outages, key=lambda outage: outage.start_us)
    steps = [Steps(worker.key, outage.start_us, established_us=outage.end_us) for outage in outages]
    return _Course(steps, [outage.end_us for outage in outages])


def _stepped(steps: Steps, end_us: int | None, event: Event) -> Steps:
    """`steps` with what `event` adds; events after the next loss belong to the next outage."""
    at_us, kind = event.at_us, (event.marker, event.name)
    if kind in _TRIES:
        return replace(steps, dialled_us=at_us) if end_us is None or at_us <= end_us else steps
    if kind == ("RECONNECT", "lost"):
        detected_s = event.fields.get("detected_s")
        if at_us == steps.start_us and isinstance(detected_s, float) and detected_s >= 0:
            return replace(steps, silent_us=at_us - round(detected_s * SECOND_US))
    elif end_us is not None and at_us >= end_us:
        if kind == ("SYNC", "completed") and steps.synced_us is None:
            return replace(steps, synced_us=at_us)
        if kind == ("TASK", "started") and steps.task_us is None:
            return replace(steps, task_us=at_us)
    return steps
