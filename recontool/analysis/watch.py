"""Evaluates the alert rules of one worker while its log is folded: at every event and every 15 s."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from recontool.alerts.rules import Rule
from recontool.alerts.state import RuleState
from recontool.metrics.fold import WorkerFold
from recontool.model.events import METRICS_BLOCK, Event
from recontool.model.findings import Alert
from recontool.model.instant import SECOND_US

GRID_US: Final = 15 * SECOND_US

# Which events can move which metric; the windowed two also move with time alone.
_MOVED_BY: Final = {
    "reconnections_per_minute": frozenset({"established"}),
    "failed_reconnections": frozenset({"failed", "attempt", "lost", "config"}),
    "avg_message_latency_ms": frozenset({"message_acked", "metrics", METRICS_BLOCK}),
    "task_success_rate": frozenset({"completed", "failed"}),
    "compression_ratio": frozenset({"compressed"}),
}
_WINDOWED: Final = frozenset({"reconnections_per_minute", "failed_reconnections"})


class Watch(Protocol):
    """What stands around the fold of a worker's events."""

    def before(self, at_us: int) -> None:
        """Called before the fold sees the event at `at_us`."""

    def after(self, event: Event) -> None:
        """Called right after the fold has seen `event`."""

    def finish(self) -> None:
        """Called at the last record."""

    def alerts(self) -> list[Alert]:
        """Every firing, oldest first per rule."""


class AlertWatch:
    """Feed each event right after the fold has seen it; call `finish` at the last record."""

    def __init__(self, fold: WorkerFold, rules: Sequence[Rule]) -> None:
        self._fold = fold
        self._states = [RuleState(rule, fold.worker) for rule in rules]
        self._windowed = [state for state in self._states if state.limit.metric in _WINDOWED]
        self._moved: dict[str, list[RuleState]] = {}
        for state in self._states:
            for name in _MOVED_BY[state.limit.metric]:
                self._moved.setdefault(name, []).append(state)
        self._next_us: int | None = None

    def before(self, at_us: int) -> None:
        """Evaluate the grid points up to `at_us`, before the fold sees the event that stands there."""
        if self._next_us is None:
            self._next_us = at_us + GRID_US
        while self._next_us <= at_us:
            if not any(state.firing for state in self._windowed):
                # Nothing changes with time alone: skip to the last grid point before the event.
                self._next_us += (at_us - self._next_us) // GRID_US * GRID_US
            for state in self._windowed:
                state.step(self._next_us, self._value(state, self._next_us))
            self._next_us += GRID_US

    def after(self, event: Event) -> None:
        """Evaluate what `event` may have moved."""
        for state in self._moved.get(event.name, ()):
            state.step(event.at_us, self._value(state, event.at_us))
        for state in self._windowed:
            if state.firing:
                state.step(event.at_us, self._value(state, event.at_us))

    def finish(self) -> None:
        """Evaluate the grid up to the last record."""
        self.before(self._fold.last_us)

    def alerts(self) -> list[Alert]:
        """Every firing, oldest first per rule."""
        return [replace(alert, worker=self._fold.worker) for state in self._states for alert in state.intervals()]

    def _value(self, state: RuleState, at_us: int) -> float | None:
        timeline, metric = self._fold.timeline, state.limit.metric
        if metric in _WINDOWED:
            timeline.expire(at_us)
            return len(timeline.recent) if metric == "reconnections_per_minute" else len(timeline.recent_failures)
        return self._fold.value(metric)
