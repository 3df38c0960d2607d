"""Breaks real fleets in twelve ways, plants clock offsets into their logs, and scores the incidents found. `python bench/incidents.py`.

Each seed is a run of the real runtime of about two minutes: who is hit, in which order and for how long is drawn
anew. Every worker's clock is then moved by up to 5 s, several times over.
"""

import argparse
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
from recontool.model.instant import from_datetime, iso, to_datetime
from recontool.model.units import SECOND_US

WORKERS = tuple(f"worker-{number}" for number in range(1, 7))
RUNS = 3
DRAWS = 5  # of offsets, for each run
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


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to break a fleet: its cause (none if it is no incident), whom it hits, and how."""

    what: str
    cause: str
    victims: Sequence[str]
    act: Callable[[], None]


class Fleet:
    """A running fleet in two halves, each behind a proxy of its own."""

    def __init__(self, fleet: DemoFleet, stack: ExitStack, draw: random.Random) -> None:
        self.fleet, self.draw = fleet, draw
        names = draw.sample(WORKERS, len(WORKERS))
        self.left, self.right = names[: len(names) // 2], names[len(names) // 2 :]
        self._proxies = tuple(stack.enter_context(FaultProxy(fleet.port)) for _ in range(2))

    def start(self, names: Sequence[str]) -> None:
        """Start workers, each dialling the proxy of its half."""
        for name in names:
            self.fleet.start_worker(name, port=self._proxies[name in self.right].port)

    def faults(self) -> list[Fault]:
        """What is done to it before the coordinator stops for good, in an order of its own."""
        first, second = self._proxies
        few, alone = self.draw.sample(WORKERS, self.draw.randint(2, 4)), self.draw.sample(WORKERS, 2)
        found = [
            Fault("coordinator killed", "coordinator_restart", WORKERS, lambda: self._restart(self.fleet.kill)),
            Fault("coordinator drained", "coordinator_restart", WORKERS, lambda: self._restart(self.fleet.drain)),
            Fault("coordinator frozen", "coordinator_frozen", WORKERS, lambda: self._freeze(COORDINATOR)),
            Fault("half of the network silent", "network_cut", self.left, lambda: self._silence(first)),
            Fault("whole network silent", "network_cut", WORKERS, lambda: self._silence(first, second)),
            Fault("connections dropped", "connections_cut", self.right, lambda: self._drop(second, 1)),
            Fault("connections dropped three times", "connections_cut", self.left, lambda: self._drop(first, 3)),
            Fault("several workers killed", "workers_restarted", few, lambda: self._again(few)),
            Fault("one worker killed", "", alone[:1], lambda: self._again(alone[:1])),
            Fault("one worker frozen", "", alone[1:], lambda: self._freeze(alone[1])),
            Fault("one worker killed twice", "", alone[:1], lambda: self._again(alone[:1] * 2)),
        ]
        return self.draw.sample(found, len(found))

    def _restart(self, end: Callable[[str], object]) -> None:
        end(COORDINATOR)
        _pass(self.draw.uniform(1, 4))
        self.fleet.start_coordinator()

    def _silence(self, *proxies: FaultProxy) -> None:
        for proxy in proxies:
            proxy.cut()
        _pass(self.draw.uniform(3, 6))
        for proxy in proxies:
            proxy.heal()

    def _drop(self, proxy: FaultProxy, times: int) -> None:
        """End every connection that goes through, on both sides."""
        for again in range(times):
            if again:
                _pass(0.5)  # so that it is one fault still
            for one in proxy._sockets:  # noqa: SLF001 - the demo's proxy has no use for this
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _again(self, names: Sequence[str]) -> None:
        for name in names:
            self.fleet.kill(name)
        _pass(self.draw.uniform(0.5, 2))
        self.start(list(dict.fromkeys(names)))

    def _freeze(self, name: str) -> None:
        self.fleet.signal(name, signal.SIGSTOP)
        _pass(self.draw.uniform(4, 7))
        self.fleet.signal(name, signal.SIGCONT)


def main() -> int:
    """Print what was injected and the scores; exit status 1 if a goal is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=RUNS, help="runs of the real runtime")
    options.add_argument("--seed", type=int, default=1, help="seed of the first run; the others count on")
    options.add_argument("--keep", type=Path, help="folder for the logs of each run")
    given = options.parse_args()
    scores: list[dict[str, float]] = []
    print(
        f"{'seed':>4} {'faults':>6} {'incidents':>9} {'found':>6} {'precision':>9} {'recall':>6} {'cause':>6} {'clock ms':>8}"
    )
    for seed in range(given.seed, given.seed + given.runs):
        with tempfile.TemporaryDirectory() as folder:
            home = given.keep / f"{seed}" if given.keep else Path(folder)
            truths = _broken_fleet(home / "data", random.Random(seed))
            draws = [_score(home / "data" / "logs", home / f"draw-{number}", number, truths) for number in range(DRAWS)]
        scores += draws
        real = sum(bool(truth.cause) for truth in truths)
        parts = [sum(one[name] for one in draws) / len(draws) for name in ("found", *GOALS)]
        worst_us = max(one["clock_error_us"] for one in draws)
        print(
            f"{seed:>4} {len(truths):>6} {real:>9} {parts[0]:>6.1f} {parts[1]:>9.3f} {parts[2]:>6.3f} {parts[3]:>6.3f}"
            f" {worst_us / 1000:>8.1f}",
            flush=True,
        )
    means = {name: sum(one[name] for one in scores) / len(scores) for name in GOALS}
    worst_us = max(one["clock_error_us"] for one in scores)
    print(f"\nover {given.runs} runs, {DRAWS} draws of offsets up to {MOST_OFFSET_US / SECOND_US:g} s for each")
    for name, goal in GOALS.items():
        print(f"{name:<22} {means[name]:.3f}   goal {goal}")
    print(f"{'worst clock error':<22} {worst_us / 1000:.1f} ms   goal {MOST_CLOCK_ERROR_US / 1000:g} ms")
    return int(any(means[name] < goal for name, goal in GOALS.items()) or worst_us > MOST_CLOCK_ERROR_US)


