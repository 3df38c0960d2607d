"""Opens a log, whatever it is packed in, as a stream of raw lines with a bounded look at its head."""

import io
import sys
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Final

from recontool.model.errors import UsageError

STDIN: Final = "-"
MAX_LINE: Final = 2**20  # longer lines are cut here; the rest of them is skipped
HEAD_BYTES: Final = 2**18
HEAD_LINES: Final = 2_000
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
_BLOCK: Final = 2**20


class TornError(Exception):
    """A packed input ends or breaks in the middle; what came before is good."""


class LineStream:
    """The lines of one input, read once. `head()` can be looked at before reading; `bytes` counts what was read.

    `torn` says why a packed input ended early; its lines up to there are good.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.bytes = 0
        self.torn = ""
        self.packed = False
        self._file = _open(path)
        self._once = read_once(path)
        self._raw, self.packed = _unpacked(self._file)
        self._lines: Iterator[bytes] = self._bounded()
        self._head: list[bytes] = []

    def head(self) -> Sequence[bytes]:
        """The first lines: no more than 2,000, or 256 kB."""
        held = sum(map(len, self._head))
        while held < HEAD_BYTES and len(self._head) < HEAD_LINES and (line := next(self._lines, None)) is not None:
            self._head.append(line)
            held += len(line)
        return self._head

    def __iter__(self) -> Iterator[bytes]:
        return chain(self._head, self._lines)

    def blocks(self) -> Iterator[bytes]:
        """The same lines, many at a time: each block holds whole lines, cut where `MAX_LINE` says."""
        if self._head:
            yield b"".join(line if line.endswith(b"\n") else line + b"\n" for line in self._head)
        carry, skipping = b"", False
        for data in self._pieces():
            start = data.find(b"\n") + 1 if skipping else 0
            skipping = skipping and start == 0
            if skipping:
                continue
            held = carry + data[start:]
            end = held.rfind(b"\n") + 1
            if end:
                yield held[:end]
            carry = held[end:]
            if len(carry) > MAX_LINE:
                yield carry[:MAX_LINE] + b"\n"
                carry, skipping = b"", True
        if carry:
            yield carry

    def numbered(self, wanted: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """The wanted lines, counted from 1, in order; where none stands, line ends are only counted."""
        left, first = sorted(wanted), 1
        for block in self.blocks():
            following = first + block.count(b"\n") + (not block.endswith(b"\n"))
            here = left[: bisect_left(left, following)]
            if here:
                lines = block.split(b"\n")
                yield from ((number, lines[number - first][:MAX_LINE]) for number in here)
            left, first = left[len(here) :], following
            if not left:
                return

    def _pieces(self) -> Iterator[bytes]:
        while True:
            try:
                data = self._raw.read(_BLOCK)
            except TornError as error:
                self.torn = str(error)
                return
            except OSError as error:
                raise UsageError(f"cannot be read: {error.strerror or error}", where=self.path) from error
            if not data:
                return
            self.bytes += len(data)
            yield data

    def place(self) -> tuple[int, int]:
        """How many bytes of the file on disk are behind us, and how many it has; equal where nobody knows."""
        return (self.bytes, self.bytes) if self._once else (self._file.tell(), size_of(self.path))

    def close(self) -> None:
        """Close the file and forget its head; what can be read only once stays open."""
        if not self._once:
            self._raw.close()
            self._head = []

    def _bounded(self) -> Iterator[bytes]:
        read = self._raw.readline
        while True:
            try:
                line = read(MAX_LINE)
            except TornError as error:
                self.torn = str(error)
                return
            except OSError as error:
                raise UsageError(f"cannot be read: {error.strerror or error}", where=self.path) from error
            if not line:
                return
            self.bytes += len(line)
            yield line
            while len(line) == MAX_LINE and not line.endswith(b"\n"):
                line = read(MAX_LINE)
                self.bytes += len(line)


def read_once(path: str) -> bool:
    """Whether what is read of it is gone: stdin, or a pipe such as a shell's `<(zcat worker.log.gz)`."""
    return path == STDIN or Path(path).is_fifo()


def identity(path: str) -> tuple[int, ...]:
    """What changes when a file is written to, or another takes its place."""
    about = Path(path).stat()
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


def size_of(path: str) -> int:
    """Bytes on disk; 0 for stdin and pipes."""
    return 0 if path == STDIN else Path(path).stat().st_size


def _open(path: str) -> io.BufferedReader:
    if path == STDIN:
        return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False), 2**18)
    try:
        return io.BufferedReader(io.FileIO(path), 2**18)
    except OSError as error:
        raise UsageError(f"cannot be opened: {error.strerror or error}", where=path) from error


def _unpacked(buffered: io.BufferedReader) -> tuple[IO[bytes], bool]:
    """The unpacked stream and whether it had to be unpacked: told by the first bytes, never by the name."""
    magic = buffered.peek(4)[:4]
    if not magic.startswith(GZIP) and magic != ZSTD:
        return buffered, False
    from recontool.logs.packed import unpacked  # the libraries are slow to load

    return unpacked(buffered, magic), True
