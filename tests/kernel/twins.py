"""The reference and the compiled core on the same bytes, and everything either of them found."""

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from functools import cache
from types import SimpleNamespace

import near_runs
from msgspec.structs import replace

from recontool.alerts.rules import BUILT_IN, Rule
from recontool.analysis.assemble import worker_result
from recontool.analysis.compiled import ReadFile, new_fleet, parts_of, vocabulary
from recontool.analysis.fleet import FileTag, FleetFold, FleetParts
from recontool.api.summary import Summary, of_fleet, of_parts
from recontool.kernel.fleet import Chunk, Parser
from recontool.kernel.raw import moment, raw
from recontool.kernel.views import FileView
from recontool.logs.format import Format, builtin
from recontool.logs.reader import LogReader

EXAMPLE = 160
RULES = (
    *BUILT_IN,
    Rule("slow", "avg_message_latency_ms > 150", for_us=20_000_000),
    Rule("failing", "failed_reconnections > 1", keep_firing_us=40_000_000),
    Rule("busy", "reconnections_per_minute > 0", for_us=1_000_000, keep_firing_us=25_000_000),
    Rule("few", "failed_reconnections < 2", for_us=70_000_000, keep_firing_us=400_000_000),
    Rule("loose", "compression_ratio < 1000000", keep_firing_us=15_000_000),
)


def outcome(parts: FleetParts, files: Sequence[object]) -> SimpleNamespace:
    """All that is known, in a form that compares and prints."""
    workers = {}
    for key, chain in parts.workers().items():
        found = worker_result(key, chain)
        workers[key] = (
            replace(found, outages=tuple(found.outages), activity=tuple(found.activity)),
            chain.fold.disagreements(),
            list(chain.watch.alerts()),
        )
    return SimpleNamespace(
        files=list(files),
        workers=workers,
        chains={source: len(chains) for source, chains in parts.chains.items()},
        coordinators=dict(sorted(parts.coordinators.items())),
        security=sorted(parts.security),
        clocks=parts.offsets({key: found for key, (found, _, _) in workers.items()}),
    )


def by_reference(files: Sequence[bytes], form: Format, source: str = "", zone: tzinfo = UTC) -> object:
    """What the reference finds in files read one after the other."""
    fleet, seen = FleetFold(RULES), []
    for number, text in enumerate(files):
        fleet.begin(FileTag(number, f"{number}.log", str(number), form.claim_only))
        lines = (line + b"\n" for line in text.split(b"\n")) if text else ()
        reader = LogReader(_without_last(lines, text), form, source=source, zone=zone)
        for event in reader:
            fleet.feed(event)
        examples = [(line, shown) for line, shown, _ in reader.examples]
        seen.append((reader.counts(), reader.first_us, reader.last_us, examples))
    found = outcome(fleet.parts(), seen)
    found.summary = of_parts(fleet.parts())
    return found


def _without_last(lines: Iterable[bytes], text: bytes) -> list[bytes]:
    """As reading a file would: no line after the last newline."""
    kept = list(lines)
    return kept[:-1] if text.endswith(b"\n") else kept


FORMATS = {**builtin(), near_runs.OWN.name: near_runs.OWN}


@cache
def parser_of(name: str, source: str, zone: tzinfo, *, light: bool = False) -> Parser:
    """One for all cases, so that what it has learnt of one meets the lines of the next."""
    return Parser(vocabulary(), FORMATS[name], source, zone, light=light)


@cache
def chunk_of(_: Parser) -> Chunk:
    """One for each parser, for the same reason."""
    return Chunk()


def summarised(files: Sequence[Sequence[bytes]], form: Format, source: str, zone: tzinfo) -> Summary:
    """What the core's cheaper look finds in the same pieces."""
    fleet = new_fleet(light=True)
    parser = parser_of(form.name, source, zone, light=True)
    chunk = chunk_of(parser)
    for number, pieces in enumerate(files):
        fleet.begin(parser, number, number)
        for piece in pieces:
            chunk.give(piece, parser)
            fleet.fold(parser, chunk)
        fleet.end_file(parser)
    return of_fleet(fleet)


def by_core(
    files: Sequence[Sequence[bytes]], form: Format, source: str = "", zone: tzinfo = UTC, *, resume: bool = False
) -> object:
    """What the core finds in files given piece by piece; `resume`: saved and loaded again after every piece."""
    from recontool.model.findings import LineCount

    fleet, seen = new_fleet(RULES), []
    parser = parser_of(form.name, source, zone)
    chunk = chunk_of(parser)
    for number, pieces in enumerate(files):
        fleet.begin(parser, number, number)
        for piece in pieces:
            chunk.give(piece, parser)
            fleet.fold(parser, chunk)
            if resume:
                state, fleet = fleet.save(), new_fleet(RULES)
                assert fleet.load(state)
        fleet.end_file(parser)
        view = fleet.view("file", FileView)
        parsed, continuation, blank, unmarked, unparsed, duplicate = view.counts
        counts = LineCount(view.lines, parsed, continuation, blank, unmarked, unparsed, duplicate)
        examples = [
            (view.example_line[at], raw(view.example[at], view.example_n[at])[:EXAMPLE].decode("utf-8", "replace"))
            for at in range(view.examples_n)
        ]
        seen.append((counts, moment(view.first), moment(view.last), examples))
    named = {number: ReadFile(f"{number}.log", form, source, number, zone) for number in range(len(files))}
    found = outcome(parts_of(fleet, named, RULES), seen)
    found.summary = summarised(files, form, source, zone)
    return found
