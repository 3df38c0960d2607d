"""Live samples of one metric: the latest stretch of every worker, as long as the rules look back."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from recontool.model.series import Bools, Column, Floats, Ints

_NONE, _VALUE, _STALE = 0, 1, 2
_FIRST_ROOM: Final = 32
_NEVER: Final = np.iinfo(np.int64).min


class Buffer:
    """One row per worker, one slot per round; slots too old for any rule are given up when room is needed."""

    def __init__(self, keep_us: int) -> None:
        self._keep_us = keep_us
        self._used = 0
        self._at = np.zeros((0, _FIRST_ROOM), dtype=np.int64)
        self._values = np.zeros((0, _FIRST_ROOM))
        self._kinds = np.zeros((0, _FIRST_ROOM), dtype=np.int8)
        self._last = np.zeros(0, dtype=np.int64)

    def add(self, rows: Sequence[int], at_us: int, values: Sequence[float | None], *, stale: bool = False) -> None:
        """One sample per worker in `rows`, None for none; with `stale` their series end here.

        A sample that is not newer than the worker's latest is ignored.
        """
        index = np.asarray(rows, dtype=np.int64)
        self._widen(int(index.max(initial=-1)) + 1)
        given = np.array([value is not None for value in values], dtype=bool)
        fresh = given & (self._last[index] < at_us)
        if stale:
            fresh &= self._last[index] != _NEVER  # a series that never began cannot end
        if not fresh.any():
            return
        self._make_room(at_us)
        chosen, slot = index[fresh], self._used
        self._at[chosen, slot] = at_us
        self._values[chosen, slot] = np.array([0.0 if value is None else value for value in values])[fresh]
        self._kinds[chosen, slot] = _STALE if stale else _VALUE
        self._last[chosen] = at_us
        self._used += 1

    def column(self, workers: int) -> Column:
        """What the buffer holds, for conditions to be evaluated on."""
        self._widen(workers)
        kinds = self._kinds[:, : self._used]
        held: Bools = kinds != _NONE
        offsets: Ints = np.zeros(workers + 1, dtype=np.int64)
        np.cumsum(held.sum(axis=1), out=offsets[1:])
        values: Floats = self._values[:, : self._used][held]
        return Column(offsets, self._at[:, : self._used][held], values, stale=kinds[held] == _STALE)

    def last_us(self, workers: int) -> Ints:
        """When each worker's latest sample was taken; the smallest integer for a worker without any."""
        self._widen(workers)
        return self._last

    def keep(self, rows: Ints) -> None:
        """Forget every worker but those in `rows`, which take their place in that order."""
        self._at, self._values = self._at[rows], self._values[rows]
        self._kinds, self._last = self._kinds[rows], self._last[rows]

    def dump(self) -> dict[str, Any]:
        """Everything held, in plain JSON values."""
        return {
            "shape": [len(self._last), self._used],
            "last": _packed(self._last),
            "at": _packed(self._at[:, : self._used]),
            "values": _text(np.ascontiguousarray(self._values[:, : self._used]).tobytes()),
            "kinds": _packed(self._kinds[:, : self._used]),
        }

    @classmethod
    def load(cls, keep_us: int, kept: dict[str, Any]) -> "Buffer":
        """The buffer that `dump` wrote."""
        buffer, (rows, slots) = cls(keep_us), kept["shape"]
        buffer._last = _unpacked(kept["last"], np.int64)
        buffer._at = _unpacked(kept["at"], np.int64).reshape(rows, slots)
        buffer._values = np.frombuffer(base64.b64decode(kept["values"])).copy().reshape(rows, slots)
        buffer._kinds = _unpacked(kept["kinds"], np.int8).reshape(rows, slots)
        buffer._used = slots
        return buffer

    def _widen(self, workers: int) -> None:
        missing = workers - len(self._last)
        if missing <= 0:
            return
        self._reshape(0, (missing, 0))
        self._last = np.pad(self._last, (0, missing), constant_values=_NEVER)

    def _make_room(self, now_us: int) -> None:
        room = self._at.shape[1]
        if self._used < room:
            return
        recent = (self._at > now_us - self._keep_us) & (self._kinds != _NONE)
        needed = np.flatnonzero(recent.any(axis=0))
        first = int(needed[0]) if len(needed) else self._used
        more = first if first > room // 2 else max(_FIRST_ROOM, room)
        self._reshape(first, (0, more))
        self._used -= first

    def _reshape(self, dropped: int, more: tuple[int, int]) -> None:
        """Give up the first `dropped` slots and add empty rows and slots at the end."""
        rows, slots = more
        self._at = np.pad(self._at[:, dropped:], ((0, rows), (0, slots)))
        self._values = np.pad(self._values[:, dropped:], ((0, rows), (0, slots)))
        self._kinds = np.pad(self._kinds[:, dropped:], ((0, rows), (0, slots)))


def _packed(array: Any) -> str:
    """Whole numbers that repeat themselves; measured values would hardly shrink and are not packed."""
    return _text(zlib.compress(np.ascontiguousarray(array).tobytes(), 1))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unpacked(text: str, kind: Any) -> Any:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=kind).copy()
