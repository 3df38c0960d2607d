"""Turns one JSON object line or one logfmt line into the record it is and the event it says; which key means what is data.

Example: `{"timestamp": "2026-11-24T10:15:32.5Z", "level": "info", "worker": "w1", "event": "[RECONNECT] lost code=1006"}`
Key names are those of structlog, python-json-logger, zap, slog, bunyan, pino, ECS and go-logfmt. The compiled twin is
kernel/src/structured.c, which is given the tables below.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Final

from msgspec import Struct

from recontool.logs.grammar import parse_body, typed
from recontool.logs.pairs import SPACES, Kind, Pairs, Word, json_pairs, logfmt_pairs
from recontool.logs.times import micros, whole_number
from recontool.model.errors import BadFieldError
from recontool.model.events import EVENT_SCHEMA, FIELD_TYPES, Event, Value
from recontool.model.markers import LEVELS, NO_LEVEL, Marker, level_named

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

# Numbers begin a level here: Python's stand under `levelno`, bunyan's and pino's elsewhere ("").
LEVEL_STARTS: Final[Mapping[str, tuple[int, ...]]] = {"levelno": (0, 20, 30, 40, 50), "": (0, 30, 40, 50, 60)}
# Under this key numbers from 0 on are syslog's.
SYSLOG_KEY: Final = "severity"
SYSLOG_LEVELS: Final = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")

_SOURCE: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_LEVEL: Final = re.compile(r"([A-Za-z]+)(?:[+-][0-9]+)?")  # slog writes INFO+2
_LEVEL_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_MARKERS: Final = frozenset(marker.value for marker in Marker)
_UPPER: Final = {ord(lower): lower.upper() for lower in "abcdefghijklmnopqrstuvwxyz"}


class Record(Struct, frozen=True):
    """One structured line: when, how urgent, who (`source` "" when nothing says), its message, and all it says."""

    at_us: int
    level: str
    source: str
    text: str
    pairs: Pairs
    source_key: str | None


Reader = Callable[[str, tzinfo], Record | None]


def read_json(line: str, zone: tzinfo = UTC) -> Record | None:
    """Read one JSON object; None when the line is none or carries no time. `zone` is that of times without one.

    Raises:
        BadFieldError: it begins and ends like an object but is none, or its time or source does not parse.
    """
    pairs = json_pairs(line)
    return None if pairs is None else _record(pairs, zone)


def read_logfmt(line: str, zone: tzinfo = UTC) -> Record | None:
    """Read one line of `key=value`; None when it is no such line or carries no time.

    Raises:
        BadFieldError: as `read_json`.
    """
    pairs = logfmt_pairs(line, TIME_KEYS)
    return None if pairs is None else _record(pairs, zone)


READERS: Final[Mapping[str, Reader]] = {"json-lines": read_json, "logfmt": read_logfmt}


def event_of(record: Record, source: str = "") -> Event:
    """The event a record says, with `name` "" when it says none. `source`: whose file it is, where records do not say.

    Raises:
        BadFieldError: it says one, but a value does not fit its key.
    """
    marker, name, fields = _said(record)
    if name:
        for key, word in record.pairs.items():
            # `worker` is a field too, unless it is what names the source.
            if key in FIELD_TYPES and word is not None and key != record.source_key:
                fields[key] = _typed(key, word)
    return Event(record.at_us, record.level, record.source or source, marker, name, fields)


def _record(pairs: Pairs, zone: tzinfo) -> Record | None:
    at = _first(pairs, TIME_KEYS)
    if at is None:
        return None
    number = at[1].kind is Kind.NUMBER
    if not number and at[1].kind is not Kind.TEXT:
        raise BadFieldError(f"{at[0]} is {at[1].text[:80]!r}, expected a time")
    at_us, source, text = micros(at[1].text, zone, number=number), _first(pairs, SOURCE_KEYS), _first(pairs, TEXT_KEYS)
    return Record(
        at_us,
        _level(pairs),
        "" if source is None else _source(*source),
        "" if text is None else _text(text[1]),
        pairs,
        None if source is None else source[0],
    )


def _said(record: Record) -> tuple[str, str, dict[str, Value]]:
    """(marker, event, fields of a tagged text); event "" when the record is none."""
    marker = _marker(record.pairs)
    name, text = _text(record.pairs.get(EVENT_KEY)), record.text
    if _NAME.fullmatch(name) and (marker or ("", name) in EVENT_SCHEMA):
        return marker, name, {}
    if marker and not text.startswith("["):
        text = f"[{marker}] {text}"  # the marker stands under a key of its own
    try:
        said = parse_body(record.at_us, NO_LEVEL, "", text.encode())
    except BadFieldError:
        if text.startswith("["):
            raise
        return "", "", {}  # prose that only looks like fields
    return said.marker, said.name, said.fields


def _first(pairs: Pairs, keys: tuple[str, ...]) -> tuple[str, Word] | None:
    """The first of `keys` that says something, and what it says."""
    for key in keys:
        word = pairs.get(key)
        if word is not None:
            return key, word
    return None


def _text(word: Word | None) -> str:
    return word.text if word is not None and word.kind is Kind.TEXT else ""


def _level(pairs: Pairs) -> str:
    """One of `LEVELS`; INFO where the record has none or one that nobody knows."""
    found = _first(pairs, LEVEL_KEYS)
    if found is None:
        return NO_LEVEL
    key, text = found[0], found[1].text.strip(SPACES)
    if _LEVEL_NUMBER.fullmatch(text):
        number = int(text)
        if key == SYSLOG_KEY and number < len(SYSLOG_LEVELS):
            return SYSLOG_LEVELS[number]
        return LEVELS[bisect_right(LEVEL_STARTS.get(key, LEVEL_STARTS[""]), number) - 1]
    match = _LEVEL.fullmatch(text)
    return level_named(match[1]) if match else NO_LEVEL


def _source(key: str, word: Word) -> str:
    if word.kind not in {Kind.TEXT, Kind.NUMBER} or not _SOURCE.fullmatch(word.text):
        raise BadFieldError(f"{key} is {word.text[:80]!r}, expected 1 to 128 of A-Z a-z 0-9 . _ : -")
    return word.text


def _marker(pairs: Pairs) -> str:
    """The marker a key names, "" when none does; a `tag` may be anything."""
    for key in MARKER_KEYS:
        text = _text(pairs.get(key)).translate(_UPPER).removeprefix("[").removesuffix("]")
        if text in _MARKERS:
            return text
    return ""


def _typed(key: str, word: Word) -> Value:
    """A value as the type of field `key`; an object under a text field, as ECS writes `error`, stays as it stands."""
    if word.kind is Kind.NUMBER and FIELD_TYPES[key] is int:
        number = whole_number(word.text)
        if number is None:
            raise BadFieldError(f"{key} is {word.text[:80]!r}, expected int of 64 bits")
        return number
    return typed(key, word.text.encode())
