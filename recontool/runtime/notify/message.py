"""One notification: what a channel is told about one group of alerts, and its wording as text.

It is stored as JSON until it is delivered; `key` stays the same however often it is sent, so that a receiver can
recognise a copy.
"""

import hashlib
from typing import Final, Literal

import msgspec

from recontool.model.findings import Severity
from recontool.model.instant import iso

SCHEMA: Final = "recontool.notification/1"
LISTED: Final = 50  # alerts of each kind that one message names; the rest is counted


class Item(msgspec.Struct, frozen=True):
    """One alert on one worker (None: the fleet), as a receiver hears of it."""

    alert: str
    severity: Severity
    worker: str | None
    since_us: int
    value: float | None = None
    condition: str = ""
    description: str = ""
    resolved_us: int | None = None


class Notification(msgspec.Struct, frozen=True):
    """What `channel` is told at `at_us`: alerts of one group that fire, and such that fired and do no more."""

    key: str
    channel: str
    group: dict[str, str]
    at_us: int
    firing: list[Item]
    resolved: list[Item]
    firing_count: int
    resolved_count: int
    repeated: bool = False

    @property
    def status(self) -> Literal["firing", "resolved"]:
        """Whether anything in the group still fires."""
        return "firing" if self.firing_count else "resolved"


def notification(
    channel: str, group: dict[str, str], at_us: int, firing: list[Item], resolved: list[Item], *, repeated: bool
) -> Notification:
    """A message about `group`; it names the first `LISTED` alerts of each kind."""
    named = "\0".join([channel, *(f"{label}\1{value}" for label, value in sorted(group.items())), str(at_us)])
    key = hashlib.sha256(named.encode()).hexdigest()[:32]
    counts = len(firing), len(resolved)
    return Notification(key, channel, group, at_us, firing[:LISTED], resolved[:LISTED], *counts, repeated)


def subject(message: Notification) -> str:
    """One line: `[FIRING:2] high_message_latency (WARNING) on worker-1, worker-2`."""
    items = message.firing or message.resolved
    count = message.firing_count or message.resolved_count
    names = ", ".join(dict.fromkeys(f"{item.alert} ({item.severity})" for item in items))
    workers = list(dict.fromkeys(_whom(item) for item in items))
    whom = ", ".join(workers) if len(workers) <= 3 else f"{len(workers)} workers"  # noqa: PLR2004
    again = ", still" if message.repeated else ""
    # A rule's name is any text; a subject is one line.
    return " ".join(f"[{message.status.upper()}:{count}{again}] {names} on {whom}".split())


def text(message: Notification) -> str:
    """The whole message as plain text."""
    lines = [subject(message), ""]
    for head, items, count in (
        ("Firing", message.firing, message.firing_count),
        ("Resolved", message.resolved, message.resolved_count),
    ):
        if items:
            lines += [f"{head}:", *(line for item in items for line in _lines(item))]
            lines += [f"  ... and {count - len(items)} more"] if count > len(items) else []
            lines.append("")
    return "\n".join([*lines, f"message {message.key}, decided {iso(message.at_us)}"])


def json_body(message: Notification) -> dict[str, object]:
    """The body a webhook receives; times are ISO 8601 UTC. Listed in docs/notifications.md."""
    items = [*message.firing, *message.resolved]
    return {
        "schema": SCHEMA,
        "key": message.key,
        "channel": message.channel,
        "status": message.status,
        "at": iso(message.at_us),
        "repeated": message.repeated,
        "group": message.group,
        "title": subject(message),
        "alerts": [_json_item(item) for item in items],
        "firing": message.firing_count,
        "resolved": message.resolved_count,
    }


def _lines(item: Item) -> list[str]:
    value = "" if item.value is None else f", value {item.value:g}"
    until = "" if item.resolved_us is None else f" until {iso(item.resolved_us)}"
    lines = [
        f"  {item.severity} {item.alert} on {_whom(item)}",
        f"    {item.condition}{value}",
        f"    since {iso(item.since_us)}{until}",
    ]
    return [*lines, f"    {item.description}"] if item.description else lines


def _json_item(item: Item) -> dict[str, object]:
    return {
        "alert": item.alert,
        "severity": item.severity,
        "worker": item.worker,
        "state": "firing" if item.resolved_us is None else "resolved",
        "since": iso(item.since_us),
        "resolved_at": None if item.resolved_us is None else iso(item.resolved_us),
        "value": item.value,
        "condition": item.condition,
        "description": item.description,
    }


def _whom(item: Item) -> str:
    return "the fleet" if item.worker is None else item.worker
