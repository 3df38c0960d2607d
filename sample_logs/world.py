"""Simulated time: a queue of things to do, and processes that write lines, freeze, die and start again."""

import heapq
import random
from collections.abc import Callable
from itertools import count

from recontool.logs.grammar import render
from recontool.model.events import Event, Value

SECOND_US = 1_000_000


class World:
    """Runs callbacks in time order; `rng` is the only source of chance."""

    def __init__(self, start_us: int, seed: int) -> None:
        self.now_us = start_us
        self.start_us = start_us
        self.rng = random.Random(seed)
        self._queue: list[tuple[int, int, Process, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, at_us: int, process: "Process", action: Callable[[], None]) -> None:
        """Do `action` at `at_us`, unless `process` has died by then."""
        heapq.heappush(self._queue, (at_us, next(self._order), process, process.life, action))

    def run_until(self, end_us: int) -> None:
        """Do what is due before `end_us`; what falls into a freeze is done when it ends."""
        while self._queue and self._queue[0][0] < end_us:
            at_us, order, process, life, action = heapq.heappop(self._queue)
            if process.life != life:
                continue
            if at_us < process.frozen_until_us:
                late_us = process.frozen_until_us + 400 + order % 97
                heapq.heappush(self._queue, (late_us, order, process, life, action))
                continue
            self.now_us = at_us
            action()
        self.now_us = end_us


class Process:
    """Something that writes a tagged-v1 log."""

    def __init__(self, world: World, source: str, level: str = "INFO") -> None:
        self.world, self.source, self.level = world, source, level
        self.lines: list[str] = []
        self.life = 0  # goes up with each death; what an earlier life had planned is void
        self.frozen_until_us = 0
        self.last_us = 0  # time of the last record

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do `action` in `delay_s` seconds of simulated time."""
        self.world.at(self.world.now_us + round(delay_s * SECOND_US), self, action)

    def log(self, marker: str, name: str, level: str = "INFO", /, **fields: Value) -> None:
        """Write one event, if the level lets it through."""
        if level == "DEBUG" and self.level != "DEBUG":
            return
        self.last_us = self.world.now_us
        self.lines.append(render(Event(self.world.now_us, level, self.source, marker, name, fields)))

    def text(self, line: str) -> None:
        """Write a line that is no event."""
        self.last_us = self.world.now_us
        self.lines.append(line)

    def token(self, length: int = 12) -> str:
        """An id nobody has used: hexadecimal digits."""
        return f"{self.world.rng.getrandbits(4 * length):0{length}x}"
