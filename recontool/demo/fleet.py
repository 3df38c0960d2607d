"""The demo's processes: a coordinator and its workers on loopback, started, broken and ended by process id."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from recontool.logs.grammar import parse_record
from recontool.model.errors import BadFieldError, ReconError
from recontool.model.events import Event
from recontool.runtime import operator

PATIENCE_S: Final = 30.0
DRAIN_S: Final = 10.0
COORDINATOR: Final = "coordinator"
_POLL_S: Final = 0.05
_QUICK: Final = ("--heartbeat-interval", "0.5", "--metrics-interval", "1", "--snapshot-interval", "2")
_RETURN: Final = ("--initial-reconnect-delay", "0.3", "--max-reconnect-delay", "2")


class DemoError(ReconError):
    """A process of the demo did not do in time what the story needs."""

    slug = "demo"
    exit_status = 1


class DemoFleet:
    """Processes that share one data folder. Leaving the context ends all that still run."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.port = data_dir, 0
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # A terminated demo must end its processes, too: they live in sessions of their own.
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, _interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._processes):
            self.kill(name)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def start_coordinator(self) -> None:
        """Start it and wait until it listens; a second start takes the port of the first."""
        port_file = self.data_dir / "coordinator.port"
        port_file.unlink(missing_ok=True)
        self._start(COORDINATOR, "run-coordinator", "--port", str(self.port), *_QUICK)
        self.until("the coordinator to listen", port_file.exists)
        self.port = int(port_file.read_text())

    def start_worker(self, name: str, *, port: int | None = None, key: str = "") -> None:
        """Start a worker that dials `port` (the coordinator's unless given)."""
        dial = ("--worker-id", name, "--coordinator-port", str(port or self.port))
        self._start(name, "run-worker", *dial, *_QUICK, *_RETURN, *(("--api-key", key) if key else ()))

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self._processes.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one process."""
        self._processes[name].send_signal(number)

    def drain(self, name: str) -> int:
        """SIGTERM, and its exit status; a process that does not end in time is killed."""
        process = self._processes[name]
        process.terminate()
        try:
            return process.wait(DRAIN_S)
        except subprocess.TimeoutExpired:
            self.kill(name)
            return -signal.SIGKILL
        finally:
            self._processes.pop(name, None)

    def events(self, source: str, marker: str, name: str) -> list[Event]:
        """Such events in the log of a process so far."""
        path = self.data_dir / "logs" / f"{source}.log"
        if not path.exists():
            return []
        found = []
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            try:
                event = parse_record(line)
            except BadFieldError:  # a line that a SIGKILL cut and the next start ended
                continue
            if event is not None and (event.marker, event.name) == (marker, name):
                found.append(event)
        return found

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        """The first true answer of `condition`.

        Raises:
            DemoError: there is none in time.
        """
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            answer = condition()
            if answer:
                return answer
            time.sleep(_POLL_S)
        raise DemoError(
            f"waited {PATIENCE_S:g} s in vain for {what}", where=str(self.data_dir), hint="the logs there tell more"
        )

    def submit(self, tasks: Sequence[Mapping[str, Any]]) -> list[str]:
        """Submit tasks with the operator's key; their ids."""
        return asyncio.run(operator.submit(self._address(), [dict(task) for task in tasks]))

    def unsettled(self) -> int:
        """Tasks the coordinator still waits for."""
        return sum(row.applied_us is None for row in asyncio.run(operator.list_tasks(self._address())))

    def _address(self) -> operator.Address:
        keys = json.loads((self.data_dir / "keys.json").read_text(encoding="utf-8"))
        return operator.Address("127.0.0.1", self.port, keys["operator"])

    def _start(self, name: str, command: str, *flags: str) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "RECONTOOL_API_KEY"}
        self._processes[name] = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "recontool", command, "--data-dir", str(self.data_dir), *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the demo, which then ends them in order
        )


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
