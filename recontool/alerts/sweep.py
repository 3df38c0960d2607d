"""What if a rule's threshold or `for` were different: variants of a rule, and how each would have done."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from recontool.alerts.language.errors import did_you_mean
from recontool.alerts.language.parser import parse
from recontool.alerts.language.tokens import parse_duration
from recontool.alerts.language.tree import (
    Arithmetic,
    Compare,
    Logic,
    Node,
    Number,
    Unary,
    duration_text,
    first_comparison,
    render,
)
from recontool.alerts.rules import Rule
from recontool.model.errors import UsageError
from recontool.model.findings import Alert
from recontool.model.units import MINUTE_US

LATE_US: Final = 2 * MINUTE_US  # an alert this long after the end of an incident still belongs to it
MOST: Final = 1_000
_NAMES: Final = ("threshold", "for", "keep_firing_for")
_RANGE: Final = re.compile(r"(?P<low>-?[\d.]+)\.\.(?P<high>-?[\d.]+)(?::(?P<step>[\d.]+))?")


class Axis(Struct, frozen=True):
    """One setting and the values it takes: numbers for a threshold, microseconds for a duration."""

    name: str
    values: tuple[float, ...]

    def shown(self, value: float) -> str:
        """`value` as a person would write it."""
        return f"{value:g}" if self.name == "threshold" else duration_text(int(value))


class Truth(Struct, frozen=True):
    """Something that really happened to `workers`; `end_us` None: it was not over at the end of the logs."""

    start_us: int
    end_us: int | None
    workers: frozenset[str]


class Score(Struct, frozen=True):
    """How one variant did; the last three are None where nobody knows what happened."""

    alert: str
    settings: tuple[tuple[str, str], ...]
    firings: int
    firing_us: int
    workers: int
    caught: int | None
    missed: int | None
    false_alarms: int | None


def parse_axis(text: str) -> Axis:
    """`threshold=1..10`, `threshold=0.5..1:0.1`, `threshold=3,5`, `for=0s,1m,5m`.

    Raises:
        UsageError: it is none of these.
    """
    name, _, values = text.partition("=")
    if name not in _NAMES:
        hint = did_you_mean(name, _NAMES) or f"known are {', '.join(_NAMES)}"
        raise UsageError(f"unknown setting {name!r}", where="--sweep", hint=hint)
    found = _range(values) if name == "threshold" else [_duration(part) for part in values.split(",")]
    if len(found) > MOST:
        raise UsageError(f"{len(found):,} values, expected at most {MOST:,}", where="--sweep")
    return Axis(name, tuple(found))


def variants(rule: Rule, axes: Sequence[Axis]) -> Iterator[tuple[tuple[tuple[str, str], ...], Rule]]:
    """Every combination of the values of `axes` as a rule, with its settings as text.

    Raises:
        UsageError: the rule has no threshold that could be changed.
    """
    for values in product(*(axis.values for axis in axes)):
        changed = rule
        for axis, value in zip(axes, values, strict=True):
            if axis.name == "threshold":
                changed = replace(changed, condition=with_threshold(changed, value))
            elif axis.name == "for":
                changed = replace(changed, for_us=int(value))
            else:
                changed = replace(changed, keep_firing_us=int(value))
        yield tuple((axis.name, axis.shown(value)) for axis, value in zip(axes, values, strict=True)), changed


def with_threshold(rule: Rule, value: float) -> str:
    """The condition with the number on the right of its first comparison replaced.

    Raises:
        UsageError: there is no such number.
    """
    tree = parse(rule.condition)
    found = first_comparison(tree)
    if found is None or not isinstance(found[0].right, (Number, Unary)) or "(" in render(found[0].right):
        raise UsageError(
            f"rule {rule.name} has no threshold: its first comparison is not with a number: {rule.condition}",
            where="--sweep",
            hint="choose other rules with --rule",
        )
    number: Node = Number(abs(value)) if value >= 0 else Unary("-", Number(abs(value)))
    return render(_replaced(tree, found[0], Compare(found[0].op, found[0].left, number)))


def score(
    rule: Rule,
    settings: tuple[tuple[str, str], ...],
    alerts: Sequence[Alert],
    until_us: int,
    truth: Sequence[Truth] | None,
) -> Score:
    """How a variant did, given what it fired and what really happened."""
    fired = [alert for alert in alerts if alert.fired_us is not None]
    total_us = sum(_end(alert.resolved_us, until_us) - (alert.fired_us or 0) for alert in fired)
    base = (rule.name, settings, len(fired), total_us, len({alert.worker for alert in fired}))
    if truth is None:
        return Score(*base, None, None, None)
    caught = sum(any(_meets(alert, one, until_us) for alert in fired) for one in truth)
    false_alarms = sum(not any(_meets(alert, one, until_us) for one in truth) for alert in fired)
    return Score(*base, caught, len(truth) - caught, false_alarms)


def _meets(alert: Alert, one: Truth, until_us: int) -> bool:
    if alert.worker is not None and alert.worker not in one.workers:
        return False
    return (alert.fired_us or 0) <= _end(one.end_us, until_us) + LATE_US and one.start_us <= _end(
        alert.resolved_us, until_us
    )


def _end(at_us: int | None, until_us: int) -> int:
    return until_us if at_us is None else at_us


def _range(text: str) -> list[float]:
    match = _RANGE.fullmatch(text)
    try:
        if match is None:
            return [float(Decimal(part)) for part in text.split(",")]
        low, high, step = (Decimal(match[name] or "1") for name in ("low", "high", "step"))
    except InvalidOperation:
        raise UsageError(f"{text!r} is no list of numbers", where="--sweep", hint="threshold=1..10 or 1,2,5") from None
    if step <= 0 or high < low or (high - low) / step > MOST:
        raise UsageError(f"{text!r} is no range of at most {MOST:,} numbers", where="--sweep", hint="low..high:step")
    # Decimals, so that 0.5..1:0.1 holds 0.7 and not 0.7000000000000001.
    return [float(low + step * number) for number in range(int((high - low) / step) + 1)]


def _duration(text: str) -> int:
    found = parse_duration(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no duration", where="--sweep", hint="for=0s,1m,5m")
    return found


def _replaced(node: Node, old: Compare, new: Compare) -> Node:
    if node is old:
        return new
    if isinstance(node, Unary):
        return Unary(node.op, _replaced(node.inner, old, new))
    if isinstance(node, Logic):
        return Logic(node.op, _replaced(node.left, old, new), _replaced(node.right, old, new))
    if isinstance(node, Arithmetic):
        return Arithmetic(node.op, _replaced(node.left, old, new), _replaced(node.right, old, new))
    return node
