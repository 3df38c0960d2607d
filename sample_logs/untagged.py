"""The untagged story: two workers and a coordinator in the shape of the deployment that knows no markers.

The traps of that shape are all in here: events logged by two loggers, completion lines printed at the start,
claims that are wrong, a status line inside a metrics block, a ghost connection, a cut last line.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet import Story
from ledger import EPOCH, Ledger, iso

START_MS = round(datetime(2026, 11, 21, 6, 15, tzinfo=UTC).timestamp()) * 1000
CLIENT, LINK, EXTRA, SOCKET = (
    "enhanced_worker_client",
    "worker_reconnection",
    "worker_reconnection_enhancements",
    "websocket",
)
SERVER, WIRE, RUNNER = "coordinator_websocket_server", "websockets.server", "run_coordinator_server"
STATUS_MS, BLOCK_MS = 10_000, 60_000
KILLED_MS, BACK_MS = 61_350, 70_120  # the coordinator's outage


def untagged(seed: int) -> Story:
    """Coordinator SIGKILL and restart; edge-1 then loses a heartbeat, edge-2 (at DEBUG) sees a ghost connection."""
    rng = random.Random(seed + 2)
    one = _Worker("edge-1", rng, debug=False)
    two = _Worker("edge-2", rng, debug=True)
    server = _coordinator(rng, [one, two])
    for worker, heartbeat_at_ms, fails in ((one, 126_400, True), (two, None, False)):
        _day(worker, heartbeat_at_ms, fails=fails)
    logs = {
        "untagged/edge-1.log": one.text(),
        "untagged/edge-2.log": two.text(cut=21),
        "untagged/coordinator.log": server,
    }
    files = {"untagged/edge-1.log": one.truth(), "untagged/edge-2.log": two.truth()}
    files["untagged/coordinator.log"] = {"role": "coordinator", "starts": 2}
    at = iso((START_MS + KILLED_MS) * 1000)
    return Story(logs, files, [{"at": at, "kind": "coordinator restart after 9 s", "target": "untagged/coordinator"}])


def _day(worker: "_Worker", heartbeat_at_ms: int | None, *, fails: bool) -> None:
    worker.starts(2_000 + worker.rng.randint(0, 900))
    worker.runs_task(6_000, steps=7)
    worker.runs_task(24_000, steps=5)
    worker.is_cut_off(KILLED_MS + worker.rng.randint(1, 4), BACK_MS)
    worker.runs_task(82_000, steps=9)
    if fails:
        worker.runs_task(100_000, steps=4, fails=True)
    if heartbeat_at_ms is not None:
        worker.misses_heartbeat(heartbeat_at_ms)
    else:
        worker.sees_ghost(140_000)
    worker.runs_task(150_000, steps=6)
    worker.reports_until(205_000)


@dataclass
class _Line:
    at_ms: int
    text: str


@dataclass
class _Worker:
    """One worker's lines and books. Times are milliseconds after START_MS."""

    name: str
    rng: random.Random
    debug: bool
    lines: list[_Line] = field(default_factory=list)
    book: Ledger = field(default_factory=lambda: Ledger(START_MS * 1000))
    closes_ms: list[int] = field(default_factory=list)
    starts_ms: list[int] = field(default_factory=list)
    saves_ms: list[int] = field(default_factory=list)
    tasks: int = 0

    def say(self, at_ms: int, level: str, logger: str, text: str) -> None:
        """One record, if the level lets it through."""
        if level != "DEBUG" or self.debug:
            self.lines.append(_Line(at_ms, f"{_stamp(at_ms)} - {level} - [{logger}] - {text}"))

    def starts(self, at_ms: int) -> None:
        """The process comes up and connects."""
        config = "{'heartbeat_interval': 5.0, 'initial_reconnect_delay': 1.0, 'max_reconnect_delay': 60.0, 'reconnect_jitter': 0.1}"
        self.say(at_ms, "INFO", CLIENT, f"Starting enhanced worker client {self.name}")
        self.say(at_ms + 2, "INFO", LINK, f"Worker reconnection manager initialized for worker {self.name}")
        self.say(at_ms + 3, "INFO", LINK, f"Reconnection manager configuration updated: {config}")
        self.dials(at_ms + 9)
        self.say(at_ms + 10, "INFO", LINK, f"Worker reconnection manager started for worker {self.name}")
        self.say(at_ms + 11, "INFO", EXTRA, f"Created enhanced worker reconnection plugin for worker {self.name}")
        self.is_up(at_ms + 18)
        self.say(at_ms + 24, "INFO", CLIENT, f"Enhanced worker {self.name} started, press Ctrl+C to stop")

    def dials(self, at_ms: int) -> None:
        """One try to connect."""
        self.book.attempt()
        url = f"ws://127.0.0.1:18770/api/v1/worker/{self.name}/ws/"
        self.say(at_ms, "INFO", LINK, f"Connecting to coordinator at {url}")

    def is_up(self, at_ms: int) -> None:
        """The connection stands; state is synchronised and the worker registered."""
        self.book.up((START_MS + at_ms) * 1000)
        self.say(at_ms - 1, "INFO", SOCKET, "Websocket connected")
        self.say(at_ms, "INFO", LINK, f"WebSocket connection established for worker {self.name}")
        self.say(at_ms, "INFO", LINK, "Synchronizing state with coordinator")
        self.say(at_ms + 1, "INFO", LINK, "State synchronization completed")
        self.say(at_ms + 2, "INFO", LINK, f"Received welcome message from coordinator for worker {self.name}")
        self.sends(at_ms + 3, "registration")
        self.say(at_ms + 44, "INFO", LINK, f"Registration confirmed by coordinator for worker {self.name}")

    def sends(self, at_ms: int, kind: str) -> None:
        """A message at DEBUG: its line is cut at 100 characters, whatever it says."""
        payload = f'{{"type": "{kind}", "worker_id": "{self.name}", "timestamp": "{_moment(at_ms).isoformat()}", "sequence": 0}}'
        self.say(at_ms, "DEBUG", EXTRA, f"Sent message: {payload[:100]}")

    def closes(self, at_ms: int, code: str, wait_s: float, number: int) -> None:
        """The close line and the wait that follows it; its count is the process's own idea of reconnections."""
        self.closes_ms.append(at_ms)
        self.say(at_ms, "WARNING", LINK, f"WebSocket connection closed: {code}, None")
        self.say(at_ms, "INFO", LINK, f"Will attempt reconnection in {wait_s:.1f} seconds (attempt {number})")

    def fails(self, at_ms: int, error: str) -> None:
        """A socket error, said by both loggers."""
        self.say(at_ms, "ERROR", LINK, f"WebSocket error: {error}")
        self.say(at_ms, "ERROR", SOCKET, f"{error} - goodbye")

    def is_cut_off(self, at_ms: int, back_ms: int) -> None:
        """The coordinator dies; tries are refused until it is back."""
        self.book.down((START_MS + at_ms) * 1000, "closed")
        self.fails(at_ms, "Connection to remote host was lost.")
        number, wait_s = 1, 1.0
        self.closes(at_ms, "None", wait_s, number)
        while True:
            at_ms += round(wait_s * 1000) + self.rng.randint(-60, 60)
            self.dials(at_ms)
            if at_ms >= back_ms:
                break
            self.fails(at_ms + 1, "[Errno 111] Connection refused")
            number, wait_s = number + 1, wait_s * 2
            self.closes(at_ms + 1, "None", wait_s, number)
        self.is_up(at_ms + 6)

    def misses_heartbeat(self, at_ms: int) -> None:
        """The worker itself gives the connection up."""
        self.say(at_ms, "WARNING", LINK, "No heartbeat received from coordinator for 16.2s, forcing reconnection")
        self.say(at_ms, "INFO", LINK, "Forcing reconnection to coordinator")
        self.book.down((START_MS + at_ms) * 1000, "heartbeat")
        self.closes(at_ms + 1, "1000", 1.0, 1)
        self.dials(at_ms + 1_031)
        self.is_up(at_ms + 1_044)

    def sees_ghost(self, at_ms: int) -> None:
        """An operator forces a reconnect; a second connection opens while the first is already up."""
        self.say(at_ms, "INFO", CLIENT, "Forcing reconnection")
        self.say(at_ms, "INFO", LINK, "Forcing reconnection to coordinator")
        self.book.down((START_MS + at_ms) * 1000, "forced")
        self.dials(at_ms + 2)
        self.closes(at_ms + 3, "1000", 1.0, 1)
        self.is_up(at_ms + 9)
        self.dials(at_ms + 1_004)
        self.is_up(at_ms + 1_012)

    def runs_task(self, at_ms: int, *, steps: int, fails: bool = False) -> None:
        """One task: assignment, twin lines, the premature word of success, iterations, the true end."""
        self.tasks += 1
        self.book.started()
        task, title = _uuid(self.rng), f"Task-{self.tasks}"
        self.say(at_ms, "INFO", LINK, f"Received task assignment for task {task}")
        self.say(at_ms + 2, "INFO", LINK, f"Executing task {task}")
        self.say(at_ms + 3, "INFO", CLIENT, f"Executing task {task}")
        began_ms = at_ms + 3
        self.starts_ms.append(began_ms)
        self.say(at_ms + 4, "INFO", LINK, f"Task {task} completed successfully")
        at_ms += 6
        for step in range(1, steps + 1):
            if step % 2 == 0:
                self.book.saved()
                self.saves_ms.append(at_ms)
                saved = _uuid(self.rng)
                self.say(at_ms, "DEBUG", LINK, f"Created checkpoint {saved} for task {task}")
                self.say(at_ms, "DEBUG", CLIENT, f"Created checkpoint {saved} for task {task} (iteration {step})")
            progress = 100 * step / steps
            self.say(at_ms + 1, "INFO", CLIENT, f"Task {task} ({title}): iteration {step}/{steps} - {progress:.1f}%")
            self.sends(at_ms + 4, "task_state")
            at_ms += self.rng.randint(500, 620)
        self.book.task_ended(at_ms - began_ms, good=not fails)
        if fails:
            self.say(at_ms, "ERROR", CLIENT, f"Error executing task {task}: division by zero")
            self.lines.append(_Line(at_ms, "Traceback (most recent call last):"))
            self.lines.append(_Line(at_ms, '  File "client.py", line 212, in _run_task'))
            self.lines.append(_Line(at_ms, "ZeroDivisionError: division by zero"))
        else:
            self.say(at_ms, "INFO", CLIENT, f"Task {task} ({title}) completed successfully")

    def reports_until(self, end_ms: int) -> None:
        """Status lines every 10 s, a metrics block every 60 s with a status line of another thread inside."""
        first_ms = 2_300
        for at_ms in range(first_ms + STATUS_MS, end_ms, STATUS_MS):
            if (at_ms - first_ms) % BLOCK_MS == 0:
                block = [(at_ms, CLIENT, text) for text in self._block(at_ms, first_ms)]
                block.insert(7, (at_ms, CLIENT, self._status(at_ms)))
            else:
                block = [(at_ms, CLIENT, self._status(at_ms))]
            for when, logger, text in block:
                self.lines.append(_Line(when, f"{_stamp(when)} - INFO - [{logger}] - {text}"))

    def _status(self, at_ms: int) -> str:
        claimed = _until(at_ms, self.closes_ms)
        return (
            f"Worker {self.name} status: CONNECTED, Active tasks: 0, Completed tasks: {at_ms // 40_000}, "
            f"Latency: 0.3ms, Messages: {at_ms // 700}, Reconnections: {claimed}"
        )

    def _block(self, at_ms: int, first_ms: int) -> list[str]:
        claimed = _until(at_ms, self.closes_ms)
        return [
            f"====== Performance Metrics for {self.name} ======",
            f"Message count: {at_ms // 700}",
            "Average message size: 311.4 bytes",
            "Average message latency: 0.3 ms",
            "Message errors: 0",
            f"Reconnections: {claimed}",
            f"Average reconnection duration: {12.6 if claimed else 0.0} s",
            f"Task execution count: {_until(at_ms, self.starts_ms)}",
            "Task success rate: 1.00",
            "Average task duration: 0.1 s",
            f"Checkpoints created: {_until(at_ms, self.saves_ms)}",
            "Checkpoints resumed: 0",
            "Compression ratio: 1.03",
            f"Uptime: {(at_ms - first_ms) / 1000:.1f} s",
            "=" * 45,
        ]

    def text(self, cut: int = 0) -> str:
        """The log; with `cut` its last line ends that many characters early."""
        ordered = sorted(self.lines, key=lambda line: line.at_ms)
        text = "".join(f"{line.text}\n" for line in ordered)
        return text[: -cut - 1] if cut else text

    def truth(self) -> dict[str, Any]:
        """The entry in truth.json."""
        last_us = (START_MS + max(line.at_ms for line in self.lines)) * 1000
        metrics = {**self.book.connection(last_us), **self.book.work()}
        return {"worker": self.name, **self.book.truth(metrics)}


