"""The two-state fold: connection events of one worker -> outages, reconnections, flaps, stability.

A worker is UP or DOWN. A loss seen while DOWN and an `established` seen while UP (ghost connections)
change nothing. An orderly close ends observation until the next process start. Source: SPEC section 1.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from recontool.model.findings import WORKER_CAUSES, Outage, Span
from recontool.model.outages import OutageColumns
from recontool.model.units import MINUTE_US, SECOND_US

FLAP_US: Final = 10 * SECOND_US
FAILED_WINDOW_US: Final = 5 * MINUTE_US


class State(Enum):
    """ABSENT: not yet established, or closed in an orderly way."""

    ABSENT = "absent"
    UP = "up"
    DOWN = "down"


class _OpenOutage(Struct):
    start_us: int
    cause: str
    code: int | None
    evidence: str
    attempts: int = 0


class TimelineBooks(Struct, frozen=True):
    """What another fold of the same events has found of a timeline; outages include the open one."""

    outages: Sequence[Outage]
    forced: int
    open_since_us: int | None
    flaps: Sequence[Span]
    absences: Sequence[Span]
    first_established_us: int | None
    longest_us: int | None
    restarts: int
    gave_up: int
    most_per_minute: int
    outage_us: int
    absent_us: int
    absent_since_us: int | None


class Timeline:
    """Feed the connection events of one worker in log order; evidence strings are "file:line" or "".

    `outages` are the completed ones, oldest first; `closed_outages()` adds the open one.
    """

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.state = State.ABSENT
        self.outages: list[Outage] = []
        self.flaps: list[Span] = []
        self.first_established_us: int | None = None
        self.longest_us: int | None = None
        self.restarts = 0
        self.gave_up = 0
        self.most_per_minute = 0
        self.failed = 0  # attempts
        self.open: _OpenOutage | None = None
        self.recent: deque[int] = deque()  # ends of reconnections in the trailing minute
        self.recent_failures: deque[int] = deque()  # failed attempts in the trailing five minutes
        self.absences: list[Span] = []  # orderly closed, after the first established
        self._outage_us = 0
        self._absent_us = 0
        self._absent_since: int | None = None
        self._session_start_us = 0
        self._attempt_pending = False
        self._found: TimelineBooks | None = None

    def restore(self, books: TimelineBooks) -> None:
        """Show what another fold has found; this one cannot be fed any more."""
        self._found = books
        self.first_established_us, self.longest_us = books.first_established_us, books.longest_us
        self.restarts, self.gave_up, self.most_per_minute = books.restarts, books.gave_up, books.most_per_minute
        self.flaps, self.absences = list(books.flaps), list(books.absences)
        self._outage_us, self._absent_us, self._absent_since = books.outage_us, books.absent_us, books.absent_since_us
        if books.open_since_us is not None:
            self.open = _OpenOutage(books.open_since_us, "", None, "")

    def rename(self, key: str) -> None:
        """Outages carry `key` instead of the worker's id."""
        self.worker = key
        if self._found is not None and isinstance(self._found.outages, OutageColumns):
            self._found = replace(self._found, outages=self._found.outages.named(key))
        self.outages = [replace(outage, worker=key) for outage in self.outages]

    def attempt(self, at_us: int) -> None:
        """A try to connect begins; one that was still pending has thereby failed."""
        self.fail_pending(at_us)
        self._attempt_pending = True
        if self.open is not None:
            self.open.attempts += 1

    def fail_pending(self, at_us: int) -> bool:
        """The pending try, if any, has failed; returns whether there was one."""
        if not self._attempt_pending:
            return False
        self._attempt_pending = False
        self.failed += 1
        self.recent_failures.append(at_us)
        return True

    def established(self, at_us: int, evidence: str) -> int | None:
        """A session is usable; returns the duration in us of the outage this ends, if it ends one."""
        self._attempt_pending = False
        if self.state is State.UP:
            return None
        if self.first_established_us is None:
            self.first_established_us = at_us
        self._observe_again(at_us)
        self.state = State.UP
        self._session_start_us = at_us
        return None if self.open is None else self._end_outage(at_us, evidence)

    def lost(self, at_us: int, cause: str, code: int | None, evidence: str) -> None:
        """The session is gone; changes nothing unless the worker is UP.

        A try that is under way goes on: the late close of an older connection says nothing about it.
        """
        if self.state is not State.UP:
            return
        self.state = State.DOWN
        if at_us - self._session_start_us <= FLAP_US:
            self.flaps.append(Span(self._session_start_us, at_us))
        self.open = _OpenOutage(at_us, cause, code, evidence)

    def closed(self, at_us: int) -> None:
        """An orderly end: no outage, and no observation until the next process start."""
        if self.open is not None:  # stopped while DOWN: the outage is not over, nobody will see its end
            return
        if self.state is State.UP:
            self.state = State.ABSENT
            self._absent_since = at_us

    def process_started(self, at_us: int, last_record_us: int, evidence: str) -> None:
        """A new process of the same worker; while UP it means the previous one died at its last record."""
        self.fail_pending(at_us)
        self._observe_again(at_us)
        if self.state is State.UP:
            self.restarts += 1
            self.lost(min(last_record_us, at_us), "crash", None, evidence)

    def expire(self, now_us: int) -> None:
        """Drop what has left the trailing windows (t - w, t]."""
        while self.recent and self.recent[0] <= now_us - MINUTE_US:
            self.recent.popleft()
        while self.recent_failures and self.recent_failures[0] <= now_us - FAILED_WINDOW_US:
            self.recent_failures.popleft()

    def stability(self, last_us: int) -> float:
        """1 - outage time / observed time up to `last_us`; 0 if never established."""
        observed_us, outage_us = self.observed_us(last_us)
        if observed_us > 0:
            return 1.0 - outage_us / observed_us
        return float(self.first_established_us is not None and self.open is None)

    def observed_us(self, last_us: int) -> tuple[int, int]:
        """(observed, outage) microseconds up to `last_us`, an open outage counted to it."""
        if self.first_established_us is None:
            return 0, 0
        absent_us = self._absent_us
        if self._absent_since is not None:
            absent_us += max(0, last_us - self._absent_since)
        open_us = max(0, last_us - self.open.start_us) if self.open is not None else 0
        return last_us - self.first_established_us - absent_us, self._outage_us + open_us

    def observed(self, last_us: int) -> tuple[Span, ...]:
        """The spans in which the worker was observed: first established to `last_us` without absences."""
        if self.first_established_us is None:
            return ()
        absences = list(self.absences)
        if self._absent_since is not None:
            absences.append(Span(self._absent_since, last_us))
        spans, start_us = [], self.first_established_us
        for absence in absences:
            spans.append(Span(start_us, absence.start_us))
            start_us = absence.end_us
        if start_us < last_us:
            spans.append(Span(start_us, last_us))
        return tuple(spans)

    def all_outages(self) -> Sequence[Outage]:
        """Completed outages and the open one, oldest first."""
        if self._found is not None:
            return self._found.outages
        if self.open is None:
            return tuple(self.outages)
        started = self.open
        return (
            *self.outages,
            Outage(
                self.worker,
                started.start_us,
                None,
                started.cause,
                started.code,
                started.attempts,
                _given(started.evidence),
            ),
        )

    def forced(self) -> int:
        """Outages the worker started itself."""
        if self._found is not None:
            return self._found.forced
        return sum(outage.cause in WORKER_CAUSES for outage in self.all_outages())

    def _end_outage(self, at_us: int, evidence: str) -> int:
        started = self.open
        if started is None:
            raise ValueError("no outage is open")
        self.open = None
        end_us = max(at_us, started.start_us)  # a clock that stepped back must not make time negative
        duration_us = end_us - started.start_us
        self.outages.append(
            Outage(
                self.worker,
                started.start_us,
                end_us,
                started.cause,
                started.code,
                started.attempts,
                _given(started.evidence, evidence),
            )
        )
        self._outage_us += duration_us
        self.longest_us = max(self.longest_us or 0, duration_us)
        self.recent.append(end_us)
        self.expire(end_us)
        self.most_per_minute = max(self.most_per_minute, len(self.recent))
        return duration_us

    def _observe_again(self, at_us: int) -> None:
        if self._absent_since is None:
            return
        end_us = max(at_us, self._absent_since)
        self.absences.append(Span(self._absent_since, end_us))
        self._absent_us += end_us - self._absent_since
        self._absent_since = None


def _given(*evidence: str) -> tuple[str, ...]:
    return tuple(place for place in evidence if place)
