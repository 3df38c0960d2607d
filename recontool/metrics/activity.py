"""Counts per stretch of time, for the charts: at most 512 buckets whatever the length of the log."""

from typing import Final

from recontool.model.findings import ACTIVITY, Bucket
from recontool.model.units import SECOND_US

MOST_BUCKETS: Final = 512
_COLUMN: Final = {name: index for index, name in enumerate(ACTIVITY)}


class Activity:
    """Adds up what happened when; the bucket width doubles whenever there would be too many buckets."""

    def __init__(self) -> None:
        self._width_us = SECOND_US
        self._buckets: dict[int, list[float]] = {}

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

    def restore(self, width_us: int, rows: dict[int, list[float]]) -> None:
        """What another fold has counted: a row of amounts, ordered as `ACTIVITY`, by number of bucket."""
        self._width_us, self._buckets = width_us, rows

    def buckets(self) -> tuple[Bucket, ...]:
        """Non-empty buckets in time order."""
        return tuple(
            Bucket(
                key * self._width_us,
                self._width_us,
                {name: value for name, value in zip(ACTIVITY, row, strict=True) if value},
            )
            for key, row in sorted(self._buckets.items())
        )

    def _coarsen(self) -> None:
        self._width_us *= 2
        merged: dict[int, list[float]] = {}
        for key, row in self._buckets.items():
            known = merged.get(key // 2)
            merged[key // 2] = (
                row if known is None else [mine + theirs for mine, theirs in zip(known, row, strict=True)]
            )
        self._buckets = merged
