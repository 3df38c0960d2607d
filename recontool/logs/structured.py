"""Turns one JSON object line or one logfmt line into the event it says; which key means what is data.

Example: `{"timestamp": "2026-11-24T10:15:32.5Z", "level": "info", "worker": "w1", "event": "[RECONNECT] lost code=1006"}`
Key names are those of structlog, python-json-logger, zap, slog, bunyan, pino, ECS and go-logfmt.
"""

import json
import math
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from recontool.logs.grammar import parse_body, typed
from recontool.model.errors import BadFieldError
from recontool.model.events import EVENT_SCHEMA, FIELD_TYPES, Event, Value
from recontool.model.instant import SECOND_US, from_datetime
from recontool.model.markers import LEVELS, Marker

# The first of these that a record has decides. A logger's name is no source: it names a module, not a process.
TIME_KEYS: Final = ("timestamp", "@timestamp", "time", "ts", "asctime", "at")
LEVEL_KEYS: Final = ("level", "levelname", "log.level", "severity", "lvl", "levelno")
SOURCE_KEYS: Final = ("source", "worker_id", "worker")
MARKER_KEYS: Final = ("marker", "tag")
EVENT_KEY: Final = "event_name"
TEXT_KEYS: Final = (
    "event",
    "message",
    "msg",
)  # an event's name, a tagged text such as "[TASK] started task=7", or prose

LEVEL_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("trace", "debug", "dbg", "verbose"), "DEBUG"),
    **dict.fromkeys(("info", "information", "informational", "notice", "success"), "INFO"),
    **dict.fromkeys(("warn", "warning"), "WARNING"),
    **dict.fromkeys(("error", "err"), "ERROR"),
    **dict.fromkeys(("critical", "crit", "fatal", "panic", "dpanic", "alert", "emerg", "emergency"), "CRITICAL"),
}
# Numbers begin a level here: Python's stand under `levelno`, syslog's under `severity`, bunyan's and pino's elsewhere.
_PYTHON_LEVELS: Final = (0, 20, 30, 40, 50)
_BUNYAN_LEVELS: Final = (0, 30, 40, 50, 60)
_SYSLOG_LEVELS: Final = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")
_NO_LEVEL: Final = "INFO"

_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)? ?(?P<zone>Z|z|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH: Final = re.compile(r"-?\d{1,19}(?:\.\d{1,18})?", re.ASCII)
_FIRST_US: Final = -62_135_596_800 * SECOND_US  # year 1
_END_US: Final = 253_402_300_800 * SECOND_US  # year 10000
# (numbers below this are in the unit, so many microseconds): seconds until 5138, then ms, us, ns.
_EPOCH_UNITS: Final = ((10**11, Decimal(SECOND_US)), (10**14, Decimal(1000)), (10**17, Decimal(1)))
_NANOSECOND: Final = Decimal("0.001")
_SOURCE: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_LEVEL: Final = re.compile(r"([A-Za-z]+)(?:[+-]\d+)?")  # slog writes INFO+2
_MARKERS: Final = frozenset(marker.value for marker in Marker)
_INT64: Final = 2**63
_FLOAT_END: Final = Decimal("1e308")

_PAIR: Final = re.compile(r'\s*([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?(?=\s|$)')
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


@dataclass(frozen=True, slots=True)
class Record:
    """One structured line: its event (`name` "" when it is none; `source` "" when nothing says) and its message."""

    event: Event
    text: str


Reader = Callable[[str, tzinfo], Record | None]


def read_json(line: str, zone: tzinfo = UTC) -> Record | None:
    """Read one JSON object; None when the line is none or carries no time. `zone` is that of times without one.

    Raises:
        BadFieldError: it begins and ends like an object but is none, or a value does not fit its key.
    """
    text = line.strip()
    if not (text.startswith("{") and text.endswith("}") and len(text) > len("{}")):
        return None
    try:
        values = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadFieldError(f"line begins as a JSON object but is none ({error})") from None
    return _record(values, zone)


def read_logfmt(line: str, zone: tzinfo = UTC) -> Record | None:
    """Read one line of `key=value`; None when it is no such line or carries no time.

    Raises:
        BadFieldError: as `read_json`.
    """
    text = line.strip()
    first = _PAIR.match(text)
    if first is None or first[2] is None:
        return None
    values: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            if any(key in values for key in TIME_KEYS):
                raise BadFieldError(f"line goes on with {text[at : at + 80]!r}, expected key=value")
            return None
        key, value = pair.groups()
        values[key] = "true" if value is None else _unquoted(value)
        at = pair.end()
    return _record(values, zone)


READERS: Final[Mapping[str, Reader]] = {"json-lines": read_json, "logfmt": read_logfmt}


def micros(value: object, zone: tzinfo = UTC) -> int:
    """Microseconds of a time: ISO 8601 text, or a number since 1970 in s, ms, us or ns, told by its size.

    Raises:
        BadFieldError: it is neither, or no such time exists.
    """
    at_us: int | None = None
    if isinstance(value, str):
        at_us = _epoch_us(Decimal(value)) if _EPOCH.fullmatch(value) else _iso_us(value, zone)
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        at_us = _epoch_us(Decimal(value))
    if at_us is None or not _FIRST_US <= at_us < _END_US:
        raise BadFieldError(f"time is {str(value)[:80]!r}, expected ISO 8601 or a number of s, ms, us or ns since 1970")
    return at_us


def _iso_us(text: str, zone: tzinfo) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        at = datetime.fromisoformat(text.replace(",", ".").replace(" ", "T", 1).replace(" ", "").replace("z", "Z"))
        return from_datetime(at if match["zone"] else at.replace(tzinfo=zone))
    except (ValueError, OverflowError):  # no such day, hour or offset
        return None


def _epoch_us(number: Decimal) -> int | None:
    unit_us = next((unit_us for below, unit_us in _EPOCH_UNITS if number < below), _NANOSECOND)
    # Compared before it is multiplied: 1e999999 would fill the memory.
    return math.floor(number * unit_us) if 0 <= number < _END_US / unit_us else None


def _record(values: Mapping[str, Any], zone: tzinfo) -> Record | None:
    at = _first(values, TIME_KEYS)
    if at is None:
        return None
    at_us, level, source_key = micros(values[at], zone), _level(values), _first(values, SOURCE_KEYS)
    source = "" if source_key is None else _source(source_key, values[source_key])
    text = str(values.get(_first(values, TEXT_KEYS) or "", ""))
    marker, name, fields = _said(values, text)
    if name:
        for key, value in values.items():
            # `worker` is a field too, unless it is what names the source.
            if key in FIELD_TYPES and value is not None and key != source_key:
                fields[key] = _typed(key, value)
    return Record(Event(at_us, level, source, marker, name, fields), text)


def _said(values: Mapping[str, Any], text: str) -> tuple[str, str, dict[str, Value]]:
    """(marker, event, fields of a tagged text); event "" when the record is none."""
    marker = _marker(values)
    name = str(values.get(EVENT_KEY, ""))
    if name and _NAME.fullmatch(name) and (marker or ("", name) in EVENT_SCHEMA):
        return marker, name, {}
    try:
        said = parse_body(0, _NO_LEVEL, "", text.encode("utf-8", "replace"))
    except BadFieldError:
        if marker or text.startswith("["):
            raise
        return "", "", {}  # prose that only looks like fields
    if not said.name and marker and _NAME.fullmatch(text):
        return marker, text, {}  # the marker stands under a key of its own
    return said.marker or (marker if said.name else ""), said.name, said.fields


def _first(values: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if values.get(key) is not None), None)


