"""What the compiled core has folded of a fleet, as the parts that the reference fold would have found."""

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import cache
from math import isnan
from typing import Any, Final

from msgspec import Struct

from recontool.alerts.rules import BUILT_IN, Rule
from recontool.alerts.state import decided
from recontool.analysis.clocks import ClockFold
from recontool.analysis.coordinators import COUNTED
from recontool.analysis.fleet import Chain, FleetParts
from recontool.analysis.security import detail
from recontool.analysis.watch import MOVED_BY
from recontool.kernel.fleet import NativeFleet, Vocabulary, core
from recontool.kernel.hydrate import worker_fold
from recontool.kernel.raw import longs, moment, raw, text
from recontool.kernel.tables import vocabulary as table
from recontool.kernel.views import CoordinatorView, SecurityView
from recontool.logs.decoder import decoder_for
from recontool.logs.format import Format
from recontool.metrics.fold import WorkerFold
from recontool.model.events import Event
from recontool.model.findings import Alert, CoordinatorResult, SecurityFinding, Span
from recontool.model.markers import Marker

_METRICS: Final = tuple(MOVED_BY)


@cache
def vocabulary() -> Vocabulary:
    """The core's vocabulary, which knows what events may move which alert metric."""
    moves: dict[str, int] = {}
    for bit, names in enumerate(MOVED_BY.values()):
        for name in names:
            moves[name] = moves.get(name, 0) | 1 << bit
    return Vocabulary(table(moves))


def new_fleet(rules: Sequence[Rule] = BUILT_IN, *, light: bool = False) -> NativeFleet:
    """An empty fleet that watches `rules`; a `light` one folds sessions, task outcomes and markers only."""
    watched = [
        (_METRICS.index(rule.metric), rule.comparison == ">", rule.threshold, rule.for_us, rule.keep_firing_us)
        for rule in rules
    ]
    return NativeFleet(watched, light=light)


class ReadFile(Struct, frozen=True):
    """How a file of the fleet is called in evidence, how its lines are read, which place it has among all files."""

    name: str
    form: Format
    source: str
    order: int = 0
    zone: tzinfo = UTC


class _ThinnedByCore(Struct, frozen=True):
    """The samples the core has kept."""

    fleet: NativeFleet
    number: int
    rules: Sequence[Rule]
    fold: WorkerFold

    def finish(self) -> None:
        """The core has looked up to the last record."""

    def alerts(self) -> list[Alert]:
        """Every interval, oldest first per rule."""
        return [
            alert
            for at, rule in enumerate(self.rules)
            if (samples := self._samples(at))
            for alert in decided(rule, self.fold.worker, samples)
        ]

    def _samples(self, at: int) -> list[tuple[int, float | None]]:
        place = ctypes.c_void_p()
        count = core().recon_samples(self.fleet.handle, self.number, at, ctypes.byref(place))
        rows = memoryview(raw(place.value, 16 * count))
        if not count:
            return []
        values = (None if isnan(value) else value for value in rows.cast("d")[1::2].tolist())
        return list(zip(rows.cast("q")[::2].tolist(), values, strict=True))


def parts_of(fleet: NativeFleet, files: Mapping[int, ReadFile], rules: Sequence[Rule] = BUILT_IN) -> FleetParts:
    """What `fleet` has folded; `files` by the numbers they were begun with. The fleet must be fed no more."""
    fleet.finish()
    names = _Names(files)
    parts = FleetParts()
    for number in range(fleet.count("workers")):
        fold, view = worker_fold(fleet, number, names)
        if view.config_n:
            fold.config = _decoded(files[view.config_file], raw(view.config, view.config_n)).fields
        chain = Chain(fold, _ThinnedByCore(fleet, number, rules, fold), known=bool(view.known))
        chain.files = [names[file] for file in _shorts(view.files, view.files_n)]
        parts.chains.setdefault(fold.source_id, []).append(chain)
    for number in range(fleet.count("coordinators")):
        found = _coordinator(fleet, number, files, names)
        parts.coordinators[found.file] = found
    for number in range(fleet.count("securities")):
        parts.security.append(_finding(fleet.view("security", SecurityView, number), files))

    def feed(clocks: ClockFold) -> None:
        for file, event in _kept(fleet, -1, fleet.count("steps"), files):
            clocks.feed(file, event)

    parts.kept.append(feed)
    return parts


class _Names(Sequence[str]):
    """Names of files by number."""

    def __init__(self, files: Mapping[int, ReadFile]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: Any) -> Any:
        return self._files[number].name


def _shorts(place: int | None, count: int) -> list[int]:
    return memoryview(raw(place, 4 * count)).cast("I").tolist() if count else []


def _decoded(file: ReadFile, line: bytes) -> Event:
    """A line the core has found to be an event, with all its fields."""
    decoder = decoder_for(file.form, source=file.source, zone=file.zone)
    header = decoder.header(line)
    events = decoder.events(header) if header is not None else ()
    return events[0]


def _kept(
    fleet: NativeFleet, coordinator: int, count: int, files: Mapping[int, ReadFile]
) -> Iterator[tuple[str, Event]]:
    """(file, event) of lines the core has kept."""
    file, line, place = ctypes.c_int64(), ctypes.c_int64(), ctypes.c_void_p()
    arguments = (ctypes.byref(one) for one in (file, line, place))
    file_at, line_at, raw_at = arguments
    for number in range(count):
        size = core().recon_kept(fleet.handle, coordinator, number, file_at, line_at, raw_at)
        event = _decoded(files[file.value], raw(place.value, size))
        event.line = line.value
        yield files[file.value].name, event


def _coordinator(
    fleet: NativeFleet, number: int, files: Mapping[int, ReadFile], names: Sequence[str]
) -> CoordinatorResult:
    view = fleet.view("coordinator", CoordinatorView, number)
    counts = dict.fromkeys(dict.fromkeys(COUNTED.values()), 0)
    for (marker, name), counted in COUNTED.items():
        counts[counted] += view.counts[vocabulary().kind(marker, name)]
    places = longs(view.evidence, 2 * view.starts_n)
    starts = zip((word & 0xFFFFFFFF for word in places[::2]), places[1::2], strict=True)
    return CoordinatorResult(
        names[view.file],
        view.first,
        view.last,
        tuple(longs(view.starts, view.starts_n)),
        tuple(longs(view.stops, view.stops_n)),
        counts,
        {marker.value: view.markers[at] for at, marker in enumerate(Marker, 1) if view.markers[at]},
        tuple(f"{names[file]}:{line}" for file, line in starts),
        moment(view.port),
        tuple(
            sorted(
                (event.at_us, str(event.fields.get("worker", "")), f"{file}:{event.line}")
                for file, event in _kept(fleet, number, view.ended_n, files)
            )
        ),
        tuple(Span(start, start + length) for start, length in sorted(_silences(view))),
    )


def _silences(view: Any) -> Iterator[tuple[int, int]]:
    words = longs(view.silences, 2 * view.silences_n)
    return zip(words[1::2], words[::2], strict=True)


def _finding(view: Any, files: Mapping[int, ReadFile]) -> tuple[tuple[int, int], SecurityFinding]:
    first = view.evidence[0]
    event = _decoded(files[first.file], raw(view.line, view.line_n))
    source = files[view.file].name if view.by_file else text(view.source, view.source_n)
    evidence = tuple(f"{files[one.file].name}:{one.line}" for one in view.evidence[: view.evidence_n])
    finding = SecurityFinding(
        source, text(view.name, view.name_n), view.count, detail(event), view.first, view.last, evidence
    )
    return (files[first.file].order, first.line), finding
