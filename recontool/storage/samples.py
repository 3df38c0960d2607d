"""Recorded samples, one row per worker and instant, as CSV or Parquet: `at,worker,<metric>...`.

An empty cell or null is no sample, `stale` ends the series, `NaN`, `+Inf` and `-Inf` are values. Source: SPEC section 7.
"""

import csv
import difflib
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from recontool.model.catalogue import CATALOGUE
from recontool.model.errors import UsageError
from recontool.model.instant import from_datetime
from recontool.model.series import Bools, Floats, Ints, Part, SeriesBuilder, place
from recontool.model.units import SECOND_US

_LONGEST_HEAD: Final = 65_536
PARQUET_MAGIC: Final = b"PAR1"
_STALE_BITS: Final = np.uint64(0x7FF0000000000002)  # the NaN with which Prometheus marks the end of a series
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
# Unix time in s, ms, us or ns, told by its size.
_UNITS_US: Final = (
    (10**11, Decimal(SECOND_US)),
    (10**14, Decimal(1_000)),
    (10**17, Decimal(1)),
    (10**20, Decimal("0.001")),
)


def is_samples_head(line: str) -> bool:
    """Whether `line` is the first line of a CSV file of samples."""
    try:
        names = next(csv.reader([line[:_LONGEST_HEAD].lstrip("\ufeff")]), [])
    except csv.Error:
        return False
    return {"at", "worker"} <= {name.strip() for name in names}


def read_csv(lines: Iterable[str], name: str, into: SeriesBuilder, zone: tzinfo = UTC) -> None:
    """Add the samples of a CSV file; times without a zone are in `zone`.

    Raises:
        UsageError: with file:line:column, a time or a value that is none.
    """
    reader = csv.reader(lines)
    rows = _rows(reader, name)
    head = [title.strip() for title in next(rows, [])]
    if head:
        head[0] = head[0].lstrip("\ufeff")
    at_column, worker_column, metrics = _columns(head, name, into)
    file = into.file(name)
    table = _Rows()
    found = {metric: _Cells() for metric in metrics}
    for row in rows:
        if not row:
            continue
        where = f"{name}:{reader.line_num}"
        if len(row) != len(head):
            raise UsageError(f"the row has {len(row)} cells, expected {len(head)}", where=where)
        at_us = instant(row[at_column], f"{where}:{at_column + 1}", zone)
        number = table.add(into.worker(row[worker_column]), at_us, place(file, reader.line_num))
        for metric, column in metrics.items():
            if row[column]:
                found[metric].add(number, row[column], f"{where}:{column + 1}")
    for metric, cells in found.items():
        into.add(metric, cells.part(table))


def read_parquet(path: Path, name: str, into: SeriesBuilder, zone: tzinfo = UTC) -> None:
    """Add the samples of a Parquet file; columns of text are read as CSV cells are.

    Raises:
        UsageError: it cannot be read, or a time or a value is none.
    """
    import pyarrow as pa  # slow to load
    import pyarrow.parquet as pq

    from recontool.storage.snapshots import SCHEMA_VERSION, VERSION_KEY

    try:
        with pq.ParquetFile(path) as opened:  # not read_table: that would add the folder's `date=` as a column
            table = opened.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"cannot be read as Parquet: {error}", where=name) from None
    version = (table.schema.metadata or {}).get(VERSION_KEY)
    if version not in {None, SCHEMA_VERSION.encode()}:
        raise UsageError(f"snapshot schema is {version!r}, expected {SCHEMA_VERSION}", where=name)
    _, _, metrics = _columns(table.column_names, name, into)
    if table.num_rows == 0:
        return
    at_us = _instants(table.column("at"), name, zone)
    names = table.column("worker").cast(pa.string())
    if names.null_count:
        raise UsageError("a row has no worker", where=name)
    coded = names.combine_chunks().dictionary_encode()
    numbers = np.array([into.worker(worker) for worker in coded.dictionary.to_pylist()], dtype=np.int64)
    worker = numbers[coded.indices.to_numpy(zero_copy_only=False)]
    places = (np.int64(place(into.file(name), 1)) + np.arange(table.num_rows, dtype=np.int64)).astype(np.int64)
    for metric in metrics:
        there, values, stale = _values(table.column(metric), f"{name}: {metric}")
        into.add(metric, Part(worker[there], at_us[there], values, stale, places[there]))


