"""What a second look at the logs adds to an analysis: raw lines, the steps of each reconnection, the waits.

Instants and durations are integer microseconds; places are "file:line" as evidence has them.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

CONTEXT: Final = 20  # raw lines kept on either side of a place
WAITS_KEPT: Final = 2000  # waits kept for the chart; all are counted


class Steps(Struct, frozen=True):
    """When one outage passed each step of the way back; None where the log does not tell.

    `silent_us` is when the peer was last heard, before the loss was noticed at `start_us`.
    """

    worker: str
    start_us: int
    silent_us: int | None = None
    dialled_us: int | None = None  # the try that led to the session
    established_us: int | None = None
    synced_us: int | None = None
    task_us: int | None = None  # the first execution started after it
    repeated: int = 0  # executions after it that were not the first of their task


class Wait(Struct, frozen=True):
    """One wait before a try: the `n`-th of its outage, `delay_s` seconds long."""

    worker: str
    n: int
    delay_s: float


class Detail(Struct, frozen=True):
    """All of it. `raw` holds text by file and line number; `missing` says in a sentence why there is none.

    `repeated` counts executions that were not the first of their task, by worker.
    """

    steps: tuple[Steps, ...] = ()
    waits: tuple[Wait, ...] = ()
    waits_seen: int = 0
    repeated: Mapping[str, int] = field(default_factory=dict)
    raw: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    missing: str = ""


NO_DETAIL: Final = Detail()
