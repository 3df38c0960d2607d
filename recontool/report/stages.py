"""The stages of the way back, from the last sign of life to the first task, and how long each took."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from recontool.model.detail import Steps


class Stage(Struct, frozen=True):
    """One stage; `took_us` holds its durations, ascending, of the outages whose log tells both of its ends."""

    title: str
    meaning: str
    took_us: tuple[int, ...]


STAGES: Final = (
    ("Detect", "silent_us", ("start_us",), "from the last sign of life to the loss being noticed"),
    ("Wait and retry", "dialled_us", ("start_us",), "from the loss to the try that led to a session"),
    ("Dial", "established_us", ("dialled_us",), "from that try to the session"),
    ("Synchronise", "synced_us", ("established_us",), "from the session to agreement on results and tasks"),
    ("First task", "task_us", ("synced_us", "established_us"), "from there to the first execution started"),
)


def stages(steps: Sequence[Steps]) -> tuple[Stage, ...]:
    """Every stage that at least one outage tells."""
    found = (Stage(title, meaning, _took(steps, end, begins)) for title, end, begins, meaning in STAGES)
    return tuple(stage for stage in found if stage.took_us)


def _took(steps: Sequence[Steps], end: str, begins: tuple[str, ...]) -> tuple[int, ...]:
    took = []
    for one in steps:
        last = getattr(one, end)
        first = next((at for name in begins if (at := getattr(one, name)) is not None), None)
        if last is not None and first is not None:
            took.append(abs(last - first))  # the last sign of life is earlier than the loss it ends with
    return tuple(sorted(took))
