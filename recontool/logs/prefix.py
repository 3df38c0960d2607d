"""What containers, journald and syslog put in front of a process's own line: recognised by content and taken off. Data.

Example: `2026-11-24T10:15:32.123456789Z stdout F ` (Kubernetes), `Nov 24 10:15:32 host worker[17]: ` (journald).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from recontool.logs.grammar import shown
from recontool.logs.lines import MAX_LINE
from recontool.logs.pairs import Kind, json_pairs
from recontool.model.errors import BadFieldError

JOINED: Final = (
    b"  (part of the line above)\n"  # stands for a later piece of a split line, so that lines keep their numbers
)
_LINES: Final = 200
_NANOSECONDS: Final = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"
_DAY: Final = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d"
_HOST_AND_UNIT: Final = rb"\S{1,255} [^\s:\[\]]{1,128}(?:\[\d{1,10}\])?: "
_DATA: Final = re.compile(rb"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+) (?:\xef\xbb\xbf)?", re.DOTALL)
_COLOUR: Final = rb"(?:\x1b\[[\d;]*m)?"


class Prefix(Struct, frozen=True):
    """One kind of prefix. `pattern` matches it; its group `partial` says that the process's line goes on in the next.

    `data`: the structured data of RFC 5424 follow it. `in_json` instead: the line is an object whose `log` holds the
    process's line. The compiled twin is kernel/src/prefix.c.
    """

    name: str
    title: str
    pattern: re.Pattern[bytes]
    in_json: bool = False
    data: bool = False

    def strip(self, line: bytes) -> bytes | None:
        """The process's own line with its line end; None when `line` has not this prefix."""
        text, _ = self.split(line)
        return text

    def split(self, line: bytes) -> tuple[bytes | None, bool]:
        """(as `strip`, whether it goes on in the next line)."""
        match = self.pattern.match(line)
        if match is None:
            return None, False
        if self.in_json:
            return _from_json(line)
        after = _DATA.match(line, match.end()) if self.data else match
        if after is None:
            return None, False
        text = line[after.end() :]
        return text, "partial" in self.pattern.groupindex and match["partial"].startswith(b"P")


# Where two fit a line, the first is taken.
PREFIXES: Final[tuple[Prefix, ...]] = (
    Prefix(
        "kubernetes",
        "Kubernetes container log (CRI)",
        re.compile(
            rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) (?P<partial>[FP](?::\S*)?) ?"
        ),
    ),
    Prefix("docker-json", "Docker json-file log", re.compile(rb'\{"log":"'), in_json=True),
    # Nine digits: a line of tagged-v1 has six, and its time must stay.
    Prefix("timestamps", "docker or kubectl logs --timestamps", re.compile(_NANOSECONDS + rb" ")),
    Prefix(
        "docker-compose",
        "docker compose logs",
        re.compile(_COLOUR + rb"[A-Za-z0-9][A-Za-z0-9._-]{0,127} +\| " + _COLOUR + rb"(?:" + _NANOSECONDS + rb" )?"),
    ),
    Prefix(
        "syslog",
        "syslog, RFC 5424",
        re.compile(rb"(?:<\d{1,3}>)?1 (?:-|\d{4}-\d\d-\d\dT\S{8,30}) \S{1,255} \S{1,48} \S{1,128} \S{1,32} "),
        data=True,
    ),
    Prefix(
        "journald",
        "journalctl short or short-precise, syslog RFC 3164",
        re.compile(rb"(?:<\d{1,3}>)?" + _DAY + rb"(?:\.\d{1,6})? " + _HOST_AND_UNIT),
    ),
    # With an offset and never with Z, which is how tagged-v1 writes its time.
    Prefix(
        "journald-iso",
        "journalctl short-iso",
        re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d:?\d\d " + _HOST_AND_UNIT),
    ),
)


def detect(lines: Iterable[bytes]) -> Prefix | None:
    """The prefix that more than half of the first lines carry; None when none does. Blank and indented lines do not count."""
    head = [line for line in islice(lines, _LINES) if line.strip() and not line[:1].isspace()]
    if not head:
        return None
    counts = [sum(prefix.strip(line) is not None for line in head) for prefix in PREFIXES]
    most = max(counts)
    return PREFIXES[counts.index(most)] if 2 * most > len(head) else None


def unwrap(prefix: Prefix, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The process's own lines, one for each of `lines`, so that numbers and counts stay those of the file.

    A line that was written in pieces comes whole in the place of its first piece, and `JOINED`, which reads as a
    continuation, in that of each later one. A line without the prefix passes as it is.
    """
    pieces: list[bytes] = []
    held = 0
    for line in lines:
        text, goes_on = prefix.split(line)
        if text is None:
            yield from _whole(pieces)
            pieces.clear()
            yield line
            continue
        held = len(line) + (held if pieces else 0)
        pieces.append(text)
        if not goes_on or held >= MAX_LINE:
            yield from _whole(pieces)
            pieces.clear()
    yield from _whole(pieces)


def _whole(pieces: Sequence[bytes]) -> Iterator[bytes]:
    if pieces:
        yield b"".join(piece.rstrip(b"\r\n") for piece in pieces)[:MAX_LINE] + b"\n"
        yield from (JOINED for _ in pieces[1:])


def _from_json(line: bytes) -> tuple[bytes | None, bool]:
    try:
        pairs = json_pairs(shown(line)) or {}
    except BadFieldError:
        return None, False
    log = pairs.get("log")
    if "time" not in pairs or log is None or log.kind is not Kind.TEXT:
        return None, False
    text = log.text
    goes_on = not text.endswith("\n")
    # A newline inside would let the process's text pass for a line of its own.
    whole = text.removesuffix("\n").removesuffix("\r").replace("\n", "\\n")
    return whole.encode() + (b"" if goes_on else b"\n"), goes_on
