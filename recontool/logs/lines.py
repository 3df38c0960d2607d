"""Opens a log, whatever it is packed in, as a stream of raw lines with a bounded look at its head."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Final

import zstandard

from recontool.model.errors import UsageError

STDIN: Final = "-"
MAX_LINE: Final = 2**20  # longer lines are cut here; the rest of them is skipped
HEAD_BYTES: Final = 2**18
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class LineStream:
    """The lines of one input, read once. `head` can be looked at before reading; `bytes` counts what was read.

    `torn` says why a packed input ended early; its lines up to there are good.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.bytes = 0
        self.torn = ""
        self._raw = _open(path)
        self._lines = self._bounded()
        self.head: list[bytes] = []
        held = 0
        for line in self._lines:
            self.head.append(line)
            held += len(line)
            if held >= HEAD_BYTES:
                break

    def __iter__(self) -> Iterator[bytes]:
        return chain(self.head, self._lines)

    def close(self) -> None:
        """Close the file; stdin stays open."""
        if self.path != STDIN:
            self._raw.close()

    def _bounded(self) -> Iterator[bytes]:
        read = self._raw.readline
        while True:
            try:
                line = read(MAX_LINE)
            except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
                self.torn = f"{type(error).__name__}: {error}"
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


def size_of(path: str) -> int:
    """Bytes on disk; 0 for stdin."""
    return 0 if path == STDIN else Path(path).stat().st_size


def _open(path: str) -> IO[bytes]:
    if path == STDIN:
        return _unpacked(sys.stdin.buffer)
    try:
        return _unpacked(Path(path).open("rb", buffering=2**18))
    except OSError as error:
        raise UsageError(f"cannot be opened: {error.strerror or error}", where=path) from error


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    """Recognise packing by its first bytes, never by the name."""
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)
    magic = buffered.peek(4)[:4]
    if magic.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=buffered), 2**18)
    if magic == _ZSTD:
        unpacked = zstandard.ZstdDecompressor().stream_reader(buffered, read_across_frames=True)
        return io.BufferedReader(unpacked, 2**18)
    return buffered
