"""One Parquet file of row groups that were encoded apart.

pyarrow encodes a file by one thread, and an export waits for nothing else. Here every row group is encoded as a small file
in memory, by as many threads as there are; their bodies are put behind one another, and one footer says where each stands.
A column without a value takes as long to encode as any other, and most kinds of logs leave many empty: it is encoded once.
Source: the Parquet format specification, `parquet.thrift`; the numbers below are those of its fields.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from recontool.storage.compact import Kind, Reader, Struct, encoded

if TYPE_CHECKING:
    from types import TracebackType

_MAGIC: Final = b"PAR1"
_TAIL: Final = 8  # length of the footer, magic
# FileMetaData, RowGroup, ColumnChunk
_ROWS, _GROUPS, _COLUMNS, _ORDINAL, _COLUMN = 3, 4, 1, 7, 3
_GROUP_SIZES: Final = (2, 6)  # of all its columns, as they are and compressed
# What counts from the beginning of the file.
_GROUP_PLACES: Final = (5,)
_CHUNK_PLACES: Final = (2, 4, 6)
_COLUMN_PLACES: Final = (9, 10, 11, 14)
_MOST_GROUPS: Final = 2**15  # an ordinal has 16 bits; it may be left out


class RowGroupWriter:
    """Writes tables of one schema to `out`, a row group each, in the order they come; `options` as ParquetWriter has them.

    Leaving the context writes the footer. Raises what `out` and the encoder raise.
    """

    def __init__(self, out: IO[bytes], schema: pa.Schema, threads: int, **options: Any) -> None:
        self._out, self._schema, self._options = out, schema, options
        self._pool = ThreadPoolExecutor(threads)
        self._most = threads + 1  # tables held, with the one that is put to its place
        self._encoding: deque[Future[tuple[list[pa.Buffer], Struct, int]]] = deque()
        self._blank: dict[tuple[str, int], tuple[pa.Buffer, bytes]] = {}  # by column and number of rows
        self._footer = self._file(pa.Table.from_batches([], schema))[1]
        self._groups: list[bytes] = []  # as they are written: so many small objects would keep the collector busy
        self._rows = 0
        self._place = out.write(_MAGIC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: "TracebackType | None"
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def write(self, table: pa.Table) -> None:
        """Give it to the next thread that is free; waits while too many are held."""
        if table.num_rows == 0:
            return
        if len(self._encoding) >= self._most:
            self._place_next()
        self._encoding.append(self._pool.submit(self._encoded, table))

    def _encoded(self, table: pa.Table) -> tuple[list[pa.Buffer], Struct, int]:
        """Bodies that follow one another, the row group they are, as if they stood at the beginning; its rows."""
        table = table.unify_dictionaries()  # pyarrow writes no dictionary where that of its first chunk is not all
        rows = table.num_rows
        used = [name for name in table.column_names if table[name].null_count < rows] or table.column_names[:1]
        body, footer = self._file(table.select(used))
        bodies, place = [body], len(_MAGIC) + body.size
        group = _group_of(footer)
        kind, chunks = group[_COLUMNS][1]
        by_name = dict(zip(used, chunks, strict=True))
        for name in table.column_names:
            if name in by_name:
                continue
            body, written = self._blank_one(name, rows)
            blank = Reader(written).struct()
            for number in _GROUP_SIZES:
                group[number] = (Kind.I64, group[number][1] + blank[number][1])
            _move(blank, place - len(_MAGIC))
            by_name[name] = blank[_COLUMNS][1][1][0]
            bodies.append(body)
            place += body.size
        group[_COLUMNS] = (Kind.LIST, (kind, [by_name[name] for name in table.column_names]))
        return bodies, group, rows

    def _blank_one(self, name: str, rows: int) -> tuple[pa.Buffer, bytes]:
        """Body and written row group of a column that has no value in any of `rows` rows."""
        if (name, rows) not in self._blank:
            schema = pa.schema([self._schema.field(name)])
            body, footer = self._file(pa.Table.from_arrays([pa.nulls(rows, schema[0].type)], schema=schema))
            self._blank[name, rows] = body, encoded(_group_of(footer))
        return self._blank[name, rows]

    def _file(self, table: pa.Table) -> tuple[pa.Buffer, Struct]:
        """What a file of this table has between its magic words: row group and footer."""
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, table.schema, **self._options) as writer:
            writer.write_table(table, row_group_size=max(1, table.num_rows))
        whole = sink.getvalue()
        size = int.from_bytes(whole[whole.size - _TAIL : whole.size - len(_MAGIC)].to_pybytes(), "little")
        footer = whole[whole.size - _TAIL - size : whole.size - _TAIL].to_pybytes()
        return whole[len(_MAGIC) : whole.size - _TAIL - size], Reader(footer).struct()

    def _place_next(self) -> None:
        bodies, group, rows = self._encoding.popleft().result()
        _move(group, self._place - len(_MAGIC))
        number = len(self._groups)
        if number < _MOST_GROUPS:
            group[_ORDINAL] = (Kind.I16, number)
        else:
            group.pop(_ORDINAL, None)
        self._groups.append(encoded(group))
        self._rows += rows
        for body in bodies:
            self._place += self._out.write(body)

    def _finish(self) -> None:
        while self._encoding:
            self._place_next()
        groups = (Kind.LIST, (Kind.STRUCT, self._groups))
        footer = encoded({**self._footer, _ROWS: (Kind.I64, self._rows), _GROUPS: groups})
        self._out.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)


def _group_of(footer: Struct) -> Struct:
    """The only row group of a file."""
    group: Struct = footer[_GROUPS][1][1][0]
    return group


def _move(group: Struct, by: int) -> None:
    """Let the places of a row group be `by` bytes further on; a place of 0 stands for none."""
    _shift(group, _GROUP_PLACES, by)
    _, (_, chunks) = group[_COLUMNS]
    for chunk in chunks:
        _shift(chunk, _CHUNK_PLACES, by)
        _shift(chunk[_COLUMN][1], _COLUMN_PLACES, by)


def _shift(fields: Struct, places: tuple[int, ...], by: int) -> None:
    for number in places:
        kind, value = fields.get(number, (0, 0))
        if value:
            fields[number] = (kind, value + by)
