"""Silences: stretches without any record, longer than twice the worker's periodic interval.

What happened there is unknown, never "up". Source: SPEC section 1, "gap".
"""

import heapq
from collections.abc import Sequence
from typing import Final

from recontool.model.findings import Span
from recontool.model.units import SECOND_US

DEFAULT_INTERVAL_US: Final = 30 * SECOND_US
HEARTBEAT: Final = "heartbeat"
_LEAST_US: Final = SECOND_US // 10
_KEPT: Final = 10_000  # silences remembered, the longest ones
_SAMPLED: Final = 1_000  # distances of periodic lines that the median is taken from


class Gaps:
    """Feed the time of every record; `spans()` judges at the end, when the interval is known."""

    def __init__(self) -> None:
        self._last_us: int | None = None
        self._silences: list[tuple[int, int]] = []  # heap of (length, start)
        self._configured_us: int | None = None
        self._periodic: dict[str, list[int]] = {}
        self._periodic_last: dict[str, int] = {}

    def record(self, at_us: int) -> None:
        """A record stands at `at_us`."""
        last_us = self._last_us
        if last_us is not None:
            if at_us - last_us >= _LEAST_US:
                self._remember(at_us - last_us, last_us)
            elif at_us < last_us:
                return
        self._last_us = at_us

    def pause(self) -> None:
        """The process ended in an orderly way: the silence that follows is no gap."""
        self._last_us = None

    def periodic(self, kind: str, at_us: int) -> None:
        """A line that comes in a fixed rhythm (`block`, `status`, `heartbeat`)."""
        last_us = self._periodic_last.get(kind)
        self._periodic_last[kind] = at_us
        distances = self._periodic.setdefault(kind, [])
        if last_us is not None and at_us > last_us and len(distances) < _SAMPLED:
            distances.append(at_us - last_us)

    def configured(self, interval_s: float) -> None:
        """The process said how often it writes its periodic lines."""
        self._configured_us = round(interval_s * SECOND_US)

    def restore(
        self, configured_us: int | None, periodic: dict[str, list[int]], silences: list[tuple[int, int]]
    ) -> None:
        """What another fold has found; `silences` are (length, start)."""
        self._configured_us, self._periodic, self._silences = configured_us, periodic, silences

    def interval_us(self) -> int:
        """The rhythm: as configured, else the shortest median distance of periodic lines, else 30 s."""
        if self._configured_us is not None:
            return self._configured_us
        medians = {kind: median_us(distances) for kind, distances in self._periodic.items() if distances}
        # Heartbeats stop during an outage, so they set the rhythm only where nothing else does.
        steady = [rhythm for kind, rhythm in medians.items() if kind != HEARTBEAT]
        return min(steady or medians.values(), default=DEFAULT_INTERVAL_US)

    def spans(self) -> tuple[Span, ...]:
        """Gaps in time order."""
        limit_us = 2 * self.interval_us()
        long = sorted((start_us, length_us) for length_us, start_us in self._silences if length_us > limit_us)
        return tuple(Span(start_us, start_us + length_us) for start_us, length_us in long)

    def _remember(self, length_us: int, start_us: int) -> None:
        if self._configured_us is not None and length_us <= 2 * self._configured_us:
            return
        if len(self._silences) < _KEPT:
            heapq.heappush(self._silences, (length_us, start_us))
        else:
            heapq.heappushpop(self._silences, (length_us, start_us))


def median_us(durations: Sequence[int]) -> int:
    """As the statistics module's, rounded; that brings decimals and fractions along, which takes longer than a small log."""
    ordered, half = sorted(durations), len(durations) // 2
    return ordered[half] if len(ordered) % 2 else round((ordered[half - 1] + ordered[half]) / 2)
