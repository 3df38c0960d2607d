"""Turns a line into a record header and a header into events; one decoder per file, because files have state."""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from recontool.logs.format import SESSION, Emit, Format, Template
from recontool.logs.grammar import HEADER, parse_body, second_us, shown, typed
from recontool.model.errors import BadFieldError
from recontool.model.events import Event, Value
from recontool.model.instant import from_datetime, to_datetime
from recontool.model.markers import level_named
from recontool.model.units import SECOND_US

if TYPE_CHECKING:
    from recontool.logs.structured import Record

_HINT_US: Final = SECOND_US
_ENDS_KEPT: Final = 10_000


class Header(Struct):
    """The part of a record that says when and who; `text` is the rest."""

    at_us: int
    level: str
    source: str
    text: bytes
    logger: str = ""


class Decoder(Protocol):
    """What a reader needs of a format."""

    def header(self, line: bytes) -> Header | None:
        """The header of a record, None when the line is none; BadFieldError for a damaged one."""

    def events(self, header: Header) -> tuple[Event, ...]:
        """The events of a record, () when it is none; BadFieldError when a field does not parse."""


def decoder_for(form: Format, *, source: str = "", zone: tzinfo = UTC) -> Decoder:
    """A fresh decoder; `source` names the process of a file whose lines do not, `zone` is that of naive times."""
    if form.engine == "structured":
        return StructuredDecoder(form, source, zone)
    return TaggedDecoder() if form.engine == "tagged" else TemplateDecoder(form, source, zone)


class TaggedDecoder:
    """Format tagged-v1, by its grammar."""

    def header(self, line: bytes) -> Header | None:
        """As `Decoder.header`."""
        match = HEADER.fullmatch(line)
        if match is None:
            return None
        second, micros, level, source, text = match.groups()
        return Header(second_us(second) + int(micros), level.decode("ascii"), source.decode("ascii"), text)

    def events(self, header: Header) -> tuple[Event, ...]:
        """As `Decoder.events`."""
        event = parse_body(header.at_us, header.level, header.source, header.text)
        return (event,) if event.name else ()


class StructuredDecoder:
    """JSON lines or logfmt: a record says its event in its keys."""

    def __init__(self, form: Format, source: str, zone: tzinfo) -> None:
        from recontool.logs import structured  # most logs are none of these
        from recontool.logs.blocks import is_block_line  # which needs headers

        self._read, self._event_of = structured.READERS[form.name], structured.event_of
        self._is_block_line = is_block_line
        self._source, self._zone = source, zone
        self._record: Record | None = None

    def header(self, line: bytes) -> Header | None:
        """As `Decoder.header`."""
        record = self._record = self._read(shown(line), self._zone)
        if record is None:
            return None
        return Header(record.at_us, record.level, record.source or self._source, record.text.encode())

    def events(self, header: Header) -> tuple[Event, ...]:
        """As `Decoder.events`; of the line whose header was read last. A line of a metrics block is none."""
        if self._record is None or self._is_block_line(header.text):
            return ()
        event = self._event_of(self._record, self._source)
        return (event,) if event.name else ()


class TemplateDecoder:
    """A format whose lines are sentences: templates find the event in them."""

    def __init__(self, form: Format, source: str, zone: tzinfo) -> None:
        self.source = source
        self._shapes = form.shapes
        self._zone = None if zone is UTC else zone
        self._by_logger: dict[str, list[Template]] = {}
        for template in form.templates:
            self._by_logger.setdefault(template.logger, []).append(template)
        self._seconds: dict[bytes, int] = {}
        self._debug = False
        self._established = self._up = False
        self._hint: tuple[str, int] | None = None
        self._ended_tasks: dict[Value, int] = {}  # by how many had ended before
        self._ends = 0
        self._seen: dict[bytes, set[Value]] = {}

    def header(self, line: bytes) -> Header | None:
        """As `Decoder.header`."""
        for shape in self._shapes:
            match = shape.fullmatch(line)
            if match is not None:
                level, logger = level_named(shown(match["level"])), shown(match["logger"])
                return Header(self._time(match), level, self.source, match["text"], logger)
        return None

    def events(self, header: Header) -> tuple[Event, ...]:
        """As `Decoder.events`."""
        if header.level == "DEBUG":
            self._debug = True
        for template in self._by_logger.get(header.logger, ()):
            if header.text.startswith(template.starts):
                match = template.match.fullmatch(header.text)
                if match is not None:
                    groups = {name: typed(name, text) for name, text in match.groupdict().items() if text is not None}
                    return self._emitted(template, groups, header)
        return ()

    def _emitted(self, template: Template, groups: Mapping[str, Value], header: Header) -> tuple[Event, ...]:
        if template.cause_hint:
            self._hint = (template.cause_hint, header.at_us)
        emit = template.emit
        if emit is None or not self._applies(template, groups):
            return ()
        name = emit.event
        if template.then:
            seen = self._seen.setdefault(template.starts, set())
            task = groups.get("task", "")
            name = template.then if task in seen else name
            seen.add(task)
        first = self._event(Emit(emit.marker, name, emit.fields), groups, header)
        self._remember(first)
        return (first,) if template.also is None else (first, self._event(template.also, {}, header))

    def _applies(self, template: Template, groups: Mapping[str, Value]) -> bool:
        if template.even:
            number = groups.get(template.even)
            if type(number) is not int or number % 2:
                return False
        if template.after_start and groups.get("task") in self._ended_tasks:
            return False
        return not ((template.unless_debug and self._debug) or (template.while_down and self._up))

    def _event(self, emit: Emit, groups: Mapping[str, Value], header: Header) -> Event:
        marker = emit.marker
        if marker == SESSION:
            marker = "RECONNECT" if self._established else "CONNECT"
        fields = {**groups, **emit.fields}
        if emit.event == "lost" and self._hint is not None:
            cause, at_us = self._hint
            if 0 <= header.at_us - at_us <= _HINT_US:
                fields["cause"] = cause
            self._hint = None
        return Event(header.at_us, header.level, header.source, marker, emit.event, fields)

    def _remember(self, event: Event) -> None:
        """Later lines of the file mean something else after this one."""
        task = event.fields.get("task", "")
        if event.name == "established":
            self._established = self._up = True
        elif event.name == "lost":
            self._up = False
        elif event.name == "process_started":
            self._debug = event.level == "DEBUG"
        elif event.marker == "TASK" and event.name == "started":
            self._ended_tasks.pop(task, None)
        elif event.marker == "TASK" and event.name in {"failed", "completed"}:
            self._end(task)

    def _end(self, task: Value) -> None:
        """A twin line of another logger comes soon, so the last ends are enough."""
        self._ends += 1
        self._ended_tasks[task] = self._ends
        if len(self._ended_tasks) > 2 * _ENDS_KEPT:
            first = self._ends - _ENDS_KEPT
            self._ended_tasks = {one: number for one, number in self._ended_tasks.items() if number > first}

    def _time(self, match: re.Match[bytes]) -> int:
        digits = match["milli"][:6]
        if digits and not digits.isdigit():
            raise BadFieldError(f"milli is {shown(digits)!r}, expected digits")
        return self._second(match["second"]) + int(digits.ljust(6, b"0"))

    def _second(self, text: bytes) -> int:
        if self._zone is None:
            return second_us(text)
        known = self._seconds.get(text)
        if known is None:
            known = from_datetime(to_datetime(second_us(text)).replace(tzinfo=self._zone))
            if len(self._seconds) > 1000:  # noqa: PLR2004
                self._seconds.clear()
            self._seconds[text] = known
        return known
