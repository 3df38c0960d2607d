"""The coordinator's tasks and who holds them: pending, assigned under a lease, done or failed.

A lease is numbered; the number fences off a worker that lost the task meanwhile. Nothing here knows a
connection: a worker is its id.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from itertools import chain, islice
from typing import Final

from msgspec import Struct

from recontool.runtime.messages import Checkpoint, Json, Running, TaskRow

LATELY: Final = 10  # settled tasks that `lately` remembers


class Task(Struct):
    """One task. `lease` counts its assignments; `until_s` is set while its worker is away."""

    id: str
    spec: dict[str, Json]
    state: str = "pending"  # pending, assigned, done, failed
    worker: str | None = None
    lease: int = 0
    number: int = 0
    checkpoint: Json = None
    until_s: float | None = None
    applied_us: int | None = None

    @property
    def settled(self) -> bool:
        """Whether its result has been applied."""
        return self.applied_us is not None


class TaskBoard:
    """Every task of a coordinator.

    Args:
        grace_s: how long a disconnected worker keeps its tasks.
    """

    def __init__(self, grace_s: float) -> None:
        self.counts: Counter[str] = Counter()  # tasks by state
        self._tasks: dict[str, Task] = {}
        self._lately: deque[Task] = deque(maxlen=LATELY)
        self._pending: deque[str] = deque()
        self._held: defaultdict[str, set[str]] = defaultdict(set)  # worker -> tasks assigned to it
        self._away: set[str] = set()  # assigned tasks whose worker is not connected
        self._grace_s = grace_s

    def restore(self, tasks: Iterable[Task], now_s: float) -> None:
        """Take over tasks of an earlier run; their workers get the grace period to come back."""
        for task in tasks:
            self._tasks[task.id] = task
            self.counts[task.state] += 1
            if task.state == "pending":
                self._pending.append(task.id)
            elif task.state == "assigned" and task.worker is not None:
                self._held[task.worker].add(task.id)
                self._absent(task, now_s)

    def add(self, task_id: str, spec: dict[str, Json]) -> None:
        """A new task, last in line."""
        self._tasks[task_id] = Task(task_id, spec)
        self.counts["pending"] += 1
        self._pending.append(task_id)

    def get(self, task_id: str) -> Task | None:
        """The task of that id."""
        return self._tasks.get(task_id)

    def rows(self) -> list[TaskRow]:
        """Every task as an operator sees it, in order of submission."""
        return [
            TaskRow(task.id, str(task.spec.get("type")), task.state, task.worker, task.lease, task.applied_us)
            for task in self._tasks.values()
        ]

    def running(self, most: int) -> list[Task]:
        """At most `most` tasks that are assigned."""
        held = chain.from_iterable(self._held.values())
        return [self._tasks[task_id] for task_id in islice(held, most)]

    def lately(self) -> list[Task]:
        """The tasks settled last, the latest first; those of an earlier run are not among them."""
        return list(reversed(self._lately))

    def load(self, worker: str) -> int:
        """How many tasks `worker` holds."""
        return len(self._held[worker])

    def settled(self, task_id: str) -> bool:
        """Whether nobody waits for this task's result: it has one, or another coordinator gave the task."""
        task = self._tasks.get(task_id)
        return task is None or task.settled

    def next_pending(self) -> Task | None:
        """The task that has waited longest; it stays in line until assigned."""
        while self._pending:
            task = self._tasks[self._pending[0]]
            if task.state == "pending":
                return task
            self._pending.popleft()  # a late result settled it, or a returning worker went on with it
        return None

    def assign(self, task: Task, worker: str) -> None:
        """Give `task` to `worker` under a new lease."""
        task.lease += 1
        self._hold(task, worker)

    def adopt(self, worker: str, running: Running) -> bool:
        """Let `worker` go on with what it runs, unless the task is settled or another worker's by now."""
        task = self._tasks.get(running.task)
        if task is None or task.lease != running.lease or task.settled:
            return False
        if task.state == "assigned" and task.worker != worker:
            return False
        self._hold(task, worker)
        return True

    def abandon(self, worker: str, now_s: float) -> None:
        """`worker` is gone, perhaps for a moment: its tasks wait out the grace period."""
        for task_id in self._held[worker]:
            self._absent(self._tasks[task_id], now_s)

    def release(self, worker: str, keep: Iterable[str] = ()) -> None:
        """Put every task of `worker` but those in `keep` back in line, first."""
        for task_id in self._held[worker].difference(keep):
            self._requeue(self._tasks[task_id])

    def expire(self, now_s: float) -> None:
        """Put tasks back in line whose grace period is over."""
        for task_id in list(self._away):
            task = self._tasks[task_id]
            if task.until_s is not None and now_s >= task.until_s:
                self._requeue(task)

    def settle(self, task: Task, worker: str, ok: bool, at_us: int) -> str | None:
        """Apply a result; the other worker that still runs the task, if any."""
        holder = task.worker if task.state == "assigned" else None
        self._let_go(task)
        self._enter(task, "done" if ok else "failed", worker)
        task.applied_us, task.checkpoint = at_us, None
        self._lately.append(task)
        return holder if holder != worker else None

    def progress(self, worker: str, checkpoint: Checkpoint) -> bool:
        """Keep a checkpoint; False when the worker no longer holds the lease it was made under."""
        task = self._tasks.get(checkpoint.task)
        if task is None or task.state != "assigned" or task.worker != worker or task.lease != checkpoint.lease:
            return False
        task.number, task.checkpoint = checkpoint.number, checkpoint.state
        return True

    def _hold(self, task: Task, worker: str) -> None:
        self._let_go(task)
        self._enter(task, "assigned", worker)
        self._held[worker].add(task.id)

    def _enter(self, task: Task, state: str, worker: str | None) -> None:
        self.counts[task.state] -= 1
        self.counts[state] += 1
        task.state, task.worker = state, worker

    def _absent(self, task: Task, now_s: float) -> None:
        task.until_s = now_s + self._grace_s
        self._away.add(task.id)

    def _requeue(self, task: Task) -> None:
        self._let_go(task)
        self._enter(task, "pending", None)
        self._pending.appendleft(task.id)  # it has waited longest

    def _let_go(self, task: Task) -> None:
        task.until_s = None
        self._away.discard(task.id)
        if task.worker is not None:
            self._held[task.worker].discard(task.id)
