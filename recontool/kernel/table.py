"""Events of a log as Arrow batches, straight from the compiled core; ranges of the file are parsed in threads."""

import ctypes
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from ctypes import Structure, c_int64, c_uint32, c_void_p
from functools import lru_cache
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

import numpy as np
import pyarrow as pa
from msgspec import Struct

from recontool.kernel.fleet import Chunk, NativeFleet, Parser, Vocabulary, core
from recontool.kernel.raw import longs, text
from recontool.model.events import EVENTS, FIELD_TYPES, UNMARKED_BY_TEMPLATES
from recontool.model.markers import LEVELS, Marker

RANGE_BYTES: Final = 2**22  # fewer, larger batches: each costs Python once
_AHEAD: Final = 2  # ranges per thread that may be ready before the reader of the batches takes them
_EVENTS: Final = (*(spec.name for spec in EVENTS), *UNMARKED_BY_TEMPLATES)
_MARKERS: Final = tuple(marker.value for marker in Marker)
_NUMBER_OF: Final = {name: number for number, name in enumerate(FIELD_TYPES)}
_ALL_TIME: Final = 2**62


class Wanted(Struct, frozen=True):
    """Which rows are wanted: `since_us` <= time <= `until_us`; empty sets want all."""

    since_us: int | None = None
    until_us: int | None = None
    markers: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


class _Wanted(Structure):
    _fields_ = (
        ("since", c_int64),
        ("until", c_int64),
        ("markers", c_uint32),
        ("sources", ctypes.c_char_p),
        ("sources_n", c_int64),
    )


class _TableView(Structure):
    _fields_ = (
        ("at", c_void_p),
        ("line", c_void_p),
        ("level", c_void_p),
        ("marker", c_void_p),
        ("event", c_void_p),
        ("source", c_void_p),
        ("sources_n", c_int64),
        ("names_n", c_int64),
    )


class _ColumnView(Structure):
    _fields_ = (
        ("used", c_int64),
        ("data_n", c_int64),
        ("valid", c_void_p),
        ("data", c_void_p),
        ("words", c_void_p),
        ("offsets", c_void_p),
    )


class Shelf:
    """Tables of the core that no batch shows any more, to be filled again."""

    def __init__(self, vocab: Vocabulary) -> None:
        self._vocab = vocab
        self._idle: list[int] = []

    def __del__(self) -> None:
        for table in self._idle:
            core().recon_table_free(table)

    def take(self) -> int:
        """A table that nobody else uses."""
        try:
            return self._idle.pop()
        except IndexError:
            return int(core().recon_table_new(self._vocab.handle))

    def put_back(self, table: int) -> None:
        """Nobody uses it any more."""
        self._idle.append(table)


class Filled:
    """A table of the core as long as some Arrow buffer shows its memory."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self.table = shelf, shelf.take()

    def __del__(self) -> None:
        self._shelf.put_back(self.table)

    def buffer(self, place: int | None, size: int) -> pa.Buffer:
        """`size` bytes of it; they stay as they are until the last such buffer is gone."""
        return pa.foreign_buffer(place, size, self) if place and size else pa.py_buffer(b"")

    def texts(self, names: int, count: int) -> list[str]:
        """Its sources, or the names of events it has learnt."""
        place = c_void_p()
        sizes = (core().recon_table_text(self.table, names, at, ctypes.byref(place)) for at in range(count))
        return [text(place.value, size) for size in sizes]


Made = TypeVar("Made")


class Desk(ABC, Generic[Made]):
    """What one thread works with: a chunk, its rows, the columns they become, and what is made of those."""

    def __init__(self, vocab: Vocabulary, wanted: Wanted) -> None:
        self.chunk = Chunk()
        self._vocab = vocab
        self._rows, self._shelf = core().recon_rows_new(), Shelf(vocab)
        names = "".join(f"{name}\n" for name in sorted(wanted.sources)).encode()
        bits = sum(1 << (1 + _MARKERS.index(marker)) for marker in wanted.markers) or 2**32 - 1
        since = -_ALL_TIME if wanted.since_us is None else wanted.since_us
        until = _ALL_TIME if wanted.until_us is None else wanted.until_us
        self._wanted = _Wanted(since, until, bits, names, len(names))

    def __del__(self) -> None:
        if getattr(self, "_rows", None):
            core().recon_rows_free(self._rows)

    def take(self, fleet: NativeFleet, parser: Parser) -> None:
        """The rows of the chunk, which must follow the file's lines that were taken last."""
        core().recon_rows_take(fleet.handle, parser.handle, self.chunk.handle, self._rows)

    def take_rest(self, fleet: NativeFleet, parser: Parser) -> None:
        """The rows of what the file ended in."""
        core().recon_rows_rest(fleet.handle, parser.handle, self.chunk.handle, self._rows)

    def fill(self) -> tuple[Filled, int]:
        """A table of the wanted rows, and their number."""
        filled = Filled(self._shelf)
        count = core().recon_table_fill(filled.table, self._vocab.handle, self._rows, ctypes.byref(self._wanted))
        return filled, int(count)

    @abstractmethod
    def batch(self) -> Made:
        """What becomes of the wanted rows."""


