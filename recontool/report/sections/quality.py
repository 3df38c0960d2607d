"""What the numbers rest on: every file with where its lines went, notes, and what the coordinators saw."""

from collections.abc import Iterable, Sequence

from recontool.model.findings import Analysis, ClockOffset, CoordinatorResult, InputFile
from recontool.model.units import SECOND_US
from recontool.report import quantity, view
from recontool.report.language import say, spoken
from recontool.report.view import Cell, Row, Section, Table

_EXAMPLES = 20


def section(analysis: Analysis) -> Section:
    """Line accounting by file, the first unparsed lines, notes and coordinator logs."""
    total = sum(file.lines.total for file in analysis.inputs)
    unparsed = sum(file.lines.unparsed for file in analysis.inputs)
    tables = [_files(analysis.inputs)]
    if any(file.unparsed_examples for file in analysis.inputs):
        tables.append(_examples(analysis.inputs))
    if analysis.quality:
        rows = [
            Row(view.cells(note.subject, spoken(note.text), view.evidence(note.evidence))) for note in analysis.quality
        ]
        tables.append(
            view.table(say("Notes about the input"), view.columns("`About", "~Note", "`Evidence"), rows, what="notes")
        )
    if analysis.clocks:
        tables.append(_clocks(analysis.clocks))
    if analysis.coordinators:
        tables.append(_coordinators(analysis.coordinators.values()))
    read = {"lines": quantity.counted(total, "line"), "files": quantity.counted(len(analysis.inputs), "file")}
    lead = say(
        "{lines} in {files}; every one accounted for. Parsed, continuation, blank, unmarked, unparsed and duplicate lines "
        "add up to the total.",
        **read,
    )
    if unparsed:
        lead = say(
            "{lines} in {files}; {n} could not be read ({share}). Parsed, continuation, blank, unmarked, unparsed and "
            "duplicate lines add up to the total.",
            **read,
            n=quantity.count(unparsed),
            share=quantity.percent(unparsed, total),
        )
    return Section(
        "quality",
        say("Data quality"),
        lead=lead,
        badge=say("{n} unparsed", n=quantity.count(unparsed)) if unparsed else "",
        tone="warning" if unparsed else "ok",
        tables=tuple(tables),
    )


def _files(inputs: tuple[InputFile, ...]) -> Table:
    titles = view.columns(
        "`File", "Role", "Format", "#Lines", "#Parsed", "#Continuation", "#Blank", "#Unmarked", "#Unparsed", "#Duplicate",
        "First record (UTC)", "Last record (UTC)",
    )  # fmt: skip
    return view.table(say("Files and where their lines went"), titles, [_file(file) for file in inputs], what="files")


def _file(file: InputFile) -> Row:
    lines = file.lines
    counts = (lines.total, lines.parsed, lines.continuation, lines.blank, lines.unmarked)
    instants = (file.first_us, file.last_us)
    return Row(
        (
            Cell(file.path),
            Cell(spoken(file.role)),
            Cell(file.format),
            *(Cell(quantity.count(number), sort=number) for number in counts),
            Cell(quantity.count(lines.unparsed), "warning" if lines.unparsed else "", sort=lines.unparsed),
            Cell(quantity.count(lines.duplicate), sort=lines.duplicate),
            *(Cell(quantity.NOTHING if at is None else quantity.moment(at), sort=at) for at in instants),
        )
    )


def _examples(inputs: tuple[InputFile, ...]) -> Table:
    found = [(file.name, *example) for file in inputs for example in file.unparsed_examples]
    rows = [Row(view.cells(f"{name}:{line}", spoken(why), text)) for name, line, text, why in found[:_EXAMPLES]]
    return view.table(
        say("The first unparsed lines"), view.columns("`Where", "Why", "`Line"), rows, of=len(found), what="examples"
    )


def _clocks(found: Sequence[ClockOffset]) -> Table:
    ranked = sorted(found, key=lambda clock: (-abs(clock.offset_us), clock.worker))
    rows = [
        Row(
            (
                Cell(clock.worker),
                Cell(f"{clock.offset_us / SECOND_US:+.3f} s", sort=clock.offset_us),
                Cell(f"\N{PLUS-MINUS SIGN}{quantity.duration(clock.error_us)}", sort=clock.error_us),
                Cell(quantity.count(clock.sessions), sort=clock.sessions),
            )
        )
        for clock in ranked
    ]
    titles = view.columns("`Worker", "#Clock ahead by", "#Uncertainty", "#Sessions both sides logged")
    return view.table(say("Workers' clocks against the coordinator's"), titles, rows, what="workers")


def _coordinators(found: Iterable[CoordinatorResult]) -> Table:
    known = sorted(found, key=lambda coordinator: coordinator.file)
    names = list(dict.fromkeys(name for coordinator in known for name in coordinator.counts))
    rows = [
        Row(
            (
                Cell(coordinator.file),
                Cell(quantity.moment(coordinator.first_us), sort=coordinator.first_us),
                Cell(quantity.moment(coordinator.last_us), sort=coordinator.last_us),
                *(Cell(quantity.count(n), sort=n) for n in (coordinator.counts.get(name, 0) for name in names)),
                Cell(view.evidence(coordinator.start_evidence)),
            )
        )
        for coordinator in known
    ]
    counts = [view.Column(spoken(name.replace("_", " ").capitalize()), "number") for name in names]
    titles = (
        *view.columns("`Coordinator log", "First record (UTC)", "Last record (UTC)"),
        *counts,
        *view.columns("`Started at"),
    )
    return view.table(say("What the coordinators saw"), titles, rows, what="coordinators")
