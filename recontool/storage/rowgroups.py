"""One Parquet file of row groups that were encoded apart.

pyarrow encodes a file by one thread, and an export waits for nothing else. Here every row group is encoded as a small file
in memory, by as many threads as there are; their bodies are put behind one another, and one footer says where each stands.
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
_ROWS, _GROUPS, _COLUMNS, _GROUP_ROWS, _ORDINAL, _COLUMN = 3, 4, 1, 3, 7, 3
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
        self._encoding: deque[Future[tuple[pa.Buffer, Struct]]] = deque()
        self._footer: Struct = {}
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
        if len(self._encoding) >= self._most:
            self._place_next()
        self._encoding.append(self._pool.submit(self._encoded, table))

    def _encoded(self, table: pa.Table) -> tuple[pa.Buffer, Struct]:
        """A file with this row group alone, and its footer."""
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, self._schema, **self._options) as writer:
            writer.write_table(table, row_group_size=max(1, table.num_rows))
        whole = sink.getvalue()
        size = int.from_bytes(whole[whole.size - _TAIL : whole.size - len(_MAGIC)].to_pybytes(), "little")
        footer = whole[whole.size - _TAIL - size : whole.size - _TAIL].to_pybytes()
        return whole[len(_MAGIC) : whole.size - _TAIL - size], Reader(footer).struct()

    def _place_next(self) -> None:
        body, footer = self._encoding.popleft().result()
        _, (_, groups) = footer[_GROUPS]
        for group in groups:
            self._rows += group[_GROUP_ROWS][1]
            _move(group, self._place - len(_MAGIC))
            number = len(self._groups)
            if number < _MOST_GROUPS:
                group[_ORDINAL] = (Kind.I16, number)
            else:
                group.pop(_ORDINAL, None)
            self._groups.append(encoded(group))
        self._footer = self._footer or footer
        self._out.write(body)
        self._place += body.size

    def _finish(self) -> None:
        while self._encoding:
            self._place_next()
        if not self._footer:
            self.write(self._schema.empty_table())
            self._place_next()
        kind_of_rows, (_, (kind, _)) = self._footer[_ROWS][0], self._footer[_GROUPS]
        footer = encoded(
            {**self._footer, _ROWS: (kind_of_rows, self._rows), _GROUPS: (Kind.LIST, (kind, self._groups))}
        )
        self._out.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)


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