def _level(values: Mapping[str, Any]) -> str:
    """One of `LEVELS`; INFO where the record has none or one that nobody knows."""
    key = _first(values, LEVEL_KEYS)
    if key is None:
        return _NO_LEVEL
    value = values[key]
    text = str(value).strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        number = int(text)
        if key == "severity" and number < len(_SYSLOG_LEVELS):
            return _SYSLOG_LEVELS[number]
        return LEVELS[bisect_right(_PYTHON_LEVELS if key == "levelno" else _BUNYAN_LEVELS, number) - 1]
    match = _LEVEL.fullmatch(text)
    return LEVEL_NAMES.get(match[1].lower(), _NO_LEVEL) if match else _NO_LEVEL


def _source(key: str, value: object) -> str:
    text = str(value)
    if isinstance(value, (bool, list, dict)) or not _SOURCE.fullmatch(text):
        raise BadFieldError(f"{key} is {text[:80]!r}, expected 1 to 128 of A-Z a-z 0-9 . _ : -")
    return text


def _marker(values: Mapping[str, Any]) -> str:
    """The marker a key names, "" when none does; a `tag` may be anything."""
    for key in MARKER_KEYS:
        text = str(values.get(key, "")).upper().removeprefix("[").removesuffix("]")
        if text in _MARKERS:
            return text
    return ""


def _typed(key: str, value: object) -> Value:
    """A JSON value or logfmt text as the type of field `key`."""
    kind = FIELD_TYPES[key]
    if isinstance(value, str):
        return typed(key, value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        if kind in {bool, str}:
            return value if kind is bool else str(value).lower()
    elif isinstance(value, (int, Decimal)):
        number = Decimal(value)
        if kind is str:
            return str(value)
        if kind is int and abs(number) < _INT64 and number == int(number):
            return int(number)
        if kind is float and abs(number) < _FLOAT_END:
            return float(number)
    elif kind is str:  # an object under `error`, as ECS writes it
        return json.dumps(value, default=str)
    raise BadFieldError(f"{key} is {str(value)[:80]!r}, expected {kind.__name__}")


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no JSON number")


def _unquoted(text: str) -> str:
    """A logfmt value; in quotes it may hold JSON's or Go's escapes."""
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _ESCAPED.get(code, code)
    number = int(code, 8) if code[0].isdigit() else int(code[1:], 16)
    # Half of a surrogate pair cannot be written as UTF-8 later on.
    is_character = number < 0x110000 and not 0xD800 <= number < 0xE000  # noqa: PLR2004
    return chr(number) if is_character else "\ufffd"
