"""Who has a session and who had one: each worker's sessions as this coordinator saw them, the latest ones kept."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from recontool.model.live import LiveSession

KEPT: Final = 64  # sessions per worker


class Attendance(Struct):
    """One worker's sessions; `losses` counts those that ended without a goodbye, kept or not."""

    sessions: deque[LiveSession] = field(default_factory=lambda: deque(maxlen=KEPT))
    losses: int = 0
    heard_us: int = 0


class Presence:
    """Every worker that had a session since the start. Tell it what happens in the order in which it happens."""

    def __init__(self) -> None:
        self._workers: dict[str, Attendance] = {}

    def began(self, worker: str, at_us: int) -> None:
        """A session of `worker` began."""
        self._workers.setdefault(worker, Attendance()).sessions.append(LiveSession(at_us))

    def ended(self, worker: str, at_us: int, *, orderly: bool) -> None:
        """It ended; `orderly` when the worker said goodbye."""
        found = self._workers[worker]
        found.sessions.append(LiveSession(found.sessions.pop().start_us, at_us, orderly))
        found.losses += not orderly

    def heard(self, worker: str, at_us: int) -> None:
        """Metrics of `worker` came."""
        self._workers[worker].heard_us = at_us

    def items(self) -> Iterator[tuple[str, Attendance]]:
        """Every worker in the order in which it first came."""
        return iter(self._workers.items())
