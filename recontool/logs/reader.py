"""The reference reader: lines in, events out, every line accounted for. Clarity first; it is the oracle.

Memory does not grow with the input.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from typing import Final

from recontool.logs.blocks import BlockCollector, block_owner
from recontool.logs.decoder import Header, decoder_for
from recontool.logs.format import Format
from recontool.model.errors import BadFieldError
from recontool.model.events import METRICS_BLOCK, Event
from recontool.model.findings import LineCount

_EXAMPLES: Final = 5
_EXAMPLE_WIDTH: Final = 160
_TRACEBACK: Final = ("Traceback (most recent call last):", "During handling of the above", "The above exception was")
_EXCEPTION: Final = re.compile(r"[A-Za-z_][\w.]*(?:: .*)?", re.DOTALL)
_CLOSING: Final = {"{": "}", "[": "]"}


class LogReader:
    """Reads the lines of one file once.

    Args:
        lines: raw lines with their line ends; CRLF and invalid UTF-8 are fine.
        form: the file's format.
        source: whose file it is, where the lines do not say so.
        zone: zone of times that carry none.
        duplicates: this many first lines stand in the previous rotated part already.

    Iterating gives events and, with an empty `name`, records that are no event; afterwards `counts()`,
    `examples`, `first_us` and `last_us` are complete.
    """

    def __init__(
        self, lines: Iterable[bytes], form: Format, *, source: str = "", zone: tzinfo = UTC, duplicates: int = 0
    ) -> None:
        self._lines = lines
        self._source = source
        self._decoder = decoder_for(form, source=source, zone=zone)
        self._blocks = BlockCollector()
        self._duplicates = duplicates
        self._total = self._parsed = self._continuation = self._blank = self._unmarked = self._unparsed = 0
        self._inside = ""  # "", "traceback", "exception" or the bracket that ends a JSON block
        self.examples: list[tuple[int, str, str]] = []
        self.first_us: int | None = None
        self.last_us: int | None = None

    def counts(self) -> LineCount:
        """Where every line went."""
        duplicate = min(self._duplicates, self._total)
        return LineCount(
            self._total, self._parsed, self._continuation, self._blank, self._unmarked, self._unparsed, duplicate
        )

    def __iter__(self) -> Iterator[Event]:
        decoder, skip = self._decoder, self._duplicates
        for number, raw in enumerate(self._lines, 1):
            self._total = number
            if number <= skip:
                continue
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            try:
                header = decoder.header(line)
                if header is None:
                    yield from self._without_header(line, number)
                    continue
                events = () if self._is_block_text(header) else decoder.events(header)
            except BadFieldError as error:
                self._refuse(number, line, error.problem)
                continue
            self._inside = ""
            self._last(header.at_us)
            if events:
                self._parsed += 1
                for event in events:
                    event.line = number
                    yield event
            else:
                yield from self._no_event(header, number)
        yield from self._blocks.rest()

    def _is_block_text(self, header: Header) -> bool:
        return header.text.startswith("===") or (
            self._blocks.is_open and ": " in header.text and "=" not in header.text
        )

    def _no_event(self, header: Header, number: int) -> Iterator[Event]:
        """A record that is part of a metrics block, or none of ours."""
        if block_owner(header.text) is not None:
            self._parsed += 1
            unfinished = self._blocks.begin(header, number)
            if unfinished is not None:
                yield unfinished
            return
        belongs, block = self._blocks.offer(header.source, header.text)
        if belongs:
            self._parsed += 1
            if block is not None:
                yield block
            return
        events = self._decoder.events(header) if self._is_block_text(header) else ()
        if events:
            self._parsed += 1
            for event in events:
                event.line = number
                yield event
            return
        self._unmarked += 1
        yield Event(header.at_us, header.level, header.source, "", "", {}, number)

    def _without_header(self, line: str, number: int) -> Iterator[Event]:
        """A line that begins no record: blank, part of what stands above it, a bare block, or damage."""
        if not line.strip():
            self._blank += 1
            return
        owner = block_owner(line)
        if owner is not None:
            self._continuation += 1
            source = owner if not self._source else self._source
            unfinished = self._blocks.begin(Header(self.last_us or 0, "INFO", source, line), number)
            if unfinished is not None:
                yield unfinished
            self._inside = METRICS_BLOCK + source
            return
        if self._inside.startswith(METRICS_BLOCK):
            belongs, block = self._blocks.offer(self._inside.removeprefix(METRICS_BLOCK), line)
            if belongs:
                self._continuation += 1
                if block is not None:
                    self._inside = ""
                    yield block
                return
        if self._continues(line):
            self._continuation += 1
        else:
            self._refuse(number, line, "fits no line of the format")

    def _continues(self, line: str) -> bool:
        """Whether a line belongs to the record above it: indented, or of a traceback or a JSON block."""
        word = line.strip()
        if line.startswith(_TRACEBACK):
            self._inside = "traceback"
        elif self._inside == "traceback":
            if line[0].isspace():
                return True
            self._inside = ""
            return _EXCEPTION.fullmatch(line) is not None
        elif self._inside and self._inside in "}]":
            self._inside = "" if line.rstrip() == self._inside else self._inside
        elif self.last_us is not None and word in _CLOSING:
            self._inside = _CLOSING[word]
        else:
            return self.last_us is not None and line[0].isspace()
        return True

    def _refuse(self, number: int, line: str, why: str) -> None:
        self._unparsed += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((number, line[:_EXAMPLE_WIDTH], why))

    def _last(self, at_us: int) -> None:
        if self.first_us is None:
            self.first_us = self.last_us = at_us
        elif at_us > (self.last_us or 0):
            self.last_us = at_us
