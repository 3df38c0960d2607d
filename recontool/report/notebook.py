"""Small static cards for notebooks: the verdict and one table, with inline styles, no script, everything escaped."""

from collections.abc import Sequence
from html import escape
from typing import Final

from recontool.model.catalogue import CATALOGUE
from recontool.model.comparison import Comparison
from recontool.model.findings import Analysis
from recontool.report import quantity
from recontool.report.comparison import wording
from recontool.report.plain import plain, shortened

_COLOURS: Final = {
    "CRITICAL": "#b3261e",
    "WORSE": "#b3261e",
    "WARNING": "#8a5200",
    "UNCLEAR": "#8a5200",
    "OK": "#176b43",
}
_PLAIN: Final = "#56606f"
_SENTENCE: Final = 600  # characters of a sentence that may hold names of peers
_NAME: Final = 80


def run_card(analysis: Analysis) -> str:
    """What one run shows at first sight: the metrics that have a value, against their ranges."""
    outages = sum(len(worker.outages) for worker in analysis.workers.values())
    basis = f"{quantity.counted(len(analysis.workers), 'worker')}, {quantity.counted(outages, 'outage')}"
    if analysis.first_us is not None and analysis.last_us is not None:
        basis += f", {quantity.span(analysis.first_us, analysis.last_us)}"
    rows = [
        (
            name,
            quantity.value(CATALOGUE[name], found.value),
            quantity.limit(CATALOGUE[name], analysis.fleet),
            quantity.standing(found),
        )
        for name, found in analysis.fleet.items()
        if found.value is not None
    ]
    return _card(
        analysis.verdict.severity, analysis.verdict.sentence, basis, ("metric", "fleet", "normal", "verdict"), rows
    )


def comparison_card(comparison: Comparison) -> str:
    """What differs between two runs, worst first."""
    sides = " | ".join(
        f"{name} {shortened(facts.name, _NAME)}: {wording.side(facts)}"
        for name, facts in (("base", comparison.base), ("new", comparison.new))
    )
    rows = [
        (
            one.measure,
            wording.value(one, one.base),
            wording.value(one, one.new),
            wording.change(one),
            wording.interval(one),
            wording.verdict(one),
        )
        for one in wording.ranked(comparison)
        if one.change is not None
    ]
    head = ("measure", "base", "new", "change", "95 % interval", "verdict")
    return _card(comparison.severity, comparison.sentence, sides, head, rows)


def _card(severity: str, sentence: str, basis: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    colour = _COLOURS.get(severity, _PLAIN)
    bad = {"too low", "too high", "outside", "worse"}
    titles = "".join(f'<th scope="col" style="text-align:left">{_text(title)}</th>' for title in head)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:left{";font-weight:600" if cell in bad else ""}">{_text(cell)}</td>' for cell in row
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div style="border-left:4px solid {colour};padding-left:0.8em">'
        f'<p><strong style="color:{colour}">{_text(severity)}</strong> {_text(shortened(plain(sentence), _SENTENCE))}</p>'
        f"<p>{_text(basis)}</p><table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _text(text: str) -> str:
    return escape(plain(text))
