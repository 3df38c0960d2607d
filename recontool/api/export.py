"""Writes the events of logs into one Parquet file: by the compiled core where it can, else row by row."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from recontool.analysis.compiled import new_fleet, vocabulary
from recontool.api import table
from recontool.api.deliver import whole
from recontool.api.fold import compilable
from recontool.api.select import Selection, resolved
from recontool.api.sources import Reading, Source, opened, repeated
from recontool.api.table import arrow_rows, arrow_schema
from recontool.kernel.fleet import Chunk, NativeFleet, Parser, threads_to_use
from recontool.kernel.library import library
from recontool.kernel.table import Desk, Wanted, batches, count_from, lines_before, time_at
from recontool.logs.inputs import find_inputs
from recontool.logs.reader import LogReader
from recontool.model.errors import NoDataError, UsageError
from recontool.model.instant import MINUTE_US

ROWS_PER_GROUP: Final = 2**17
_MARGIN_US: Final = MINUTE_US  # lines may stand this far out of order
_PROBES: Final = 65  # places whose times tell whether a file is in order
_BATCH: Final = 20_000


def export_parquet(paths: Sequence[str], wanted: Selection, reading: Reading, path: Path) -> int:
    """Write the wanted events to `path`, whole or not at all; returns their number.

    Raises:
        UsageError: an input cannot be read, or the file cannot be written.
        NoDataError: nothing in the inputs is a log of a known format.
    """
    sources = [source for source in opened(find_inputs(paths).logs, reading) if source.seen is not None]
    if not sources:
        raise NoDataError("no log of a known format among the inputs", hint="recontool analyze says what was found")
    wanted = resolved(paths, wanted, reading)
    schema, count = arrow_schema(), 0
    with whole(path) as part, closing(_writer(part, schema)) as writer:
        held: list[pa.RecordBatch] = []
        for batch in _all(sources, wanted, reading, schema):
            held.append(batch)
            count += batch.num_rows
            if sum(one.num_rows for one in held) >= ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_batches(held, schema), row_group_size=2 * ROWS_PER_GROUP)
                held = []
        if held:
            writer.write_table(pa.Table.from_batches(held, schema))
    return count


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    named = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    rising = dict.fromkeys(("at", "line"), "DELTA_BINARY_PACKED")
    return pq.ParquetWriter(
        path, schema, compression="zstd", compression_level=1, use_dictionary=named, column_encoding=rising
    )


def _all(sources: Sequence[Source], wanted: Selection, reading: Reading, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    last_of: dict[str, tuple[str, int]] = {}
    for source in sources:
        skip = repeated(source, last_of.get(source.stem))
        if library() is not None and source.plain and compilable([source], reading):
            yield from _by_core(source, wanted, reading, schema, skip)
        else:
            yield from _by_reference(source, wanted, reading, schema, skip)
        # The probe knows when the next part begins, and that decides whether the two can overlap.
        last_of[source.stem] = (source.path, 2**62)


def _by_reference(
    source: Source, wanted: Selection, reading: Reading, schema: pa.Schema, skip: int
) -> Iterator[pa.RecordBatch]:
    if source.seen is None:
        return
    reader = LogReader(source.lines(), source.seen.form, source=source.owner, zone=reading.zone, duplicates=skip)
    events = ((source.name, event) for event in reader if event.name and wanted.wants(event))
    for rows in table.batched(arrow_rows(events), _BATCH):
        yield pa.RecordBatch.from_pylist(rows, schema)
    source.stream.close()


def _by_core(
    source: Source, wanted: Selection, reading: Reading, schema: pa.Schema, skip: int
) -> Iterator[pa.RecordBatch]:
    if source.seen is None:
        return
    vocab = vocabulary()
    parser, fleet = Parser(vocab, source.seen.form, source.owner, reading.zone, cells=True), new_fleet()
    fleet.begin(parser, 0, 0, skip)
    chosen = Wanted(wanted.since_us, wanted.until_us, wanted.markers, wanted.workers)
    desks = [Desk(vocab, chosen, schema, source.name) for _ in range(reading.threads or threads_to_use())]
    try:
        with Path(source.path).open("rb", buffering=0) as file:
            span = (0, file.seek(0, 2))
            if source.seen.form.engine == "tagged" and not skip:
                span = _window(fleet, parser, file.fileno(), span[1], wanted)
            yield from batches(fleet, parser, file.fileno(), span, desks)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=source.path) from error
    desks[0].take_rest(fleet, parser)
    yield desks[0].batch()


def _window(fleet: NativeFleet, parser: Parser, fd: int, size: int, wanted: Selection) -> tuple[int, int]:
    """The bytes in which the wanted times stand, found by bisection; the whole file where its times are not in order."""
    chunk = Chunk()
    if wanted.since_us is None and wanted.until_us is None:
        return 0, size
    probes = [time_at(chunk, parser, fd, size * number // _PROBES, size) for number in range(_PROBES)]
    times = [found[0] for found in probes if found is not None]
    if any(later < earlier - _MARGIN_US for earlier, later in pairwise(times)):
        return 0, size

    def first_at(at_us: int) -> int:
        low, high = 0, size
        while high - low > 2**16:
            middle = (low + high) // 2
            found = time_at(chunk, parser, fd, middle, size)
            if found is None or found[0] >= at_us:
                high = middle
            else:
                low = found[1]
        return low

    start = 0 if wanted.since_us is None else first_at(wanted.since_us - _MARGIN_US)
    end = size if wanted.until_us is None else min(size, first_at(wanted.until_us + _MARGIN_US) + 2**17)
    count_from(fleet, lines_before(chunk, fd, start))
    return start, max(start, end)
