"""Thins a worker's metrics, while its log is folded, to the few samples that decide its threshold rules.

Memory stays flat however long the log is: of each rule's metric only those samples stay at which the comparison turns,
at which it has lasted for the rule's `for` or `keep_firing_for`, and the extremes while it is true. `alerts.state` makes
intervals of them, the same as the general evaluator finds in the whole series (`analysis.series`) at the same instants:
at every event and every 15 s. What is known of a worker is known until five minutes after its last record, or its
orderly end. A clock that steps back leaves time standing still.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from recontool.alerts.rules import Rule
from recontool.alerts.state import NEVER, decided, thinnable
from recontool.metrics.fold import WorkerFold
from recontool.model.events import METRICS_BLOCK, Event
from recontool.model.findings import Alert
from recontool.model.units import MINUTE_US, SECOND_US

GRID_US: Final = 15 * SECOND_US
SILENCE_US: Final = 5 * MINUTE_US  # the evaluator's lookback

_TOLD: Final = frozenset({"metrics", METRICS_BLOCK, "config", "process_started"})  # may change what claims stand in for
# Which events can move which metric; the windowed two also move with time alone.
MOVED_BY: Final = {
    "reconnections_per_minute": frozenset({"established"}),
    "failed_reconnections": frozenset({"failed", "attempt", "config"}),
    "avg_message_latency_ms": frozenset({"message_acked"}) | _TOLD,
    "task_success_rate": frozenset({"completed", "failed"}) | _TOLD,
    "compression_ratio": frozenset({"compressed"}) | _TOLD,
}
WINDOWED: Final = frozenset({"reconnections_per_minute", "failed_reconnections"})
# What brings a worker back whose session was closed in an orderly way.
RETURNS: Final = frozenset(
    {
        ("", "config"),
        ("", "process_started"),
        ("CONNECT", "attempt"),
        ("CONNECT", "established"),
        ("RECONNECT", "attempt"),
        ("RECONNECT", "established"),
    }
)


def thinned(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules that a fold can decide; the others need the whole series."""
    return tuple(rule for rule in rules if thinnable(rule) and rule.metric in MOVED_BY)


class _Thinned:
    """The samples that decide one rule. `mark_us` is when the outcome has lasted long enough to change a state."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.limit, self.metric = rule, rule.limit, rule.limit.metric
        self.windowed = self.metric in WINDOWED
        self.holds = self.touched = False
        self.mark_us = NEVER
        self.value: float | None = None  # as of the latest event
        self.samples: list[tuple[int, float | None]] = []
        self._best = 0.0
        self._best_us: int | None = None  # when, as long as that sample is not kept

    @property
    def drifts(self) -> bool:
        """Whether time alone may change something: what a window counts becomes fewer."""
        return self.windowed and (self.holds if self.limit.comparison == ">" else bool(self.value))

    def see(self, at_us: int, value: float | None) -> None:
        """The value at the next instant."""
        holds, turns = self.limit.holds(value), self.limit.holds(value) is not self.holds
        if holds and value is not None and (turns or self.limit.worse(self._best, value) != self._best):
            self._best, self._best_us = value, at_us
        if turns or at_us >= self.mark_us:
            if self._best_us is not None and self._best_us < at_us:
                self.keep_best()
            self._best_us = None
            self.samples.append((at_us, value))
            self.mark_us = NEVER
        if turns:
            self.holds = holds
            length_us = self.rule.for_us if holds else self.rule.keep_firing_us
            self.mark_us = at_us + length_us if length_us else NEVER

    def keep_best(self) -> None:
        """Keep the extreme so far."""
        if self._best_us is not None:
            self.samples.append((self._best_us, self._best))
            self._best_us = None


class AlertWatch:
    """`before` and `after` stand around the fold of each record; call `finish` at the last one.

    An instant is looked at when it is over: several events may share it.
    """

    def __init__(self, fold: WorkerFold, rules: Sequence[Rule]) -> None:
        self._fold = fold
        self._rules = [_Thinned(rule) for rule in rules]
        self._now_us: int | None = None  # of the latest event
        self._next_us = 0  # of the grid
        self._open = self._closed = False  # heard of, and not orderly closed; orderly closed
        self._standing: tuple[object, ...] = ()

    def before(self, event: Event) -> None:
        """Look at the latest instant and at the grid up to `event`, which the fold has not seen."""
        at_us, silent = event.at_us, event.at_us - self._fold.last_us > SILENCE_US
        if self._now_us is None:
            self._now_us, self._next_us = at_us, at_us + GRID_US
        if at_us <= self._now_us or not (event.name or silent):
            return
        self._look(self._now_us, known=self._open)
        self._pass_grid(at_us, silent=silent)
        self._now_us = at_us
        if silent and self._open:
            self._touch(MOVED_BY)

    def after(self, event: Event) -> None:
        """Take in what `event` may have moved."""
        if not event.name:
            return
        kind, standing = (event.marker, event.name), self._fold.standing()
        self._closed = kind == ("CONNECT", "closed") or (self._closed and kind not in RETURNS)
        if self._open is self._closed:
            self._open = not self._closed
            self._touch(MOVED_BY)
        elif standing != self._standing:
            self._touch(MOVED_BY)
        else:
            self._touch([metric for metric, names in MOVED_BY.items() if event.name in names])
        self._standing = standing

    def finish(self) -> None:
        """Look at the last event and the grid up to the last record."""
        if self._now_us is None:
            return
        self._look(self._now_us, known=self._open)
        self._pass_grid(self._fold.last_us + 1, silent=False)
        for one in self._rules:
            one.keep_best()

    def alerts(self) -> list[Alert]:
        """Every interval, oldest first per rule."""
        return [alert for one in self._rules for alert in decided(one.rule, self._fold.worker, one.samples)]

    def _touch(self, metrics: Iterable[str]) -> None:
        for one in self._rules:
            if one.metric in metrics:
                one.touched = True
                if not one.windowed:
                    one.value = self._fold.shown(one.metric)

    def _look(self, at_us: int, *, known: bool) -> None:
        for one in self._rules:
            if one.touched or one.drifts or one.mark_us <= at_us or (one.holds and not known):
                if one.windowed:
                    one.value = self._in_window(one.metric, at_us)
                one.see(at_us, one.value if known else None)
                one.touched = False

    def _pass_grid(self, end_us: int, *, silent: bool) -> None:
        """Look at the grid before `end_us`, as far as time alone can change anything there."""
        while self._next_us < end_us and any(
            one.drifts or one.mark_us < end_us or (one.holds and silent) for one in self._rules
        ):
            self._look(self._next_us, known=self._open and self._next_us - self._fold.last_us < SILENCE_US)
            self._next_us += GRID_US
        if self._next_us <= end_us:  # whatever stands at `end_us` is looked at there
            self._next_us += ((end_us - self._next_us) // GRID_US + 1) * GRID_US

    def _in_window(self, metric: str, at_us: int) -> float:
        timeline = self._fold.timeline
        timeline.expire(at_us)
        return float(len(timeline.recent if metric == "reconnections_per_minute" else timeline.recent_failures))
