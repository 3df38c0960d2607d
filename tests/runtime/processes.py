"""Real coordinators and workers on loopback, for tests: start, signal, wait for a condition, read logs."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from recontool.logs.grammar import parse_record
from recontool.model.events import Event
from recontool.runtime import operator
from recontool.runtime.messages import TaskRow

PATIENCE_S = 15.0
FAST = ("--heartbeat-interval", "0.2", "--snapshot-interval", "0.3", "--metrics-interval", "0.3")
RETURN = ("--initial-reconnect-delay", "0.1", "--max-reconnect-delay", "0.3")


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    """The first true answer of `found`; fails after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE_S:g} s in vain for {what}")


class Fleet:
    """Processes that share one data folder; leaving the context kills what still runs."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, 0
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()

    def coordinator(self, *flags: str) -> subprocess.Popen[str]:
        """Start one; it listens when this returns. A second start takes the port of the first."""
        port_file = self.data / "coordinator.port"
        port_file.unlink(missing_ok=True)
        process = self._start("run-coordinator", "--port", str(self.port), *FAST, *flags)
        wait_for("the coordinator to listen", lambda: port_file.exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        self.port = int(port_file.read_text())
        return process

    def worker(self, name: str, *flags: str) -> subprocess.Popen[str]:
        """Start one; it connects on its own time. `flags` win over the fast defaults."""
        port = ("--coordinator-port", str(self.port))
        return self._start("run-worker", "--worker-id", name, *port, *FAST, *RETURN, *flags)

    def events(self, source: str, marker: str = "", name: str = "") -> list[Event]:
        """Events in a process's log so far."""
        path = self.data / "logs" / f"{source}.log"
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        found = [event for event in map(parse_record, lines) if event is not None and event.name]
        return [event for event in found if marker in {"", event.marker} and name in {"", event.name}]

    def saw(self, source: str, marker: str, name: str, count: int = 1) -> list[Event]:
        """Wait until a log has that many such events."""

        def enough() -> list[Event]:
            found = self.events(source, marker, name)
            return found if len(found) >= count else []

        found: list[Event] = wait_for(f"{count} x [{marker}] {name} of {source}", enough)
        return found

    def key(self, role: str) -> str:
        return str(json.loads((self.data / "keys.json").read_text())[role])

    def submit(self, *tasks: dict[str, Any]) -> list[str]:
        return asyncio.run(operator.submit(self._address(), list(tasks)))

    def tasks(self) -> list[TaskRow]:
        return asyncio.run(operator.list_tasks(self._address()))

    def settled(self, count: int) -> list[TaskRow]:
        """Wait until that many tasks have a result."""

        failed: list[str] = []

        def enough() -> list[TaskRow]:
            try:
                rows = self.tasks()
            except operator.OperatorError as error:
                # With heartbeats this fast a busy machine may lose the one who asks; it asks again.
                failed.append(str(error))
                return []
            return rows if sum(row.applied_us is not None for row in rows) >= count else []

        try:
            rows: list[TaskRow] = wait_for(f"{count} results", enough)
        except AssertionError as error:
            raise AssertionError(f"{error}; questions that failed: {failed}") from None
        return rows

    def http(self, path: str, key: str = "", method: str = "GET") -> tuple[int, Any]:
        """Status and JSON body of one request."""
        status, body = self.text(path, key, method)
        return status, json.loads(body)

    def text(self, path: str, key: str = "", method: str = "GET") -> tuple[int, str]:
        """Status and body of one request."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def _address(self) -> operator.Address:
        return operator.Address("127.0.0.1", self.port, self.key("operator"))

    def _start(self, command: str, *flags: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "recontool", command, "--data-dir", str(self.data), *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "RECONTOOL_API_KEY"},
        )
        self._processes.append(process)
        return process


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    """Signal a process and wait for its end; its exit status."""
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_S)
    return process.returncode
