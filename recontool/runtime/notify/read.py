"""The `notifications:` section and silence files: YAML mappings to settings, each value checked where it stands."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast, get_args
from urllib.parse import urlsplit

from recontool.model.errors import UsageError
from recontool.model.findings import Severity
from recontool.model.instant import SECOND_US, from_datetime
from recontool.runtime.notify import apprise_library
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.section import Section
from recontool.runtime.notify.settings import (
    DASHBOARD,
    KINDS,
    LABELS,
    USUAL,
    Apprise,
    Channel,
    Email,
    Label,
    Notifications,
    Pacing,
    Target,
    Tls,
    Webhook,
)
from recontool.runtime.notify.silences import Silence

COMMON: Final = frozenset(
    {
        "kind",
        "group_by",
        "group_wait",
        "group_interval",
        "repeat_interval",
        "send_resolved",
        "queue_limit",
        "timeout",
    }
)
OWN: Final[Mapping[str, frozenset[str]]] = {
    "email": frozenset({"host", "port", "from", "to", "tls", "login", "password", "ca_file"}),
    "slack": frozenset({"url"}),
    "webhook": frozenset({"url", "headers", "ca_file"}),
    "apprise": frozenset({"urls"}),
}
SILENCE: Final = frozenset({"alert", "worker", "severity", "from", "until", "comment"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ADDRESS: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]+")
_PORTS: Final = {"starttls": 587, "implicit": 465, "none": 25}


def notifications(path: str, values: Any, environment: Mapping[str, str], where: str) -> Notifications:
    """The section `notifications:` of the file at `path`; `values` is what stands there.

    Raises:
        UsageError: with file:line:column, what stands there and what was expected.
    """
    section = Section.of(path, "notifications", values, environment, where)
    section.only({"channels", "silences"})
    channels = tuple(
        _channel(name, inner) for name, inner in section.sections("channels", lambda name: f"channel {name}")
    )
    found = silences(path, section.values.get("silences") or [], environment, section.where("silences"))
    return Notifications(channels, found)


def silences(path: str, values: Any, environment: Mapping[str, str], where: str) -> tuple[Silence, ...]:
    """A list of silences.

    Raises:
        UsageError: as above.
    """
    if not isinstance(values, list):
        raise UsageError("silences are a list, one mapping each", where=where)
    lines: Any = getattr(values, "lc", None)  # an empty list that nobody wrote has no places
    found = []
    for number, value in enumerate(values):
        line, column = lines.item(number)
        found.append(_silence(Section.of(path, "silence", value, environment, f"{path}:{line + 1}:{column + 1}")))
    return tuple(found)


def _channel(name: str, section: Section) -> Channel:
    if not _NAME.fullmatch(name) or name == DASHBOARD:
        hint = "the dashboard shows every alert and needs no channel" if name == DASHBOARD else ""
        raise UsageError(f"{name!r} is no name for a channel, expected a-z 0-9 _ -", where=section.place, hint=hint)
    kind = section.choice("kind", KINDS, name if name in KINDS else "")
    section.only(COMMON | OWN[kind])
    return Channel(name, kind, _target(kind, section), _pacing(section))


def _pacing(section: Section) -> Pacing:
    timeout_us = section.duration_us("timeout", round(USUAL.timeout_s * SECOND_US), SECOND_US // 10)
    return Pacing(
        group_by=_labels(section),
        group_wait_us=section.duration_us("group_wait", USUAL.group_wait_us),
        group_interval_us=section.duration_us("group_interval", USUAL.group_interval_us),
        repeat_interval_us=section.duration_us("repeat_interval", USUAL.repeat_interval_us, SECOND_US),
        send_resolved=section.flag("send_resolved", default=USUAL.send_resolved),
        queue_limit=section.number("queue_limit", USUAL.queue_limit, 1, 1_000_000),
        timeout_s=timeout_us / SECOND_US,
    )


def _target(kind: str, section: Section) -> Target:
    match kind:
        case "email":
            return _email(section)
        case "apprise":
            return _apprise(section)
        case _:
            return Webhook(_url(section), kind == "slack", _headers(section), _ca_file(section))


def _labels(section: Section) -> tuple[Label, ...]:
    if "group_by" not in section.values:
        return USUAL.group_by
    if section.values["group_by"] == []:
        return ()
    found = section.texts("group_by")
    if not set(found) <= set(LABELS) or len(set(found)) != len(found):
        raise section.error("group_by", f"a list of {', '.join(LABELS)}, each at most once", "[] makes one group")
    return cast("tuple[Label, ...]", found)


def _email(section: Section) -> Email:
    tls = cast("Tls", section.choice("tls", get_args(Tls), "starttls"))
    sender, to = section.text("from"), section.texts("to")
    for key, address in [("from", sender), *(("to", address) for address in to)]:
        if not _ADDRESS.fullmatch(address):
            raise section.error(key, "a mail address", "for example alerts@example.org")
    login, password = section.text("login", ""), section.secret("password")
    if bool(login) is not (password is not None):
        raise section.error("login" if login else "password", "given together with its counterpart")
    if login and tls == "none":
        raise section.error("tls", "starttls or implicit where there is a login: a password must not travel in clear")
    port = section.number("port", _PORTS[tls], 1, 65535)
    return Email(section.text("host"), port, sender, to, tls, login, password, _ca_file(section))


def _ca_file(section: Section) -> str:
    path = section.text("ca_file", "")
    if path and not Path(path).is_file():
        raise section.error("ca_file", "a file with certificates")
    return path


def _url(section: Section) -> Secret:
    text = section.text("url")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise section.error("url", "an address") from None
    if parts.username is not None:
        raise section.error("url", "an address without a name and password", "headers: {Authorization: ...} can log in")
    if not usable or " " in text or not text.isascii():
        raise section.error("url", "an address that begins with http:// or https://")
    return Secret(text)


def _headers(section: Section) -> tuple[tuple[str, Secret], ...]:
    if "headers" not in section.values:
        return ()
    inner = Section.of(
        section.path, "headers", section.values["headers"], section.environment, section.where("headers")
    )
    for name in inner.values:
        if not isinstance(name, str) or not _HEADER.fullmatch(name):
            raise section.error("headers", "a mapping of header names to texts")
        if not inner.text(name).isascii():
            raise inner.error(name, "ASCII text")
    return tuple((name, Secret(inner.text(name))) for name in inner.values)


def _apprise(section: Section) -> Apprise:
    apprise_library.require(section.where("kind"))
    urls = section.texts("urls")
    if not all(map(apprise_library.accepts, urls)):
        raise section.error("urls", "addresses that apprise understands", "for example mailtos://user:${PASS}@host")
    return Apprise(tuple(map(Secret, urls)))


def _silence(section: Section) -> Silence:
    section.only(SILENCE)
    if not {"alert", "worker", "severity"} & set(section.values):
        raise UsageError(
            "a silence says which alerts it is for",
            where=section.place,
            hint="alert, worker or severity; * fits all",
        )
    from_us = _instant(section, "from") if "from" in section.values else 0
    until_us = _instant(section, "until")
    if until_us <= from_us:
        raise section.error("until", "later than from")
    severity = section.choice("severity", ["*", *get_args(Severity)], "*")
    alert, worker, comment = section.text("alert", "*"), section.text("worker", "*"), section.text("comment", "")
    return Silence(until_us, from_us, alert, worker, severity, comment)


def _instant(section: Section, key: str) -> int:
    try:
        return from_datetime(datetime.fromisoformat(section.text(key)))
    except (ValueError, TypeError):  # TypeError: a time without a zone
        raise section.error(key, "a time with its zone", "for example 2026-11-24T18:00:00Z") from None