class ArrowDesk(Desk[pa.RecordBatch]):
    """Makes Arrow batches with the columns of `schema`."""

    def __init__(self, vocab: Vocabulary, wanted: Wanted, schema: pa.Schema, file: str) -> None:
        super().__init__(vocab, wanted)
        self._schema, self._file = schema, _texts([file])
        self._blank: dict[pa.DataType, pa.Array] = {}

    def batch(self) -> pa.RecordBatch:
        """The wanted rows."""
        filled, count = self.fill()
        view = _TableView()
        core().recon_table_view(filled.table, ctypes.byref(view))
        fixed = {
            "at": lambda: _plain(pa.timestamp("us", tz="UTC"), count, filled.buffer(view.at, 8 * count)),
            "line": lambda: _plain(pa.int64(), count, filled.buffer(view.line, 8 * count)),
            "level": lambda: _named(filled.buffer(view.level, 4 * count), count, LEVELS),
            "marker": lambda: _named(filled.buffer(view.marker, 4 * count), count, _MARKERS),
            "event": lambda: _named(
                filled.buffer(view.event, 4 * count), count, (*_EVENTS, *filled.texts(1, view.names_n))
            ),
            "source": lambda: _named(filled.buffer(view.source, 4 * count), count, filled.texts(0, view.sources_n)),
            "file": lambda: pa.DictionaryArray.from_arrays(self._zeros(count), self._file),
        }
        arrays = [
            fixed[field.name]() if field.name in fixed else self._column(filled, field, count) for field in self._schema
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _column(self, filled: Filled, field: pa.Field, count: int) -> pa.Array:
        view = _ColumnView()
        core().recon_column_view(filled.table, _NUMBER_OF.get(field.name, len(FIELD_TYPES)), ctypes.byref(view))
        return _filled(filled, view, field, count) if view.used else self._nulls(field.type, count)

    def _nulls(self, kind: pa.DataType, count: int) -> pa.Array:
        """Most columns of most batches are empty, so they share their nothing."""
        if kind not in self._blank or len(self._blank[kind]) < count:
            self._blank[kind] = pa.nulls(count, kind)
        return self._blank[kind][:count]

    def _zeros(self, count: int) -> pa.Array:
        return pa.Array.from_buffers(pa.int32(), count, [None, self._nulls(pa.int32(), count).buffers()[1]])


def _filled(filled: Filled, view: _ColumnView, field: pa.Field, count: int) -> pa.Array:
    valid = filled.buffer(view.valid, (count + 7) // 8)
    if pa.types.is_string(field.type):
        parts = [valid, filled.buffer(view.offsets, 4 * (count + 1)), filled.buffer(view.data, view.data_n)]
        return pa.Array.from_buffers(field.type, count, parts)
    words = filled.buffer(view.words, 8 * count)
    if pa.types.is_boolean(field.type):
        return pa.Array.from_buffers(field.type, count, [valid, _bits(np.frombuffer(words, np.int64) != 0)])
    return pa.Array.from_buffers(field.type, count, [valid, words])


class LastDesk(Desk[int | None]):
    """Finds the time of the last event; None where there is none."""

    def batch(self) -> int | None:
        """The latest of the wanted rows."""
        filled, count = self.fill()
        view = _TableView()
        core().recon_table_view(filled.table, ctypes.byref(view))
        return max(longs(view.at, count), default=None)


def _plain(kind: pa.DataType, count: int, words: pa.Buffer) -> pa.Array:
    return pa.Array.from_buffers(kind, count, [None, words])


def _named(words: pa.Buffer, count: int, names: Sequence[str]) -> pa.Array:
    """Numbers of names as a dictionary array; a negative one stands for no name."""
    numbers = np.frombuffer(words, np.int32)
    absent = count and numbers.min() < 0
    valid = _bits(numbers >= 0) if absent else None
    places, dictionary = _dictionary(tuple(names))
    if len(dictionary) < len(names):
        words = pa.py_buffer(places[numbers])
    indices = pa.Array.from_buffers(pa.int32(), count, [valid, words])
    return pa.DictionaryArray.from_arrays(indices, dictionary, safe=False)


@lru_cache
def _dictionary(names: tuple[str, ...]) -> tuple["np.ndarray[tuple[int], np.dtype[np.int32]]", pa.Array]:
    """Each name once, as Parquet wants its dictionaries; and where in it each of `names` stands."""
    once = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([once[name] for name in names], np.int32), _texts(list(once))


# `pa.array` would do for these two, but it loads pandas to see whether it is given something of it.
def _texts(texts: Sequence[str]) -> pa.Array:
    encoded = [one.encode() for one in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    )


def _bits(truth: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> pa.Buffer:
    return pa.py_buffer(np.packbits(truth, bitorder="little"))


class _Turns:
    """Lets threads pass one by one in the order of their numbers; behind one that failed nobody passes."""

    def __init__(self) -> None:
        self._turned = threading.Condition()
        self._next = 0
        self._end: int | None = None  # the first one that failed

    def wait(self, number: int) -> bool:
        """Whether it is this one's turn; False when one before it has failed."""
        with self._turned:
            self._turned.wait_for(lambda: self._next == number or (self._end is not None and number > self._end))
            return self._next == number

    def done(self, number: int) -> None:
        """The next one may pass."""
        with self._turned:
            self._next = number + 1
            self._turned.notify_all()

    def fail(self, number: int) -> None:
        """Nobody after this one may pass."""
        with self._turned:
            self._end = number if self._end is None else min(self._end, number)
            self._turned.notify_all()


def batches(
    fleet: NativeFleet, parser: Parser, fd: int, span: tuple[int, int], desks: Sequence[Desk[Made]]
) -> Iterator[Made]:
    """What the desks make of the events of the lines that start in `span` of an open file, in order; a thread per desk.

    Raises:
        OSError: the file cannot be read.
    """
    start, end = span
    ranges = range(-(-(end - start) // RANGE_BYTES))
    if len(ranges) == 1:  # a fleet leaves many small logs, and to start a thread takes longer than to read one
        desk = desks[0]
        desk.chunk.read(fd, start, end - start, end, parser)
        desk.take(fleet, parser)
        yield desk.batch()
        return
    free: SimpleQueue[Desk[Made]] = SimpleQueue()
    for desk in desks:
        free.put(desk)
    turns = _Turns()

    def work(number: int) -> Made | None:
        desk = free.get()
        try:
            offset = start + number * RANGE_BYTES
            desk.chunk.read(fd, offset, min(RANGE_BYTES, end - offset), end, parser)
            if not turns.wait(number):
                return None
            desk.take(fleet, parser)
            turns.done(number)
            return desk.batch()
        except BaseException:
            turns.fail(number)
            raise
        finally:
            free.put(desk)

    with ThreadPoolExecutor(len(desks)) as pool:
        waiting: list[Future[Made | None]] = []
        try:
            for number in ranges:
                waiting.append(pool.submit(work, number))
                if len(waiting) > _AHEAD * len(desks):
                    yield _result(waiting.pop(0))
            while waiting:
                yield _result(waiting.pop(0))
        finally:
            turns.fail(-1)  # whoever stops reading early must not leave threads waiting


def _result(future: "Future[Made | None]") -> Made:
    batch = future.result()
    if batch is None:
        raise RuntimeError("a range failed before this one")
    return batch


def time_at(chunk: Chunk, parser: Parser, fd: int, offset: int, limit: int) -> tuple[int, int] | None:
    """(time, place) of the first record at or after `offset`; None when none is near."""
    place = c_int64()
    found = core().recon_time_at(chunk.handle, parser.handle, fd, offset, limit, ctypes.byref(place))
    return None if found == -(2**63) else (int(found), place.value)


def lines_before(chunk: Chunk, fd: int, end: int) -> int:
    """Number of lines in the first `end` bytes of an open file."""
    return int(core().recon_count_lines(chunk.handle, fd, end))


def count_from(fleet: NativeFleet, lines: int) -> None:
    """The lines of the file that are read first have `lines` lines before them."""
    core().recon_fleet_count_from(fleet.handle, lines)
