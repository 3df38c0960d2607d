"""Keeps how the fleet fared lately, and what the coordinator's own process costs, for the live page."""

import asyncio
import resource
import shutil
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from recontool.alerts import fleet
from recontool.model.live import LivePoint
from recontool.runtime.instructions import Sample

KEPT: Final = 180  # points: half an hour at the longest tick
_LAG_EVERY_S: Final = 0.5
_LAGS: Final = round(60 / _LAG_EVERY_S)
_DRAWN: Final = ("reconnections", "avg_reconnect_time", "avg_message_latency_ms", "task_success_rate")


class Course:
    """Points of the fleet, one per tick."""

    def __init__(self) -> None:
        self.points: deque[LivePoint] = deque(maxlen=KEPT)

    def look(self, at_us: int, samples: Sequence[Sample], connected: int, firing: int) -> None:
        """Add one point."""
        found = fleet.of_samples([sample.metrics for sample in samples], _DRAWN)
        self.points.append(LivePoint(at_us, connected, firing, found))


class Effort:
    """What the process costs: processor, memory, how far its event loop runs behind, and the disk's room."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lags_s: deque[float] = deque([0.0], maxlen=_LAGS)
        self._asked = time.monotonic(), time.process_time()
        self.cpu_share = 0.0
        self.free_bytes = self._free_bytes()

    @property
    def lag_s(self) -> float:
        """The most the event loop ran behind in the last minute."""
        return max(self._lags_s)

    @property
    def memory_bytes(self) -> int:
        """The most memory the process ever held."""
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    async def run(self) -> None:
        """Watch the event loop, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + _LAG_EVERY_S
            await asyncio.sleep(_LAG_EVERY_S)
            self._lags_s.append(max(loop.time() - due_s, 0.0))

    def look(self) -> None:
        """Take stock since the last look."""
        wall_s, cpu_s = time.monotonic(), time.process_time()
        passed_s = wall_s - self._asked[0]
        self.cpu_share = (cpu_s - self._asked[1]) / passed_s if passed_s > 0 else 0.0
        self._asked = wall_s, cpu_s
        self.free_bytes = self._free_bytes()

    def _free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self._data_dir).free
        except OSError:  # the folder is gone: there is no room in it, and the page will say so
            return 0
