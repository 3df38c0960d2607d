"""The top of the live page: one sentence with a severity word, and six numbers with their limits and trends."""

from itertools import pairwise
from typing import Literal

from recontool.model.catalogue import CATALOGUE
from recontool.report import quantity, svg, view
from recontool.report.dashboard import health
from recontool.report.dashboard.fleet import Fleet, alerts_in
from recontool.report.keynumbers import of_metric
from recontool.report.view import KeyNumber, Tone

Severity = Literal["CRITICAL", "WARNING", "OK", "NO DATA"]


def verdict(fleet: Fleet) -> tuple[Severity, str, str]:
    """(severity, sentence, the rest of what is to be said)."""
    firing = [alert for alert in fleet.firing() if alert["severity"] != "INFO"]
    informing = len(fleet.firing()) - len(firing)
    critical = sum(alert["severity"] == "CRITICAL" for alert in firing)
    clauses = []
    if fleet.away:
        number = quantity.counted(fleet.expected, "worker")
        clauses.append(f"{fleet.away:,} of {number} {'is' if fleet.away == 1 else 'are'} away")
    if firing:
        text = f"{quantity.counted(len(firing), 'alert')} {'fires' if len(firing) == 1 else 'fire'}"
        clauses.append(text + (f", {critical:,} critical" if critical else ""))
    clauses += health.concerns(fleet.live)
    note = f"{quantity.counted(informing, 'alert')} for information" if informing else ""
    if clauses:
        severe = critical or (fleet.away and fleet.away == fleet.expected)
        first, *more = clauses
        return (
            "CRITICAL" if severe else "WARNING",
            f"{quantity.sentence(first)}.",
            _rest([*more, *([note] if note else [])]),
        )
    if not fleet.workers:
        return "NO DATA", "No worker has connected yet.", "This page fills as soon as one does."
    if not fleet.expected:
        return "NO DATA", "Every worker has said goodbye.", "Their last numbers are below."
    number = quantity.counted(fleet.expected, "worker")
    sentence = f"{'The worker is' if fleet.expected == 1 else f'All {number} are'} connected and nothing is wrong."
    return "OK", sentence, _rest([note] if note else [])


def numbers(fleet: Fleet) -> tuple[KeyNumber, ...]:
    """Workers, alerts, reconnections, reconnect time, latency and task success."""
    return (
        _workers(fleet),
        _alerts(fleet),
        _reconnections(fleet),
        _metric(fleet, "avg_reconnect_time", "Mean reconnect time", "#reconnections", _longest(fleet)),
        _metric(fleet, "avg_message_latency_ms", "Message latency", "#messages", _sent(fleet)),
        _metric(fleet, "task_success_rate", "Task success rate", "#tasks", _tasks(fleet)),
    )


def _rest(clauses: list[str]) -> str:
    return f"{quantity.sentence('; '.join(clauses))}." if clauses else ""


def _workers(fleet: Fleet) -> KeyNumber:
    connected = sum(worker.found.connected for worker in fleet.workers)
    left = sum(worker.found.left for worker in fleet.workers)
    tone: Tone = "critical" if fleet.away else "ok" if fleet.expected else "muted"
    return KeyNumber(
        "Workers connected",
        f"{connected:,} of {fleet.expected:,}",
        f"{fleet.away:,} away" if fleet.away else "ok" if fleet.expected else "no data",
        tone,
        "limit all that are expected",
        f"{left:,} said goodbye and are not" if left > 1 else "1 said goodbye and is not" if left else "",
        svg.trend([point.connected for point in fleet.live.course]),
        "#workers",
    )


def _alerts(fleet: Fleet) -> KeyNumber:
    firing, pending = fleet.firing(), alerts_in("pending", fleet.live.alerts)
    critical = sum(alert["severity"] == "CRITICAL" for alert in firing)
    silenced = sum(alert["silenced_until"] is not None for alert in firing)
    informing = all(alert["severity"] == "INFO" for alert in firing)
    tone: Tone = "critical" if critical else "ok" if not firing else "muted" if informing else "warning"
    return KeyNumber(
        "Alerts firing",
        quantity.count(len(firing)),
        f"{critical:,} critical" if critical else "ok" if not firing else "information" if informing else "look",
        tone,
        "limit none",
        f"{len(pending):,} pending" + (f", {silenced:,} silenced" if silenced else ""),
        svg.trend([point.firing for point in fleet.live.course], bars=True),
        "#alerts",
    )


def _reconnections(fleet: Fleet) -> KeyNumber:
    limit = 3
    rates = [worker.found.metrics.get("reconnections_per_minute") or 0 for worker in fleet.workers]
    busiest = max(rates, default=0)
    total, failed = (fleet.values.get(name) for name in ("reconnections", "failed_reconnections"))
    counts = [point.values.get("reconnections") for point in fleet.live.course]
    # A worker's count starts anew with its process, and that is no reconnection.
    steps = [None if a is None or b is None else max(b - a, 0.0) for a, b in pairwise(counts)]
    return KeyNumber(
        "Reconnections",
        quantity.NOTHING if total is None else quantity.count(total),
        "no data" if total is None else "too many at once" if busiest > limit else "ok",
        "muted" if total is None else "warning" if busiest > limit else "ok",
        f"limit {limit} per minute and worker; most {busiest:,.0f}",
        "" if failed is None else f"{quantity.counted(failed, 'failed try', 'failed tries')} in 5 min",
        svg.trend(steps, bars=True),
        "#reconnections",
    )


def _metric(fleet: Fleet, name: str, label: str, href: str, detail: str) -> KeyNumber:
    normal = CATALOGUE[name].normal
    trend = svg.trend([point.values.get(name) for point in fleet.live.course], normal.high or normal.low)
    return of_metric(fleet.metrics, name, label, detail, trend=trend, href=href)


def _longest(fleet: Fleet) -> str:
    metric = CATALOGUE["max_reconnect_time"]
    return f"longest {quantity.value(metric, fleet.metrics[metric.name].value)}"


def _sent(fleet: Fleet) -> str:
    sent = fleet.metrics["messages_sent"].value
    return "" if sent is None else f"{quantity.count(sent)} messages sent"


def _tasks(fleet: Fleet) -> str:
    tasks = fleet.live.tasks
    return f"{tasks.get('assigned', 0):,} with workers, {tasks.get('pending', 0):,} waiting"


TONES: dict[Severity, Tone] = {severity: view.TONES[severity] for severity in ("CRITICAL", "WARNING", "OK", "NO DATA")}