def _broken_fleet(data: Path, draw: random.Random) -> list[Truth]:
    """Run a fleet through every fault, one after the other; what was done when, to whom."""
    data.mkdir(parents=True)
    truths: list[Truth] = []
    with DemoFleet(data) as demo, ExitStack() as stack:
        demo.start_coordinator()
        fleet = Fleet(demo, stack, draw)
        fleet.start(WORKERS)
        demo.until("everybody to be there", lambda: all(_sessions(demo, name) for name in WORKERS))
        for fault in fleet.faults():
            _pass(draw.uniform(4, 6))  # so that it is a fault of its own
            print(f"  {fault.what}", file=sys.stderr)
            before = {name: _sessions(demo, name) for name in fault.victims}
            began = time.time_ns() // 1000
            fault.act()
            demo.until(
                f"everybody to be back: {fault.what}",
                lambda b=before: all(_sessions(demo, name) > seen for name, seen in b.items()),  # type: ignore[misc]
            )
            truths.append(Truth(fault.what, fault.cause, began, time.time_ns() // 1000, frozenset(fault.victims)))
        _pass(4)
        began = time.time_ns() // 1000
        demo.drain(COORDINATOR)
        _pass(4)
        stopped = "coordinator stopped for good"
        truths.append(Truth(stopped, "coordinator_stopped", began, time.time_ns() // 1000, frozenset(WORKERS)))
        for name in WORKERS:
            demo.kill(name)
    return truths


def _sessions(fleet: DemoFleet, name: str) -> int:
    return sum(len(fleet.events(name, marker, "established")) for marker in ("CONNECT", "RECONNECT"))


def _pass(seconds: float) -> None:
    """Let time pass: what is measured is what a fleet does in it."""
    time.sleep(seconds)


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
            print(f"  draw {seed}: {truth.what}: {', '.join(causes) or 'not found'}", file=sys.stderr)
    for other in found.incidents:
        if not any(other is incident for _, incident in pairs):
            print(f"  draw {seed}: nothing was done: {iso(other.start_us)} {other.title}", file=sys.stderr)
    return {
        "found": float(len(found.incidents)),
        # A fault that was found in two pieces counts once.
        "precision": len({id(truth) for truth, _ in pairs}) / max(len(found.incidents), 1),
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
