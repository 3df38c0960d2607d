"""Samples of many workers over time, one column per metric: what alert conditions are evaluated on.

CSV and Parquet files, logs and a live coordinator all end up here. Instants are integer microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from recontool.model.catalogue import ALIASES

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

NO_PLACE: Final = -1
_PLACE_BITS: Final = 40  # a place is (file << 40) | line
_MOST_KEY: Final = 2**62


class Column:
    """The samples of one metric, sorted by worker, then time; worker `w` owns `[offsets[w], offsets[w + 1])`.

    `stale` marks where a series ended (its value means nothing). `exact` tells the workers whose samples show every
    change there was, as those made from a log do: nothing has to be extrapolated there.
    """

    def __init__(
        self,
        offsets: Ints,
        at_us: Ints,
        values: Floats,
        *,
        stale: Bools | None = None,
        places: Ints | None = None,
        exact: Bools | None = None,
    ) -> None:
        self.offsets, self.at_us, self.values = offsets, at_us, values
        self.stale = stale if stale is not None and stale.any() else None
        self.places, self.exact = places, exact

    @classmethod
    def gather(
        cls,
        workers: int,
        worker: Ints,
        at_us: Ints,
        values: Floats,
        *,
        stale: Bools | None = None,
        places: Ints | None = None,
        exact: Bools | None = None,
    ) -> "Column":
        """Sort samples that lie in any order; of two at one instant the later one given stands."""
        order = np.lexsort((at_us, worker))
        worker, at_us = worker[order], at_us[order]
        last = np.ones(len(order), dtype=bool)
        last[:-1] = (worker[1:] != worker[:-1]) | (at_us[1:] != at_us[:-1])
        kept = order[last]
        offsets = np.zeros(workers + 1, dtype=np.int64)
        np.cumsum(np.bincount(worker[last], minlength=workers), out=offsets[1:])
        return cls(
            offsets,
            at_us[last],
            values[kept],
            stale=None if stale is None else stale[kept],
            places=None if places is None else places[kept],
            exact=exact,
        )

    def __len__(self) -> int:
        return len(self.at_us)

    @property
    def workers(self) -> int:
        """How many workers the column has room for."""
        return len(self.offsets) - 1

    @cached_property
    def lasting(self) -> "Column":
        """The column without the marks that end a series: what windows see."""
        if self.stale is None:
            return self
        kept = ~self.stale
        before = np.concatenate(([0], np.cumsum(kept)))
        return Column(before[self.offsets], self.at_us[kept], self.values[kept], exact=self.exact)

    def upto(self, at_us: Ints) -> Ints:
        """How many samples of the column lie before worker w's first one after each instant: shape (workers, instants).

        Less `offsets[w]` it is the number of samples of w at or before the instant.
        """
        if not len(self.at_us) or not len(at_us):
            return np.repeat(self.offsets[:-1, None], len(at_us), axis=1)
        base_us = int(self.at_us.min()) - 1
        span = int(self.at_us.max()) - base_us + 1
        moment = np.clip(at_us - base_us, 0, span - 1)
        if self.workers * span < _MOST_KEY:
            # One search over all workers: each gets its own stretch of the number line.
            owner = np.arange(self.workers, dtype=np.int64) * span
            keys = self._owners * span + (self.at_us - base_us)
            return np.searchsorted(keys, owner[:, None] + moment[None, :], side="right")
        rows = [
            start + np.searchsorted(self.at_us[start:end], at_us, side="right")
            for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True)
        ]
        return np.stack(rows)

    @cached_property
    def _owners(self) -> Ints:
        return np.repeat(np.arange(self.workers, dtype=np.int64), np.diff(self.offsets))


class SeriesSet(Struct):
    """Columns by metric (never by an alias), all over the same workers.

    `known_us` is when each worker was first heard of, by any metric. `files` are what places refer to.
    """

    workers: Sequence[str]
    columns: Mapping[str, Column]
    known_us: Ints
    files: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def span(self) -> tuple[int, int] | None:
        """The instants of the first and the last sample; None without any."""
        filled = [column for column in self.columns.values() if len(column)]
        if not filled:
            return None
        return min(int(column.at_us.min()) for column in filled), max(int(column.at_us.max()) for column in filled)

    def place(self, metric: str, worker: int, at_us: int) -> str:
        """Where the sample of `metric` that counts at `at_us` was read from, "file:line"; "" when nobody knows."""
        column = self.columns.get(metric)
        if column is None or column.places is None:
            return ""
        start, end = column.offsets[worker], column.offsets[worker + 1]
        index = start + int(np.searchsorted(column.at_us[start:end], at_us, side="right")) - 1
        while index >= start and column.places[index] == NO_PLACE:
            index -= 1  # a sample repeated from the one before
        if index < start:
            return ""
        file, line = divmod(int(column.places[index]), 1 << _PLACE_BITS)
        return f"{self.files[file]}:{line}"


class SeriesBuilder:
    """Collects samples in any order into a `SeriesSet`; of two at one instant the later one added stands.

    A sample of an alias counts only where the metric it stands for has none; where exact samples show a metric of a
    worker, its other samples are left out.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._workers: dict[str, int] = {}
        self._files: list[str] = []
        self._parts: dict[str, list[Part]] = {}

    def file(self, name: str) -> int:
        """The number of a file that places refer to."""
        self._files.append(name)
        return len(self._files) - 1

    def worker(self, name: str) -> int:
        """The number of a worker."""
        return self._workers.setdefault(name, len(self._workers))

    def add(self, metric: str, part: "Part") -> None:
        """Add samples of `metric`."""
        if len(part.at_us):
            self._parts.setdefault(metric, []).append(part)

    def build(self) -> SeriesSet:
        """Everything added so far."""
        workers = list(self._workers)
        parts: dict[str, list[Part]] = {}
        for metric in sorted(self._parts, key=lambda name: name not in ALIASES):  # aliases first: others win
            parts.setdefault(ALIASES.get(metric, metric), []).extend(self._parts[metric])
        columns = {metric: _joined(len(workers), found) for metric, found in parts.items()}
        return SeriesSet(workers, columns, first_seen(len(workers), columns), self._files, self.notes)


class Part(Struct, frozen=True):
    """Samples of one metric in parallel arrays; `exact` as in `Column`."""

    worker: Ints
    at_us: Ints
    values: Floats
    stale: Bools
    places: Ints
    exact: bool = False


def _joined(workers: int, parts: Sequence[Part]) -> Column:
    exact = np.zeros(workers, dtype=bool)
    for part in parts:
        if part.exact:
            exact[part.worker] = True
    worker = np.concatenate([part.worker for part in parts])
    used = np.concatenate([~exact[part.worker] | part.exact for part in parts])
    return Column.gather(
        workers,
        worker[used],
        np.concatenate([part.at_us for part in parts])[used],
        np.concatenate([part.values for part in parts])[used],
        stale=np.concatenate([part.stale for part in parts])[used],
        places=np.concatenate([part.places for part in parts])[used],
        exact=exact if exact.any() else None,
    )


def place(file: int, line: int) -> int:
    """The place of `line` in the file with number `file`."""
    return (file << _PLACE_BITS) | line


def first_seen(workers: int, columns: Mapping[str, Column]) -> Ints:
    """When each worker's first sample lies, over all columns; the largest integer for a worker without any."""
    found = np.full(workers, np.iinfo(np.int64).max, dtype=np.int64)
    for column in columns.values():
        has = column.offsets[1:] > column.offsets[:-1]
        found[has] = np.minimum(found[has], column.at_us[column.offsets[:-1][has]])
    return found
