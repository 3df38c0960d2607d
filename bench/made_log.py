"""Writes a tagged-v1 log of a wanted size: one worker's minute, over and over, at INFO or DEBUG. Seeded."""

import random
from collections.abc import Iterator
from pathlib import Path

from recontool.logs.grammar import render, render_text
from recontool.model.catalogue import BLOCK
from recontool.model.events import Event, Value
from recontool.model.instant import MINUTE_US, from_datetime, iso, to_datetime

START_US = from_datetime(to_datetime(0).replace(year=2026, month=11, day=20))
SOURCE = "worker-1"
TIME_WIDTH = len(iso(0))
TASKS_PER_MINUTE = 12


def write(path: Path, size_bytes: int, level: str, seed: int = 7) -> int:
    """Write whole minutes until `size_bytes` is reached; returns the number of lines."""
    minute = sorted(_minute(random.Random(seed), debug=level == "DEBUG"))
    written = lines = 0
    start_us = START_US
    with path.open("w", encoding="ascii") as log:
        written += log.write(render(_event(start_us, "", "config", metrics_interval=10.0, log_level=level)) + "\n")
        while written < size_bytes:
            for at_us, tail in minute:
                written += log.write(f"{iso(start_us + at_us)}{tail}\n")
            lines += len(minute)
            start_us += MINUTE_US
    return lines + 1


def _minute(rng: random.Random, *, debug: bool) -> Iterator[tuple[int, str]]:
    """(microseconds into the minute, the line after its time)."""
    for event in _story(rng):
        if debug or event.level != "DEBUG":
            yield event.at_us, render(event)[TIME_WIDTH:]
    for at_us in range(9_999_000, MINUTE_US, 10_000_000):
        texts = [f"====== Performance Metrics for {SOURCE} ======"]
        texts += [f"{label.label}: {rng.uniform(1, 50):.{label.decimals}f}{label.suffix}" for _, label in BLOCK]
        for order, text in enumerate([*texts, "=" * 45]):
            yield at_us + order, render_text(at_us, "INFO", SOURCE, text)[TIME_WIDTH:]


def _story(rng: random.Random) -> Iterator[Event]:
    """One outage, twelve tasks with checkpoints, heartbeats and messages with their acknowledgements."""
    yield _event(1_000, "RECONNECT", "lost", level="WARNING", cause="closed", code=1006)
    yield _event(2_000, "RECONNECT", "scheduled", n=1, delay_s=0.731542)
    yield _event(733_542, "RECONNECT", "attempt", n=1, url="ws://localhost:8765/ws")
    yield _event(741_201, "RECONNECT", "established", n=1, down_s=0.740201, session="9b0b0bb74785", resumed=True)
    yield _event(745_000, "SYNC", "started", results=1, states=1)
    yield _event(759_000, "SYNC", "completed", took_s=0.014, resent=1, duplicates=0)
    for number in range(TASKS_PER_MINUTE):
        at_us = 1_000_000 + number * 4_800_000
        task = f"task-{rng.getrandbits(32):08x}"
        yield _event(at_us, "TASK", "started", task=task, attempt=1)
        for step in range(1, 5):
            saved = f"cp-{rng.getrandbits(32):08x}"
            at = at_us + step * 900_000
            yield _event(at, "CHECKPOINT", "created", task=task, checkpoint=saved, size_bytes=812, took_ms=2.125)
            yield from _message(rng, at + 4_000, "checkpoint", 812, number * 10 + step)
        yield _event(at_us + 4_500_000, "TASK", "completed", task=task, took_ms=4500.0)
        yield _event(at_us + 4_501_000, "COMPRESS", "compressed", raw_bytes=20480, wire_bytes=6144, took_ms=0.9)
        yield from _message(rng, at_us + 4_502_000, "task_result", 20480, number * 10 + 5)
        yield from _message(rng, at_us + 4_550_000, "heartbeat", 96, number * 10 + 6)


def _message(rng: random.Random, at_us: int, kind: str, size_bytes: int, seq: int) -> Iterator[Event]:
    yield _event(at_us, "", "message_sent", level="DEBUG", type=kind, size_bytes=size_bytes, seq=seq)
    yield _event(at_us + 9_000, "", "message_acked", level="DEBUG", seq=seq, rtt_ms=round(rng.uniform(4, 20), 3))
    yield _event(at_us + 12_000, "", "message_received", level="DEBUG", type=kind, size_bytes=88, seq=seq)


def _event(at_us: int, marker: str, name: str, /, *, level: str = "INFO", **fields: Value) -> Event:
    return Event(at_us, level, SOURCE, marker, name, fields)
