"""Folds groups of logs: by the compiled core where it can, else by the reference; both find the same."""

from collections.abc import Sequence

from msgspec import Struct, field

from recontool.analysis.fleet import FileTag, FleetFold, FleetParts
from recontool.analysis.watch import thinned
from recontool.api.sources import Reading, Source, compilable, repeated
from recontool.kernel.library import library
from recontool.logs.lines import read_once, size_of
from recontool.model.findings import InputFile, LineCount


class Folded(Struct):
    """What one group of logs came to: its parts of the fleet, its files, notes on what ended early."""

    parts: FleetParts
    files: list[InputFile] = field(default_factory=list)
    torn: list[tuple[str, str]] = field(default_factory=list)  # (file, why)


def fold(group: Sequence[Source], reading: Reading, *, light: bool = False) -> Folded:
    """Read the logs of a group in order. `light`: sessions, task outcomes and markers are enough.

    Raises:
        UsageError: a file cannot be read.
    """
    if library() is None or not compilable(group, reading):
        return by_reference(group, reading, FleetFold(thinned(reading.alert_rules)))
    from recontool.api.compiled import by_core

    return by_core(group, reading, light=light)


def by_reference(group: Sequence[Source], reading: Reading, fleet: FleetFold) -> Folded:
    """Feed every record of the logs to `fleet`, file by file in the order given.

    Raises:
        UsageError: a file cannot be read.
    """
    from recontool.logs.reader import LogReader  # the core does without

    folded = Folded(FleetParts())
    last_of: dict[str, tuple[str, int]] = {}
    for source in group:
        if source.seen is None:
            folded.files.append(unknown_file(source))
            continue
        form = source.seen.form
        fleet.begin(FileTag(source.number, source.name, source.stem, form.claim_only))
        skip = repeated(source, last_of.get(source.stem))
        reader = LogReader(source.lines(), form, source=source.owner, zone=reading.zone, duplicates=skip)
        for event in reader:
            fleet.feed(event)
        source.stream.close()
        remember(source, reader.last_us, last_of)
        role, times = fleet.roles(), (reader.first_us, reader.last_us)
        folded.files.append(input_file(source, role, reader.counts(), times, tuple(reader.examples)))
        if source.stream.torn:
            folded.torn.append((source.name, source.stream.torn))
    folded.parts = fleet.parts()
    return folded


def unknown_file(source: Source) -> InputFile:
    """A file of no known format: its lines are counted and none of them used."""
    total = sum(1 for _ in source.again())
    source.stream.close()
    counts = LineCount(total=total, unparsed=total)
    return InputFile(source.path, source.name, "unknown", "none", size_of(source.path), counts, None, None)


def input_file(
    source: Source,
    role: str,
    counts: LineCount,
    times: tuple[int | None, int | None],
    examples: tuple[tuple[int, str, str], ...],
) -> InputFile:
    """What is reported of a file that was read."""
    form = source.seen.form.name if source.seen is not None else "unknown"
    size = size_of(source.path) or source.stream.bytes
    return InputFile(source.path, source.name, form, role, size, counts, *times, examples)


def remember(source: Source, last_us: int | None, last_of: dict[str, tuple[str, int]]) -> None:
    """Note the part of a rotated log that was read last: (path, time of its last record) by stem."""
    if last_us is not None and not read_once(source.path):
        last_of[source.stem] = (source.path, last_us)
