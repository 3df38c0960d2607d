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
from recontool.logs.grammar import shown
from recontool.model.errors import BadFieldError
from recontool.model.events import METRICS_BLOCK, Event
from recontool.model.findings import LineCount

_EXAMPLES: Final = 5
_EXAMPLE_WIDTH: Final = 160
_TRACEBACK: Final = (b"Traceback (most recent call last):", b"During handling of the above", b"The above exception was")
_NO_MESSAGE: Final = frozenset(b"%c" % byte for byte in b"0123456789[{")  # so a damaged record may begin
_EXCEPTION: Final = re.compile(rb"[A-Za-z_][\w.]*(?:: .*)?", re.DOTALL)
_CLOSING: Final = {b"{": "}", b"[": "]"}


def _plain(header: Header, number: int) -> Event:
    """A record that is no event: a sign of life."""
    return Event(header.at_us, header.level, header.source, "", "", {}, number)


def shown_example(number: int, line: bytes, why: str = "") -> tuple[int, str, str]:
    """An unparsed line as reports show it: its number, its beginning, what is wrong with it."""
    return number, shown(line[:_EXAMPLE_WIDTH]), why or "fits no line of the format"


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
        self._untagged, self._structured = form.engine == "templates", form.engine == "structured"
        self._total = self._parsed = self._continuation = self._blank = self._unmarked = self._unparsed = 0
        self._inside = ""  # "", "traceback", "message" of its exception, or the bracket that ends a JSON block
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
            line = raw.rstrip(b"\r\n")
            header, belongs, block = None, False, None
            events: tuple[Event, ...] = ()
            try:
                header = decoder.header(line)
                if header is None:
                    yield from self._without_header(line, number)
                    continue
                belongs, block = self._in_block(header, number)
                events = () if belongs else decoder.events(header)
            except BadFieldError as error:
                self._refuse(number, line, error.problem)
                if header is not None:  # its fields are damaged, yet the process was there to write it
                    yield _plain(header, number)
                continue
            self._inside = self._opened_by(header.text) if self._untagged else ""
            self._last(header.at_us)
            if events or belongs:
                self._parsed += 1
            else:
                self._unmarked += 1
            if not events:
                yield _plain(header, number)
            if block is not None:
                yield block
            for event in events:
                event.line = number
                yield event
        yield from self._blocks.rest()

    def _in_block(self, header: Header, number: int) -> tuple[bool, Event | None]:
        """(whether a record is a line of a metrics block, the block that it ends)."""
        if block_owner(header.text) is not None:
            return True, self._blocks.begin(header, number)
        return self._blocks.offer(header.source, header.text)

    def _without_header(self, line: bytes, number: int) -> Iterator[Event]:
        """A line that begins no record: blank, part of what stands above it, a bare block, or damage."""
        if not line.strip():
            self._blank += 1
            self._inside = "" if self._inside == "message" else self._inside
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
            self._refuse(number, line)

    def _continues(self, line: bytes) -> bool:
        """Whether a line belongs to the record above it: indented, or of a traceback or a JSON block."""
        word = line.strip()
        if self._inside == "message" and (self._structured or line[:1] in _NO_MESSAGE):
            self._inside = ""
        if line.startswith(_TRACEBACK):
            self._inside = "traceback"
        elif self._inside == "traceback":
            if line[:1].isspace():
                return True
            exception = _EXCEPTION.fullmatch(line) is not None
            self._inside = "message" if exception else ""
            return exception
        elif self._inside == "message":  # what an exception says may have lines
            return True
        elif self._inside and self._inside in "}]":
            self._inside = "" if line.rstrip() == self._inside.encode() else self._inside
        elif self.last_us is not None and word in _CLOSING:
            self._inside = _CLOSING[word]
        else:
            return self.last_us is not None and line[:1].isspace()
        return True

    def _opened_by(self, text: bytes) -> str:
        """What a record begins and the lines below it go on with: some log a traceback, or JSON, as their text."""
        return "traceback" if text.startswith(_TRACEBACK) else _CLOSING.get(text.rstrip()[-1:], "")

    def _refuse(self, number: int, line: bytes, why: str = "") -> None:
        self._unparsed += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(shown_example(number, line, why))

    def _last(self, at_us: int) -> None:
        if self.first_us is None:
            self.first_us = self.last_us = at_us
        elif at_us > (self.last_us or 0):
            self.last_us = at_us
