"""The tagged-v1 line, declared once: the runtime renders it, the reader parses it.

Example: `2026-11-24T02:13:25.000001Z INFO worker-1 [RECONNECT] established n=1 down_s=1.2`
Source: SPEC section 2. `parse_record(render(event)) == event` for every event of the vocabulary.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from recontool.model.errors import BadFieldError
from recontool.model.events import EVENT_SCHEMA, FIELD_TYPES, Event, Value
from recontool.model.instant import from_datetime, iso
from recontool.model.markers import LEVELS, Marker

# Reading works on bytes: what is a digit or white space must not depend on Unicode tables or on damaged UTF-8.
HEADER: Final = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) ([A-Za-z0-9._:-]{1,128}) (.*)",
    re.DOTALL,
)
_BODY = re.compile(rb"(?:\[([A-Z]+)\] )?([a-z][a-z0-9_]*)((?: [a-z][a-z0-9_]*=\S.*)?)", re.DOTALL)
_FIELD = re.compile(rb' ([a-z][a-z0-9_]*)=("(?:[^"\\]|\\.)*"|[^\s"=]+)', re.DOTALL)
_SOURCE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_BARE = re.compile(r"[^\0- \x7f-\xa0]+")  # printable; what else must be quoted is in _QUOTED
_QUOTED = re.compile(r'[\s"=\u0080-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]')
_INTEGER = re.compile(rb"-?\d{1,19}")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_INT64: Final = range(-(2**63), 2**63)
MOST: Final = 1e15  # a larger duration or size is damage; up to here sums of nanoseconds stay exact
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


def parse_record(line: str | bytes) -> Event | None:
    """Read one line; None when it has not the shape of a record.

    A record that is no event of ours comes back with `name` "".

    Raises:
        BadFieldError: the line names an event, but its fields do not parse.
    """
    header = HEADER.fullmatch(line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line)
    if header is None:
        return None
    second, micros, level, source, text = header.groups()
    return parse_body(second_us(second) + int(micros), level.decode("ascii"), source.decode("ascii"), text)


def parse_body(at_us: int, level: str, source: str, text: bytes) -> Event:
    """The event in `text`, the part of a record after its source.

    Raises:
        BadFieldError: as `parse_record`.
    """
    body = _BODY.fullmatch(text)
    if body is None:
        return Event(at_us, level, source, "", "")
    marker, name, tail = body.groups()
    marker, name = (marker or b"").decode("ascii"), name.decode("ascii")
    if marker not in _MARKERS if marker else ("", name) not in EVENT_SCHEMA:
        # Somebody else's words: what looks like fields in them is none of ours.
        return Event(at_us, level, source, "", "")
    return Event(at_us, level, source, marker, name, _fields(tail) if tail else {})


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


_seconds_seen: dict[bytes, int] = {}


def second_us(text: bytes) -> int:
    """Microseconds of `YYYY-MM-DDTHH:MM:SS` in UTC; a space may stand for the T.

    Raises:
        BadFieldError: no such date or time exists.
    """
    known = _seconds_seen.get(text)
    if known is not None:
        return known
    try:
        year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
        at = datetime(year, month, day, int(text[11:13]), int(text[14:16]), int(text[17:19]), tzinfo=UTC)
    except ValueError as error:
        shown = text.decode("ascii", "replace")
        raise BadFieldError(f"time is {shown!r}, expected an existing date and time ({error})") from None
    at_us = from_datetime(at)
    # Lines come in time order, so a handful of seconds serves millions of lines.
    if len(_seconds_seen) > 1000:  # noqa: PLR2004
        _seconds_seen.clear()
    _seconds_seen[text] = at_us
    return at_us


def typed(key: str, text: bytes) -> Value:
    """`text` as the type of field `key`.

    Raises:
        BadFieldError: it does not fit.
    """
    kind = FIELD_TYPES[key]
    if kind is str:
        return shown(text)
    if kind is int and _INTEGER.fullmatch(text):
        number = int(text)
        if number in _INT64:
            return number
    if kind is float and _NUMBER.fullmatch(text):
        value = float(text)
        if abs(value) <= MOST:
            return value
    if kind is bool and text in {b"true", b"false"}:
        return text == b"true"
    raise BadFieldError(f"{key} is {shown(text[:80])!r}, expected {_EXPECTED[kind]}")


_EXPECTED: Final[Mapping[type, str]] = {
    int: "int of 64 bits",
    float: f"float up to {MOST:g}",
    bool: "true or false",
}


def shown(text: bytes) -> str:
    """`text` for people and tables: what is no UTF-8 becomes U+FFFD."""
    return text.decode("utf-8", "replace")


def _fields(tail: bytes) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    at = 0
    for match in _FIELD.finditer(tail):
        if match.start() != at:
            break
        at = match.end()
        name, text = match.groups()
        key = name.decode("ascii")
        if key in FIELD_TYPES:
            fields[key] = typed(key, _unquoted(text) if text[:1] == b'"' else text)
    if at != len(tail):
        raise BadFieldError(f"fields end in {shown(tail[at : at + 80])!r}, expected key=value")
    return fields


def _unquoted(text: bytes) -> bytes:

    try:
        value = json.loads(shown(text))
    except ValueError as error:
        raise BadFieldError(f"value is {shown(text[:80])!r}, expected a JSON string ({error})") from None
    # Half a surrogate pair is no text: no table or terminal could show it.
    return str(value).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def known_fields(fields: Mapping[str, Value]) -> dict[str, Value]:
    """`fields` without keys the vocabulary does not know and without None."""
    return {key: value for key, value in fields.items() if key in FIELD_TYPES and value is not None}
