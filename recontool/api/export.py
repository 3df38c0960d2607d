"""Writes the events of logs as Parquet, CSV or NDJSON: by the compiled core where it can, else row by row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from io import StringIO
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, Final, Generic, TypeVar

import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from recontool.api import table
from recontool.api.deliver import whole
from recontool.api.select import Selection, resolved
from recontool.api.sources import Reading, Source, compilable, opened, repeated
from recontool.api.table import arrow_rows, arrow_schema
from recontool.kernel.fleet import Chunk, NativeFleet, Parser, Vocabulary, threads_to_use
from recontool.kernel.library import library
from recontool.kernel.table import ArrowDesk, Desk, LastDesk, Wanted, batches, count_from, lines_before, time_at
from recontool.kernel.tables import vocabulary
from recontool.kernel.writing import TextDesk
from recontool.logs.inputs import find_inputs
from recontool.logs.lines import read_once
from recontool.logs.reader import LogReader
from recontool.model.errors import NoDataError, UsageError
from recontool.model.events import Event
from recontool.model.units import MINUTE_US
from recontool.storage.rowgroups import RowGroupWriter

ROWS_PER_GROUP: Final = 2**17
_MARGIN_US: Final = MINUTE_US  # lines may stand this far out of order
_PROBES: Final = 65  # places whose times tell whether a file is in order
_BATCH: Final = 20_000
Made = TypeVar("Made")


class _Making(Struct, Generic[Made], frozen=True):
    """What is made of events: by a desk of the core, or of the events the reference has read."""

    desk: Callable[[Wanted, str], Desk[Made]]
    of_events: Callable[[Iterable[tuple[str, Event]]], Iterator[Made]]


@cache
def _vocabulary() -> Vocabulary:
    """Of what moves which alert it knows nothing: no rule is watched here."""
    return Vocabulary(vocabulary({}))


def _last_of(events: Iterable[tuple[str, Event]]) -> Iterator[int | None]:
    yield max((event.at_us for _, event in events), default=None)


_LAST: Final = _Making(lambda chosen, _file: LastDesk(_vocabulary(), chosen), _last_of)


def export_parquet(paths: Sequence[str], wanted: Selection, reading: Reading, path: Path) -> int:
    """Write the wanted events to `path`, whole or not at all; returns their number.

    Raises:
        UsageError: an input cannot be read, or the file cannot be written.
        NoDataError: nothing in the inputs is a log of a known format.
    """
    schema, count = arrow_schema(), 0

    def of_events(events: Iterable[tuple[str, Event]]) -> Iterator[pa.RecordBatch]:
        for rows in table.batched(arrow_rows(events), _BATCH):
            yield pa.RecordBatch.from_pylist(rows, schema)

    making = _Making(lambda chosen, file: ArrowDesk(_vocabulary(), chosen, schema, file), of_events)
    found = _all(paths, wanted, reading, making)
    with whole(path) as part, part.open("wb") as out, _writer(out, schema, reading) as writer:
        for group in _regrouped(found, schema):
            count += group.num_rows
            writer.write(group)
    return count


def _regrouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of ROWS_PER_GROUP rows, and one of the rest."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        while rows >= ROWS_PER_GROUP:
            together = pa.Table.from_batches(held, schema)
            yield together.slice(0, ROWS_PER_GROUP)
            held = together.slice(ROWS_PER_GROUP).to_batches()
            rows -= ROWS_PER_GROUP
    if rows:
        yield pa.Table.from_batches(held, schema)


def export_text(paths: Sequence[str], wanted: Selection, reading: Reading, out: IO[str], *, csv: bool) -> int:
    """Write the wanted events to `out` as CSV or NDJSON; returns their number.

    Raises:
        UsageError, NoDataError: as `export_parquet`.
    """

    def of_events(events: Iterable[tuple[str, Event]]) -> Iterator[tuple[int, str]]:
        held = iter(events)
        while some := list(islice(held, _BATCH)):
            text = StringIO()
            yield (table.write_csv_rows if csv else table.write_ndjson)(some, text), text.getvalue()

    making = _Making(lambda chosen, file: TextDesk(_vocabulary(), chosen, table.COLUMNS, file, csv=csv), of_events)
    found, count = _all(paths, wanted, reading, making), 0
    if csv:
        out.write(table.CSV_HEADER)
    for rows, lines in found:
        out.write(lines)
        count += rows
    return count


def _writer(out: IO[bytes], schema: pa.Schema, reading: Reading) -> RowGroupWriter:
    named = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    rising = dict.fromkeys(("at", "line"), "DELTA_BINARY_PACKED")
    return RowGroupWriter(
        out,
        schema,
        reading.threads or threads_to_use(),
        compression="zstd",
        compression_level=1,
        use_dictionary=named,
        column_encoding=rising,
        write_batch_size=ROWS_PER_GROUP,
        # Of what sets row groups apart; of all columns they cost a quarter of the time.
        write_statistics=["at", "line", "source", "file"],
    )


def _all(paths: Sequence[str], wanted: Selection, reading: Reading, making: _Making[Made]) -> Iterator[Made]:
    sources = [source for source in opened(find_inputs(paths).logs, reading) if source.seen is not None]
    if not sources:
        raise NoDataError("no log of a known format among the inputs", hint="recontool analyze says what was found")
    if wanted.last_us is None or library() is None or any(map(read_once, paths)):
        return _each(sources, resolved(paths, wanted, reading), reading, making)
    ends = max(filter(None, _each(sources, Selection(), reading, _LAST)), default=0)
    return _each(sources, replace(wanted, since_us=ends - wanted.last_us, last_us=None), reading, making)


def _each(sources: Sequence[Source], wanted: Selection, reading: Reading, making: _Making[Made]) -> Iterator[Made]:
    last_of: dict[str, tuple[str, int]] = {}
    for source in sources:
        skip = repeated(source, last_of.get(source.stem))
        if library() is None or not compilable([source], reading):
            yield from making.of_events(_events(source, wanted, reading, skip))
        else:
            yield from _by_core(source, wanted, reading, making, skip)
        # The probe knows when the next part begins, and that decides whether the two can overlap.
        if not read_once(source.path):
            last_of[source.stem] = (source.path, 2**62)


def _events(source: Source, wanted: Selection, reading: Reading, skip: int) -> Iterator[tuple[str, Event]]:
    if source.seen is None:
        return
    reader = LogReader(source.lines(), source.seen.form, source=source.owner, zone=reading.zone, duplicates=skip)
    yield from ((source.name, event) for event in reader if event.name and wanted.wants(event))
    source.stream.close()


def _by_core(source: Source, wanted: Selection, reading: Reading, making: _Making[Made], skip: int) -> Iterator[Made]:
    if source.seen is None:
        return
    parser, fleet = Parser(_vocabulary(), source.seen.form, source.owner, reading.zone, cells=True), NativeFleet()
    fleet.begin(parser, 0, 0, skip)
    chosen = Wanted(wanted.since_us, wanted.until_us, wanted.markers, wanted.workers)
    if source.plain:
        desks = [making.desk(chosen, source.name) for _ in range(reading.threads or threads_to_use())]
        yield from _by_ranges(source, wanted, fleet, parser, desks, whole_file=bool(skip))
    else:
        desks = [making.desk(chosen, source.name)]
        yield from _by_blocks(source, fleet, parser, desks[0])
    desks[0].take_rest(fleet, parser)
    yield desks[0].batch()


def _by_ranges(
    source: Source,
    wanted: Selection,
    fleet: NativeFleet,
    parser: Parser,
    desks: Sequence[Desk[Made]],
    *,
    whole_file: bool,
) -> Iterator[Made]:
    """Of a file as it stands: in threads, and only as far as the wanted times stand in it."""
    try:
        with Path(source.path).open("rb", buffering=0) as file:
            span = (0, file.seek(0, 2))
            if source.seen is not None and source.seen.form.engine != "templates" and not whole_file:
                span = _window(fleet, parser, file.fileno(), span[1], wanted)
            yield from batches(fleet, parser, file.fileno(), span, desks)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=source.path) from error


def _by_blocks(source: Source, fleet: NativeFleet, parser: Parser, desk: Desk[Made]) -> Iterator[Made]:
    """Of what must be unpacked, or freed of a prefix, or comes once."""
    for block in source.blocks():
        desk.chunk.give(block, parser)
        desk.take(fleet, parser)
        yield desk.batch()
    source.stream.close()


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
