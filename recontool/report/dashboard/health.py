"""System Health: the coordinator's own process, whether rules can be evaluated, and whether channels deliver."""

from collections.abc import Mapping
from typing import Any, Final

from recontool.model.live import Live
from recontool.model.units import SECOND_US
from recontool.report import quantity, view
from recontool.report.dashboard.fleet import Fleet
from recontool.report.view import Cell, Row, Section, Table, Tone

_LAG_S: Final = 1.0  # behind by more than this, heartbeats come late
_OLDEST_S: Final = 5.0  # a message that waits longer has a peer that does not read
_FREE_BYTES: Final = 2**30
_UNTOLD: Final = (
    "No notification channel is configured: alerts show here and at /api/v1/alerts, and nobody is told. "
    "docs/notifications.md says how to tell somebody."
)
_HEALTH: Final[Mapping[str, tuple[str, Tone]]] = {
    "ok": ("ok", "ok"),
    "no_data": ("no data", "muted"),
    "broken": ("broken", "critical"),
}


def section(fleet: Fleet) -> Section:
    """The view."""
    live = fleet.live
    found = concerns(live)
    untold = () if live.alerts.get("channels") else (_UNTOLD,)
    return Section(
        "health",
        "System Health",
        lead=f"{quantity.sentence('; '.join(found))}."
        if found
        else "The coordinator, its rules and its channels are well.",
        badge=quantity.counted(len(found), "concern") if found else "",
        tone="warning" if found else "ok",
        tables=(_process(live), _rules(live), *_channels(live)),
        notes=untold,
    )


def concerns(live: Live) -> list[str]:
    """What is wrong with the coordinator itself, a clause each."""
    process = live.process
    found = [f"rule {rule['alert']} cannot be evaluated" for rule in live.alerts.get("rules", ()) if _broken(rule)]
    found += [
        f"channel {channel['channel']} {_trouble(channel)}"
        for channel in live.alerts.get("channels", ())
        if _trouble(channel)
    ]
    if process.lag_s > _LAG_S:
        found.append(f"the event loop ran {quantity.duration(round(process.lag_s * SECOND_US))} behind")
    if process.oldest_s > _OLDEST_S:
        found.append(f"a message has waited {quantity.duration(round(process.oldest_s * SECOND_US))} to be sent")
    if process.free_bytes < _FREE_BYTES:
        found.append(f"the disk of the data folder has {quantity.size(process.free_bytes)} left")
    return found


def _process(live: Live) -> Table:
    process = live.process
    lagged, waits = process.lag_s > _LAG_S, process.oldest_s > _OLDEST_S
    rows = [
        _fact(
            "Running for",
            quantity.duration(live.at_us - process.started_us),
            f"since {quantity.moment(process.started_us)} UTC",
        ),
        _fact("Version", f"recontool {process.version}"),
        _fact(
            "Connections",
            quantity.count(process.connections),
            f"{quantity.counted(process.dashboards, 'dashboard')} besides",
        ),
        _fact(
            "Event loop behind by",
            f"{process.lag_s * 1000:.1f} ms",
            "the most in the last minute",
            "warning" if lagged else "ok",
        ),
        _fact("Processor", quantity.percent(process.cpu_share, 1.0), "of one core"),
        _fact("Memory", quantity.size(process.memory_bytes), "the most it ever held"),
        _fact(
            "Messages to send",
            quantity.count(process.queued),
            f"the oldest waits {process.oldest_s:.1f} s",
            "warning" if waits else "ok",
        ),
        _fact("Samples to write", quantity.count(process.unwritten), "into the next snapshot"),
        _fact(
            "Room on the disk",
            quantity.size(process.free_bytes),
            "where the data folder is",
            "warning" if process.free_bytes < _FREE_BYTES else "ok",
        ),
    ]
    return view.table("The coordinator", view.columns("What", "#Value", "Verdict", "~Remark"), rows, whole=True)


def _fact(name: str, value: str, remark: str = "", tone: Tone = "") -> Row:
    verdict = Cell({"ok": "ok", "warning": "look"}.get(tone, quantity.NOTHING), tone)
    return Row((Cell(name), Cell(value), verdict, Cell(remark)), f"process:{name.lower().replace(' ', '-')}")


def _rules(live: Live) -> Table:
    rows = [
        Row(
            (
                Cell(rule["alert"].replace("_", " ")),
                Cell(rule["severity"], view.TONES[rule["severity"]]),
                Cell(rule["condition"]),
                Cell(*_HEALTH[rule["health"]]),
                Cell(rule["error"] or ("unknown for every worker" if rule["health"] == "no_data" else "")),
            ),
            f"rule:{rule['alert']}",
        )
        for rule in sorted(live.alerts.get("rules", ()), key=lambda rule: not _broken(rule))
    ]
    titles = view.columns("Rule", "Severity", "`Condition", "Health", "~Why")
    return view.table("Alert rules, broken ones first", titles, rows, what="rules", where="/api/v1/alerts lists them")


def _channels(live: Live) -> tuple[Table, ...]:
    channels = live.alerts.get("channels", ())
    if not channels:
        return ()
    rows = [
        Row(
            (
                Cell(channel["channel"]),
                Cell(channel["kind"]),
                Cell(_trouble(channel) or "ok", "warning" if _trouble(channel) else "ok"),
                *(
                    Cell(quantity.count(channel[name]), sort=channel[name])
                    for name in ("waiting", "delivered", "failed_tries", "dropped")
                ),
                Cell(channel["last_error"] or ""),
            ),
            f"channel:{channel['channel']}",
        )
        for channel in channels
    ]
    titles = view.columns(
        "Channel", "Kind", "Health", "#Waiting", "#Delivered", "#Failed tries", "#Dropped", "~Last error"
    )
    return (
        view.table(
            "Notification channels, since this start", titles, rows, what="channels", where="/api/v1/alerts lists them"
        ),
    )


def _broken(rule: Mapping[str, Any]) -> bool:
    return bool(rule["health"] == "broken")


def _trouble(channel: Mapping[str, Any]) -> str:
    if channel["dropped"]:
        return "gave messages up"
    return "cannot deliver" if channel["waiting"] and channel["last_error"] else ""
