"""When a failed delivery is tried again, and when it is given up. No clock, no I/O."""

import random
from email.utils import parsedate_to_datetime
from typing import Final

from recontool.model.instant import from_datetime
from recontool.model.policy import Backoff
from recontool.model.units import SECOND_US

BACKOFF: Final = Backoff(initial_s=1.0, cap_s=300.0, jitter="equal")
LONGEST_WAIT_S: Final = 3600.0  # whatever a server asks for
GIVE_UP_S: Final = 24 * 3600.0
# A status about the channel or the moment, not about the message: the same message may pass later.
_PASSING: Final = frozenset({401, 403, 404, 407, 408, 409, 410, 421, 423, 425, 429})


class DeliveryError(Exception):
    """A delivery failed.

    Args:
        problem: one sentence without secrets.
        final: the message itself was refused; no later try can help.
        retry_after_s: what the server asked for.
    """

    def __init__(self, problem: str, *, final: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(problem)
        self.problem, self.final, self.retry_after_s = problem, final, retry_after_s


def wait_s(failure: DeliveryError, tries: int, age_s: float, draw: random.Random) -> float | None:
    """Seconds until try number `tries` + 1 of a message that is `age_s` old; None gives it up."""
    if failure.final or age_s >= GIVE_UP_S:
        return None
    return min(LONGEST_WAIT_S, max(BACKOFF.delay_s(tries - 1, 0.0, draw), failure.retry_after_s))


def is_final(status: int) -> bool:
    """Whether an HTTP status refuses the message for good: redirects and most of 4xx."""
    return 300 <= status < 500 and status not in _PASSING  # noqa: PLR2004 - HTTP's own classes


def retry_after_s(value: str | None, now_us: int) -> float:
    """Seconds a `Retry-After` header asks for, given as seconds or as a date; 0 when it says nothing usable."""
    if value is None:
        return 0.0
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(LONGEST_WAIT_S, float(text[:9]))
    try:
        at_us = from_datetime(parsedate_to_datetime(text))
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return 0.0
    return min(LONGEST_WAIT_S, max(0.0, (at_us - now_us) / SECOND_US))
