"""Paths in, an `Analysis` or a stream of events out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any, Final

from recontool.analysis.assemble import assemble
from recontool.analysis.fleet import FileTag, FleetFold
from recontool.logs.inputs import default_paths, find_inputs, rotation, short_names
from recontool.logs.lines import STDIN, LineStream, size_of
from recontool.logs.probe import Probe, known_formats, probe
from recontool.logs.reader import LogReader
from recontool.logs.rotation import overlap
from recontool.model.errors import NoDataError, PartlyUnreadableError
from recontool.model.events import Event
from recontool.model.findings import Analysis, InputFile, LineCount, QualityNote, WorkerResult
from recontool.model.instant import from_datetime
from recontool.model.version import VERSION

_OVERLAP_LINES: Final = 1_000_000  # longest run of repeated lines looked for between rotated parts


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read. `tell` gets a sentence when there is something to say while reading."""

    format_in: str = ""
    zone: tzinfo = UTC
    strict: bool = False
    tell: Callable[[str], None] = lambda _sentence: None


DEFAULT: Final = Reading()


@dataclass(slots=True)
class _File:
    """A log on its way through: opened, looked at, not yet read."""

    path: str
    name: str
    stream: LineStream
    seen: Probe | None

    @property
    def order(self) -> tuple[int, int, str]:
        """Time of the first record; older rotated parts first where that ties."""
        first_us = self.seen.first_us if self.seen is not None else None
        return (first_us or 0, -rotation(self.path)[1], self.path)


def analyze(paths: Sequence[str], reading: Reading = DEFAULT) -> Analysis:
    """Analyse logs, data folders and snapshots.

    Raises:
        UsageError: a path does not exist or cannot be opened.
        NoDataError: nothing in the inputs can be analysed; says what was found instead.
        PartlyUnreadableError: under `strict`, some lines fit no format.
    """
    found = find_inputs(paths)
    fleet = FleetFold()
    notes: list[QualityNote] = []
    inputs = fold_logs(fleet, found.logs, reading, notes)
    snapshots, snapshot_files = _snapshot_workers(found.snapshots)
    inputs.extend(snapshot_files)
    if not fleet.chains() and not fleet.coordinators() and not snapshots:
        raise _nothing_usable(inputs)
    _check_strict(inputs, strict=reading.strict)
    return assemble(fleet, inputs, snapshots, notes, VERSION)


def fold_logs(fleet: FleetFold, logs: Sequence[str], reading: Reading, notes: list[QualityNote]) -> list[InputFile]:
    """Feed every record of `logs` to `fleet`, file by file in order of their first record."""
    last_of: dict[str, tuple[str, int]] = {}  # rotation -> (path, last time) of the part read before
    return [_read_into(fleet, file, reading, last_of, notes) for file in _opened(logs, reading)]


def paths_or_default(paths: Sequence[str], data_dir: Path, reading: Reading = DEFAULT) -> Sequence[str]:
    """`paths`, or what `data_dir` or the current folder holds; tells which.

    Raises:
        NoDataError: there is neither.
    """
    if paths:
        return paths
    found, sentence = default_paths(data_dir)
    reading.tell(sentence)
    return found


def iter_events(paths: Sequence[str], reading: Reading = DEFAULT) -> Iterator[tuple[str, Event]]:
    """(file, event) of every log behind `paths`, file by file in order of their first record.

    Raises:
        UsageError, NoDataError: as `analyze`.
    """
    found = find_inputs(paths)
    last_of: dict[str, tuple[str, int]] = {}
    usable = False
    for file in _opened(found.logs, reading):
        if file.seen is None:
            file.stream.close()
            continue
        usable = True
        reader = _reader(file, file.seen, reading, last_of)
        for event in reader:
            if event.name:
                yield file.name, event
        _remember(file, reader, last_of)
        file.stream.close()
    if not usable:
        raise NoDataError("no log of a known format among the inputs", hint=_formats_hint())


def _opened(paths: Sequence[str], reading: Reading) -> list[_File]:
    names = short_names(paths)
    files = []
    for path in paths:
        stream = LineStream(path)
        seen = probe(stream.head, only=reading.format_in, zone=reading.zone)
        if path != STDIN:
            stream.close()  # hundreds of files must not stay open at once
        files.append(_File(path, names[path], stream, seen))
    return sorted(files, key=lambda file: file.order)


