"""Seeded runs of a fleet as logs of format tagged-v1, for comparing: what differs between two of them is planted or chance.

A run is not a row of independent draws: workers differ, load drifts, failures come in bursts, and now and then all
workers lose their session at once. Two runs of one fleet share the workers' own speed and nothing else.
"""

import math
import random
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, field

from recontool.model.instant import iso
from recontool.model.units import SECOND_US

START_US = 1_795_507_200 * SECOND_US
BURST_S = 600  # length of a stretch with one load


class Fleet(Struct, frozen=True):
    """How a run is made. Factors of 1.2 are a slowdown of 20 %; `failing` is the share of tasks that fail."""

    workers: int = 16
    hours: float = 8.0
    outages_per_hour: float = 6.0
    restarts: float = 2.0  # of the coordinator, expected per run
    reconnect: float = 1.0
    task: float = 1.0
    latency: float = 1.0
    failing: float = 0.02
    spread: float = 0.1  # between workers, of the log of every duration
    fleet_seed: int = 1


class _Log(Struct):
    lines: list[tuple[float, str]] = field(default_factory=list)

    def add(self, at_s: float, text: str, level: str = "INFO") -> None:
        self.lines.append((at_s, f"{level} {{source}} {text}"))

    def text(self, source: str) -> str:
        rows = sorted(self.lines, key=lambda line: line[0])
        return "".join(f"{iso(START_US + round(at * SECOND_US))} {text.format(source=source)}\n" for at, text in rows)


def write(folder: Path, fleet: Fleet, seed: int) -> Path:
    """One log per worker into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(f"run {seed}")
    own = random.Random(f"fleet {fleet.fleet_seed}")
    length_s = fleet.hours * 3600
    load = _load(draw, length_s)
    restarts = sorted(
        (draw.uniform(600, length_s - 600), draw.lognormvariate(1.6, 0.4))
        for _ in range(_poisson(draw, fleet.restarts))
    )
    for i in range(fleet.workers):
        slow = math.exp(own.gauss(0, fleet.spread))
        log = _worker(random.Random(draw.random()), fleet, slow, load, restarts)
        (folder / f"worker-{i + 1}.log").write_text(log.text(f"worker-{i + 1}"), "utf-8")
    return folder


def _worker(
    draw: random.Random, fleet: Fleet, slow: float, load: Callable[[float], float], restarts: list[tuple[float, float]]
) -> _Log:
    log, end_s = _Log(), fleet.hours * 3600
    log.add(0, "config role=worker log_level=DEBUG metrics_interval=60.0")
    log.add(0.1, "[CONNECT] attempt n=1")
    log.add(0.3, "[CONNECT] established session=a took_s=0.2")
    for start_s, down_s, cause in _outages(draw, fleet, slow, load, restarts):
        _lose(log, draw, start_s, down_s, cause)
    _tasks(log, draw, fleet, slow, load)
    at_s = 30.0
    while at_s < end_s:
        rtt_ms = draw.lognormvariate(3.2, 0.5) * slow * load(at_s) * fleet.latency
        log.add(at_s, f"message_sent type=result size_bytes={draw.randint(800, 4000)} seq=1", "DEBUG")
        log.add(at_s + rtt_ms / 1000, f"message_acked seq=1 rtt_ms={rtt_ms:.3f}", "DEBUG")
        raw = draw.randint(2000, 6000)
        log.add(
            at_s + 0.2,
            f"[COMPRESS] compressed raw_bytes={raw} wire_bytes={round(raw / draw.uniform(2.6, 3.4))} took_ms={draw.lognormvariate(-0.5, 0.3):.3f}",
        )
        at_s += draw.expovariate(1 / 90)
    log.add(end_s, "queue depth=0 oldest_s=0.0", "DEBUG")
    return log


def _outages(
    draw: random.Random, fleet: Fleet, slow: float, load: Callable[[float], float], restarts: list[tuple[float, float]]
) -> list[tuple[float, float, str]]:
    """(start, duration, cause) without overlaps: the worker's own, and those all workers share."""
    end_s = fleet.hours * 3600
    rate = fleet.outages_per_hour / 3600
    wanted = [(at, took + draw.uniform(0, 1.5), "closed") for at, took in restarts]
    at_s = draw.expovariate(rate)
    while at_s < end_s - 60:
        cause, centre = draw.choice((("closed", 0.2), ("closed", 0.2), ("error", 0.4), ("heartbeat", 0.7)))
        wanted.append((at_s, 0.3 + draw.lognormvariate(centre, 0.5) * slow, cause))
        at_s += draw.expovariate(rate * load(at_s))
    found: list[tuple[float, float, str]] = []
    for start_s, took_s, cause in sorted(wanted):
        if not found or start_s > found[-1][0] + found[-1][1] + 1:
            found.append((start_s, took_s * fleet.reconnect, cause))
    return found


def _lose(log: _Log, draw: random.Random, start_s: float, down_s: float, cause: str) -> None:
    log.add(start_s, f"[RECONNECT] lost cause={cause} code=1006")
    if draw.random() < 0.3:
        log.add(start_s + down_s * 0.3, "[RECONNECT] attempt n=1")
        log.add(start_s + down_s * 0.5, "[RECONNECT] failed n=1 error=refused")
    log.add(start_s + down_s * 0.8, "[RECONNECT] attempt n=2")
    log.add(start_s + down_s, "[RECONNECT] established n=2 session=b")


def _tasks(log: _Log, draw: random.Random, fleet: Fleet, slow: float, load: Callable[[float], float]) -> None:
    at_s, n = 5.0, 0
    while at_s < fleet.hours * 3600 - 120:
        n += 1
        took_ms = draw.lognormvariate(5.5, 0.6) * slow * load(at_s) * fleet.task
        log.add(at_s, f"[TASK] started task=t{n} attempt=1")
        done_s = at_s + took_ms / 1000
        if draw.random() < min(fleet.failing * load(at_s) ** 4, 1):
            log.add(done_s, f"[TASK] failed task=t{n} took_ms={took_ms:.3f} error=boom")
        else:
            log.add(done_s, f"[TASK] completed task=t{n} took_ms={took_ms:.3f}")
        at_s = done_s + draw.expovariate(1 / 60)


def _load(draw: random.Random, length_s: float) -> Callable[[float], float]:
    """A load that stays for ten minutes and drifts to the next, around 1."""
    level, levels = 0.0, []
    for _ in range(int(length_s // BURST_S) + 2):
        level = 0.5 * level + draw.gauss(0, 0.08)
        levels.append(math.exp(level))
    return lambda at_s: levels[int(at_s // BURST_S)]


def _poisson(draw: random.Random, mean: float) -> int:
    count, left = 0, math.exp(-mean)
    product = draw.random()
    while product > left:
        count += 1
        product *= draw.random()
    return count
