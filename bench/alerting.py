"""Measures a coordinator's round of alerts: evaluation, decision, commit, and how long it holds up the event loop.

`python bench/alerting.py`. Every third worker's latency wanders about its limit, so hundreds of alerts
change in every round; their messages are kept for a channel that nobody empties.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from recontool.alerts.engine import AlertEngine
from recontool.alerts.rules import BUILT_IN, Rule
from recontool.logs.writer import LogWriter
from recontool.model.catalogue import CATALOGUE
from recontool.runtime.alerting import Alerting
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.settings import Channel, Notifications, Pacing, Webhook

INTERVAL_US = 10_000_000
MORE = (
    Rule("rate", "rate(reconnections[1m]) * 60 > 3"),
    Rule("average", "avg(avg_message_latency_ms[5m]) > 200"),
    Rule("peak", "max(avg_message_latency_ms[2m]) >= 500"),
    Rule("band", "avg_message_latency_ms > 200", clear_when="avg_message_latency_ms <= 150"),
    Rule("queue", "queue_depth > 100"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure a coordinator's round of alerts.")
    parser.add_argument("--workers", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    rules = [replace(rule, notification=("dashboard", "hook")) for rule in (*BUILT_IN, *MORE)]
    draw = random.Random(7)
    course = [_samples(given.workers, draw) for _ in range(given.rounds)]
    engine = AlertEngine(rules)
    alone = []
    for number, samples in enumerate(course):
        began = time.perf_counter()
        engine.step(number * INTERVAL_US, samples)
        alone.append(time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as folder:
        rounds, stalls = asyncio.run(_live(rules, course, Path(folder)))
    print(f"{given.workers} workers x {len(rules)} rules, {given.rounds} rounds        median      worst")
    for title, taken in (("engine alone", alone), ("whole round", rounds), ("event loop held up", stalls)):
        print(f"{title:<40}{median(taken) * 1e3:>8.1f} ms{max(taken) * 1e3:>8.1f} ms")
    print(f"whole round / engine alone: {median(rounds) / median(alone):.1f}")


async def _live(
    rules: list[Rule], course: list[dict[str, dict[str, float | None]]], folder: Path
) -> tuple[list[float], list[float]]:
    channel = Channel("hook", "webhook", Webhook(Secret("http://127.0.0.1:9/")), Pacing(group_wait_us=0))
    now_us = time.time_ns() // 1000
    log = LogWriter("coordinator", folder / "coordinator.log")
    alerting = Alerting(rules, Notifications((channel,)), folder, log, lambda: now_us)
    rounds, stalls = [], []
    for samples in course:
        now_us += INTERVAL_US
        for worker, metrics in samples.items():
            alerting.take(worker, metrics)
        gaps: list[float] = []
        ticking = asyncio.create_task(_tick(gaps))
        began = time.perf_counter()
        await alerting.look()
        rounds.append(time.perf_counter() - began)
        await asyncio.sleep(0.002)
        ticking.cancel()
        stalls.append(max(gaps))
    alerting.close()
    log.close()
    return rounds, stalls


async def _tick(gaps: list[float]) -> None:
    """How much later than asked a sleep of a millisecond ends, again and again."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        gaps.append(time.perf_counter() - began - 0.001)


def _samples(workers: int, draw: random.Random) -> dict[str, dict[str, float | None]]:
    """A healthy fleet, but for every third worker, whose latency wanders about the limit."""
    found: dict[str, dict[str, float | None]] = {}
    for number in range(workers):
        metrics: dict[str, float | None] = dict.fromkeys(CATALOGUE, 0.0)
        metrics.update(task_success_rate=1.0, compression_ratio=3.0, connection_stability=1.0)
        metrics["avg_message_latency_ms"] = draw.uniform(150, 210) if number % 3 == 0 else draw.uniform(20, 90)
        found[f"worker-{number}"] = metrics
    return found


if __name__ == "__main__":
    main()
