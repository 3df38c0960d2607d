"""How long outages last when some have not ended: the Kaplan-Meier estimate with its band.

A plain mean of the ended ones would be too good: those that never end are the longest.
"""

import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

_Z95: Final = 1.959963984540054  # of the normal distribution, two-sided 95 %


class Step(Struct, frozen=True):
    """From `after_us` on this share is still away; `low` and `high` are the 95 % band (Greenwood, log-log)."""

    after_us: int
    share: float
    low: float
    high: float


def survival(ended_us: Sequence[int], open_us: Sequence[int]) -> list[Step]:
    """One step per distinct duration at which outages ended, ascending.

    Args:
        ended_us: durations of completed outages.
        open_us: how long each open outage had lasted when its log ended.
    """
    ends = sorted(ended_us)
    censored = sorted(open_us)
    steps: list[Step] = []
    share, variance = 1.0, 0.0
    i = gone = 0
    while i < len(ends):
        after = ends[i]
        number = i
        while i < len(ends) and ends[i] == after:
            i += 1
        while gone < len(censored) and censored[gone] < after:  # one open for exactly this long was still at risk
            gone += 1
        at_risk = len(ends) - number + len(censored) - gone
        ended = i - number
        share *= 1.0 - ended / at_risk
        if at_risk > ended:
            variance += ended / (at_risk * (at_risk - ended))
        steps.append(_step(after, share, variance, steps[-1].high if steps else 1.0))
    return steps


def quantile_us(steps: Sequence[Step], share_back: float) -> int | None:
    """The time after which `share_back` (0 to 1) were back; None when so many never were."""
    return next((step.after_us for step in steps if 1.0 - step.share >= share_back - 1e-12), None)


def _step(after_us: int, share: float, variance: float, last_high: float) -> Step:
    if share <= 0.0:
        return Step(after_us, 0.0, 0.0, last_high)
    spread = math.exp(_Z95 * math.sqrt(variance) / -math.log(share))
    return Step(after_us, share, share**spread, share ** (1.0 / spread))
