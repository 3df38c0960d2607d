"""Puts together what the coordinator knows at one instant: references only, so that its event loop hardly notices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from recontool.model.live import Live, LiveProcess, LiveTask, LiveWorker
from recontool.runtime.board import Task, TaskBoard
from recontool.runtime.dashboard.course import Course
from recontool.runtime.instructions import Sample
from recontool.runtime.presence import Presence

MOST_RUNNING: Final = 100  # tasks with workers that are named


@dataclass(frozen=True, slots=True)
class Known:
    """Where the facts are."""

    presence: Presence
    seen: Mapping[str, Sample]
    board: TaskBoard
    course: Course


def gathered(known: Known, at_us: int, process: LiveProcess) -> Live:
    """All of it but the alerts, as of `at_us`."""
    board = known.board
    workers = [
        LiveWorker(
            name,
            tuple(found.sessions),
            found.losses,
            found.heard_us,
            known.seen[name].metrics if name in known.seen else {},
            board.load(name),
        )
        for name, found in known.presence.items()
    ]
    return Live(
        at_us,
        process,
        workers,
        tuple(known.course.points),
        dict(board.counts),
        [_task(task) for task in board.running(MOST_RUNNING)],
        [_task(task) for task in board.lately()],
    )


def _task(task: Task) -> LiveTask:
    return LiveTask(task.id, str(task.spec.get("type")), task.state, task.worker or "", task.lease, task.applied_us)
