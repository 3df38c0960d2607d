"""Breaks a real fleet in ten ways, plants clock offsets into its logs, and scores the incidents found. `python bench/incidents.py`.

One run of the real runtime takes about two minutes; each seed then moves every worker's clock by up to 5 s.
"""

import random
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from recontool.api.analyze import analyze
from recontool.demo.fleet import COORDINATOR, DemoFleet
from recontool.demo.proxy import FaultProxy
from recontool.model.findings import Analysis, Incident
from recontool.model.instant import SECOND_US, from_datetime, iso, to_datetime

LEFT, RIGHT = ("worker-1", "worker-2", "worker-3"), ("worker-4", "worker-5", "worker-6")
SEEDS = range(1, 6)
MOST_OFFSET_US = 5 * SECOND_US
SLACK_US = 3 * SECOND_US
ALIKE = 0.8
GOALS = {"precision": 0.95, "recall": 0.95, "cause": 0.9}
MOST_CLOCK_ERROR_US = 100_000
STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Truth:
    """One injected fault; without `cause` it hits one worker only and is no incident."""

    what: str
    cause: str
    start_us: int
    end_us: int
    victims: frozenset[str]


class Proxies:
    """One proxy for each half of the fleet; a dropped connection is closed on both sides."""

    def __init__(self, stack: ExitStack, port: int) -> None:
        self.left, self.right = (stack.enter_context(FaultProxy(port)) for _ in range(2))

    def of(self, worker: str) -> FaultProxy:
        """The proxy a worker dials."""
        return self.left if worker in LEFT else self.right

    @staticmethod
    def drop(proxy: FaultProxy) -> None:
        """End every connection that goes through."""
        for one in proxy._sockets:  # noqa: SLF001 - the demo's proxy has no use for this
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def main() -> int:
    """Print what was injected and the scores; exit status 1 if a goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        truths = _broken_fleet(Path(folder) / "data")
        logs = Path(folder) / "data" / "logs"
        scores = [_score(logs, Path(folder) / f"seed-{seed}", seed, truths) for seed in SEEDS]
    print(f"{'injected':<34} {'expected cause':<22} victims")
    for truth in truths:
        print(f"{truth.what:<34} {truth.cause or 'no incident':<22} {len(truth.victims)}")
    means = {name: sum(score[name] for score in scores) / len(scores) for name in GOALS}
    worst_us = max(score["clock_error_us"] for score in scores)
    print(f"\nover {len(scores)} seeds, offsets up to {MOST_OFFSET_US / SECOND_US:g} s")
    for name, goal in GOALS.items():
        print(f"{name:<22} {means[name]:.3f}   goal {goal}")
    print(f"{'worst clock error':<22} {worst_us / 1000:.1f} ms   goal {MOST_CLOCK_ERROR_US / 1000:g} ms")
    return int(any(means[name] < goal for name, goal in GOALS.items()) or worst_us > MOST_CLOCK_ERROR_US)


def _broken_fleet(data: Path) -> list[Truth]:
    """Run the fleet through every fault, one after the other; what was done when, to whom."""
    data.mkdir()
    truths: list[Truth] = []
    everybody = (*LEFT, *RIGHT)
    with DemoFleet(data) as fleet, ExitStack() as stack:
        fleet.start_coordinator()
        proxies = Proxies(stack, fleet.port)

        def start(names: Sequence[str]) -> None:
            for name in names:
                fleet.start_worker(name, port=proxies.of(name).port)

        def step(what: str, cause: str, victims: Sequence[str], act: Callable[[], None]) -> None:
            print(f"  {what}", file=sys.stderr)
            before = {name: _sessions(fleet, name) for name in victims}
            began = time.time_ns() // 1000
            act()
            fleet.until(f"everybody to be back: {what}", lambda: all(_sessions(fleet, n) > before[n] for n in victims))
            truths.append(Truth(what, cause, began, time.time_ns() // 1000, frozenset(victims)))
            _pass(4)  # so that the next fault is another one

        step("start", "", everybody, lambda: start(everybody))
        truths.clear()
        step("coordinator killed", "coordinator_restart", everybody, lambda: _restart(fleet, kill=True))
        step("coordinator drained", "coordinator_restart", everybody, lambda: _restart(fleet, kill=False))
        step("half of the network silent", "network_cut", LEFT, lambda: _silence(proxies.left))
        step("connections dropped", "connections_cut", RIGHT, lambda: proxies.drop(proxies.right))
        step("whole network silent", "network_cut", everybody, lambda: _silence(proxies.left, proxies.right))
        step("workers killed together", "workers_restarted", LEFT, lambda: _again(fleet, LEFT, start))
        step("one worker killed", "", RIGHT[:1], lambda: _again(fleet, RIGHT[:1], start))
        step("one worker frozen", "", RIGHT[1:2], lambda: _freeze(fleet, RIGHT[1]))
        step("coordinator frozen", "coordinator_frozen", everybody, lambda: _freeze(fleet, COORDINATOR))
        began = time.time_ns() // 1000
        fleet.drain(COORDINATOR)
        _pass(4)
        victims = frozenset(everybody)
        truths.append(
            Truth("coordinator stopped for good", "coordinator_stopped", began, time.time_ns() // 1000, victims)
        )
        for name in everybody:
            fleet.kill(name)
    return truths


def _sessions(fleet: DemoFleet, name: str) -> int:
    return sum(len(fleet.events(name, marker, "established")) for marker in ("CONNECT", "RECONNECT"))


def _pass(seconds: float) -> None:
    """Let time pass: what is measured is what a fleet does in it."""
    time.sleep(seconds)


def _restart(fleet: DemoFleet, *, kill: bool) -> None:
    if kill:
        fleet.kill(COORDINATOR)
    else:
        fleet.drain(COORDINATOR)
    _pass(2)
    fleet.start_coordinator()


def _silence(*proxies: FaultProxy) -> None:
    for proxy in proxies:
        proxy.cut()
    _pass(4)
    for proxy in proxies:
        proxy.heal()


def _again(fleet: DemoFleet, names: Sequence[str], start: Callable[[Sequence[str]], None]) -> None:
    for name in names:
        fleet.kill(name)
    _pass(1)
    start(names)


def _freeze(fleet: DemoFleet, name: str) -> None:
    fleet.signal(name, signal.SIGSTOP)
    _pass(5)
    fleet.signal(name, signal.SIGCONT)


def _score(logs: Path, moved: Path, seed: int, truths: Sequence[Truth]) -> dict[str, float]:
    """Analyse the logs with every worker's clock moved, and hold what is found against what was done."""
    moved.mkdir()
    draw = random.Random(seed)
    offsets = {}
    for log in sorted(logs.glob("*.log")):
        offsets[log.stem] = 0 if log.stem == COORDINATOR else draw.randrange(-MOST_OFFSET_US, MOST_OFFSET_US)
        text = log.read_text("utf-8")
        (moved / log.name).write_text(STAMP.sub(lambda m, by=offsets[log.stem]: _later(m[1], by), text), "utf-8")  # type: ignore[misc]
    found = analyze([str(moved)])
    real = [truth for truth in truths if truth.cause]
    pairs = [(truth, incident) for truth in real for incident in found.incidents if _same(truth, incident)]
    right = sum(truth.cause == incident.cause for truth, incident in pairs)
    for truth in real:
        causes = [incident.cause for other, incident in pairs if other is truth]
        if causes != [truth.cause]:
            print(f"  seed {seed}: {truth.what}: {', '.join(causes) or 'not found'}", file=sys.stderr)
    return {
        "precision": len({id(incident) for _, incident in pairs}) / max(len(found.incidents), 1),
        "recall": len({id(truth) for truth, _ in pairs}) / len(real),
        "cause": right / max(len(pairs), 1),
        "clock_error_us": _clock_error_us(found, offsets),
    }


def _clock_error_us(found: Analysis, offsets: dict[str, int]) -> float:
    known = {clock.worker: clock.offset_us for clock in found.clocks}
    return max(abs(known.get(name, 10 * MOST_OFFSET_US) - by) for name, by in offsets.items() if name != COORDINATOR)


def _later(stamp: str, by_us: int) -> str:
    return iso(from_datetime(to_datetime(0).fromisoformat(stamp + "+00:00")) + by_us)


def _same(truth: Truth, incident: Incident) -> bool:
    shared = truth.victims & set(incident.workers)
    alike = len(shared) / len(truth.victims | set(incident.workers))
    return truth.start_us - SLACK_US <= incident.start_us <= truth.end_us + SLACK_US and alike >= ALIKE


if __name__ == "__main__":
    sys.exit(main())
