"""Measures the alert engine: rule evaluations per second offline, the time of one live round. `python bench/alerts.py`.

Times are CPU seconds of one core: the machine is never quiet, and nothing here waits for anything.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from recontool.alerts.backtest import backtest, grid
from recontool.alerts.engine import AlertEngine
from recontool.alerts.language.errors import ConditionError
from recontool.alerts.language.parser import parse
from recontool.alerts.rules import BUILT_IN, Rule
from recontool.model.series import Column, Floats, Ints, SeriesSet, first_seen
from recontool.model.units import SECOND_US

ROUNDS = 5
WORKERS, HOURS, STEP_S = 20, 24, 5
FLEET, LIVE_ROUNDS = 2_000, 60
WINDOWED = (
    Rule("rate", "rate(reconnections[1m]) * 60 > 3", "WARNING", for_us=60 * SECOND_US),
    Rule("average", "avg(avg_message_latency_ms[5m]) > 200", "WARNING"),
    Rule("peak", "max(avg_message_latency_ms[2m]) >= 500", "WARNING", keep_firing_us=60 * SECOND_US),
    Rule("band", "avg_message_latency_ms > 200", "WARNING", clear_when="avg_message_latency_ms <= 150"),
    Rule("success", "task_success_rate < 0.95 unless resets(reconnections[5m]) > 0", "CRITICAL"),
)
METRICS = (
    "reconnections_per_minute",
    "failed_reconnections",
    "avg_message_latency_ms",
    "task_success_rate",
    "compression_ratio",
    "reconnections",
)


def main() -> None:
    """Print both tables."""
    generator = np.random.default_rng(7)
    series, at_us = _recorded(generator)
    print(
        f"{'offline, ' + str(WORKERS) + ' workers x ' + str(HOURS) + ' h at ' + str(STEP_S) + ' s':<46} per CPU second"
    )
    for title, rules in (("the five built-in rules", BUILT_IN), ("five windowed rules", WINDOWED)):
        took_s = _median(partial(backtest, rules, series, at_us))
        count = WORKERS * len(at_us) * len(rules)
        print(f"{title:<46} {count / took_s / 1e6:>10.2f} M   ({count / 1e6:.2f} M in {took_s:.2f} s)")
    _live(generator)
    _hostile()


def _recorded(generator: np.random.Generator) -> tuple[SeriesSet, Ints]:
    at_us = grid(0, HOURS * 3600 * SECOND_US, STEP_S * SECOND_US)
    count = len(at_us)
    offsets = np.arange(WORKERS + 1, dtype=np.int64) * count
    columns = {
        metric: Column(
            offsets, np.tile(at_us, WORKERS), np.concatenate([_walk(generator, metric, count) for _ in range(WORKERS)])
        )
        for metric in METRICS
    }
    return SeriesSet([f"worker-{n}" for n in range(WORKERS)], columns, first_seen(WORKERS, columns)), at_us


def _walk(generator: np.random.Generator, metric: str, count: int) -> Floats:
    if metric == "reconnections":
        return np.cumsum(generator.random(count) < 0.02).astype(np.float64)
    scale = {"avg_message_latency_ms": 60.0, "task_success_rate": 0.03, "compression_ratio": 1.0}.get(metric, 1.5)
    middle = {"avg_message_latency_ms": 120.0, "task_success_rate": 0.98, "compression_ratio": 2.5}.get(metric, 0.0)
    steps = generator.normal(0.0, 0.1, count)
    return middle + scale * np.convolve(steps, np.ones(100), mode="same")


def _live(generator: np.random.Generator) -> None:
    engine = AlertEngine((*BUILT_IN, *WINDOWED))
    workers = [f"worker-{n}" for n in range(FLEET)]
    # Cut out of the middle: a walk of 60 steps would hardly move.
    walks = {
        metric: np.stack([_walk(generator, metric, 400)[200 : 200 + LIVE_ROUNDS] for _ in workers])
        for metric in METRICS
    }
    took_s, changes = [], 0
    for number in range(LIVE_ROUNDS):
        samples = {
            worker: {metric: float(walks[metric][row, number]) for metric in METRICS}
            for row, worker in enumerate(workers)
        }
        began = time.process_time()
        changes += len(engine.step((number + 1) * STEP_S * SECOND_US, samples))
        took_s.append(time.process_time() - began)
    half = took_s[LIVE_ROUNDS // 2 :]  # the windows are full by then
    print(
        f"live, {FLEET:,} workers x {len(BUILT_IN) + len(WINDOWED)} rules: median {median(half) * 1e3:.1f} ms a round, "
        f"worst {max(half) * 1e3:.1f} ms, {changes:,} changes in {LIVE_ROUNDS} rounds"
    )


def _hostile() -> None:
    """The slowest of texts that try to keep the parser busy."""
    texts = (
        "(" * 1_000,
        "-" * 999 + "1",
        "not " * 250,
        "rate(" * 200,
        "1 > 2 or " * 111,
        "reconnections_per_minut > 1 " * 35,
        "a" * 1_000,
        "1e" * 500,
        "[" * 1_000,
        "9" * 1_000,
        " " * 1_000,
        "\x00" * 1_000,
        "=" * 10**6,
    )
    slowest = max((min(_seconds(text) for _ in range(ROUNDS)), text[:12]) for text in texts)
    print(f"parsing the slowest of {len(texts)} hostile texts: {slowest[0] * 1e3:.2f} ms ({slowest[1]}...)")


def _seconds(text: str) -> float:
    began = time.process_time()
    try:
        parse(text)
    except ConditionError:
        return time.process_time() - began
    raise ValueError(f"{text[:20]!r} is no hostile text")


def _median(work: Callable[[], object]) -> float:
    took_s = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took_s.append(time.process_time() - began)
    return median(took_s)


if __name__ == "__main__":
    main()
