"""Counts per stretch of time, for the charts: at most 512 buckets whatever the length of the log."""

from collections.abc import Iterator, Sequence
from typing import Final, overload

from recontool.model.findings import ACTIVITY, Bucket
from recontool.model.units import SECOND_US

MOST_BUCKETS: Final = 512
_COLUMN: Final = {name: index for index, name in enumerate(ACTIVITY)}


class Activity:
    """Adds up what happened when; the bucket width doubles whenever there would be too many buckets."""

    def __init__(self) -> None:
        self._width_us = SECOND_US
        self._buckets: dict[int, list[float]] = {}
        self._restored: BucketColumns | None = None

    def add(self, at_us: int, name: str, amount: float = 1) -> None:
        """Count `amount` of `name` (one of `ACTIVITY`) at `at_us`."""
        key = at_us // self._width_us
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = [0.0] * len(ACTIVITY)
            if len(self._buckets) > MOST_BUCKETS:
                self._coarsen()
                bucket = self._buckets[at_us // self._width_us]
        bucket[_COLUMN[name]] += amount

    def restore(self, width_us: int, rows: bytes) -> None:
        """What the compiled core has counted, as `BucketColumns` has it; nothing can be added to it."""
        self._restored = BucketColumns(width_us, rows)

    def buckets(self) -> Sequence[Bucket]:
        """Non-empty buckets in time order."""
        if self._restored is not None:
            return self._restored
        return tuple(_bucket(key, self._width_us, row) for key, row in sorted(self._buckets.items()))

    def _coarsen(self) -> None:
        self._width_us *= 2
        merged: dict[int, list[float]] = {}
        for key, row in self._buckets.items():
            known = merged.get(key // 2)
            merged[key // 2] = (
                row if known is None else [mine + theirs for mine, theirs in zip(known, row, strict=True)]
            )
        self._buckets = merged


class BucketColumns(Sequence[Bucket]):
    """Buckets as the compiled core counted them, made when asked for: charts want them, a screen does not.

    `rows` are words of eight bytes, in any order of buckets: the number of each, then its amounts, ordered as `ACTIVITY`.
    """

    def __init__(self, width_us: int, rows: bytes) -> None:
        words = memoryview(rows)
        self._width_us, self._amounts = width_us, words.cast("d")
        self._keys = words.cast("q")[:: 1 + len(ACTIVITY)]

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Bucket]:
        keys, row = self._keys.tolist(), 1 + len(ACTIVITY)
        for at in sorted(range(len(keys)), key=keys.__getitem__):
            yield _bucket(keys[at], self._width_us, self._amounts[at * row + 1 : (at + 1) * row])

    @overload
    def __getitem__(self, index: int) -> Bucket: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Bucket]: ...
    def __getitem__(self, index: int | slice) -> Bucket | Sequence[Bucket]:
        return tuple(self)[index]


def _bucket(key: int, width_us: int, row: Sequence[float]) -> Bucket:
    counts = {name: value for name, value in zip(ACTIVITY, row, strict=True) if value}
    return Bucket(key * width_us, width_us, counts)
