"""The alerts of the live page: what fires, what is about to, what was lately, and what is silenced."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from recontool.report import quantity, view
from recontool.report.dashboard.fleet import Fleet, alerts_in
from recontool.report.view import Cell, Row, Section, Table, Tone

_WHERE: Final = "/api/v1/alerts lists them"
_TITLES: Final = view.columns(
    "Severity", "Rule", "`Worker", "Since (UTC)", "#Value", "#Peak", "`Condition", "Silenced until (UTC)"
)


def section(fleet: Fleet) -> Section:
    """All states of `/api/v1/alerts` on one place; rules and channels stand under System Health."""
    alerts = fleet.live.alerts
    firing, pending = fleet.firing(), alerts_in("pending", alerts)
    resolved, silences = alerts.get("resolved", ()), alerts.get("silences", ())
    tables = []
    if firing:
        tables.append(_active("Firing now", firing))
    if pending:
        tables.append(_active("Pending: true, but not for long enough", pending))
    if resolved:
        tables.append(_resolved(resolved))
    if silences:
        tables.append(_silences(silences))
    critical = sum(alert["severity"] == "CRITICAL" for alert in firing)
    warning = any(alert["severity"] == "WARNING" for alert in firing)
    tone: Tone = "critical" if critical else "warning" if warning else "muted"
    return Section(
        "alerts",
        "Alerts",
        lead=_lead(fleet, firing, pending),
        badge=f"{len(firing):,} firing" if firing else "0",
        tone=tone,
        tables=tuple(tables),
        notes=("Resolved alerts are those of the last hour, as far as this coordinator ran.",) if resolved else (),
    )


def _lead(fleet: Fleet, firing: Sequence[object], pending: Sequence[object]) -> str:
    rules = fleet.live.alerts.get("rules", ())
    at = fleet.live.alerts.get("at")
    broken = [rule["alert"] for rule in rules if rule["health"] == "broken"]
    text = "Nothing fires" if not firing else f"{quantity.counted(len(firing), 'alert')} firing"
    text += f", {len(pending):,} pending" if pending else ""
    text += f"; {quantity.counted(len(rules), 'rule')} evaluated at {_clock(at)} UTC." if at else "; not evaluated yet."
    if broken:
        text += f" Cannot be evaluated: {view.evidence(broken)}; what {'it' if len(broken) == 1 else 'they'} would say is unknown."
    return text


def _active(caption: str, alerts: Sequence[Mapping[str, Any]]) -> Table:
    return view.table(
        caption, _TITLES, [_active_row(alert) for alert in alerts], what="alerts, less severe or later,", where=_WHERE
    )


def _active_row(alert: Mapping[str, Any]) -> Row:
    since = alert["fired_at"] or alert["pending_at"]
    return Row(
        (
            Cell(alert["severity"], view.TONES[alert["severity"]]),
            Cell(_name(alert["alert"])),
            Cell(_who(alert["worker"])),
            Cell(_moment(since)),
            _amount(alert["value"]),
            _amount(alert["peak"]),
            Cell(alert["condition"]),
            Cell(_moment(alert["silenced_until"])),
        ),
        f"alert:{alert['alert']}:{alert['worker'] or ''}",
    )


def _resolved(alerts: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        Row(
            (
                Cell(alert["severity"], view.TONES[alert["severity"]]),
                Cell(_name(alert["alert"])),
                Cell(_who(alert["worker"])),
                Cell(_moment(alert["pending_at"])),
                Cell(_moment(alert["resolved_at"])),
                _amount(alert["value"]),
            ),
            f"resolved:{alert['alert']}:{alert['worker'] or ''}:{alert['resolved_at']}",
        )
        for alert in alerts
    ]
    titles = view.columns("Severity", "Rule", "`Worker", "True since (UTC)", "Resolved (UTC)", "#Last value")
    return view.table("Resolved lately", titles, rows, what="alerts, resolved earlier,", where=_WHERE)


def _silences(silences: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        Row(
            (
                Cell(silence["alert"]),
                Cell(silence["worker"]),
                Cell(silence["severity"]),
                Cell(_moment(silence["from"])),
                Cell(_moment(silence["until"])),
                Cell(silence["comment"]),
            )
        )
        for silence in silences
    ]
    titles = view.columns("`Rule", "`Worker", "Severity", "From (UTC)", "Until (UTC)", "~Comment")
    return view.table(
        "Silences: alerts that fit every pattern notify nobody", titles, rows, what="silences", where=_WHERE
    )


def _name(alert: str) -> str:
    return alert.replace("_", " ")


def _who(worker: str | None) -> str:
    return "fleet" if worker is None else worker


def _amount(value: float | None) -> Cell:
    return Cell(quantity.NOTHING if value is None else f"{value:,.4g}", sort=value)


def _moment(at: str | None) -> str:
    return quantity.NOTHING if at is None else at[:19].replace("T", " ")


def _clock(at: str) -> str:
    return at[11:19]
