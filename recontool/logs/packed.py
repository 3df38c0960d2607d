"""Unpacks .gz and .zst as streams, by the fastest libraries there are for it."""

import io
from typing import IO, Any, Final

import zstandard
from isal import isal_zlib

from recontool.logs.lines import GZIP, TornError

_GZIP_WINDOW: Final = 31  # zlib's number for the largest window and a gzip header
_ERROR: Final[Any] = isal_zlib.error  # its stubs call it an instance
_PIECE: Final = 2**18


def unpacked(buffered: io.BufferedReader, magic: bytes) -> IO[bytes]:
    """The stream inside `buffered`; reading raises TornError where it ends or breaks in the middle."""
    raw = _Gunzipped(buffered) if magic.startswith(GZIP) else _Unzstd(buffered)
    return io.BufferedReader(raw, 2 * _PIECE)


class _Gunzipped(io.RawIOBase):
    """Members of a gzip file as one stream; what a torn file still holds is handed out before the error."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._raw = raw
        self._inflate: Any = isal_zlib.decompressobj(_GZIP_WINDOW)
        self._pending = b""  # packed bytes not yet inflated
        self._begun = False  # inside a member

    def readable(self) -> bool:
        """As every raw stream that is read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the next packed chunk goes; TornError once a torn file has nothing left."""
        room = memoryview(buffer)
        while True:
            packed = self._pending or self._raw.read(_PIECE)
            if not packed and not self._begun:
                return 0
            try:
                data = self._inflate.decompress(packed, len(room))  # without input: what it still holds
            except _ERROR as error:
                raise TornError(f"damaged: {error}") from None
            if not packed and not data and not self._inflate.eof:
                raise TornError("the file ends inside a compressed block")
            self._begun = True
            self._pending = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._pending = self._inflate.unused_data.lstrip(b"\0")  # some tools pad members
                self._inflate = isal_zlib.decompressobj(_GZIP_WINDOW)
                self._begun = False
            if data:
                room[: len(data)] = data
                return len(data)


class _Unzstd(io.RawIOBase):
    """Frames of a zstd file as one stream."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._stream = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)

    def readable(self) -> bool:
        """As every raw stream that is read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the library goes."""
        try:
            return int(self._stream.readinto(buffer))
        except zstandard.ZstdError as error:
            raise TornError(f"damaged: {error}") from None
