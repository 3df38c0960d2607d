"""Measures an update of the live page: gathering on the event loop, drawing in a thread, and what both do to the loop.

`python bench/dashboard.py`. In every round each worker has new numbers, every third worker's latency wanders about
its alert's limit, and some workers come and go: the most there can be to draw. No socket takes part.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path

from msgspec.structs import replace

from recontool.alerts.rules import BUILT_IN
from recontool.logs.writer import LogWriter
from recontool.model.catalogue import CATALOGUE
from recontool.model.live import Live
from recontool.report.dashboard.page import LivePage
from recontool.runtime.alerting import Alerting
from recontool.runtime.board import TaskBoard
from recontool.runtime.dashboard.course import Effort
from recontool.runtime.dashboard.survey import Survey, Traffic
from recontool.runtime.instructions import Sample
from recontool.runtime.notify.settings import Notifications

INTERVAL_US = 10_000_000
TRAFFIC = Traffic(500, 1, 3, 0.1, 500)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure an update of the live page.")
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=120)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fleet = _Fleet(given.workers, Path(folder))
        taken = asyncio.run(fleet.rounds(given.rounds))
        fleet.alerting.close()
    print(f"{given.workers} workers, {given.rounds} rounds                 p50        p99")
    for title, values in taken.items():
        print(f"{title:<40}{_quantile(values, 0.5) * 1e3:>8.1f} ms{_quantile(values, 0.99) * 1e3:>8.1f} ms")
    print(f"first update {fleet.first_bytes / 1e3:.0f} kB, later ones {fleet.later_bytes / 1e3:.0f} kB on average")
    print(f"drawing at one update in 10 s: {sum(taken['  of that, processor time']) / given.rounds / 10:.2%} of a core")


class _Fleet:
    """A fleet as its coordinator knows it."""

    def __init__(self, workers: int, folder: Path) -> None:
        self._names = [f"worker-{number}" for number in range(workers)]
        self._draw = random.Random(7)
        self._now_us = time.time_ns() // 1000
        log = LogWriter("coordinator", folder / "coordinator.log")
        self.alerting = Alerting(BUILT_IN, Notifications(), folder, log, lambda: self._now_us)
        self._seen: dict[str, Sample] = {}
        self._board = TaskBoard(30.0)
        self._survey = Survey(self._seen, self._board, Effort(folder), lambda: self._now_us)
        for name in self._names:
            self._survey.presence.began(name, self._now_us)
        for number in range(10 * workers):
            self._board.add(f"t-{number}", {"type": "sleep"})
            task = self._board.get(f"t-{number}")
            if task is not None and number % 20 < 19:
                self._board.assign(task, self._names[number % workers])
        self.first_bytes, self.later_bytes = 0.0, 0.0
        self._cpu_s: list[float] = []

    async def rounds(self, number: int) -> dict[str, list[float]]:
        """Seconds by what they were spent on."""
        page = LivePage()
        gathering, drawing, stalls, idle = [], [], [], []
        before: dict[str, str] = {}
        for _ in range(number):
            await self._news()
            idle.append(await self._stall(asyncio.sleep(0.03)))
            began = time.perf_counter()
            live = self._survey.live(TRAFFIC)
            gathering.append(time.perf_counter() - began)
            began = time.perf_counter()
            drawn = asyncio.create_task(asyncio.to_thread(self._drawn, page, live))
            stalls.append(await self._stall(drawn))
            drawing.append(time.perf_counter() - began)
            parts = drawn.result()
            size = sum(len(text.encode()) for name, text in parts.items() if before.get(name) != text)
            if before:
                self.later_bytes += size / (number - 1)
            else:
                self.first_bytes = size
            before = parts
        return {
            "gathered, on the event loop": gathering,
            "drawn, in a thread": drawing,
            "  of that, processor time": self._cpu_s,
            "loop held up while drawing": stalls,
            "loop held up while nothing is drawn": idle,
        }

    def _drawn(self, page: LivePage, live: Live) -> dict[str, str]:
        began = time.thread_time()
        parts = page.parts(replace(live, alerts=self.alerting.overview()))
        self._cpu_s.append(time.thread_time() - began)
        return parts

    async def _news(self) -> None:
        self._now_us += INTERVAL_US
        for number, name in enumerate(self._names):
            metrics = {metric: self._draw.uniform(0, 3) for metric in CATALOGUE}
            metrics["avg_message_latency_ms"] = self._draw.uniform(150, 210) if number % 3 == 0 else 40.0
            self._seen[name] = Sample(name, self._now_us, dict(metrics))
            self.alerting.take(name, metrics)
            self._survey.presence.heard(name, self._now_us)
        for name in self._draw.sample(self._names, len(self._names) // 50):
            self._survey.presence.ended(name, self._now_us - 5_000_000, orderly=False)
            self._survey.presence.began(name, self._now_us - 1_000_000)
        await self.alerting.look()
        self._survey.look(len(self._names), self.alerting.firing())

    async def _stall(self, work: Awaitable[object]) -> float:
        """The latest a sleep of a millisecond ended while `work` went on."""
        gaps: list[float] = [0.0]
        ticking = asyncio.create_task(_tick(gaps))
        await work
        ticking.cancel()
        return max(gaps)


async def _tick(gaps: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        gaps.append(time.perf_counter() - began - 0.001)


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


if __name__ == "__main__":
    main()