def instant(text: str, where: str, zone: tzinfo = UTC) -> int:
    """Microseconds of an ISO 8601 time or of Unix time in seconds, ms, us or ns.

    Raises:
        UsageError: `text` is neither.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        value = Decimal(text)
        for limit, unit_us in _UNITS_US:
            if value < limit:
                return round(value * unit_us)
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return from_datetime(at if at.tzinfo is not None else at.replace(tzinfo=zone))
    raise UsageError(f"{text!r} is no time, expected ISO 8601 such as 2026-11-24T10:15:00Z", where=where)


class _Rows:
    """Worker, time and place of each row."""

    def __init__(self) -> None:
        self._columns = (array("q"), array("q"), array("q"))

    def add(self, worker: int, at_us: int, here: int) -> int:
        for column, value in zip(self._columns, (worker, at_us, here), strict=True):
            column.append(value)
        return len(self._columns[0]) - 1

    def at(self, rows: Ints) -> list[Ints]:
        return [np.array(column, dtype=np.int64)[rows] for column in self._columns]


class _Cells:
    """The cells of one CSV column that hold a sample."""

    def __init__(self) -> None:
        self._rows, self._values, self._stale = array("q"), array("d"), array("b")

    def add(self, row: int, cell: str, where: str) -> None:
        value = _number(cell, where)
        if value is not None:
            self._rows.append(row)
            self._values.append(value[0])
            self._stale.append(value[1])

    def part(self, table: _Rows) -> Part:
        worker, at_us, places = table.at(np.array(self._rows, dtype=np.int64))
        return Part(worker, at_us, np.array(self._values), np.array(self._stale, dtype=bool), places)


def _rows(reader: Any, name: str) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise UsageError(f"is no CSV: {error}", where=f"{name}:{reader.line_num}") from None


def _columns(head: Sequence[str], name: str, into: SeriesBuilder) -> tuple[int, int, dict[str, int]]:
    missing = [title for title in ("at", "worker") if title not in head]
    if missing:
        raise UsageError(f"there is no column {missing[0]!r}", where=f"{name}:1", hint="at,worker,<metric>,...")
    twice = sorted({title for title in head if list(head).count(title) > 1})
    if twice:
        raise UsageError(f"column {twice[0]!r} stands there twice", where=f"{name}:1")
    for title in head:
        if title not in CATALOGUE and title not in {"at", "worker"}:
            close = difflib.get_close_matches(title, CATALOGUE, n=1)
            meant = f"; did you mean {close[0]}?" if close else ""
            into.notes.append(f"{name}: column {title!r} is no metric and is not used{meant}")
    metrics = {title: column for column, title in enumerate(head) if title in CATALOGUE}
    return head.index("at"), head.index("worker"), metrics


def _number(cell: str, where: str) -> tuple[float, bool] | None:
    """(value, whether the series ends here); None for an empty cell."""
    text = cell.strip()
    if not text:
        return None
    if text == "stale":
        return 0.0, True
    try:
        if "_" not in text:  # Python's own grouping of digits, no number in a file
            return float(text), False
    except ValueError:
        pass
    raise UsageError(
        f"{text!r} is no value", where=where, hint="a number, NaN, +Inf, -Inf, stale, or nothing for no sample"
    )


def _instants(column: Any, name: str, zone: tzinfo) -> Ints:
    import pyarrow as pa

    if column.null_count:
        raise UsageError("a row has no time", where=name)
    if pa.types.is_timestamp(column.type) and (column.type.tz is not None or str(zone) == "UTC"):
        found: Ints = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64()).to_numpy()
        return found
    return np.array([instant(str(at), name, zone) for at in column.to_pylist()], dtype=np.int64)


def _values(column: Any, where: str) -> tuple[Ints, Floats, Bools]:
    """Rows that hold a sample, their values, and where a series ends."""
    import pyarrow as pa

    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        there = np.flatnonzero(column.is_valid().to_numpy())
        values = column.drop_null().cast(pa.float64(), safe=False).to_numpy()
        return there, values, values.view(np.uint64) == _STALE_BITS
    cells = [(row, _number(str(cell), where)) for row, cell in enumerate(column.to_pylist()) if cell is not None]
    kept = list(_present(cells))
    return (
        np.array([row for row, _ in kept], dtype=np.int64),
        np.array([value for _, (value, _) in kept], dtype=np.float64),
        np.array([stale for _, (_, stale) in kept], dtype=bool),
    )


def _present(
    cells: Iterable[tuple[int, tuple[float, bool] | None]],
) -> Iterator[tuple[int, tuple[float, bool]]]:
    for row, value in cells:
        if value is not None:
            yield row, value
