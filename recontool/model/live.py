"""What a running coordinator knows at one instant: the runtime gathers it, the dashboard shows it.

Instants are integer microseconds UTC by the coordinator's clock.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field


class LiveSession(Struct, frozen=True):
    """One session as the coordinator saw it; open when `end_us` is None, `orderly` when the worker said goodbye."""

    start_us: int
    end_us: int | None = None
    orderly: bool = False


class LiveWorker(Struct, frozen=True):
    """One worker since this coordinator's start.

    Attributes:
        sessions: the latest ones in time order; `losses` counts all that ended without a goodbye.
        heard_us: when its latest metrics came; 0 before the first.
        tasks: how many it holds.
    """

    worker: str
    sessions: Sequence[LiveSession]
    losses: int
    heard_us: int
    metrics: Mapping[str, float | int | None]
    tasks: int

    @property
    def connected(self) -> bool:
        """Whether it has a session."""
        return bool(self.sessions) and self.sessions[-1].end_us is None

    @property
    def left(self) -> bool:
        """Whether it said goodbye, so that nobody waits for it."""
        return bool(self.sessions) and self.sessions[-1].orderly

    @property
    def since_us(self) -> int:
        """Since when it is connected or away."""
        last = self.sessions[-1]
        return last.start_us if last.end_us is None else last.end_us


class LiveTask(Struct, frozen=True):
    """A task that runs, or one whose result came lately; `applied_us` is None while it runs."""

    task: str
    kind: str
    state: str
    worker: str
    attempts: int
    applied_us: int | None


class LivePoint(Struct, frozen=True):
    """The fleet at one tick, for trends."""

    at_us: int
    connected: int
    firing: int
    values: Mapping[str, float | None]


class LiveProcess(Struct, frozen=True):
    """The coordinator's own process.

    Attributes:
        cpu_share: processor time over wall time since the tick before; 1.0 is one whole core.
        memory_bytes: the most it ever held.
        lag_s: the latest its event loop ran behind, over the last minute.
        oldest_s: how long the oldest message has waited to be sent.
        unwritten: metric samples that wait for the next snapshot.
        free_bytes: room on the disk of the data folder.
    """

    version: str
    started_us: int
    cpu_share: float
    memory_bytes: int
    lag_s: float
    connections: int
    dashboards: int
    queued: int
    oldest_s: float
    unwritten: int
    free_bytes: int


class Live(Struct, frozen=True):
    """All of it. `alerts` is the body of `/api/v1/alerts`; `tasks` counts them by state."""

    at_us: int
    process: LiveProcess
    workers: Sequence[LiveWorker]
    course: Sequence[LivePoint] = ()
    tasks: Mapping[str, int] = field(default_factory=dict)
    running: Sequence[LiveTask] = ()
    settled: Sequence[LiveTask] = ()  # the latest first
    alerts: Mapping[str, Any] = field(default_factory=dict)
