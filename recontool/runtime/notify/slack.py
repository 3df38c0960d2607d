"""One notification as Slack's incoming webhooks take it: blocks, and plain text for where blocks are not shown.

Slack's three signs are escaped everywhere, and its texts are marked verbatim, so nothing a worker is called can mention
a channel or make a link. Source: docs.slack.dev, "Block Kit" and its limits (50 blocks, 3,000 characters a text).
"""

from typing import Any, Final

from recontool.model.instant import iso
from recontool.runtime.notify.message import Item, Notification, subject, text

_TEXT_LIMIT: Final = 3000
_SHOWN: Final = 20  # alerts with a block of their own
_LONGEST: Final = 280  # characters of one part, of which escaping makes up to five each
_SIGNS: Final = {"CRITICAL": ":red_circle:", "WARNING": ":large_orange_circle:", "INFO": ":large_blue_circle:"}


def body(message: Notification, dashboard: str = "") -> dict[str, Any]:
    """What to post; `dashboard` is an address to link to, "" for none."""
    items = [*message.firing, *message.resolved]
    blocks = [_section(f"*{_escaped(subject(message))}*"), *(_item(item) for item in items[:_SHOWN])]
    left = message.firing_count + message.resolved_count - len(items[:_SHOWN])
    notes = [f"... and {left} more"] if left else []
    notes.append(f"message {message.key}, decided {iso(message.at_us)}")
    blocks.append({"type": "context", "elements": [_text(" · ".join(notes))]})
    if dashboard:
        # A link, not a button: a button would need an app to answer it.
        blocks.append(_section(f"<{dashboard}|Open the dashboard>"))
    plain = text(message)
    shown = plain if len(plain) <= _TEXT_LIMIT else f"{plain[: _TEXT_LIMIT - 1]}…"
    return {"text": _signs(shown), "blocks": blocks}


def _item(item: Item) -> dict[str, Any]:
    over = item.resolved_us is not None
    sign = ":white_check_mark: resolved" if over else _SIGNS[item.severity]
    head = f"{sign} *{_escaped(item.alert)}*"
    description = f"\n{_escaped(item.description)}" if item.description else ""
    value = "none" if item.value is None else f"{item.value:g}"
    fields = {
        "Severity": item.severity,
        "Worker": "the fleet" if item.worker is None else item.worker,
        "Since": iso(item.since_us),
        "Until": "" if item.resolved_us is None else iso(item.resolved_us),
        "Value": f"{value} ({item.condition})" if item.condition else value,
    }
    told = [_text(f"*{name}*\n{_escaped(value)}") for name, value in fields.items() if value]
    return {**_section(f"{head}{description}"), "fields": told}


def _section(mrkdwn: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(mrkdwn)}


def _text(mrkdwn: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": mrkdwn, "verbatim": True}


def _escaped(plain: str) -> str:
    """On one line, bounded, without Slack's own signs; what would be bold or code stays the sign it is."""
    line = " ".join(plain.split())
    short = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    # A zero-width space keeps a sign from pairing up: names hold underscores and conditions asterisks.
    return _signs(short).translate({ord(sign): f"\u200b{sign}\u200b" for sign in "*_~`"})


def _signs(plain: str) -> str:
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