def _coordinator(rng: random.Random, workers: list[_Worker]) -> str:
    lines: list[str] = []

    def say(at_ms: int, level: str, logger: str, text: str) -> None:
        lines.append(f"{_stamp(at_ms)} - {level} - [{logger}] - {text}")

    def starts(at_ms: int) -> None:
        say(at_ms, "INFO", "circuit_breaker", "Circuit breaker registry initialized")
        say(at_ms + 640, "INFO", WIRE, "server listening on 127.0.0.1:18770")
        say(at_ms + 640, "INFO", SERVER, "Coordinator WebSocket server started on 127.0.0.1:18770")
        say(at_ms + 641, "INFO", SERVER, "Task manager started")

    starts(0)
    capabilities = "{'cpu': 2, 'memory': 4, 'type': 'enhanced_worker'}"
    for number, worker in enumerate(workers):
        at_ms = 2_900 + number * 400
        say(at_ms, "INFO", WIRE, "connection open")
        say(at_ms + 30, "INFO", SERVER, f"Worker {worker.name} registered with capabilities: {capabilities}")
    _submits(say, rng, 4_000)
    starts(BACK_MS - 640)
    for number, worker in enumerate(workers):
        at_ms = 76_400 + number * 350
        say(at_ms, "INFO", WIRE, "connection open")
        say(at_ms + 28, "INFO", SERVER, f"Worker {worker.name} registered with capabilities: {capabilities}")
    return "".join(f"{line}\n" for line in lines)


def _submits(say: Callable[[int, str, str, str], None], rng: random.Random, at_ms: int) -> None:
    for number in range(1, 5):
        task = _uuid(rng)
        say(at_ms, "INFO", SERVER, f"Submitted task {task}")
        say(at_ms + 1, "INFO", RUNNER, f"Submitted task {task}: Task-{number}")
        at_ms += 480


def _moment(at_ms: int) -> datetime:
    return (EPOCH + timedelta(milliseconds=START_MS + at_ms)).replace(tzinfo=None)


def _stamp(at_ms: int) -> str:
    return f"{_moment(at_ms):%Y-%m-%d %H:%M:%S.%f}"[:-3].replace(".", ",")


def _uuid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:]))


def _until(at_ms: int, times_ms: list[int]) -> int:
    return sum(time_ms <= at_ms for time_ms in times_ms)
