"""Remembers how far a group of logs was read, so that the next run reads new bytes only.

A state belongs to the bytes it was made of and to how they were read, not to names: each file is told by its first and
by the last bytes that were read, its format by all that it says. A file that was rotated away is found again under its
new name; one that was truncated, replaced or edited there, or would be read in another way now, is read from the start.
"""

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, json

from recontool.api.sources import Source
from recontool.logs.format import Format
from recontool.storage.states import States, digest

_EDGE: Final = 4096  # bytes at both ends that tell a file
_LINE: Final = 2**20 + 2


class Resumed(Struct, frozen=True):
    """A state to go on from: `files` describes those it holds, the last one read up to `position`."""

    files: Sequence[Mapping[str, Any]]
    state: bytes

    @property
    def position(self) -> int:
        """Where the unread bytes of the last file begin."""
        return int(self.files[-1]["size"])


def key_of(group: Sequence[Source], settings: str) -> str | None:
    """Under which key the state of a group is kept; None when none can be, or its first file is too short to tell it."""
    if not group[-1].plain or not all(source.lasts for source in group):
        return None
    with Path(group[0].path).open("rb") as first:
        if os.fstat(first.fileno()).st_size < _EDGE:
            return None
        return digest(f"{settings}\0{_edge(first.fileno(), _EDGE)}".encode()).hex()


def resumed(states: States, key: str, group: Sequence[Source]) -> Resumed | None:
    """The state to go on from, None when there is none whose bytes still stand in the group's files."""
    found = states.get(key)
    if found is None:
        return None
    files = found[0]["files"]
    if not 0 < len(files) <= len(group):
        return None
    for number, (known, source) in enumerate(zip(files, group, strict=False)):
        with Path(source.path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            whole = size == known["end"] if number + 1 < len(files) else size >= known["size"]
            if not whole or not stands(known, file.fileno()) or _read_as(source) != known["read_as"]:
                return None
    return Resumed(files, found[1])


def stands(known: Mapping[str, Any], fd: int) -> bool:
    """Whether the open file begins, and goes on where a state ends, as the one that was read."""
    return bool(_edges(fd, known["size"]) == known["edges"])


def described(source: Source, fd: int, size: int, end: int, found: Mapping[str, Any]) -> dict[str, Any]:
    """What is remembered of an open file read up to `size` of its `end` bytes; `found` is what was found in it."""
    return {"edges": _edges(fd, size), "read_as": _read_as(source), "size": size, "end": end, **found}


def _edges(fd: int, size: int) -> list[str]:
    return [_edge(fd, min(size, _EDGE)), _edge(fd, size)]


def _edge(fd: int, end: int) -> str:
    """A digest of the bytes before `end`."""
    return digest(os.pread(fd, min(end, _EDGE), max(0, end - _EDGE))).hex()


def _read_as(source: Source) -> list[object]:
    """The format of its lines, whose they are where they do not say so, and whether they stand there as they are."""
    return ["" if source.seen is None else _contents(source.seen.form), source.owner, source.plain]


@cache
def _contents(form: Format) -> str:
    """A name can be given to another format: formats are told by what they hold."""
    return digest(json.encode(form, enc_hook=_plain, order="deterministic")).hex()


def _plain(value: object) -> object:
    if not isinstance(value, re.Pattern):
        raise NotImplementedError(f"a format holds {type(value).__name__}, which nothing tells apart")
    return value.pattern


def whole_lines(fd: int, start: int, end: int) -> int:
    """Where the last whole line before `end` ends; `start` when nothing after it is one."""
    at = max(start, end - _LINE)
    newline = os.pread(fd, end - at, at).rfind(b"\n")
    return start if newline < 0 else at + newline + 1
