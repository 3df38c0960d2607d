"""The two tagged-v1 stories: four workers at INFO for twenty minutes, and one at DEBUG for three."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from coordinator import Coordinator
from ledger import iso
from worker import Worker
from world import SECOND_US, Process, World

START_US = round(datetime(2026, 11, 20, 9, 40, tzinfo=UTC).timestamp()) * SECOND_US
DEBUG_START_US = START_US + 3600 * SECOND_US


@dataclass
class Story:
    """What was written and what really happened."""

    logs: dict[str, str]  # path under sample_logs -> text
    files: dict[str, Any]  # path -> its entry in truth.json
    faults: list[dict[str, Any]]


def fleet(seed: int) -> Story:
    """One coordinator restart, a half-open link, a crash with resume, a frozen process, failing tasks, a bad network."""
    world = World(START_US, seed)
    coordinator = Coordinator(world)
    workers = [
        Worker(coordinator, "worker-1", failing=0.09, rtt_ms=24.0),
        Worker(coordinator, "worker-2", failing=0.01),
        Worker(coordinator, "worker-3"),
        Worker(coordinator, "worker-4", failing=0.01),
    ]
    one, two, three, four = workers
    world.at(START_US, coordinator, coordinator.start)
    for number, worker in enumerate(workers):
        world.at(START_US + (2 * SECOND_US) + number * 310_000, worker, worker.start)
    faults = [
        _Fault(360.218443, "coordinator restart after 9 s", "coordinator", partial(_restart, coordinator, 9.0)),
        _Fault(530.77102, "process frozen for 95 s", four, partial(four.freeze, 95.0)),
        _Fault(690.402917, "link half open for 24 s", two, partial(two.half_open, 24.0)),
        _Fault(800.129, "SIGKILL, new process after 6 s", three, partial(three.crash, 6.0)),
        _Fault(880.533871, "stranger with a wrong key", "coordinator", coordinator.refuse),
        *(
            _Fault(at_s, "network drops the connection", one, one.hang_up)
            for at_s in (960.118307, 966.540222, 974.031994, 986.266145)
        ),
    ]
    _plan(world, faults)
    world.run_until(START_US + 1200 * SECOND_US)
    for worker in workers:
        worker.stop()
        world.now_us += 180_000
    files = {f"{worker.source}.log": _worker_truth(worker) for worker in workers}
    files["coordinator.log"] = {"role": "coordinator", **coordinator.counts}
    logs = {f"{process.source}.log": _text(process.lines) for process in (*workers, coordinator)}
    return Story(logs, files, [fault.record() for fault in faults])


def debug(seed: int) -> Story:
    """One worker that logs every message, and a coordinator restart under it."""
    world = World(DEBUG_START_US, seed + 1)
    coordinator = Coordinator(world)
    worker = Worker(coordinator, "worker-5", failing=0.08, pause_s=3.0, level="DEBUG")
    world.at(DEBUG_START_US, coordinator, coordinator.start)
    world.at(DEBUG_START_US + SECOND_US, worker, worker.start)
    restart = _Fault(100.331762, "coordinator restart after 4 s", "coordinator", partial(_restart, coordinator, 4.0))
    _plan(world, [restart])
    world.run_until(DEBUG_START_US + 180 * SECOND_US)
    worker.stop()
    truth = _worker_truth(worker)
    truth["metrics"] |= worker.truth.messages()
    name = "debug/worker-5.log"
    return Story({name: _text(worker.lines)}, {name: truth}, [restart.record(DEBUG_START_US)])


@dataclass
class _Fault:
    at_s: float
    kind: str
    target: Worker | str
    action: Callable[[], None]

    def record(self, start_us: int = START_US) -> dict[str, Any]:
        """The entry in truth.json."""
        target = self.target if isinstance(self.target, str) else self.target.source
        return {"at": iso(start_us + round(self.at_s * SECOND_US)), "kind": self.kind, "target": target}


def _plan(world: World, faults: list[_Fault]) -> None:
    fate = Process(world, "fate")  # outlives them all
    for fault in faults:
        world.at(world.start_us + round(fault.at_s * SECOND_US), fate, fault.action)


def _restart(coordinator: Coordinator, after_s: float) -> None:
    coordinator.kill()
    coordinator.after(after_s, coordinator.start)


def _worker_truth(worker: Worker) -> dict[str, Any]:
    book = worker.truth
    metrics = {**book.connection(worker.last_us), **book.work(), **book.compression()}
    gaps = [{"start": iso(start_us), "end": iso(end_us)} for start_us, end_us in worker.gaps]
    return {"worker": worker.source, **book.truth(metrics), "gaps": gaps}


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
