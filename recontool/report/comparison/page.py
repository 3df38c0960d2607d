"""A comparison as one self-contained page: no script at all, no request, the report's style sheet.

The same comparison gives the same bytes.
"""

import math
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from recontool.model.comparison import Comparison, Difference, Verdict
from recontool.report import quantity
from recontool.report.comparison import wording
from recontool.report.plain import plain
from recontool.report.view import Tone

POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'"
_TONES: Final[dict[str, Tone]] = {"WORSE": "critical", "OK": "ok", "UNCLEAR": "warning", "NO DATA": "muted"}
_CHIPS: Final[dict[Verdict, Tone]] = {
    "worse": "critical",
    "better": "ok",
    "unclear": "warning",
    "same": "muted",
    "neutral": "muted",
    "no_data": "muted",
}
_REACH: Final = {"ratio": 0.5, "share": 0.05}  # what the picture's axis shows to either side
_WIDTH: Final = 200
_MIDDLE: Final = _WIDTH / 2


class _Row(Struct, frozen=True):
    """One measure as the template puts it out."""

    one: Difference
    base: str
    new: str
    change: str
    interval: str
    effect: str
    verdict: str
    tone: Tone
    resampled: str
    p: str
    picture: Markup


def render(comparison: Comparison) -> str:
    """The page as text; write it as UTF-8."""
    first, _, rest = comparison.sentence.partition("; ")
    return (
        _environment()
        .get_template("comparison.html.j2")
        .render(
            policy=POLICY,
            style=Markup(_style()),  # noqa: S704 - our own file
            comparison=comparison,
            tone=_TONES[comparison.severity],
            sentence=quantity.sentence(first),
            rest=quantity.sentence(rest) + "." if rest else "",
            sides=[(name, facts.name, wording.side(facts)) for name, facts in _sides(comparison)],
            rows=[_row(one) for one in wording.ranked(comparison)],
            method=wording.method(comparison),
        )
    )


def _sides(comparison: Comparison) -> tuple[tuple[str, Any], ...]:
    return ("Base", comparison.base), ("New", comparison.new)


def _row(one: Difference) -> _Row:
    return _Row(
        one,
        wording.value(one, one.base),
        wording.value(one, one.new),
        wording.change(one),
        wording.interval(one),
        wording.effect(one),
        wording.verdict(one),
        _CHIPS[one.verdict],
        wording.resampled(one),
        wording.probability(one.p_adjusted),
        _picture(one),
    )


def _picture(one: Difference) -> Markup:
    """The interval around the change on an axis with "no change" in the middle; only numbers of ours go into it."""
    spread = _REACH["share"] if one.unit == "share" else _REACH["ratio"]
    if one.unit != "share" and one.scale == "difference":
        spread *= abs(one.base or 0.0)
    if one.change is None or one.low is None or one.high is None or not spread:
        return Markup("")
    low, middle, high = (_place(amount, spread) for amount in (one.low, one.change, one.high))
    return Markup(  # noqa: S704 - numbers and a word of ours
        f'<svg class="forest v-{one.verdict}" viewBox="0 0 {_WIDTH} 16" aria-hidden="true">'
        f'<path class="zero" d="M{_MIDDLE:.0f} 0v16"/><path class="whisker" d="M{low:.1f} 8H{high:.1f}"/>'
        f'<circle cx="{middle:.1f}" cy="8" r="4"/></svg>'
    )


def _place(amount: float, spread: float) -> float:
    share = max(-1.0, min(1.0, amount / spread)) if math.isfinite(amount) else math.copysign(1.0, amount)
    return _MIDDLE + share * (_MIDDLE - 5)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("recontool.report"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: Any) -> Any:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _style() -> str:
    folder = resources.files("recontool.report").joinpath("templates")
    dark = folder.joinpath("dark.css").read_text(encoding="utf-8").rstrip()
    return folder.joinpath("style.css").read_text(encoding="utf-8").replace("/* dark.css */", dark)
