"""How a difference is put into words: values with their unit, changes with sign and interval."""

from typing import Final

from recontool.model.comparison import VERDICT_TEXT, Comparison, Difference, RunFacts, Verdict
from recontool.report import quantity

EFFECTS: Final = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"))  # Romano et al. 2006, for Cliff's delta
_ORDER: Final[tuple[Verdict, ...]] = ("worse", "better", "unclear", "same", "neutral", "no_data")
_HUNDRED: Final = 100
_NOTHING: Final = quantity.NOTHING


def ranked(comparison: Comparison) -> list[Difference]:
    """What is worse first, then by verdict; within one the order of the table."""
    return sorted(comparison.differences, key=lambda one: _ORDER.index(one.verdict))


def value(one: Difference, amount: float | None) -> str:
    """A value of either run with its unit."""
    if amount is None:
        return _NOTHING
    if one.unit == "share":
        return f"{_HUNDRED * amount:.2f} %"
    return f"{_digits(amount)}{one.unit}" if one.unit in {"x", "/h"} else f"{_digits(amount)} {one.unit}"


def change(one: Difference) -> str:
    """The change with its sign: +20.2 %, -1.04 points, +0.45/h."""
    return _NOTHING if one.change is None else f"{_signed(one, one.change)}{_suffix(one)}"


def interval(one: Difference) -> str:
    """The 95 % interval of the change."""
    if one.low is None or one.high is None:
        return _NOTHING
    return f"{_signed(one, one.low)} to {_signed(one, one.high)}"


def effect(one: Difference) -> str:
    """Cliff's delta with the usual word for its size."""
    if one.effect is None:
        return _NOTHING
    word = next((word for limit, word in EFFECTS if abs(one.effect) < limit), "large")
    return f"{one.effect:+.2f} {word}"


def verdict(one: Difference) -> str:
    """The verdict in words."""
    return VERDICT_TEXT[one.verdict]


def resampled(one: Difference) -> str:
    """Which units were drawn again, and how many of them either run has."""
    if not one.resampled:
        return _NOTHING
    base, new = one.units
    return f"{base} {one.resampled}s" if base == new else f"{base} and {new} {one.resampled}s"


def probability(p: float | None) -> str:
    """A probability; the smallest the draws can show is an upper bound."""
    if p is None:
        return _NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - three decimals


def side(facts: RunFacts) -> str:
    """What one run rests on."""
    found = f"{quantity.counted(facts.workers, 'worker')}, {quantity.counted(facts.reconnections, 'reconnection')}"
    if facts.first_us is None or facts.last_us is None:
        return found
    return (
        f"{found}, {quantity.span(facts.first_us, facts.last_us)} ({quantity.duration(facts.last_us - facts.first_us)})"
    )


def method(comparison: Comparison) -> str:
    """How the intervals came about, in one sentence."""
    return (
        f"Intervals: 95 %, studentised cluster bootstrap, {comparison.draws:,} draws, seed {comparison.seed}; "
        f"verdicts corrected for {quantity.counted(comparison.tested, 'measure')} by Holm, 5 % for all together"
    )


def _suffix(one: Difference) -> str:
    if one.scale == "ratio":
        return " %"
    return " points" if one.unit == "share" else one.unit


def _signed(one: Difference, amount: float) -> str:
    if one.scale == "ratio" or one.unit == "share":
        digits = 1 if one.scale == "ratio" else 2
        return f"{_HUNDRED * amount:+z.{digits}f}"
    return f"{amount:+z.2f}"


def _digits(amount: float) -> str:
    size = abs(amount)
    if size >= _HUNDRED:
        return f"{amount:,.0f}"
    return f"{amount:.2f}" if size >= 1 or not amount else f"{amount:.3f}"
