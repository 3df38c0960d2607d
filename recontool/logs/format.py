"""A log format is data: a TOML file with line shapes, templates and sample lines that must parse when it is loaded."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import Struct, field

from recontool.model.errors import UsageError
from recontool.model.events import EVENT_SCHEMA, FIELD_TYPES, UNMARKED_BY_TEMPLATES, Value
from recontool.model.markers import Marker

SESSION: Final = "session"  # marker of a template: CONNECT until the first established, RECONNECT after it
_FORMATS: Final = Path(__file__).with_name("formats")
_MARKERS: Final = frozenset(marker.value for marker in Marker)


class Emit(Struct, frozen=True):
    """One event a template makes."""

    marker: str
    event: str
    fields: Mapping[str, Value] = field(default_factory=dict)


class Template(Struct, frozen=True):
    """Maps the lines of one logger to an event; the keys are explained in formats/ipfs-accelerate.toml."""

    logger: str
    starts: bytes
    match: re.Pattern[bytes]
    emit: Emit | None = None
    then: str = ""
    also: Emit | None = None
    cause_hint: str = ""
    even: str = ""
    unless_debug: bool = False
    after_start: bool = False
    while_down: bool = False


class Sample(Struct, frozen=True):
    """A line and the event it must become; `event` "" means a record that is no event."""

    line: str
    marker: str = ""
    event: str = ""


class Format(Struct, frozen=True, eq=False):
    """One log format as loaded; equal to itself only."""

    name: str
    title: str
    engine: Literal["tagged", "templates", "structured"]
    samples: tuple[Sample, ...]
    shapes: tuple[re.Pattern[bytes], ...] = ()
    templates: tuple[Template, ...] = ()
    worker_loggers: frozenset[str] = frozenset()
    coordinator_loggers: frozenset[str] = frozenset()
    claim_only: frozenset[str] = frozenset()


# What our own runtime writes. No file says it, since its grammar is code (logs/grammar.py): so a log of it is read
# without a TOML parser, which takes longer to load than a short log to read.
TAGGED: Final = Format(
    "tagged-v1",
    "recontool's own tagged log",
    "tagged",
    (
        Sample(
            "2026-11-24T10:15:32.123456Z INFO worker-1 [CONNECT] attempt n=1 url=ws://localhost:8765/",
            "CONNECT",
            "attempt",
        ),
        Sample(
            "2026-11-24T10:15:40.000001Z INFO worker-1 [RECONNECT] established n=2 down_s=1.25 "
            'session="a b" resumed=true',
            "RECONNECT",
            "established",
        ),
        Sample(
            "2026-11-24T10:15:41.000000Z DEBUG worker-1 message_sent type=heartbeat size_bytes=64 seq=7",
            "",
            "message_sent",
        ),
        Sample("2026-11-24T10:15:42.000000Z INFO coordinator started listening"),
    ),
)
BUILT_IN: Final = (TAGGED.name, "ipfs-accelerate", "json-lines", "logfmt")  # in order of preference


@cache
def builtin() -> Mapping[str, Format]:
    """The formats that ship with recontool, by name, in order of preference."""
    return {name: built_in(name) for name in BUILT_IN}


@cache
def built_in(name: str) -> Format:
    """One of the formats that ship with recontool."""
    return TAGGED if name == TAGGED.name else load((_FORMATS / f"{name}.toml").read_text("utf-8"), where=name)


def load(text: str, *, where: str) -> Format:
    """Read a format file.

    Raises:
        UsageError: it is no TOML, lacks a key, or names an event, marker or field nobody knows.
    """
    import tomllib  # the tagged grammar does without

    try:
        data = tomllib.loads(text)
        return Format(
            name=data["name"],
            title=data["title"],
            engine=data["engine"],
            samples=tuple(Sample(**row) for row in data.get("sample", ())),
            shapes=tuple(_pattern(shape) for shape in data.get("shapes", ())),
            templates=tuple(_template(row, where) for row in data.get("template", ())),
            worker_loggers=frozenset(data.get("worker_loggers", ())),
            coordinator_loggers=frozenset(data.get("coordinator_loggers", ())),
            claim_only=frozenset(data.get("claim_only", ())),
        )
    except (tomllib.TOMLDecodeError, re.error, TypeError) as error:
        raise UsageError(f"not a usable format file: {error}", where=where) from error
    except KeyError as error:
        raise UsageError(f"a format file needs the key {error}", where=where) from error


def _pattern(text: str) -> re.Pattern[bytes]:
    """Patterns see the bytes of a line, so that damaged UTF-8 is no special case."""
    return re.compile(text.encode(), re.DOTALL)


def _template(row: Mapping[str, Any], where: str) -> Template:
    match = _pattern(row["match"])
    unknown = [name for name in match.groupindex if name not in FIELD_TYPES]
    if unknown:
        raise UsageError(f"template {row['match']!r} captures unknown field {unknown[0]!r}", where=where)
    if row.get("even", "") not in {"", *match.groupindex}:
        raise UsageError(f"template {row['match']!r} has no group {row['even']!r} that could be even", where=where)
    return Template(
        logger=row["logger"],
        starts=row["starts"].encode(),
        match=match,
        emit=_emit(row, where) if "event" in row else None,
        then=row.get("then", ""),
        also=_emit(row["also"], where) if "also" in row else None,
        cause_hint=row.get("cause_hint", ""),
        even=row.get("even", ""),
        unless_debug=row.get("unless_debug", False),
        after_start=row.get("after_start", False),
        while_down=row.get("while_down", False),
    )


def _emit(row: Mapping[str, Any], where: str) -> Emit:
    marker, event = row.get("marker", ""), row["event"]
    known = (
        all((one, event) in EVENT_SCHEMA for one in (Marker.CONNECT, Marker.RECONNECT))
        if marker == SESSION
        else (marker, event) in EVENT_SCHEMA or (not marker and event in UNMARKED_BY_TEMPLATES)
    )
    if not known or marker not in {*_MARKERS, SESSION, ""}:
        raise UsageError(f"event [{marker}] {event} is not in the vocabulary", where=where)
    return Emit(marker, event, row.get("fields", {}))
