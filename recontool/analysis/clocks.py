"""Estimates how far each worker's clock stands from the coordinator's, from sessions that both of them logged.

A session was accepted after the worker dialled and before the worker called it established. In true time these
three are in order, so each session bounds the offset from both sides; many sessions narrow it down.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from recontool.metrics.gaps import median_us
from recontool.model.events import Event
from recontool.model.findings import ClockOffset, WorkerResult
from recontool.model.markers import COORDINATOR

WORTH_US: Final = 200_000  # offsets smaller than this move no outage into another group
# Steps kept per file; the bounds do not get better for long. src/fleet.c keeps as many.
_STEPS_KEPT: Final = 4000  # of each worker
_ACCEPTED_KEPT: Final = 50_000  # of each coordinator
_STEPS: Final = frozenset({"attempt", "established"})
_SESSIONS: Final = frozenset({"CONNECT", "RECONNECT"})


class _Source(Struct):
    """One worker in one file: when it dialled last, and its sessions as (dialled, established)."""

    dialled_us: int | None
    sessions: dict[str, tuple[int, int]]
    seen: int = 0


class ClockFold:
    """Feed the events of every file in log order; files may come in any order."""

    def __init__(self) -> None:
        self.sources: dict[tuple[str, str], _Source] = {}
        self.accepted: dict[str, tuple[str, int]] = {}
        self._seen: dict[str, int] = {}  # accepted sessions by file

    def feed(self, file: str, event: Event) -> None:
        """Fold one event of `file`; all but the steps of a connection cost one look."""
        if event.marker not in _SESSIONS:
            return
        session = event.fields.get("session")
        if event.source == COORDINATOR:
            if event.name == "accepted" and event.marker == "CONNECT":
                self._seen[file] = self._seen.get(file, 0) + 1
                if isinstance(session, str) and self._seen[file] <= _ACCEPTED_KEPT:
                    self.accepted.setdefault(session, (file, event.at_us))
        elif event.name in _STEPS:
            source = self.sources.setdefault((file, event.source), _Source(None, {}))
            source.seen += 1
            if source.seen > _STEPS_KEPT:
                return
            if event.name == "attempt":
                source.dialled_us = event.at_us
            elif source.dialled_us is not None and isinstance(session, str):
                source.sessions.setdefault(session, (source.dialled_us, event.at_us))

    def add(self, other: "ClockFold") -> None:
        """Take in what was seen in other files."""
        self.sources.update(other.sources)
        for session, place in other.accepted.items():
            self.accepted.setdefault(session, place)

    def offsets(self, workers: Mapping[str, WorkerResult]) -> tuple[ClockOffset, ...]:
        """The offset of every worker that shares at least one session with a coordinator's log."""
        found = []
        for key, worker in workers.items():
            bounds = [
                bound
                for file in worker.files
                if (source := self.sources.get((file, worker.worker))) is not None
                for bound in self._bounds(source)
            ]
            if bounds:
                offset_us, error_us = _meeting(bounds)
                found.append(ClockOffset(key, offset_us, error_us, len(bounds)))
        return tuple(found)

    def _bounds(self, source: _Source) -> list[tuple[int, int]]:
        """(least, most) offset that each shared session allows."""
        return [
            (dialled_us - self.accepted[session][1], established_us - self.accepted[session][1])
            for session, (dialled_us, established_us) in source.sessions.items()
            if session in self.accepted
        ]


def _meeting(bounds: list[tuple[int, int]]) -> tuple[int, int]:
    """The middle of what all bounds allow, and how far it may be off; of clocks that were set meanwhile the median."""
    least, most = max(low for low, _ in bounds), min(high for _, high in bounds)
    if least <= most:
        return (least + most) // 2, (most - least + 1) // 2
    middles = [(low + high) // 2 for low, high in bounds]
    offset_us = median_us(middles)
    return offset_us, max(abs(middle - offset_us) for middle in middles)
