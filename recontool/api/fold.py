"""Folds groups of logs: by the compiled core where it can, else by the reference; both find the same."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recontool.analysis.fleet import FileTag, FleetFold, FleetParts
from recontool.api.sources import Reading, Source, repeated
from recontool.kernel.library import library, why_not
from recontool.logs.decoder import decoder_for
from recontool.logs.lines import STDIN, size_of
from recontool.logs.probe import Probe
from recontool.logs.reader import LogReader, shown_example
from recontool.model.errors import BadFieldError, UsageError
from recontool.model.findings import InputFile, LineCount
from recontool.model.markers import COORDINATOR

if TYPE_CHECKING:
    from recontool.kernel.fleet import NativeFleet, Parser

_COUNTS: Final = ("parsed", "continuation", "blank", "unmarked", "unparsed", "duplicate")


@dataclass(slots=True)
class Folded:
    """What one group of logs came to: its parts of the fleet, its files, notes on what ended early."""

    parts: FleetParts
    files: list[InputFile] = field(default_factory=list)
    torn: list[tuple[str, str]] = field(default_factory=list)  # (file, why)


def fold(group: Sequence[Source], reading: Reading, *, light: bool = False) -> Folded:
    """Read the logs of a group in order. `light`: sessions, task outcomes and markers are enough.

    Raises:
        UsageError: a file cannot be read.
    """
    why = why_not()
    if why:
        reading.tell(why)
    if library() is None or not _compilable(group, reading):
        return _by_reference(group, reading)
    return _by_core(group, reading, light=light)


def _compilable(group: Sequence[Source], reading: Reading) -> bool:
    """Whether the core can read each file of the group; says so where it is a matter of the format."""
    from recontool.kernel.patterns import UnsupportedPatternError
    from recontool.kernel.tables import format_table

    for form in {source.seen.form.name: source.seen.form for source in group if source.seen is not None}.values():
        if form.engine != "tagged" and reading.zone is not UTC and str(reading.zone) != "UTC":
            return False
        try:
            format_table(form)
        except UnsupportedPatternError as error:
            reading.tell(f"format {form.name} is read by the reference reader: {error}")
            return False
    return True


def _by_reference(group: Sequence[Source], reading: Reading) -> Folded:
    fleet = FleetFold()
    folded = Folded(FleetParts())
    last_of: dict[str, tuple[str, int]] = {}
    for source in group:
        if source.seen is None:
            folded.files.append(unknown_file(source))
            continue
        form = source.seen.form
        fleet.begin(FileTag(source.number, source.name, source.stem, form.claim_only))
        skip = repeated(source, last_of.get(source.stem))
        reader = LogReader(source.again(), form, source=source.owner, zone=reading.zone, duplicates=skip)
        for event in reader:
            fleet.feed(event)
        source.stream.close()
        _remember(source, reader.last_us, last_of)
        role, times = fleet.roles(), (reader.first_us, reader.last_us)
        folded.files.append(_input(source, role, reader.counts(), times, tuple(reader.examples)))
        if source.stream.torn:
            folded.torn.append((source.name, source.stream.torn))
    folded.parts = fleet.parts()
    return folded


def _by_core(group: Sequence[Source], reading: Reading, *, light: bool) -> Folded:
    from recontool.analysis.compiled import ReadFile, new_fleet, parts_of, vocabulary
    from recontool.kernel.fleet import Parser

    fleet, folded = new_fleet(light=light), Folded(FleetParts())
    known = [source for source in group if source.seen is not None]
    stems = {stem: number for number, stem in enumerate(dict.fromkeys(source.stem for source in known))}
    last_of: dict[str, tuple[str, int]] = {}
    files: dict[int, ReadFile] = {}
    for source in group:
        seen = source.seen
        if seen is None:
            folded.files.append(unknown_file(source))
            continue
        files[source.number] = ReadFile(source.name, seen.form, source.owner)
        parser = Parser(vocabulary(), seen.form, source.owner, light=light)
        fleet.begin(parser, source.number, stems[source.stem], repeated(source, last_of.get(source.stem)))
        _feed(fleet, parser, source, reading)
        fleet.end_file(parser)
        folded.files.append(_compiled_input(fleet, source, seen, reading))
        _remember(source, folded.files[-1].last_us, last_of)
        if source.stream.torn:
            folded.torn.append((source.name, source.stream.torn))
    folded.parts = parts_of(fleet, files)
    return folded


def _feed(fleet: "NativeFleet", parser: "Parser", source: Source, reading: Reading) -> None:
    """All lines of one file: by byte ranges on all processors, or block by block where it has to be unpacked."""
    from recontool.kernel.fleet import Chunk, threads_to_use

    if source.path == STDIN or source.stream.packed or not Path(source.path).is_file():
        chunk = Chunk()
        for block in source.again().blocks():
            chunk.give(block, parser)
            fleet.fold(parser, chunk)
        source.stream.close()
        return
    try:
        with Path(source.path).open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            tell = reading.progress
            progress = None if tell is None else lambda done: tell(source.name, done, size)
            threads = reading.threads or threads_to_use()
            fleet.scan(parser, file.fileno(), 0, size, threads=threads, progress=progress)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=source.path) from error


def _compiled_input(fleet: "NativeFleet", source: Source, seen: Probe, reading: Reading) -> InputFile:
    from recontool.kernel.hydrate import moment, raw
    from recontool.kernel.views import FileView

    view = fleet.view("file", FileView)
    counts = dict(zip(_COUNTS, view.counts, strict=True))
    examples = tuple(
        _example(view.example_line[at], raw(view.example[at], view.example_n[at]), source, seen, reading)
        for at in range(view.examples_n)
    )
    times = (moment(view.first), moment(view.last))
    return _input(source, _role(fleet, source), LineCount(total=view.lines, **counts), times, examples)


def _role(fleet: "NativeFleet", source: Source) -> str:
    from recontool.kernel.views import CoordinatorView, WorkerView

    views = [fleet.view("worker", WorkerView, number) for number in range(fleet.count("workers"))]
    worker = any(view.in_file and view.known for view in views)
    coordinators = [fleet.view("coordinator", CoordinatorView, n) for n in range(fleet.count("coordinators"))]
    coordinator = any(view.file == source.number for view in coordinators)
    if worker:
        return "mixed" if coordinator else "worker"
    return COORDINATOR if coordinator else "none"


def _example(line: int, text: bytes, source: Source, seen: Probe, reading: Reading) -> tuple[int, str, str]:
    """An unparsed line, and why: the core only says that it fits nothing, the reference says what is wrong."""
    decoder = decoder_for(seen.form, source=source.owner, zone=reading.zone)
    try:
        header = decoder.header(text)
        if header is not None:
            decoder.events(header)
    except BadFieldError as error:
        return shown_example(line, text, error.problem)
    return shown_example(line, text)


def unknown_file(source: Source) -> InputFile:
    """A file of no known format: its lines are counted and none of them used."""
    total = sum(1 for _ in source.again())
    source.stream.close()
    counts = LineCount(total=total, unparsed=total)
    return InputFile(source.path, source.name, "unknown", "none", size_of(source.path), counts, None, None)


def _input(
    source: Source,
    role: str,
    counts: LineCount,
    times: tuple[int | None, int | None],
    examples: tuple[tuple[int, str, str], ...],
) -> InputFile:
    form = source.seen.form.name if source.seen is not None else "unknown"
    size = size_of(source.path) or source.stream.bytes
    return InputFile(source.path, source.name, form, role, size, counts, *times, examples)


def _remember(source: Source, last_us: int | None, last_of: dict[str, tuple[str, int]]) -> None:
    if last_us is not None and source.path != STDIN:
        last_of[source.stem] = (source.path, last_us)
