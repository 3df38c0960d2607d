"""How each number is made: the formula and source of every metric, word and curve of the page."""

from typing import Final

from recontool.model.catalogue import DERIVED, DOCUMENTED, UNIT_TEXT, Metric
from recontool.report import quantity, view
from recontool.report.view import Row, Section

_GUIDE: Final = "monitoring guide"
_CONTRACT: Final = "recontool's contract"
# (word, what it means or how it is computed, where that comes from)
_WORDS: Final = (
    ("Outage", "from the moment a connected worker loses its session to the next established one", _CONTRACT),
    ("Reconnection", "a completed outage; its duration is the reconnect time", _CONTRACT),
    ("Forced", "an outage the worker started itself: heartbeat deadline, simulated disconnect, operator", _CONTRACT),
    ("Crash", "a process start while connected: down since the last record before it", _CONTRACT),
    ("Flap", "an established session that ended within 10 s", _CONTRACT),
    ("Gap", "no record for over twice the worker's periodic interval: unknown, never counted as connected", _CONTRACT),
    ("Incident", "outages of several workers with one cause", _CONTRACT),
    (
        "Clock ahead by",
        "middle of what every session allows: dialled - accepted <= offset <= established - accepted",
        "the worker's and the coordinator's lines of one session",
    ),
    ("Time lost", "the sum of outage durations; an open outage counts to the worker's last record", _CONTRACT),
    ("Median, 95 %", "nearest rank: the value at position ceil(n p) of n ascending values", "definition"),
    (
        "Share reconnected, share still away",
        "product over the durations t of (1 - ended at t / at risk at t); open outages leave the risk set unended",
        "Kaplan and Meier 1958",
    ),
    (
        "Band",
        "share^exp(+-1.96 s / ln share), s^2 = sum of ended / (at risk (at risk - ended))",
        "Greenwood 1926, log-log transformed",
    ),
    ("Recovery", "sessions of an incident that were back, counted from its first loss, over all it took", "definition"),
    ("Stage", "time between two steps of an outage; its quantiles are over the outages that log both", "definition"),
    (
        "Backoff formula",
        "v = min(longest, initial x 2^(n-1)); jitter none: v, equal: v/2 to v, full: 0 to v, decorrelated: to 3 x the last",
        "settings in the worker's config line",
    ),
)


def section() -> Section:
    """The definition of every metric, from the catalogue, and of every other word and curve."""
    metrics = [
        *(_formula(metric, f"{_GUIDE}, key metrics") for metric in DOCUMENTED),
        *(_formula(metric, f"{_GUIDE}, alert conditions") for metric in DERIVED),
    ]
    words = [Row(view.cells(*word)) for word in _WORDS]
    return Section(
        "formulas",
        "How each number is made",
        lead="Ranges are inclusive. Nothing to count gives no value and a reason, never a zero.",
        tables=(
            view.table(
                "Metric definitions",
                view.columns("Metric", "`Name", "Unit", "~Definition", "Normal range", "Source"),
                metrics,
                whole=True,
            ),
            view.table("Words and curves", view.columns("Word", "~Meaning or formula", "Source"), words, whole=True),
        ),
        folded=True,
    )


def _formula(metric: Metric, source: str) -> Row:
    unit = {"count": "count", "ratio": "0 to 1"}.get(metric.unit, UNIT_TEXT[metric.unit] or metric.unit)
    return Row(
        view.cells(metric.title, metric.name, unit, metric.definition, quantity.limit_rule(metric), source),
        f"def-{metric.name}",
    )
