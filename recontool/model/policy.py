"""The backoff policy: how long a worker waits before its next try.

The runtime's reconnect loop draws from it, and so will every simulation of it.
"""

import random
from typing import Final

from msgspec import Struct

STABLE_SESSION_S: Final = 10.0  # a session shorter than this is a flap and does not reset the backoff


class Backoff(Struct, frozen=True):
    """v = min(cap, initial * 2^n), jitter after the cap, so that waits spread even at the cap.

    Kinds: `none` waits v; `equal` a uniform draw from [v/2, v]; `full` from [0, v];
    `decorrelated` from [initial, 3 * previous wait], capped.
    """

    initial_s: float
    cap_s: float
    jitter: str

    def delay_s(self, n: int, previous_s: float, draw: random.Random) -> float:
        """Seconds to wait before try `n` (0 is the first after a loss); `previous_s` is the wait before."""
        if self.jitter == "decorrelated":
            top = max(self.initial_s, 3.0 * previous_s)
            return min(self.cap_s, draw.uniform(self.initial_s, top))
        # The exponent is bounded: 2.0**1024 would overflow after a long night of failures.
        ceiling = min(self.cap_s, self.initial_s * 2.0 ** min(n, 60))
        if self.jitter == "equal":
            return draw.uniform(ceiling / 2, ceiling)
        if self.jitter == "full":
            return draw.uniform(0.0, ceiling)
        return ceiling

    def resets_after(self, session_s: float, last_delay_s: float) -> bool:
        """Whether a session of `session_s` was stable enough to start from the first delay again."""
        return session_s >= max(STABLE_SESSION_S, last_delay_s)
