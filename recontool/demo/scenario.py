"""The faults of the demo, one after the other, against a fleet of real processes.

Every step waits for what the next one needs, as the logs show it; only how long a fault lasts is a matter of time.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from recontool.demo.children import Children
from recontool.demo.errors import DemoError
from recontool.demo.faults import Fault, Injected
from recontool.demo.proxy import HOST, FaultProxy
from recontool.demo.watch import LogWatch
from recontool.model.instant import SECOND_US
from recontool.model.markers import COORDINATOR
from recontool.runtime import keys, operator

WORKERS: Final = ("worker-1", "worker-2", "worker-3", "worker-4")
STRANGER: Final = "stranger"
BEHIND_PROXY: Final = "worker-2"
KILLED: Final = "worker-3"
FROZEN: Final = "worker-4"

_HEARTBEAT_TIMEOUT_S: Final = 2.0
_PACE: Final = (
    *("--heartbeat-interval", "0.5", "--heartbeat-timeout", f"{_HEARTBEAT_TIMEOUT_S:g}"),
    *("--metrics-interval", "1", "--snapshot-interval", "2"),
)
_BACKOFF: Final = ("--initial-reconnect-delay", "0.5", "--max-reconnect-delay", "1.5")
_COORDINATOR_DOWN_S: Final = 3.0
_CUT_S: Final = 5.0
_WORKER_DOWN_S: Final = 1.0
_FROZEN_S: Final = 5.0
_CALM_S: Final = 1.5
_STOP_S: Final = 10.0
_FAILING: Final = 6
_LARGE: Final = 8
_LARGE_BYTES: Final = 512 * 1024

Tell = Callable[[str], None]
Task = dict[str, Any]


class Scenario:
    """One run over `folder`, an empty data folder; `tell` hears what happens now."""

    def __init__(self, folder: Path, children: Children, tell: Tell) -> None:
        self._folder, self._children = folder, children
        self._watch = LogWatch(folder / "logs", children.check)
        self._began_us = _now_us()
        self._say = tell
        self._submitted: list[str] = []
        self._injected: list[Injected] = []
        self._port = 0
        self._operator = operator.Address(HOST, 0, "")

    async def run(self) -> list[Injected]:
        """Play everything, then end the fleet in good order; what was injected, in order of the table.

        Raises:
            DemoError: the fleet does not do what the next step needs.
        """
        await self._start_coordinator(0)
        async with FaultProxy(self._port) as proxy:
            self._tell(f"start {len(WORKERS)} workers; {BEHIND_PROXY} dials through the fault proxy")
            for worker in WORKERS:
                self._start_worker(worker, proxy.port if worker == BEHIND_PROXY else self._port)
            await self._back(WORKERS, self._began_us)
            await self._work_in_peace()
            await self._kill_coordinator()
            await self._cut_link(proxy)
            await self._kill_worker()
            await self._freeze_worker()
            await self._finish()
        return sorted(self._injected, key=lambda one: list(Fault).index(one.fault))

    # --- the faults -------------------------------------------------------------------------------------

    async def _work_in_peace(self) -> None:
        """Tasks that fail, large results, and a stranger at the door: nothing that ends a session."""
        began_us = _now_us()
        self._tell(f"submit {_FAILING} tasks that fail and {_LARGE} with large results")
        failing = await self._submit([{"type": "fail", "at": 3, "seconds": 0.1}] * _FAILING)
        large = await self._submit([{"type": "echo", "size": _LARGE_BYTES}] * _LARGE)
        await self._submit(_sleeps(8, 3.0))
        self._tell(f"{STRANGER} dials with a wrong API key")
        knocked_us = _now_us()
        self._start_worker(STRANGER, self._port, {keys.ENVIRONMENT: "not-the-key"})
        await self._watch.until(
            f"{STRANGER} is refused",
            lambda: bool(self._watch.seen(COORDINATOR, "auth_failed", knocked_us, worker=STRANGER)),
        )
        self._complain(await self._children.stop([STRANGER], _STOP_S))
        self._note(Fault.WRONG_KEY, STRANGER, knocked_us)
        await self._settled([*failing, *large])
        self._note(Fault.FAILING_TASKS, "", began_us, count=len(failing))
        self._note(Fault.LARGE_RESULTS, "", began_us, count=len(large), size_bytes=_LARGE * _LARGE_BYTES)

    async def _kill_coordinator(self) -> None:
        await self._submit(_sleeps(8, 8.0))
        await asyncio.sleep(_CALM_S)
        self._tell("SIGKILL coordinator")
        at_us = _now_us()
        self._children.kill(COORDINATOR)
        await self._watch.until(
            "every worker loses its session",
            lambda: all(self._watch.seen(worker, "lost", at_us) for worker in WORKERS),
        )
        await _until(at_us, _COORDINATOR_DOWN_S)
        self._tell("start coordinator again on the same port")
        until_us = _now_us()
        await self._start_coordinator(self._port)
        await self._back(WORKERS, until_us)
        self._note(Fault.COORDINATOR_KILLED, COORDINATOR, at_us, until_us, workers=WORKERS)

    async def _cut_link(self, proxy: FaultProxy) -> None:
        await self._submit(_sleeps(8, 8.0))
        await asyncio.sleep(_CALM_S)
        self._tell(f"cut the link of {BEHIND_PROXY} half-open")
        at_us = _now_us()
        proxy.cut()
        await self._watch.until(
            f"{BEHIND_PROXY} gives its silent session up",
            lambda: bool(self._watch.seen(BEHIND_PROXY, "lost", at_us)),
        )
        await _until(at_us, _CUT_S)
        self._tell(f"let the link of {BEHIND_PROXY} pass again")
        until_us = _now_us()
        proxy.resume()
        await self._back([BEHIND_PROXY], until_us)
        self._note(Fault.LINK_HALF_OPEN, BEHIND_PROXY, at_us, until_us)

    async def _kill_worker(self) -> None:
        began_us = _now_us()
        tasks = set(await self._submit(_sleeps(8, 12.0)))
        await self._watch.until(
            f"{KILLED} saves progress",
            lambda: any(one.fields.get("task") in tasks for one in self._watch.seen(KILLED, "created", began_us)),
        )
        self._tell(f"SIGKILL {KILLED}, which is at work")
        at_us = _now_us()
        self._children.kill(KILLED)
        await _until(at_us, _WORKER_DOWN_S)
        self._tell(f"start {KILLED} again")
        until_us = _now_us()
        self._start_worker(KILLED, self._port)
        await self._back([KILLED], until_us)
        await self._watch.until(
            f"{KILLED} goes on from a checkpoint", lambda: bool(self._watch.seen(KILLED, "restored", until_us))
        )
        self._note(Fault.WORKER_KILLED, KILLED, at_us, until_us)

    async def _freeze_worker(self) -> None:
        await self._submit(_sleeps(4, 6.0))
        await asyncio.sleep(_CALM_S)
        self._tell(f"freeze {FROZEN} (SIGSTOP)")
        at_us = _now_us()
        self._children.freeze(FROZEN)
        await self._watch.until(
            f"the coordinator ends the session of {FROZEN}",
            lambda: bool(self._watch.seen(COORDINATOR, "disconnected", at_us, worker=FROZEN)),
        )
        await _until(at_us, _FROZEN_S)
        self._tell(f"let {FROZEN} go on (SIGCONT)")
        until_us = _now_us()
        self._children.thaw(FROZEN)
        await self._back([FROZEN], until_us)
        self._note(Fault.WORKER_FROZEN, FROZEN, at_us, until_us)

    async def _finish(self) -> None:
        self._tell(f"wait for the rest of {len(self._submitted)} tasks")
        await self._settled(self._submitted)
        count = len(self._submitted)
        self._note(Fault.EVERY_RESULT, "", self._began_us, count=count, settled=len(await self._done()))
        self._tell("end the fleet")
        self._complain(await self._children.stop(WORKERS, _STOP_S))
        self._complain(await self._children.stop([COORDINATOR], _STOP_S))

    # --- the fleet --------------------------------------------------------------------------------------

    async def _start_coordinator(self, port: int) -> None:
        self._tell(f"start coordinator{f' on port {port}' if port else ''}") if not port else None
        began_us = _now_us()
        place = ("--host", HOST, "--port", str(port), "--data-dir", str(self._folder))
        self._children.start(COORDINATOR, ("run-coordinator", *place, *_PACE))
