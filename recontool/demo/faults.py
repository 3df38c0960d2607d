"""The demo's story: what is broken, in which order, and a record of each fault for the checks."""

import signal
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from recontool.demo.fleet import COORDINATOR, DemoFleet
from recontool.demo.proxy import FaultProxy


class Fault(StrEnum):
    """What is injected."""

    COORDINATOR_KILLED = "coordinator killed, restarted"
    HALF_OPEN = "half-open link"
    WORKER_KILLED = "worker killed, restarted"
    FROZEN = "frozen worker"
    WRONG_KEY = "wrong API key"
    FAILING_TASKS = "failing tasks"
    LARGE_RESULTS = "large compressible results"


class Injected(Struct, frozen=True):
    """One fault: when it began and ended (microseconds UTC), whom it hit, how many of what."""

    fault: Fault
    start_us: int
    end_us: int
    target: str
    count: int = 1


WORKERS: Final = ("worker-1", "worker-2", "worker-3", "worker-4")
BEHIND_PROXY, KILLED, FROZEN, INTRUDER = "worker-2", "worker-3", "worker-4", "intruder"
_FAILING: Final = 6
_LARGE: Final = 12
LARGE_BYTES: Final = 200_000
_SILENCE_US: Final = 5_000_000  # more than twice the interval of metrics blocks, so that it counts as a gap
_DARK_US: Final = 3_000_000  # how long there is no coordinator
_SHORT: Final = {"type": "sleep", "name": "short", "iterations": 10, "seconds": 0.05, "checkpoint_every": 4}
_LONG: Final = {"type": "sleep", "name": "long", "iterations": 60, "seconds": 0.1, "checkpoint_every": 5}


