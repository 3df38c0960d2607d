"""The tagged-v1 line, declared once: the runtime renders it, the reader parses it.

Example: `2026-11-24T02:13:25.000001Z INFO worker-1 [RECONNECT] established n=1 down_s=1.2`
Source: SPEC section 2. `parse_record(render(event)) == event` for every event of the vocabulary.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from recontool.model.errors import BadFieldError
from recontool.model.events import FIELD_TYPES, Event, Value
from recontool.model.instant import from_datetime, iso
from recontool.model.markers import LEVELS, Marker

HEADER: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) ([A-Za-z0-9._:-]{1,128}) (.*)",
    re.DOTALL,
)
_BODY = re.compile(r"(?:\[([A-Z]+)\] )?([a-z][a-z0-9_]*)((?: [a-z][a-z0-9_]*=\S.*)?)", re.DOTALL)
_FIELD = re.compile(r' ([a-z][a-z0-9_]*)=("(?:[^"\\]|\\.)*"|[^\s"=]+)')
_SOURCE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_BARE = re.compile(r"[!-~\u00a1-\U0010ffff]+")  # printable; what else must be quoted is in _QUOTED
_QUOTED = re.compile(r'[\s"=\u0080-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]')
_INTEGER = re.compile(r"-?\d{1,19}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_MARKERS = frozenset(marker.value for marker in Marker)
_LEVELS = frozenset(LEVELS)


def render(event: Event) -> str:
    """Write `event` as one line without its newline.

    Raises:
        ValueError: the source or level is outside the grammar; that is a bug of the caller.
    """
    if not _SOURCE.fullmatch(event.source) or event.level not in _LEVELS:
        raise ValueError(f"no log line can carry source {event.source!r} at level {event.level!r}")
    marker = f"[{event.marker}] " if event.marker else ""
    fields = "".join(f" {key}={value_text(value)}" for key, value in event.fields.items())
    return f"{iso(event.at_us)} {event.level} {event.source} {marker}{event.name}{fields}"


def render_text(at_us: int, level: str, source: str, text: str) -> str:
    """Write a record that is no event, e.g. a line of a metrics block; continuation lines are indented."""
    first, *rest = text.splitlines() or [""]
    return "\n".join([f"{iso(at_us)} {level} {source} {first}", *(f"  {line}" for line in rest)])


def parse_record(line: str) -> Event | None:
    """Read one line; None when it has not the shape of a record.

    A record that is no event of ours comes back with `name` "".

    Raises:
        BadFieldError: the line names an event, but its fields do not parse.
    """
    header = HEADER.fullmatch(line)
    if header is None:
        return None
    second, micros, level, source, text = header.groups()
    return parse_body(second_us(second) + int(micros), level, source, text)


def parse_body(at_us: int, level: str, source: str, text: str) -> Event:
    """The event in `text`, the part of a record after its source.

    Raises:
        BadFieldError: as `parse_record`.
    """
    body = _BODY.fullmatch(text)
    if body is None:
        return Event(at_us, level, source, "", "")
    marker, name, tail = body.groups()
    if marker is not None and marker not in _MARKERS:
        return Event(at_us, level, source, "", "")
    return Event(at_us, level, source, marker or "", name, _fields(tail) if tail else {})


def value_text(value: Value) -> str:
    """`value` as it stands after `key=`: bare where the grammar allows it, else a JSON string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if _BARE.fullmatch(value) and not _QUOTED.search(value):
        return value
    # ASCII escapes: no control, direction mark or separator reaches a terminal or splits a line.
    return json.dumps(value)


_seconds_seen: dict[str, int] = {}


def second_us(text: str) -> int:
    """Microseconds of `YYYY-MM-DDTHH:MM:SS` in UTC.

    Raises:
        BadFieldError: no such date or time exists.
    """
    known = _seconds_seen.get(text)
    if known is not None:
        return known
    try:
        at_us = from_datetime(datetime.fromisoformat(text + "+00:00"))
    except ValueError as error:
        raise BadFieldError(f"time is {text!r}, expected an existing date and time ({error})") from None
    # Lines come in time order, so a handful of seconds serves millions of lines.
    if len(_seconds_seen) > 1000:  # noqa: PLR2004
        _seconds_seen.clear()
    _seconds_seen[text] = at_us
    return at_us


def typed(key: str, text: str) -> Value:
    """`text` as the type of field `key`.

    Raises:
        BadFieldError: it does not fit.
    """
    kind = FIELD_TYPES[key]
    if kind is str:
        return text
    if kind is int and _INTEGER.fullmatch(text):
        return int(text)
    if kind is float and _NUMBER.fullmatch(text):
        value = float(text)
        if math.isfinite(value):
            return value
    if kind is bool and text in {"true", "false"}:
        return text == "true"
    raise BadFieldError(f"{key} is {text[:80]!r}, expected {kind.__name__}")


def _fields(tail: str) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    at = 0
    for match in _FIELD.finditer(tail):
        if match.start() != at:
            break
        at = match.end()
        key, text = match.groups()
        if key in FIELD_TYPES:
            fields[key] = typed(key, _unquoted(text) if text[0] == '"' else text)
    if at != len(tail):
        raise BadFieldError(f"fields end in {tail[at : at + 80]!r}, expected key=value")
    return fields


def _unquoted(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadFieldError(f"value is {text[:80]!r}, expected a JSON string ({error})") from None
    return str(value)


def known_fields(fields: Mapping[str, Value]) -> dict[str, Value]:
    """`fields` without keys the vocabulary does not know and without None."""
    return {key: value for key, value in fields.items() if key in FIELD_TYPES and value is not None}
