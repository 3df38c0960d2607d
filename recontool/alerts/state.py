"""Follows one rule for one worker from evaluation to evaluation and keeps the intervals in which it fired."""

from recontool.alerts.rules import Rule
from recontool.model.findings import Alert


class RuleState:
    """Feed `step` in time order; `intervals()` gives what fired, the last one open if it still does."""

    def __init__(self, rule: Rule, worker: str) -> None:
        self.rule, self.limit, self.worker = rule, rule.limit, worker
        self.firing = False
        self._since_us = 0
        self._peak = 0.0
        self._done: list[Alert] = []

    def step(self, at_us: int, value: float | None) -> None:
        """Evaluate the rule at `at_us`."""
        if value is not None and self.limit.holds(value):
            if not self.firing:
                self.firing, self._since_us, self._peak = True, at_us, value
            self._peak = self.limit.worse(self._peak, value)
        elif self.firing:
            self.firing = False
            self._done.append(self._interval(at_us))

    def intervals(self) -> list[Alert]:
        """One entry per firing, oldest first."""
        return [*self._done, self._interval(None)] if self.firing else list(self._done)

    def _interval(self, resolved_us: int | None) -> Alert:
        rule = self.rule
        return Alert(rule.name, rule.severity, self.worker, self._since_us, self._since_us, resolved_us, self._peak)
