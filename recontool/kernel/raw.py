"""Copies what the compiled core holds into Python's own values."""

import ctypes
from array import array

from recontool.kernel.views import NO_TIME


def text(place: int | None, size: int) -> str:
    """Bytes of the core as text; what is no UTF-8 becomes U+FFFD."""
    return raw(place, size).decode("utf-8", "replace")


def raw(place: int | None, size: int) -> bytes:
    """Bytes of the core."""
    return ctypes.string_at(place, size) if place and size else b""


def longs(place: int | None, count: int) -> list[int]:
    """Integers of the core."""
    return memoryview(raw(place, 8 * count)).cast("q").tolist() if count else []


def moment(at_us: int) -> int | None:
    """A time, None where the core has none."""
    return None if at_us == NO_TIME else int(at_us)


def doubles(held: bytes) -> list[float]:
    """Floating-point numbers of the core."""
    return array("d", held).tolist()
