import pytest
from fleet_stories import outage, worker

from recontool.analysis.chain import follow
from recontool.model.detail import WAITS_KEPT
from recontool.model.events import Event
from recontool.model.units import SECOND_US

T = 1_795_507_200 * SECOND_US


def at(second: float, marker: str, name: str, source: str = "w", **fields) -> tuple[str, Event]:
    return "w.log", Event(T + round(second * SECOND_US), "INFO", source, marker, name, fields)


def seconds_after(steps) -> list[float | None]:
    """Silent, dialled, established, synced and task in seconds after the loss."""
    marks = (steps.silent_us, steps.dialled_us, steps.established_us, steps.synced_us, steps.task_us)
    return [None if mark is None else (mark - steps.start_us) / SECOND_US for mark in marks]


HEARTBEAT = [
    at(10, "RECONNECT", "lost", cause="heartbeat", detected_s=15.0),
    at(10, "RECONNECT", "scheduled", n=1, delay_s=0.7),
    at(11, "RECONNECT", "attempt", n=1),
    at(11, "RECONNECT", "failed", n=1),
    at(13, "RECONNECT", "attempt", n=2),
    at(14, "RECONNECT", "established", n=2),
    at(14.5, "SYNC", "completed"),
    at(16, "TASK", "started", task="a", attempt=2),
    at(20, "SYNC", "completed"),
    at(21, "TASK", "started", task="b", attempt=1),
]
STORIES = [
    ("all steps", [(10, 14)], HEARTBEAT, [[-15.0, 3.0, 4.0, 4.5, 6.0]]),
    ("no events of it", [(10, 14)], [], [[None, None, 4.0, None, None]]),
    ("still open", [(10, None)], HEARTBEAT[:5], [[-15.0, 3.0, None, None, None]]),
    (
        "a loss before the first task",
        [(10, 14), (15, 18)],
        [*HEARTBEAT[:7], at(15, "RECONNECT", "lost", cause="closed"), *HEARTBEAT[8:]],
        [[-15.0, 3.0, 4.0, 4.5, None], [None, None, 3.0, 5.0, 6.0]],
    ),
    ("work while down is not the first task", [(10, 14)], [at(12, "TASK", "started")], [[None, None, 4.0, None, None]]),
    (
        "another worker's line",
        [(10, 14)],
        [at(12, "RECONNECT", "attempt", source="x")],
        [[None, None, 4.0, None, None]],
    ),
]


@pytest.mark.parametrize(
    ("outages", "events", "expected"), [story[1:] for story in STORIES], ids=[s[0] for s in STORIES]
)
def test_each_outage_gets_its_own_steps(outages, events, expected) -> None:
    known = worker("w", [outage("w", T + a * SECOND_US, None if b is None else T + b * SECOND_US) for a, b in outages])
    found = follow(events, {"w": known})
    assert [seconds_after(steps) for steps in found.steps()] == expected


def test_waits_are_thinned_but_all_counted_and_repeats_are_counted() -> None:
    number = 3 * WAITS_KEPT
    waits = [at(i, "RECONNECT", "scheduled", n=1 + i % 5, delay_s=1.0) for i in range(number)]
    found = follow([*waits, *HEARTBEAT[7:]], {"w": worker("w", [])})
    assert found.waits_seen == number
    assert WAITS_KEPT // 2 <= len(found.waits()) <= WAITS_KEPT
    assert found.repeated == {"w": 1}


def test_work_done_again_belongs_to_the_outage_before_it() -> None:
    known = worker("w", [outage("w", T + 10 * SECOND_US, T + 14 * SECOND_US), outage("w", T + 30 * SECOND_US, None)])
    found = follow([*HEARTBEAT, at(31, "TASK", "started", task="c", attempt=3)], {"w": known})
    assert [steps.repeated for steps in found.steps()] == [1, 1]
