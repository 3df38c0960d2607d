"""A comparison on the terminal: verdict, both runs, one line per measure, worst first; 80 columns hold it."""

from typing import Final

from msgspec.structs import replace

from recontool.model.comparison import Comparison, Difference
from recontool.report.comparison import wording
from recontool.report.terminal import Screen

_NARROWEST: Final = 80
_PAINT: Final = {"WORSE": "CRITICAL", "OK": "OK", "UNCLEAR": "WARNING", "NO DATA": "NO DATA"}
_SHORT: Final = {"no_data": "no data", "neutral": ""}  # what stands in the narrow column


def verdict_line(comparison: Comparison) -> str:
    """Severity word and sentence on one line."""
    return f"{comparison.severity}  {comparison.sentence}"


def screen(comparison: Comparison, on: Screen) -> str:
    """The whole screen; lines are joined by newlines, none at the end."""
    on = replace(on, width=max(on.width, _NARROWEST))
    word = comparison.severity
    first, *rest = on.wrapped("", verdict_line(comparison), 4)
    lines = [on.paint(word, _PAINT[word]) + on.paint(first[len(word) :], "bold"), *rest]
    for label, facts in (("base", comparison.base), ("new", comparison.new)):
        lines += on.wrapped(label, f"{on.short(facts.name, 40)}  {wording.side(facts)}", 2)
    shown = [one for one in wording.ranked(comparison) if one.change is not None and (one.base or one.new)]
    table = [["measure", "base", "new", "change", "95 % interval", "verdict"], *(_row(one) for one in shown)]
    tones = ["dim", *("outside" if one.verdict == "worse" else "" for one in shown)]
    lines += ["", *on.rows(table, frozenset({1, 2, 3, 4}), tones)]
    return "\n".join([*lines, *_without(on, comparison), "", *on.wrapped("", wording.method(comparison), 3)])


def _row(one: Difference) -> list[str]:
    change = wording.change(one).replace(" points", " pt")
    short = _SHORT.get(one.verdict, one.verdict)
    word = short.upper() if one.verdict == "worse" else short
    base, new = (wording.value(one, amount) for amount in (one.base, one.new))
    named = one.measure.endswith(f"_{one.unit}")  # the unit stands in the name already
    return [
        one.measure,
        base.removesuffix(f" {one.unit}") if named else base,
        new.removesuffix(f" {one.unit}") if named else new,
        change,
        wording.interval(one).replace(" to ", ".."),
        word,
    ]


def _without(on: Screen, comparison: Comparison) -> list[str]:
    """The measures nothing can be said about, with the reason, one line per reason."""
    reasons: dict[str, list[str]] = {}
    for one in comparison.differences:
        if one.reason and (one.verdict == "no_data" or one.change is None):
            reasons.setdefault(one.reason, []).append(one.measure)
    lines: list[str] = []
    for reason, names in reasons.items():
        lines += on.wrapped("no data", f"{reason}: {', '.join(names)}", 4)
    return lines
