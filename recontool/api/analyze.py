"""Paths in, an `Analysis` out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recontool.analysis.assemble import assemble
from recontool.analysis.fleet import FleetParts
from recontool.api.fold import Folded, fold
from recontool.api.rules import beyond_the_fold, evaluated
from recontool.api.sources import DEFAULT, Reading, Source, groups_of, opened
from recontool.logs.inputs import find_inputs, short_names
from recontool.logs.lines import size_of
from recontool.logs.probe import formats_hint
from recontool.model.errors import NoDataError, PartlyUnreadableError
from recontool.model.findings import Analysis, InputFile, LineCount, QualityNote, WorkerResult
from recontool.model.instant import from_datetime
from recontool.model.said import said
from recontool.model.version import VERSION


def analyze(paths: Sequence[str], reading: Reading = DEFAULT) -> Analysis:
    """Analyse logs, data folders and snapshots.

    Raises:
        UsageError: a path does not exist or cannot be opened, or a rule needs a second look at stdin.
        NoDataError: nothing in the inputs can be analysed; says what was found instead.
        PartlyUnreadableError: under `strict`, some lines fit no format.
    """
    found = find_inputs(paths)
    others = beyond_the_fold(found.logs, reading)
    sources = opened(found.logs, reading)
    folded = _folded(sources, reading)
    parts = FleetParts()
    for one in folded:
        parts.add(one.parts)
    by_path = {file.path: file for one in folded for file in one.files}
    inputs = [by_path[source.path] for source in sources]
    snapshots, snapshot_files = _snapshot_workers(found.snapshots)
    inputs.extend(snapshot_files)
    if not parts.workers() and not parts.coordinators and not snapshots:
        raise _nothing_usable(inputs)
    _check_strict(inputs, strict=reading.strict)
    alerts = evaluated(found.logs, others, reading)
    return assemble(parts, inputs, snapshots, _notes(sources, folded, by_path), VERSION, alerts=alerts)


def _folded(sources: Sequence[Source], reading: Reading) -> list[Folded]:
    """Every group read; groups that turn out to share a worker are read again as one."""
    also: list[frozenset[str]] = []
    done: dict[tuple[str, ...], Folded] = {}
    while True:
        groups = groups_of(sources, also)
        for group in groups:
            key = tuple(source.path for source in group)
            if key not in done:
                done[key] = fold(group, reading)
        folded = [done[tuple(source.path for source in group)] for group in groups]
        shared = _shared_ids(groups, folded)
        if not shared:
            return folded
        also.extend(shared)


def _shared_ids(groups: Sequence[Sequence[Source]], folded: Sequence[Folded]) -> list[frozenset[str]]:
    """For each worker found in several groups, the ids by which those groups are known."""
    holders: dict[str, list[int]] = {}
    for at, one in enumerate(folded):
        for name in one.parts.chains:
            holders.setdefault(name, []).append(at)
    return [
        frozenset({name, *(known for at in places for source in groups[at] for known in (*source.ids, source.stem))})
        for name, places in holders.items()
        if len(places) > 1
    ]


def _notes(sources: Sequence[Source], folded: Sequence[Folded], files: dict[str, InputFile]) -> list[QualityNote]:
    torn = {name: why for one in folded for name, why in one.torn}
    notes = []
    for source in sources:
        if source.seen is None:
            notes.append(QualityNote(source.name, _unknown_sentence(source, files[source.path].lines.total)))
        elif source.name in torn:
            why = said("the packed file ends early ({problem}); read up to there", problem=str(torn[source.name]))
            notes.append(QualityNote(source.name, why))
    return notes


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
        count = sum(one.lines.unparsed for one in damaged)
        raise PartlyUnreadableError(
            f"{count} {'line fits' if count == 1 else 'lines fit'} no format, expected none under --strict",
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
    return NoDataError(problem, where=first.name, hint=formats_hint())


def _unknown_sentence(source: Source, total: int) -> str:
    if not total:
        return said("the file is empty")
    binary = any(b"\0" in line for line in source.again().head())
    return said("binary data, no log") if binary else said("no known log format; not used")