def _read_into(
    fleet: FleetFold,
    file: _File,
    reading: Reading,
    last_of: dict[str, tuple[str, int]],
    notes: list[QualityNote],
) -> InputFile:
    if file.seen is None:
        total = sum(1 for _ in _reopened(file))
        file.stream.close()
        notes.append(QualityNote(file.name, _unknown_sentence(file.stream, total)))
        return InputFile(
            file.path,
            file.name,
            "unknown",
            "none",
            size_of(file.path),
            LineCount(total=total, unparsed=total),
            None,
            None,
        )
    form = file.seen.form
    fleet.begin(FileTag(file.name, rotation(file.path)[0], form.claim_only))
    reader = _reader(file, file.seen, reading, last_of)
    for event in reader:
        fleet.feed(event)
    _remember(file, reader, last_of)
    file.stream.close()
    if file.stream.torn:
        notes.append(QualityNote(file.name, f"the packed file ends early ({file.stream.torn}); read up to there"))
    return InputFile(
        file.path,
        file.name,
        form.name,
        fleet.roles(),
        size_of(file.path) or file.stream.bytes,
        reader.counts(),
        reader.first_us,
        reader.last_us,
        tuple(reader.examples),
    )


def _reader(file: _File, seen: Probe, reading: Reading, last_of: dict[str, tuple[str, int]]) -> LogReader:
    source = seen.source
    if not source and seen.form.engine != "tagged":
        source = Path(rotation(file.path)[0]).name.partition(".")[0] or "worker"
    duplicates = _duplicates(file, seen, last_of)
    return LogReader(_reopened(file), seen.form, source=source, zone=reading.zone, duplicates=duplicates)


def _reopened(file: _File) -> LineStream:
    if file.path != STDIN:
        file.stream = LineStream(file.path)
    return file.stream


def _duplicates(file: _File, seen: Probe, last_of: dict[str, tuple[str, int]]) -> int:
    """Lines at the start of a rotated part that also end the part before it."""
    before = last_of.get(rotation(file.path)[0])
    if before is None or seen.first_us is None or seen.first_us > before[1]:
        return 0
    newer = LineStream(file.path)
    head = list(islice(newer, _OVERLAP_LINES))
    newer.close()
    older = LineStream(before[0])
    try:
        return overlap(older, head)
    finally:
        older.close()


def _remember(file: _File, reader: LogReader, last_of: dict[str, tuple[str, int]]) -> None:
    if reader.last_us is not None and file.path != STDIN:
        last_of[rotation(file.path)[0]] = (file.path, reader.last_us)


def _snapshot_workers(paths: Sequence[str]) -> tuple[dict[str, WorkerResult], list[InputFile]]:
    """Workers of snapshot files, and the files; rows are counted as lines."""
    if not paths:
        return {}, []
    from recontool.analysis.snapshots import snapshot_results  # pyarrow is slow to load
    from recontool.storage.snapshots import read

    names = short_names(paths)
    rows: list[dict[str, Any]] = []
    files = []
    for path in paths:
        found = read([Path(path)]).to_pylist()
        rows.extend(found)
        times = [from_datetime(row["at"]) for row in found]
        lines = LineCount(total=len(found), parsed=len(found))
        span = (min(times, default=None), max(times, default=None))
        files.append(InputFile(path, names[path], "snapshot", "snapshot", size_of(path), lines, *span))
    return snapshot_results(rows), files


def _check_strict(inputs: Sequence[InputFile], *, strict: bool) -> None:
    damaged = [one for one in inputs if one.lines.unparsed]
    if strict and damaged:
        worst = max(damaged, key=lambda one: one.lines.unparsed)
        line = worst.unparsed_examples[0][0] if worst.unparsed_examples else 1
        raise PartlyUnreadableError(
            f"{sum(one.lines.unparsed for one in damaged)} lines fit no format, expected none under --strict",
            where=f"{worst.name}:{line}",
            hint="leave out --strict to skip and count them",
        )


def _nothing_usable(inputs: Sequence[InputFile]) -> NoDataError:
    if all(one.lines.total == 0 for one in inputs):
        names = ", ".join(one.name for one in inputs[:3])
        return NoDataError("there is nothing in it", where=names, hint="check that the process wrote its log here")
    first = next(one for one in inputs if one.lines.total)
    if first.format == "unknown":
        problem = f"none of its {first.lines.total} lines has the shape of a format recontool reads"
    else:
        problem = f"{first.lines.total} lines in the shape of {first.format}, yet no line of a worker or coordinator"
    return NoDataError(problem, where=first.name, hint=_formats_hint())


def _unknown_sentence(stream: LineStream, total: int) -> str:
    if not total:
        return "the file is empty"
    binary = any(b"\0" in line for line in stream.head)
    return "binary data, no log" if binary else "no known log format; not used"


def _formats_hint() -> str:
    return "known formats: " + "; ".join(f"{name} ({title})" for name, title in known_formats().items())
