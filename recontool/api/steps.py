"""The events that tell how each outage went, from a second look at the logs: by the compiled core where it can."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from recontool.analysis.chain import KINDS, ChainFold
from recontool.api.events import iter_events
from recontool.api.sources import Reading, Source, compilable, opened, repeated
from recontool.kernel.library import library
from recontool.model.errors import UsageError
from recontool.model.events import Event
from recontool.model.findings import Analysis, InputFile

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Longs: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]

_FIELDS: Final = ("n", "delay_s", "detected_s", "attempt")
_STARTED: Final = ("TASK", "started")
_NEVER_US: Final = 2**62


def follow_outages(analysis: Analysis, logs: Sequence[InputFile], reading: Reading) -> ChainFold:
    """Fold the events of `logs` that say how the outages of `analysis` went, in log order.

    Raises:
        UsageError: a log cannot be read any more.
        NoDataError: none of them is a log any more.
    """
    fold = ChainFold(analysis.workers)
    paths = [file.path for file in logs]
    sources = [source for source in opened(paths, reading) if source.seen is not None]
    if not sources or library() is None or not compilable(sources, reading):
        for file, event in iter_events(paths, reading):
            fold.feed(file, event)
        return fold
    last_us = {file.name: file.last_us for file in logs}
    before: dict[str, tuple[str, int]] = {}
    for source in sources:
        skip = repeated(source, before.get(source.stem))
        telling = _Telling(fold, source.name)
        for batch in _batches(source, reading, skip):
            for event in telling.events(batch):
                fold.feed(source.name, event)
        ended_us = last_us[source.name]
        if ended_us is not None:
            before[source.stem] = (source.path, ended_us)
    return fold


def _batches(source: Source, reading: Reading, skip: int) -> Iterator["pa.RecordBatch"]:
    from recontool.analysis.compiled import new_fleet, vocabulary
    from recontool.api.table import arrow_schema
    from recontool.kernel.fleet import Parser, threads_to_use
    from recontool.kernel.table import ArrowDesk, Wanted, batches

    if source.seen is None:
        raise ValueError("only files of a known format are followed")
    import pyarrow as pa

    whole, vocab = arrow_schema(), vocabulary()
    schema = pa.schema([whole.field(name) for name in ("at", "source", "marker", "event", *_FIELDS)])
    parser, fleet = Parser(vocab, source.seen.form, source.owner, reading.zone, cells=True), new_fleet()
    fleet.begin(parser, 0, 0, skip)
    wanted = Wanted(markers=frozenset(marker for marker, _ in KINDS))
    number = (reading.threads or threads_to_use()) if source.plain else 1
    desks = [ArrowDesk(vocab, wanted, schema, source.name) for _ in range(number)]
    try:
        if source.plain:
            with Path(source.path).open("rb", buffering=0) as file:
                yield from batches(fleet, parser, file.fileno(), (0, file.seek(0, 2)), desks)
        else:
            with closing(source.again()):
                for block in source.blocks():
                    desks[0].chunk.give(block, parser)
                    desks[0].take(fleet, parser)
                    yield desks[0].batch()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=source.path) from error
    desks[0].take_rest(fleet, parser)
    yield desks[0].batch()


class _Telling:
    """Picks from the batches of one file the rows that `fold` could learn from.

    There are many starts of tasks; only those that may be the first of a session are picked.
    """

    def __init__(self, fold: ChainFold, file: str) -> None:
        self._fold, self._file = fold, file
        self._spans: dict[str, tuple[Longs, Longs]] = {}  # of a worker: starts and ends of its outages

    def events(self, batch: "pa.RecordBatch") -> Iterator[Event]:
        """Such rows in order."""
        import numpy as np

        kinds, of_kind = _kinds(batch)
        kept = np.flatnonzero(np.isin(kinds, [code for codes in of_kind.values() for code in codes]))
        if not len(kept):
            return
        at_us = batch.column("at").cast("int64").to_numpy()[kept]
        started = np.isin(kinds[kept], of_kind[_STARTED])
        telling = ~started | (batch.column("attempt").take(kept).fill_null(1).to_numpy() > 1)
        sources = batch.column("source")
        source = _codes(sources)[kept]
        for code in np.unique(source[started]):
            mine = np.flatnonzero(source == code)
            name = sources.dictionary[int(code)].as_py()
            telling[mine[self._firsts(name, at_us[mine], started[mine])]] = True
        rows = kept[telling]
        names = [_names(batch.column(name), rows) for name in ("source", "marker", "event")]
        for at, source_name, marker, event, fields in zip(
            at_us[telling].tolist(), *names, _fields(batch, rows), strict=True
        ):
            yield Event(at, "", source_name, marker, event, fields)

    def _firsts(self, source: str, at_us: "Longs", started: "Bools") -> "Longs":
        """Of one worker's rows those that come to another outage, and the first start of a task after each one's end."""
        import numpy as np

        if source not in self._spans:
            spans = self._fold.spans(source, self._file)
            ends = [_NEVER_US if end_us is None else end_us for _, end_us in spans]
            self._spans[source] = np.array([start_us for start_us, _ in spans], np.int64), np.array(ends, np.int64)
        starts, ends_us = self._spans[source]
        if not len(starts):
            return np.empty(0, np.int64)
        outage = np.maximum.accumulate(np.searchsorted(starts, at_us, "right") - 1)
        come = np.flatnonzero(np.diff(outage, prepend=-1))
        after = np.flatnonzero(started & (outage >= 0) & (at_us >= ends_us[outage]))
        return np.concatenate([come, after[np.unique(outage[after], return_index=True)[1]]])


def _kinds(batch: "pa.RecordBatch") -> tuple["Longs", dict[tuple[str, str], list[int]]]:
    """One number per row for its marker and event, and the numbers of each kind; a name may stand for several events."""
    markers, events = batch.column("marker"), batch.column("event")
    marker_names, event_names = markers.dictionary.to_pylist(), events.dictionary.to_pylist()
    of_kind = {
        (marker, event): [
            marker_names.index(marker) * len(event_names) + number
            for number, name in enumerate(event_names)
            if name == event
        ]
        for marker, event in KINDS
    }
    return _codes(markers) * len(event_names) + _codes(events), of_kind


def _codes(column: "pa.DictionaryArray") -> "Longs":
    indices = column.indices.fill_null(-1) if column.null_count else column.indices
    codes: Longs = indices.to_numpy().astype("int64")
    return codes


def _names(column: "pa.DictionaryArray", rows: "Longs") -> list[str]:
    names = column.dictionary.to_pylist()
    return [names[code] for code in _codes(column)[rows].tolist()]


def _fields(batch: "pa.RecordBatch", rows: "Longs") -> list[dict[str, Any]]:
    """What each row has of `_FIELDS`. Few have any, so only those are touched: a list of a whole column is slow."""
    import numpy as np

    found: list[dict[str, Any]] = [{} for _ in rows]
    for name in _FIELDS:
        column = batch.column(name)
        if column.null_count < len(column):
            picked = column.take(rows)
            there = np.flatnonzero(picked.is_valid().to_numpy(zero_copy_only=False))
            for at, value in zip(there.tolist(), picked.drop_null().to_numpy().tolist(), strict=True):
                found[at][name] = value
    return found