class Story:
    """Runs the faults one after the other; `tell` gets a sentence before each."""

    def __init__(self, fleet: DemoFleet, tell: Callable[[str], None]) -> None:
        self.injected: list[Injected] = []
        self.submitted = 0
        self._fleet, self._tell = fleet, tell

    def run(self) -> None:
        """The whole story, from an empty data folder to drained processes.

        Raises:
            DemoError: a process did not do in time what the story needs.
        """
        fleet = self._fleet
        self._tell("start a coordinator and four workers")
        fleet.start_coordinator()
        with FaultProxy(fleet.port) as proxy:
            for name in WORKERS:
                fleet.start_worker(name, port=proxy.port if name == BEHIND_PROXY else None)
            fleet.until("four workers to be accepted", lambda: self._accepted() >= set(WORKERS))
            self._work()
            self._wrong_key()
            self._kill_worker()
            self._half_open(proxy)
            self._freeze()
            self._kill_coordinator()
            self._tell("wait until every task has its result, then drain")
            fleet.until("every task to have its result", lambda: not fleet.unsettled())
            for name in (*WORKERS, COORDINATOR):
                fleet.drain(name)

    def _work(self) -> None:
        self._tell(f"submit tasks: short ones, {_FAILING} that fail, {_LARGE} with {LARGE_BYTES:,} byte results")
        began = _now_us()
        self._submit([_SHORT] * 40)
        self._submit([{"type": "fail", "name": "doomed", "at": 2, "iterations": 4}] * _FAILING)
        self._submit([{"type": "echo", "name": "bulk", "size": LARGE_BYTES}] * _LARGE)
        self._fleet.until("the first tasks to be done", lambda: not self._fleet.unsettled())
        self._inject(Fault.FAILING_TASKS, began, "fleet", _FAILING)
        self._inject(Fault.LARGE_RESULTS, began, "fleet", _LARGE)

    def _wrong_key(self) -> None:
        self._tell("a stranger knocks with a wrong API key")
        began = _now_us()
        refused = "SECURITY", "auth_failed"
        self._fleet.start_worker(INTRUDER, key="not-the-key")
        self._fleet.until("the stranger to be refused", lambda: self._fleet.events(COORDINATOR, *refused))
        self._fleet.drain(INTRUDER)
        self._inject(Fault.WRONG_KEY, began, INTRUDER)

    def _kill_worker(self) -> None:
        fleet, saved = self._fleet, ("CHECKPOINT", "created")
        begun = len(fleet.events(KILLED, *saved))
        self._submit([_LONG] * 8)
        fleet.until(f"{KILLED} to save a checkpoint", lambda: len(fleet.events(KILLED, *saved)) > begun)
        self._tell(f"SIGKILL {KILLED} in the middle of a task, start it again")
        began = _now_us()
        fleet.kill(KILLED)
        fleet.start_worker(KILLED)
        fleet.until(f"{KILLED} to resume from a checkpoint", lambda: fleet.events(KILLED, "CHECKPOINT", "restored"))
        self._inject(Fault.WORKER_KILLED, began, KILLED)

    def _half_open(self, proxy: FaultProxy) -> None:
        self._tell(f"cut the link of {BEHIND_PROXY}: sockets stay open, nothing gets through")
        losses, returns = self._losses(BEHIND_PROXY), self._returns(BEHIND_PROXY)
        began = _now_us()
        proxy.cut()
        self._fleet.until(f"{BEHIND_PROXY} to miss its heartbeats", lambda: self._losses(BEHIND_PROXY) > losses)
        proxy.heal()
        self._fleet.until(f"{BEHIND_PROXY} to come back", lambda: self._returns(BEHIND_PROXY) > returns)
        self._inject(Fault.HALF_OPEN, began, BEHIND_PROXY)

    def _freeze(self) -> None:
        fleet = self._fleet
        self._tell(f"freeze {FROZEN} until the coordinator gives its session up, then let it go on")
        returns = self._returns(FROZEN)
        began = _now_us()
        fleet.signal(FROZEN, signal.SIGSTOP)
        try:
            fleet.until(f"the coordinator to give up {FROZEN}", lambda: self._given_up(FROZEN, began))
            fleet.until("the silence to last", lambda: _now_us() - began > _SILENCE_US)
        finally:
            fleet.signal(FROZEN, signal.SIGCONT)
        thawed = _now_us()
        fleet.until(f"{FROZEN} to come back", lambda: self._returns(FROZEN) > returns)
        self.injected.append(Injected(Fault.FROZEN, began, thawed, FROZEN))

    def _kill_coordinator(self) -> None:
        fleet = self._fleet
        self._submit([_SHORT] * 20)
        returns = {name: self._returns(name) for name in WORKERS}
        self._tell(f"SIGKILL the coordinator, start it again after {_DARK_US // 1_000_000} s")
        began = _now_us()
        fleet.kill(COORDINATOR)
        fleet.until("the time without a coordinator", lambda: _now_us() - began > _DARK_US)
        fleet.start_coordinator()
        fleet.until("every worker to come back", lambda: all(self._returns(name) > returns[name] for name in WORKERS))
        self._inject(Fault.COORDINATOR_KILLED, began, COORDINATOR)

    def _submit(self, tasks: list[dict[str, Any]]) -> None:
        self._fleet.submit(tasks)
        self.submitted += len(tasks)

    def _inject(self, fault: Fault, start_us: int, target: str, count: int = 1) -> None:
        self.injected.append(Injected(fault, start_us, _now_us(), target, count))

    def _accepted(self) -> set[str]:
        return {str(event.fields.get("worker")) for event in self._fleet.events(COORDINATOR, "CONNECT", "accepted")}

    def _losses(self, name: str) -> int:
        return len(self._fleet.events(name, "RECONNECT", "lost"))

    def _returns(self, name: str) -> int:
        return len(self._fleet.events(name, "RECONNECT", "established"))

    def _given_up(self, name: str, since_us: int) -> bool:
        return any(
            event.fields.get("worker") == name and event.at_us >= since_us
            for event in self._fleet.events(COORDINATOR, "CONNECT", "disconnected")
        )


def _now_us() -> int:
    return time.time_ns() // 1000
