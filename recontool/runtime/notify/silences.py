"""Silences: alerts nobody wants to hear of until a given time. Data only; reading them is `read.py`."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from msgspec import Struct

from recontool.runtime.notify.message import Item


class Silence(Struct, frozen=True):
    """Holds from `from_us` up to, not including, `until_us` for alerts that fit every pattern (`*` and `?`)."""

    until_us: int
    from_us: int = 0
    alert: str = "*"
    worker: str = "*"
    severity: str = "*"
    comment: str = ""

    def covers(self, item: Item, at_us: int) -> bool:
        """Whether `item` is silenced at `at_us`; a fleet alert has the worker ""."""
        return (
            self.from_us <= at_us < self.until_us
            and fnmatchcase(item.alert, self.alert)
            and fnmatchcase(item.worker or "", self.worker)
            and fnmatchcase(item.severity, self.severity)
        )


def silenced_until(silences: Iterable[Silence], item: Item, at_us: int) -> int | None:
    """The end of the longest silence that covers `item` at `at_us`; None when none does."""
    return max((silence.until_us for silence in silences if silence.covers(item, at_us)), default=None)
