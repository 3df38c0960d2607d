"""Turns the folds of a fleet's logs into series: every change of the metrics that rules read, where it changed.

Between changes a value is repeated every 15 s, as a coordinator's snapshots would show it. In a silence longer than the
lookback it is known up to the lookback after the last record; an orderly end makes the worker's series stale at once.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from recontool.alerts.backtest import backtest
from recontool.alerts.evaluate import LOOKBACK_US
from recontool.alerts.instances import Plan
from recontool.alerts.rules import Rule
from recontool.analysis.fleet import FileTag, FleetFold
from recontool.analysis.watch import GRID_US as BEAT_US
from recontool.analysis.watch import RETURNS
from recontool.metrics.definitions import FORMULAS
from recontool.metrics.fold import WorkerFold
from recontool.metrics.timeline import FAILED_WINDOW_US
from recontool.model.events import Event
from recontool.model.findings import Alert
from recontool.model.instant import seconds
from recontool.model.series import NO_PLACE, Ints, Part, SeriesBuilder, place
from recontool.model.units import MINUTE_US, SECOND_US

_EVER_US: Final = 2**60
_NO_INSTANTS: Final[Ints] = np.zeros(0, dtype=np.int64)
# Windows, `for` and `keep_firing_for` reach seven days each: so long after an event time alone changes nothing more.
_QUIET_US: Final = 22 * 86400 * SECOND_US
_DRIFTING: Final = frozenset({"connection_stability", "uptime_s"})  # change with time alone


class SeriesFleet(FleetFold):
    """Feed it as any fleet; then ask for its series, or for what the rules find in them.

    `number` gives each file the number by which places refer to it.
    """

    def __init__(self, rules: Sequence[Rule], number: Callable[[str], int] = lambda _name: 0) -> None:
        self._wanted = frozenset(metric for rule in rules for metric in Plan(rule).reads())
        self._asked = tuple(rules)
        self._number, self._file = number, 0
        super().__init__((), watch=self._watch_of)

    def begin(self, tag: FileTag) -> None:
        """The records that follow come from this file."""
        super().begin(tag)
        self._file = self._number(tag.name)

    def add_series(self, builder: SeriesBuilder) -> None:
        """Add what was recorded to `builder`."""
        for key, recorder in self._recorders():
            recorder.add_to(builder, key)

    def alerts(self) -> list[Alert]:
        """What the rules find at every event and every 15 s: of each worker for itself, of the fleet at all instants."""
        found: list[Alert] = []
        alone = [rule for rule in self._asked if rule.scope == "worker"]
        if alone:
            for key, recorder in self._recorders():
                builder = SeriesBuilder()
                recorder.add_to(builder, key)
                found += backtest(alone, builder.build(), recorder.instants())
        together = [rule for rule in self._asked if rule.scope == "fleet"]
        if together:
            builder = SeriesBuilder()
            self.add_series(builder)
            instants = [recorder.instants() for _, recorder in self._recorders()]
            found += backtest(together, builder.build(), np.unique(np.concatenate([*instants, _NO_INSTANTS])))
        return found

    def _recorders(self) -> Iterator[tuple[str, "Recorder"]]:
        for key, chain in self.parts().workers().items():
            if isinstance(chain.watch, Recorder):
                yield key, chain.watch

    def _watch_of(self, fold: WorkerFold, _rules: Sequence[Rule]) -> "Recorder":
        return Recorder(fold, self._wanted, lambda: self._file)


class Recorder:
    """Watches one fold; `before` and `after` stand around each record, as for alert rules."""

    def __init__(self, fold: WorkerFold, wanted: Iterable[str], file: Callable[[], int]) -> None:
        self._fold, self._file = fold, file
        self._wanted = tuple(sorted(set(wanted)))
        self._points: dict[str, list[tuple[int, float, bool, int]]] = {metric: [] for metric in self._wanted}
        self._latest: dict[str, float | None] = {}
        self._beats: list[int] = []
        self._next_us = 0  # of the beats
        self._now_us: int | None = None  # of the latest event: time stands still where the log's clock steps back
        self._events = array("q")
        self._failures: list[tuple[int, int]] = []  # when an attempt failed, and where the log says so
        self._depth: float | None = None
        self._open = False
        self._closed = False
        self._special: dict[str, Callable[[int], float | None]] = {
            "max_reconnect_time": lambda _: fold.max_reconnect_time(),
            "connection_stability": fold.timeline.stability,
            "uptime_s": self._uptime_s,
            "queue_depth": lambda _: self._depth,
            # These are counted when the log has ended; here only the moments that move them are kept.
            "reconnections_per_minute": lambda _: len(fold.timeline.outages),
            "failed_reconnections": lambda _: len(self._failures),
            "failed_reconnections_total": lambda _: len(self._failures),
        }
        self._observed: list[list[int]] = []  # [begin, end] of stretches in which the worker's log goes on
        self._ends: list[tuple[int, int]] = []  # when each of them ended, and where the log says so

    def before(self, event: Event) -> None:
        """Beats up to `event`, which the fold has not seen; what was known fades out in a long silence before it."""
        at_us, last_us = event.at_us, self._fold.last_us
        if self._now_us is None:
            self._now_us, self._next_us = at_us, at_us + BEAT_US
            return
        silent = at_us - last_us > LOOKBACK_US
        if event.name or silent:
            self._now_us = max(self._now_us, at_us)
        if self._open and silent:
            self._events.append(self._now_us)
            self._beat(last_us + 1)
            self._repeat(last_us)
            self._end(last_us + LOOKBACK_US, NO_PLACE)
            self._begin(self._now_us)
            self._record_all(self._now_us, NO_PLACE)
        elif self._open:
            self._beat(at_us)

    def after(self, event: Event) -> None:
        """What `event` may have changed."""
        if not event.name or self._now_us is None:
            return
        at_us, here = self._now_us, place(self._file(), event.line) if event.line else NO_PLACE
        self._events.append(at_us)
        self._failures.extend([(at_us, here)] * (self._fold.timeline.failed - len(self._failures)))
        if event.name == "queue":
            depth = event.fields.get("depth")
            self._depth = float(depth) if isinstance(depth, (int, float)) else self._depth
        kind = (event.marker, event.name)
        self._closed = kind == ("CONNECT", "closed") or (self._closed and kind not in RETURNS)
        if not self._open and not self._closed:
            self._begin(at_us)
        if self._open:
            self._record_all(at_us, here)
        if self._open and self._closed:
            self._end(at_us, here)

    def finish(self) -> None:
        """Beats up to the last record."""
        if self._open:
            self._beat(self._fold.last_us + 1)
            self._observed[-1][1] = self._fold.last_us

    def instants(self) -> Ints:
        """At every event and every 15 s from the first record to the last, but for what lies long after an event."""
        events = np.frombuffer(self._events, dtype=np.int64) if self._events else _NO_INSTANTS
        first_us, last_us = self._fold.first_us, self._fold.last_us
        breaks = np.flatnonzero(np.diff(events, prepend=first_us, append=last_us) > _QUIET_US)
        known = np.concatenate(([first_us], events, [last_us]))
        begins, ends = [first_us, *known[breaks + 1].tolist()], [*known[breaks].tolist(), last_us]
        grid = [
            np.arange(begin + (first_us - begin) % BEAT_US, min(end + _QUIET_US, last_us) + 1, BEAT_US, dtype=np.int64)
            for begin, end in zip(begins, ends, strict=True)
        ]
        every = np.concatenate(grid)
        return np.unique(np.concatenate((events, every[every > first_us])))

    def alerts(self) -> list[Alert]:
        """None: the series are evaluated later."""
        return []

    def add_to(self, builder: SeriesBuilder, key: str) -> None:
        """Add the worker's series under `key`."""
        self.finish()
        worker = builder.worker(key)
        ends = [(outage.end_us, NO_PLACE) for outage in self._fold.timeline.outages if outage.end_us is not None]
        windowed = {
            "reconnections_per_minute": (ends, MINUTE_US),
            "failed_reconnections": (self._failures, FAILED_WINDOW_US),
            "failed_reconnections_total": (self._failures, _EVER_US),
        }
        for metric in self._wanted:
            if metric in windowed:
                self._points[metric] = self._counted(*windowed[metric], self._points[metric])
            builder.add(metric, self._part(worker, self._points[metric]))

    def _beat(self, end_us: int) -> None:
        """Repeat what is known every 15 s before `end_us`."""
        while self._next_us < end_us:
            self._repeat(self._next_us)
            self._next_us += BEAT_US

    def _repeat(self, at_us: int) -> None:
        self._beats.append(at_us)
        for metric in _DRIFTING.intersection(self._wanted):
            self._record(metric, at_us, NO_PLACE)

    def _begin(self, at_us: int) -> None:
        self._open = True
        self._latest.clear()
        if self._ends and self._ends[-1][0] == at_us:
            self._ends.pop()  # closed and back at the same instant
        else:
            self._observed.append([at_us, at_us])
        if self._next_us <= at_us:
            self._next_us += ((at_us - self._next_us) // BEAT_US + 1) * BEAT_US

    def _end(self, at_us: int, here: int) -> None:
        self._open = False
        self._observed[-1][1] = at_us
        self._ends.append((at_us, here))
        for points in self._points.values():
            points.append((at_us, 0.0, True, here))

    def _record_all(self, at_us: int, here: int) -> None:
        for metric in self._wanted:
            self._record(metric, at_us, here)

    def _record(self, metric: str, at_us: int, here: int) -> None:
        value = self._value(metric, at_us)
        before = self._latest.get(metric)
        if value is not None and (value != before or metric in _DRIFTING):
            self._points[metric].append((at_us, float(value), False, here))
        elif value is None and before is not None:
            self._points[metric].append((at_us, 0.0, True, here))
        self._latest[metric] = value

    def _value(self, metric: str, at_us: int) -> float | None:
        special = self._special.get(metric)
        if special is not None:
            return special(at_us)
        if metric == "reconnections":
            return self._fold.value(metric)
        return self._fold.shown(metric) if metric in FORMULAS else None

    def _uptime_s(self, at_us: int) -> float | None:
        starts_us = self._fold.starts_us
        return seconds(at_us - starts_us[-1]) if starts_us else None

    def _counted(
        self, moments: Sequence[tuple[int, int]], window_us: int, moved: Sequence[tuple[int, float, bool, int]]
    ) -> list[tuple[int, float, bool, int]]:
        """How many `moments` lie in (t - window, t], at each t where that changes."""
        at = sorted(moment for moment, _ in moments)
        places = {at_us: here for at_us, _, _, here in moved}
        turns = sorted({*at, *(moment + window_us for moment in at)})
        points: list[tuple[int, float, bool, int]] = []
        for begin, end in self._observed:
            inside = {begin, *turns[bisect_left(turns, begin) : bisect_right(turns, end)]}
            points += [
                (t, float(bisect_right(at, t) - bisect_right(at, t - window_us)), False, places.get(t, NO_PLACE))
                for t in sorted(inside)
            ]
        return [*points, *((at_us, 0.0, True, here) for at_us, here in self._ends)]

    def _part(self, worker: int, points: Sequence[tuple[int, float, bool, int]]) -> Part:
        """The points, repeated at every beat until the next one."""
        ordered = sorted(points, key=lambda point: point[0])
        at = [point[0] for point in ordered]
        repeated = [
            (beat, ordered[index - 1][1], False, NO_PLACE)
            for beat in self._beats
            if (index := bisect_right(at, beat)) and not ordered[index - 1][2]
        ]
        # Beats first: of two samples at one instant the later one given stands.
        rows = [*repeated, *ordered]
        return Part(
            np.full(len(rows), worker, dtype=np.int64),
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1] for row in rows], dtype=np.float64),
            np.array([row[2] for row in rows], dtype=bool),
            np.array([row[3] for row in rows], dtype=np.int64),
            exact=True,
        )
