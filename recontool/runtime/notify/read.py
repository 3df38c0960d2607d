"""The `notifications:` section and silence files: YAML mappings to settings, each value checked where it stands.

A file is read to its end, and everything that is wrong with it is told at once.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast, get_args
from urllib.parse import urlsplit

from recontool.model.errors import UsageError
from recontool.model.findings import Severity
from recontool.model.instant import from_datetime
from recontool.model.units import SECOND_US
from recontool.runtime.notify import apprise_library
from recontool.runtime.notify.faults import Faults
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.section import Section, Source
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
        UsageError: everything that is wrong, each with file:line:column, what stands there and what was expected.
    """
    source = Source(path, environment, Faults())
    section = Section.of(source, "notifications", values, where)
    found = Notifications()
    if section is not None:
        section.only({"channels", "silences", "public_url"})
        dashboard = f"{_public(section)}/dashboard" if "public_url" in section.values else ""
        channels = [
            _channel(name, inner, dashboard)
            for name, inner in section.sections("channels", lambda name: f"channel {name}")
        ]
        silent = _silences(source, section.values.get("silences") or [], section.where("silences"))
        found = Notifications(tuple(channel for channel in channels if channel is not None), silent)
    source.faults.check()
    return found


def silences(path: str, values: Any, environment: Mapping[str, str], where: str) -> tuple[Silence, ...]:
    """A list of silences.

    Raises:
        UsageError: as above.
    """
    source = Source(path, environment, Faults())
    found = _silences(source, values, where)
    source.faults.check()
    return found


def _silences(source: Source, values: Any, where: str) -> tuple[Silence, ...]:
    if not isinstance(values, list):
        source.faults.add(UsageError("silences are a list, one mapping each", where=where))
        return ()
    lines: Any = getattr(values, "lc", None)  # an empty list that nobody wrote has no places
    sections = (
        Section.of(source, "silence", value, source.place(*lines.item(number))) for number, value in enumerate(values)
    )
    return tuple(_silence(section) for section in sections if section is not None)


def _channel(name: str, section: Section, dashboard: str) -> Channel | None:
    if not _NAME.fullmatch(name) or name == DASHBOARD:
        hint = "the dashboard shows every alert and needs no channel" if name == DASHBOARD else ""
        section.fault("", f"{name!r} is no name for a channel, expected a-z 0-9 _ -", hint)
    kind = section.choice("kind", KINDS, name if name in KINDS else "")
    if not kind:
        return None  # which other keys it may have is not known
    section.only(COMMON | OWN[kind])
    return Channel(name, kind, _target(kind, section, dashboard), _pacing(section))


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


def _target(kind: str, section: Section, dashboard: str) -> Target:
    match kind:
        case "email":
            return _email(section)
        case "apprise":
            return _apprise(section)
        case _:
            return Webhook(
                Secret(_url(section, "url")), kind == "slack", _headers(section), _ca_file(section), dashboard
            )


def _labels(section: Section) -> tuple[Label, ...]:
    if "group_by" not in section.values:
        return USUAL.group_by
    if section.values["group_by"] == []:
        return ()
    found = section.texts("group_by")
    if not set(found) <= set(LABELS) or len(set(found)) != len(found):
        section.expected("group_by", f"a list of {', '.join(LABELS)}, each at most once", "[] makes one group")
    return cast("tuple[Label, ...]", found)


def _email(section: Section) -> Email:
    tls = cast("Tls", section.choice("tls", get_args(Tls), "starttls") or "starttls")
    sender, to = section.text("from"), section.texts("to")
    for key, address in [("from", sender), *(("to", address) for address in to)]:
        if not _ADDRESS.fullmatch(address):
            section.expected(key, "a mail address", "for example alerts@example.org")
    login, password = section.text("login", ""), section.secret("password")
    if ("login" in section.values) is not (password is not None):
        section.expected("login" if login else "password", "given together with its counterpart")
    if login and tls == "none":
        section.expected("tls", "starttls or implicit where there is a login: a password must not travel in clear")
    port = section.number("port", _PORTS[tls], 1, 65535)
    return Email(section.text("host"), port, sender, to, tls, login, password, _ca_file(section))


def _ca_file(section: Section) -> str:
    path = section.text("ca_file", "")
    if path and not Path(path).is_file():
        section.expected("ca_file", "a file with certificates")
    return path


def _public(section: Section) -> str:
    """Where people reach the coordinator, without the last slash."""
    text = _url(section, "public_url")
    if any(sign in text for sign in "<>|?#"):
        section.expected("public_url", "an address that paths can be added to")
    return text.rstrip("/")


def _url(section: Section, key: str) -> str:
    text = section.text(key)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        named = parts.username is not None
    except ValueError:
        section.expected(key, "an address")
        return ""
    if named:
        section.expected(key, "an address without a name and password", "headers: {Authorization: ...} can log in")
    elif not usable or " " in text or not text.isascii():
        section.expected(key, "an address that begins with http:// or https://")
    return text


def _headers(section: Section) -> tuple[tuple[str, Secret], ...]:
    inner = section.inner("headers")
    if inner is None:
        return ()
    found = []
    for name in inner.values:
        if not isinstance(name, str) or not _HEADER.fullmatch(name):
            section.expected("headers", "a mapping of header names to texts")
            continue
        text = inner.text(name)
        if not text.isascii():
            inner.expected(name, "ASCII text")
        found.append((name, Secret(text)))
    return tuple(found)


def _apprise(section: Section) -> Apprise:
    try:
        apprise_library.require(section.where("kind"))
    except UsageError as error:
        section.fault("kind", error.problem, error.hint)
        return Apprise(())
    urls = section.texts("urls")
    if not all(map(apprise_library.accepts, urls)):
        section.expected("urls", "addresses that apprise understands", "for example mailtos://user:${PASS}@host")
    return Apprise(tuple(map(Secret, urls)))


def _silence(section: Section) -> Silence:
    section.only(SILENCE)
    # A key that is misspelt may be the one that is missing.
    if SILENCE.issuperset(section.values) and not {"alert", "worker", "severity"} & set(section.values):
        section.fault("", "a silence says which alerts it is for", "alert, worker or severity; * fits all")
    from_us = _instant(section, "from") if "from" in section.values else 0
    until_us = _instant(section, "until")
    if from_us is not None and until_us is not None and until_us <= from_us:
        section.expected("until", "later than from")
    severity = section.choice("severity", ["*", *get_args(Severity)], "*")
    alert, worker, comment = section.text("alert", "*"), section.text("worker", "*"), section.text("comment", "")
    return Silence(until_us or 0, from_us or 0, alert, worker, severity, comment)


def _instant(section: Section, key: str) -> int | None:
    try:
        return from_datetime(datetime.fromisoformat(section.text(key)))
    except (ValueError, TypeError):  # TypeError: a time without a zone
        section.expected(key, "a time with its zone", "for example 2026-11-24T18:00:00Z")
        return None
