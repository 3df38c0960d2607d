"""The state machine of one rule for one instance: inactive, pending, firing. Semantics are Prometheus 3's.

Everything that decides an alert goes through `step`: the live engine, the backtest and the analysis of logs.
"""

import math
import sys
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from recontool.alerts.rules import Rule
from recontool.model.findings import Alert

State: TypeAlias = Literal["inactive", "pending", "firing"]
Kind: TypeAlias = Literal["pending", "firing", "resolved", "dropped"]
FALSE, TRUE, UNKNOWN = 0, 1, 2
NEVER: Final = sys.maxsize
ENDS: Final = frozenset({"resolved", "dropped"})


class Instance(Struct):
    """One worker under one rule. `keep_us` is when its condition ceased to hold while it keeps firing."""

    state: State = "inactive"
    pending_us: int = 0
    fired_us: int | None = None
    keep_us: int | None = None
    peak: float = math.nan

    def interval(self, rule: Rule, worker: str | None, resolved_us: int | None) -> Alert:
        """What is told of it, ended at `resolved_us` or still going on."""
        peak = self.peak if math.isfinite(self.peak) else None
        return Alert(rule.name, rule.severity, worker, self.pending_us, self.fired_us, resolved_us, peak)


def step(rule: Rule, instance: Instance, at_us: int, held: int) -> Kind | None:
    """One evaluation whose outcome is `held`, as Prometheus' alerting rule does it; what changed.

    An instance that was resolved or dropped is over: the next evaluation begins with a new one.
    """
    if held == UNKNOWN and rule.no_data != "ok":
        held = TRUE if rule.no_data == "alert" or instance.state != "inactive" else FALSE
    if held == TRUE:
        instance.keep_us = None
        begins = instance.state == "inactive"
        if begins:
            instance.state, instance.pending_us = "pending", at_us
        if instance.state == "pending" and at_us - instance.pending_us >= rule.for_us:
            instance.state, instance.fired_us = "firing", at_us
            return "firing"
        return "pending" if begins else None
    if instance.state == "pending":
        return "dropped"
    if instance.state == "firing":
        if instance.keep_us is None:
            instance.keep_us = at_us
        if at_us - instance.keep_us >= rule.keep_firing_us:
            return "resolved"
    return None


def deadline_us(rule: Rule, instance: Instance) -> int:
    """When time alone changes the state."""
    if instance.state == "pending":
        return instance.pending_us + rule.for_us
    if instance.state == "firing" and instance.keep_us is not None:
        return instance.keep_us + rule.keep_firing_us
    return NEVER


def thinnable(rule: Rule) -> bool:
    """Whether `decided` can tell the intervals of a rule from the few samples at which its comparison turns."""
    return rule.simple is not None and rule.scope == "worker" and rule.no_data == "ok" and not rule.clear_when


def decided(rule: Rule, worker: str, samples: Iterable[tuple[int, float | None]]) -> list[Alert]:
    """The intervals of a `thinnable` rule for one worker, evaluated at its samples, in time order; None is unknown.

    The samples may be thinned: where the comparison turns, where it has been true for `for` or untrue for
    `keep_firing_for`, and the extremes while it is true.
    """
    limit, instance, found = rule.limit, Instance(), []
    for at_us, value in samples:
        held = UNKNOWN if value is None else TRUE if limit.holds(value) else FALSE
        if step(rule, instance, at_us, held) in ENDS:
            found.append(instance.interval(rule, worker, at_us))
            instance = Instance()
        elif instance.state != "inactive" and value is not None:
            instance.peak = value if math.isnan(instance.peak) else limit.worse(instance.peak, value)
    if instance.state != "inactive":
        found.append(instance.interval(rule, worker, None))
    return found
