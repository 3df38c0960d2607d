"""Gathers the files of a fleet: whose line is it, which files belong to one worker, which must stay apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from recontool.alerts.rules import BUILT_IN, Rule
from recontool.analysis.coordinators import CoordinatorFold
from recontool.analysis.security import SecurityFold
from recontool.analysis.watch import AlertWatch, Watch
from recontool.metrics.fold import WorkerFold
from recontool.model.events import Event
from recontool.model.findings import QualityNote
from recontool.model.markers import COORDINATOR


@dataclass(slots=True)
class Chain:
    """Files of one worker, read in time order as one log."""

    fold: WorkerFold
    watch: Watch
    files: list[str] = field(default_factory=list)
    rotations: set[str] = field(default_factory=set)
    known: bool = False  # some record was an event: a log of another product in our shape has none

    def feed(self, event: Event, file: str) -> None:
        """Fold one record and evaluate the rules it may move."""
        self.watch.before(event.at_us)
        self.fold.feed(event, file)
        self.watch.after(event)


@dataclass(frozen=True, slots=True)
class FileTag:
    """What the fleet needs to know about the file it reads from."""

    name: str
    rotation: str  # what rotated siblings share
    claim_only: frozenset[str] = frozenset()


class FleetFold:
    """Feed files in order of their first record: `begin(tag)`, then each record of the file.

    Files of one worker id join when they are rotated siblings or do not overlap in time; otherwise they
    are different workers, keyed `id@file`. Source: SPEC section 3, "Whose line is it".
    """

    def __init__(
        self, rules: Sequence[Rule] = BUILT_IN, watch: Callable[[WorkerFold, Sequence[Rule]], Watch] = AlertWatch
    ) -> None:
        self.security = SecurityFold()
        self.notes: list[QualityNote] = []
        self._rules, self._watch = rules, watch
        self._chains: dict[str, list[Chain]] = {}
        self._coordinators: dict[str, CoordinatorFold] = {}
        self._tag = FileTag("", "")
        self._here: dict[str, Chain] = {}  # chains the current file feeds, by source

    def begin(self, tag: FileTag) -> None:
        """The records that follow come from this file."""
        self._tag = tag
        self._here = {}

    def feed(self, event: Event) -> None:
        """Fold one record of the current file."""
        name = self._tag.name
        if event.source == COORDINATOR:
            self._coordinator().feed(event, name)
            if event.marker == "SECURITY":
                self.security.feed(self._tag.name, event, name)
            return
        chain = self._here.get(event.source)
        if chain is None:
            chain = self._here[event.source] = self._chain_for(event)
            chain.files.append(name)
            chain.rotations.add(self._tag.rotation)
        chain.known = chain.known or event.name != ""
        chain.feed(event, name)
        if event.marker == "SECURITY":
            self.security.feed(event.source, event, name)

    def roles(self) -> str:
        """What the current file held so far: worker, coordinator, mixed or none."""
        coordinator = self._tag.rotation in self._coordinators
        if any(chain.known for chain in self._here.values()):
            return "mixed" if coordinator else "worker"
        return "coordinator" if coordinator else "none"

    def chains(self) -> Mapping[str, Chain]:
        """Every worker's chain by its key."""
        keyed: dict[str, Chain] = {}
        for source, found in self._chains.items():
            chains = [chain for chain in found if chain.known]
            for chain in chains:
                keyed[source if len(chains) == 1 else f"{source}@{chain.files[0]}"] = chain
        return keyed

    def coordinators(self) -> Mapping[str, CoordinatorFold]:
        """Every coordinator's fold by the name of its newest file."""
        return {fold.name: fold for fold in self._coordinators.values()}

    def notes_on_identity(self) -> list[QualityNote]:
        """Worker ids that several overlapping logs share."""
        return [
            QualityNote(
                source,
                f"{len(chains)} logs of worker id {source!r} overlap in time; they are shown as "
                f"{len(chains)} workers, keyed id@file",
                tuple(chain.files[0] for chain in chains),
            )
            for source, chains in self._chains.items()
            if len(chains) > 1
        ]

    def _chain_for(self, event: Event) -> Chain:
        known = self._chains.setdefault(event.source, [])
        for chain in known:
            if self._tag.rotation in chain.rotations:
                return chain
        if len(known) == 1 and event.at_us >= known[0].fold.last_us:
            return known[0]
        fold = WorkerFold(event.source, claim_only=self._tag.claim_only)
        chain = Chain(fold, self._watch(fold, self._rules))
        known.append(chain)
        return chain

    def _coordinator(self) -> CoordinatorFold:
        fold = self._coordinators.get(self._tag.rotation)
        if fold is None:
            fold = self._coordinators[self._tag.rotation] = CoordinatorFold(self._tag.name)
        fold.name = self._tag.name
        return fold
