"""Metric samples to Parquet files and back: `DATA/snapshots/date=YYYY-MM-DD/*.parquet`.

One row is one worker's metrics at one instant; columns are `at`, `worker` and every metric of the
catalogue. A file appears whole or not at all.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from recontool.model.catalogue import CATALOGUE
from recontool.model.errors import UsageError
from recontool.model.instant import iso
from recontool.storage.files import write_whole

SCHEMA_VERSION: Final = "1"
VERSION_KEY: Final = b"recontool.snapshots"
ZSTD_LEVEL: Final = 3
ROWS_PER_GROUP: Final = 128 * 1024


class Sample(Struct, frozen=True):
    """One worker's metrics at `at_us`; a metric that is missing or None has nothing to count yet."""

    at_us: int
    worker: str
    metrics: Mapping[str, float | int | None]


def schema() -> pa.Schema:
    """The columns of a snapshot file: counts are int64, everything else float64."""
    columns = [
        pa.field("at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("worker", pa.string(), nullable=False),
        *(pa.field(m.name, pa.int64() if m.unit == "count" else pa.float64()) for m in CATALOGUE.values()),
    ]
    return pa.schema(columns, metadata={VERSION_KEY: SCHEMA_VERSION.encode()})


def write(folder: Path, samples: Iterable[Sample]) -> list[Path]:
    """Write `samples`, one new file per UTC day they fall on; rows are sorted by worker, then time."""
    days: dict[str, list[Sample]] = {}
    for sample in sorted(samples, key=lambda sample: (sample.worker, sample.at_us)):
        days.setdefault(iso(sample.at_us)[:10], []).append(sample)
    return [_write_day(folder / f"date={day}", rows) for day, rows in sorted(days.items())]


def read(paths: Iterable[Path]) -> pa.Table:
    """The rows of snapshot files, in the order of `paths`; columns a file lacks are null.

    Raises:
        UsageError: a file is no snapshot, or a newer recontool wrote it.
    """
    wanted = schema()
    tables = [_read_one(path, wanted) for path in paths]
    return pa.concat_tables(tables) if tables else wanted.empty_table()


def files(folder: Path) -> list[Path]:
    """The snapshot files under `folder`, oldest first."""
    return sorted(folder.glob("date=*/*.parquet"))


def _write_day(folder: Path, rows: list[Sample]) -> Path:
    wanted = schema()
    columns: dict[str, list[object]] = {
        "at": [row.at_us for row in rows],
        "worker": [row.worker for row in rows],
        **{name: [row.metrics.get(name) for row in rows] for name in CATALOGUE},
    }
    arrays = [_array(columns[field.name], field.type) for field in wanted]
    buffer = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=wanted),
        buffer,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        row_group_size=ROWS_PER_GROUP,
    )
    path = _free_name(folder, min(row.at_us for row in rows))
    write_whole(path, buffer.getvalue().to_pybytes())
    return path


def _array(values: list[object], kind: pa.DataType) -> pa.Array:
    # from_pandas stays False: a NaN a worker reported is a value, None is no value.
    return pa.array(values, type=kind)


def _free_name(folder: Path, at_us: int) -> Path:
    stem = iso(at_us).replace(":", "").replace("-", "")
    path, copy = folder / f"{stem}.parquet", 1
    while path.exists():  # one writer per folder, so nobody takes the name meanwhile
        copy += 1
        path = folder / f"{stem}-{copy}.parquet"
    return path


def _read_one(path: Path, wanted: pa.Schema) -> pa.Table:
    try:
        # ParquetFile, not read_table: that would add the folder's `date=` as a column.
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"cannot be read as Parquet: {error}", where=str(path)) from None
    version = (table.schema.metadata or {}).get(VERSION_KEY)
    if version != SCHEMA_VERSION.encode():
        raise UsageError(
            f"snapshot schema is {version!r}, expected {SCHEMA_VERSION}",
            where=str(path),
            hint="only files under DATA/snapshots are snapshots",
        )
    rows = table.num_rows
    arrays = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(rows, field.type)
        for field in wanted
    ]
    return pa.Table.from_arrays(arrays, schema=wanted)
