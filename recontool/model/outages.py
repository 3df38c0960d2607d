"""Outages by the hundred thousand: kept as columns, turned into objects only where somebody looks at one.

A gigabyte of log holds more outages than a screen or page will ever list; sums over them must not cost an object each.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from operator import sub
from typing import Final, overload

from recontool.model.findings import Outage

OPEN: Final = -(2**63)  # stands for "no such time" in a column
_WIDTH: Final = 9
# Start, end, attempts, code, file and line of the loss, file and line of the return, cause.
_START, _END, _CAUSE = 0, 1, 8
_HALF: Final = 32  # the word of the cause says in its upper half whether there is a code
_LOW: Final = 2**32 - 1


class OutageColumns(Sequence[Outage]):
    """Outages of one worker in time order, nine 64-bit words each.

    Args:
        words: start, end, attempts, code, file and line of the loss, file and line of the return, number of the cause.
        causes: their names; files: how evidence names them.
    """

    def __init__(self, worker: str, words: memoryview, causes: Sequence[str], files: Sequence[str]) -> None:
        self.worker = worker
        self._words, self._causes, self._files = words, causes, files

    def __len__(self) -> int:
        return len(self._words) // _WIDTH

    @overload
    def __getitem__(self, index: int) -> Outage: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outage]: ...
    def __getitem__(self, index: int | slice) -> Outage | list[Outage]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        return self._made(self._words[number * _WIDTH : (number + 1) * _WIDTH].tolist())

    def __iter__(self) -> Iterator[Outage]:
        words = self._words.tolist()
        return (self._made(words[at : at + _WIDTH]) for at in range(0, len(words), _WIDTH))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    def __hash__(self) -> int:
        return hash((self.worker, len(self)))

    @cached_property
    def starts_us(self) -> list[int]:
        """When each one began."""
        return self._column(_START)

    def ends_us(self, last_us: int) -> list[int]:
        """When each one was over; an open one is counted to `last_us`."""
        return [*self._ends[:-1], last_us] if OPEN in self._ends[-1:] else self._ends  # only the last one can be open

    @cached_property
    def _ends(self) -> list[int]:
        return self._column(_END)

    def _column(self, number: int) -> list[int]:
        return self._words[number::_WIDTH].tolist()

    def named(self, worker: str) -> "OutageColumns":
        """The same outages of a worker with another key."""
        return OutageColumns(worker, self._words, self._causes, self._files)

    def cause_names(self) -> list[str]:
        """The cause of each outage."""
        return [self._causes[number & _LOW] for number in self._column(_CAUSE)]

    def count_of(self, names: Collection[str]) -> int:
        """How many have one of these causes."""
        counted = Counter(self._column(_CAUSE))
        return sum(many for number, many in counted.items() if self._causes[number & _LOW] in names)

    def _made(self, row: Sequence[int]) -> Outage:
        start, end, attempts, code, lost_file, lost_line, back_file, back_line, cause = row
        places = ((lost_file, lost_line), (back_file, back_line))
        return Outage(
            self.worker,
            start,
            None if end == OPEN else end,
            self._causes[cause & _LOW],
            code if cause >> _HALF else None,
            attempts,
            tuple([f"{self._files[file & _LOW]}:{line}" for file, line in places if line]),
        )


def spans_us(outages: Sequence[Outage], last_us: int) -> tuple[list[int], list[int]]:
    """Starts and ends; an open outage is counted to `last_us`."""
    if isinstance(outages, OutageColumns):
        return outages.starts_us, outages.ends_us(last_us)
    return [one.start_us for one in outages], [last_us if one.end_us is None else one.end_us for one in outages]


def completed_spans(outages: Sequence[Outage]) -> tuple[list[int], list[int]]:
    """Starts and ends of the outages that are over."""
    starts, ends = spans_us(outages, OPEN)
    return (starts, ends) if OPEN not in ends[-1:] else (starts[:-1], ends[:-1])


def starts_us(outages: Sequence[Outage]) -> list[int]:
    """When each outage began."""
    return outages.starts_us if isinstance(outages, OutageColumns) else [one.start_us for one in outages]


def down_us(outages: Sequence[Outage], last_us: int) -> int:
    """Time without a session in all, an open outage counted to `last_us`."""
    starts, ends = spans_us(outages, last_us)
    return sum(ends) - sum(starts)


def longest(outages: Sequence[Outage], count: int, last_us: int) -> list[Outage]:
    """The `count` longest outages, the longest first; the earlier one first where they tie."""
    starts, ends = spans_us(outages, last_us)
    took = list(map(sub, ends, starts))
    least = sorted(took)[-count] if 0 < count < len(took) else OPEN  # plain numbers sort much faster than by a key
    some = [i for i, length in enumerate(took) if length >= least]
    order = sorted(some, key=took.__getitem__, reverse=True)  # keeps the order of those that tie
    return [outages[i] for i in order[:count]]


def causes(outages: Sequence[Outage]) -> list[str]:
    """The cause of each outage."""
    return outages.cause_names() if isinstance(outages, OutageColumns) else [one.cause for one in outages]
