"""Folds a coordinator's own log: when it ran, whom it took in, what it applied."""

import heapq
from typing import Final

from recontool.model.events import Event
from recontool.model.findings import CoordinatorResult, Span
from recontool.model.markers import in_order
from recontool.model.units import SECOND_US

COUNTED: Final = {
    ("", "config"): "starts",
    ("", "process_started"): "starts",
    ("CONNECT", "closed"): "stops",
    ("CONNECT", "accepted"): "accepted",
    ("CONNECT", "disconnected"): "disconnected",
    ("SECURITY", "auth_failed"): "rejected",
    ("TASK", "submitted"): "submitted",
    ("TASK", "assigned"): "assigned",
    ("TASK", "applied"): "applied",
    ("TASK", "duplicate"): "duplicate",
}


# A silence counts when a session's begin or end breaks it: then sessions are logged, and one that ended would have
# been, too.
_OF_SESSIONS: Final = frozenset({"CONNECT", "SECURITY"})
_PORTS: Final = range(1, 65536)
_SILENCES_KEPT: Final = 2000
_ENDS_KEPT: Final = 10_000


class CoordinatorFold:
    """Feed every record of one coordinator in log order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._counts = dict.fromkeys(dict.fromkeys(COUNTED.values()), 0)
        self._markers: dict[str, int] = {}
        self._starts_us: list[int] = []
        self._stops_us: list[int] = []
        self._start_evidence: list[str] = []
        self._first_us: int | None = None
        self._last_us = 0
        self._port: int | None = None
        self._ended: list[tuple[int, str, str]] = []
        self._silences: list[tuple[int, int]] = []  # heap of (length, start)
        self._pause: tuple[int, int] | None = None  # the last one, as long as it may turn out to be one of them

    def feed(self, event: Event, file: str) -> None:
        """Fold one record."""
        if self._first_us is None:
            self._first_us = self._last_us = event.at_us
        if event.at_us - self._last_us >= SECOND_US:
            self._pause = (event.at_us - self._last_us, self._last_us)
        if event.marker in _OF_SESSIONS:
            self._silence(event.at_us)
        self._last_us = max(self._last_us, event.at_us)
        if event.marker:
            self._markers[event.marker] = self._markers.get(event.marker, 0) + 1
        counted = COUNTED.get((event.marker, event.name))
        if counted is None:
            return
        self._counts[counted] += 1
        if counted == "starts":
            port = event.fields.get("port")
            if isinstance(port, int) and port in _PORTS:
                self._port = port
            self._starts_us.append(event.at_us)
            self._start_evidence.append(f"{file}:{event.line}")
        elif counted == "disconnected" and len(self._ended) < _ENDS_KEPT:
            self._ended.append((event.at_us, str(event.fields.get("worker", "")), f"{file}:{event.line}"))
        elif counted == "stops":
            self._stops_us.append(event.at_us)

    def result(self) -> CoordinatorResult:
        """What the log told."""
        return CoordinatorResult(
            self.name,
            self._first_us or 0,
            self._last_us,
            tuple(self._starts_us),
            tuple(self._stops_us),
            self._counts,
            in_order(self._markers),
            tuple(self._start_evidence),
            self._port,
            tuple(sorted(self._ended)),
            tuple(
                Span(start, start + length)
                for start, length in sorted((start, length) for length, start in self._silences)
            ),
        )

    def _silence(self, at_us: int) -> None:
        """A step of a session stands at `at_us`: what it comes right after was no idle time."""
        if self._pause is not None and at_us - sum(self._pause) < SECOND_US:
            push = heapq.heappush if len(self._silences) < _SILENCES_KEPT else heapq.heappushpop
            push(self._silences, self._pause)
        self._pause = None
