"""Gathers the files of a fleet: whose line is it, which files belong to one worker, which must stay apart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from recontool.alerts.rules import BUILT_IN, Rule
from recontool.analysis.clocks import ClockFold
from recontool.analysis.coordinators import CoordinatorFold
from recontool.analysis.security import SecurityFold
from recontool.analysis.watch import AlertWatch
from recontool.metrics.fold import WorkerFold
from recontool.model.events import Event
from recontool.model.findings import (
    Alert,
    ClockOffset,
    CoordinatorResult,
    QualityNote,
    SecurityFinding,
    WorkerResult,
)
from recontool.model.markers import COORDINATOR
from recontool.model.order import natural
from recontool.model.said import said


class Watch(Protocol):
    """What is asked of the alert rules of one worker once its log is folded."""

    def finish(self) -> None:
        """Evaluate up to the last record."""

    def alerts(self) -> Sequence[Alert]:
        """Every firing, oldest first per rule."""


class EventWatch(Watch, Protocol):
    """A watch that stands around the fold of each event."""

    def before(self, event: Event) -> None:
        """Called before the fold sees `event`."""

    def after(self, event: Event) -> None:
        """Called right after the fold has seen `event`."""


class Chain(Struct):
    """Files of one worker, read in time order as one log."""

    fold: WorkerFold
    watch: Watch
    files: list[str] = field(default_factory=list)
    rotations: set[str] = field(default_factory=set)
    known: bool = False  # some record was an event: a log of another product in our shape has none


class FleetParts(Struct):
    """What was folded of some files of a fleet; parts of files that share no worker add up.

    Security findings stand with the place (number of file, line) that puts them in order.
    """

    chains: dict[str, list[Chain]] = field(default_factory=dict)  # by worker id
    coordinators: dict[str, CoordinatorResult] = field(default_factory=dict)  # by the name of its newest file
    security: list[tuple[tuple[int, int], SecurityFinding]] = field(default_factory=list)
    clocks: ClockFold = field(default_factory=ClockFold)
    # Lines the compiled core kept for what it does not fold: fed to `clocks` where a coordinator's log makes it worth while.
    kept: list[Callable[[ClockFold], None]] = field(default_factory=list)

    def add(self, other: "FleetParts") -> None:
        """Take in the parts of other files."""
        for source, chains in other.chains.items():
            self.chains.setdefault(source, []).extend(chains)
        self.coordinators.update(other.coordinators)
        self.security.extend(other.security)
        self.clocks.add(other.clocks)
        self.kept.extend(other.kept)

    def offsets(self, workers: Mapping[str, WorkerResult]) -> tuple[ClockOffset, ...]:
        """How far the workers' clocks stand from their coordinator's, as far as both sides logged sessions."""
        if self.coordinators:
            for keep in self.kept:
                keep(self.clocks)
            self.kept = []
        return self.clocks.offsets(workers)

    def workers(self) -> dict[str, Chain]:
        """Every worker's chain by its key, in natural order."""
        keyed: dict[str, Chain] = {}
        for source, found in self.chains.items():
            chains = [chain for chain in found if chain.known]
            for chain in chains:
                keyed[source if len(chains) == 1 else f"{source}@{chain.files[0]}"] = chain
        return {key: keyed[key] for key in sorted(keyed, key=natural)}

    def notes_on_identity(self) -> list[QualityNote]:
        """Worker ids that several overlapping logs share."""
        return [
            QualityNote(
                source,
                said(
                    "{n} logs of worker id {worker} overlap in time; they are shown as {n} workers, keyed id@file",
                    n=str(len(chains)),
                    worker=repr(source),
                ),
                tuple(chain.files[0] for chain in chains),
            )
            for source, chains in sorted(self.chains.items(), key=lambda item: natural(item[0]))
            if len(chains) > 1
        ]


class FileTag(Struct, frozen=True):
    """What the fleet needs to know about the file it reads from."""

    number: int
    name: str
    rotation: str  # what rotated siblings share
    claim_only: frozenset[str] = frozenset()


class FleetFold:
    """Feed files in order of their first record: `begin(tag)`, then each record of the file.

    Files of one worker id join when they are rotated siblings or do not overlap in time; otherwise they
    are different workers, keyed `id@file`. Source: SPEC section 3, "Whose line is it".
    """

    def __init__(
        self, rules: Sequence[Rule] = BUILT_IN, watch: Callable[[WorkerFold, Sequence[Rule]], EventWatch] = AlertWatch
    ) -> None:
        self.security = SecurityFold()
        self.clocks = ClockFold()
        self._rules, self._watch = rules, watch
        self._chains: dict[str, list[tuple[Chain, EventWatch]]] = {}
        self._coordinators: dict[str, CoordinatorFold] = {}
        self._tag = FileTag(0, "", "")
        self._here: dict[str, tuple[Chain, EventWatch]] = {}  # chains the current file feeds, by source

    def begin(self, tag: FileTag) -> None:
        """The records that follow come from this file."""
        self._tag = tag
        self._here = {}

    def feed(self, event: Event) -> None:
        """Fold one record of the current file."""
        name = self._tag.name
        self.clocks.feed(name, event)
        if event.source == COORDINATOR:
            self._coordinator().feed(event, name)
            if event.marker == "SECURITY":
                self.security.feed(self._tag.name, event, self._tag.number, name)
            return
        known = self._here.get(event.source)
        if known is None:
            known = self._here[event.source] = self._chain_for(event)
            known[0].files.append(name)
            known[0].rotations.add(self._tag.rotation)
        chain, watch = known
        chain.known = chain.known or event.name != ""
        watch.before(event)
        chain.fold.feed(event, name)
        watch.after(event)
        if event.marker == "SECURITY":
            self.security.feed(event.source, event, self._tag.number, name)

    def roles(self) -> str:
        """What the current file held so far: worker, coordinator, mixed or none."""
        coordinator = self._tag.rotation in self._coordinators
        if any(chain.known for chain, _ in self._here.values()):
            return "mixed" if coordinator else "worker"
        return "coordinator" if coordinator else "none"

    def parts(self) -> FleetParts:
        """What was found, to be closed by `assemble`."""
        return FleetParts(
            {source: [chain for chain, _ in found] for source, found in self._chains.items()},
            {fold.name: fold.result() for fold in self._coordinators.values()},
            self.security.findings(),
            self.clocks,
        )

    def _chain_for(self, event: Event) -> tuple[Chain, EventWatch]:
        known = self._chains.setdefault(event.source, [])
        for pair in known:
            if self._tag.rotation in pair[0].rotations:
                return pair
        if len(known) == 1 and event.at_us >= known[0][0].fold.last_us:
            return known[0]
        fold = WorkerFold(event.source, claim_only=self._tag.claim_only)
        watch = self._watch(fold, self._rules)
        known.append((Chain(fold, watch), watch))
        return known[-1]

    def _coordinator(self) -> CoordinatorFold:
        fold = self._coordinators.get(self._tag.rotation)
        if fold is None:
            fold = self._coordinators[self._tag.rotation] = CoordinatorFold(self._tag.name)
        fold.name = self._tag.name
        return fold
