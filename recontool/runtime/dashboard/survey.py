"""Puts together what the coordinator knows at one instant: references only, so that its event loop hardly notices."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from recontool.model.live import Live, LiveProcess, LiveTask, LiveWorker
from recontool.model.version import VERSION
from recontool.runtime.board import Task, TaskBoard
from recontool.runtime.dashboard.course import Course, Effort
from recontool.runtime.instructions import Sample
from recontool.runtime.presence import Attendance, Presence

MOST_RUNNING: Final = 100  # tasks with workers that are named


class Traffic(Struct, frozen=True):
    """What the coordinator's connections and writers have to do; `model.live.LiveProcess` explains each."""

    connections: int
    dashboards: int
    queued: int
    oldest_s: float
    unwritten: int


class Survey:
    """Keeps what only the live page needs: who came and went, and how the fleet fared lately.

    Args:
        seen: each worker's latest sample.
        board: all tasks.
        effort: what the process costs.
        now_us: wall clock.
    """

    def __init__(self, seen: Mapping[str, Sample], board: TaskBoard, effort: Effort, now_us: Callable[[], int]) -> None:
        self.presence, self.course = Presence(), Course()
        self._seen, self._board, self._effort, self._now_us = seen, board, effort, now_us
        self._started_us = now_us()

    def look(self, connected: int, firing: int) -> None:
        """Add a point to the course; `firing` counts alerts."""
        self._effort.look()
        self.course.look(self._now_us(), list(self._seen.values()), connected, firing)

    def live(self, traffic: Traffic) -> Live:
        """All of it but the alerts, as of now."""
        board = self._board
        return Live(
            self._now_us(),
            self._process(traffic),
            [self._worker(name, found) for name, found in self.presence.items()],
            tuple(self.course.points),
            dict(board.counts),
            [_task(task) for task in board.running(MOST_RUNNING)],
            [_task(task) for task in board.lately()],
        )

    def _worker(self, name: str, found: Attendance) -> LiveWorker:
        metrics = self._seen[name].metrics if name in self._seen else {}
        return LiveWorker(name, tuple(found.sessions), found.losses, found.heard_us, metrics, self._board.load(name))

    def _process(self, traffic: Traffic) -> LiveProcess:
        effort = self._effort
        return LiveProcess(
            version=VERSION,
            started_us=self._started_us,
            cpu_share=effort.cpu_share,
            memory_bytes=effort.memory_bytes,
            lag_s=effort.lag_s,
            free_bytes=effort.free_bytes,
            connections=traffic.connections,
            dashboards=traffic.dashboards,
            queued=traffic.queued,
            oldest_s=traffic.oldest_s,
            unwritten=traffic.unwritten,
        )


def _task(task: Task) -> LiveTask:
    return LiveTask(task.id, str(task.spec.get("type")), task.state, task.worker or "", task.lease, task.applied_us)
