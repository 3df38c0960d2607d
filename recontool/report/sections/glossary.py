"""How each number is made: the formula and source of every metric, word and curve of the page."""

from typing import Final

from recontool.model.catalogue import DERIVED, DOCUMENTED, Metric
from recontool.report import quantity, view
from recontool.report.language import say
from recontool.report.view import Row, Section

_CONTRACT: Final = "recontool's contract"
# (word, what it means or how it is computed, where that comes from)
WORDS: Final = (
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
        *(_formula(metric, "monitoring guide, key metrics") for metric in DOCUMENTED),
        *(_formula(metric, "monitoring guide, alert conditions") for metric in DERIVED),
    ]
    words = [Row(view.cells(*map(say, word))) for word in WORDS]
    return Section(
        "formulas",
        say("How each number is made"),
        lead=say("Ranges are inclusive. Nothing to count gives no value and a reason, never a zero."),
        tables=(
            view.table(
                say("Metric definitions"),
                view.columns("Metric", "`Name", "Unit", "~Definition", "Normal range", "Source"),
                metrics,
                whole=True,
            ),
            view.table(
                say("Words and curves"), view.columns("Word", "~Meaning or formula", "Source"), words, whole=True
            ),
        ),
        folded=True,
    )


def _formula(metric: Metric, source: str) -> Row:
    unit = {"count": say("count"), "messages": say("messages"), "ratio": say("{low} to {high}", low="0", high="1")}.get(
        metric.unit, quantity.unit_of(metric)
    )
    title, definition = say(metric.title), say(metric.definition)
    return Row(
        view.cells(title, metric.name, unit, definition, quantity.limit_rule(metric), say(source)),
        f"def-{metric.name}",
    )
