"""The additive part of every metric: integer counts and sums that merge exactly under any grouping."""

from operator import add, attrgetter
from typing import Final

from msgspec import Struct

NANOS_PER_MS: Final = 1_000_000


class Totals(Struct):
    """Counts of one worker, one process or one fleet. Durations are integer nanoseconds or microseconds.

    Integers, because sums of floats depend on the order of adding and could not be split and merged.
    """

    attempts: int = 0
    established: int = 0
    reconnections: int = 0
    reconnect_us: int = 0
    sent: int = 0
    sized: int = 0  # sent messages whose size the log tells
    sent_bytes: int = 0
    received: int = 0
    acked: int = 0
    latency_ns: int = 0
    errors: int = 0
    executed: int = 0
    completed: int = 0
    failed: int = 0
    timed_tasks: int = 0
    task_ns: int = 0
    created: int = 0
    restored: int = 0
    compressed: int = 0
    raw_bytes: int = 0
    wire_bytes: int = 0
    timed_compressed: int = 0
    compress_ns: int = 0
    timed_decompressed: int = 0
    decompress_ns: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*map(add, _counts(self), _counts(other)))

    def as_dict(self) -> dict[str, int]:
        """By name."""
        return dict(zip(_NAMES, _counts(self), strict=True))


_NAMES: Final = Totals.__struct_fields__
_counts: Final = attrgetter(*_NAMES)


MESSAGE_TOTALS: Final = ("sent", "sized", "sent_bytes", "received", "acked", "latency_ns", "errors")

if not set(MESSAGE_TOTALS) <= set(_NAMES):
    raise ValueError(f"message totals name unknown fields: {sorted(set(MESSAGE_TOTALS) - set(_NAMES))}")


def nanos(milliseconds: float) -> int:
    """A logged duration in ms as integer nanoseconds."""
    return round(milliseconds * NANOS_PER_MS)
