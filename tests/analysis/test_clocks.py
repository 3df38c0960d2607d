import random

import pytest
from fleet_stories import worker

from recontool.analysis.clocks import ClockFold
from recontool.model.events import Event
from recontool.model.units import SECOND_US

T = 1_795_507_200 * SECOND_US


def fold(
    offset_us: int, sessions: int, *, seed: int = 1, drift_us: int = 0, coordinator_first: bool = False
) -> ClockFold:
    """Sessions that take 4 to 60 ms in all, accepted at a random moment of that; the worker's clock is off."""
    draw = random.Random(seed)
    theirs, ours = [], []
    for i in range(sessions):
        at_us = T + i * 60 * SECOND_US
        dialled, took = at_us, draw.randrange(4_000, 60_000)
        own = offset_us + i * drift_us
        ours.append(Event(dialled + own, "INFO", "w", "RECONNECT", "attempt", {"n": 1}))
        ours.append(Event(dialled + took + own, "INFO", "w", "RECONNECT", "established", {"session": f"s{i}"}))
        accepted = dialled + draw.randrange(took)
        theirs.append(
            Event(accepted, "INFO", "coordinator", "CONNECT", "accepted", {"worker": "w", "session": f"s{i}"})
        )
    found = ClockFold()
    files = [("w.log", ours), ("c.log", theirs)]
    for file, events in reversed(files) if coordinator_first else files:
        for event in events:
            found.feed(file, event)
    return found


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("coordinator_first", [False, True])
def test_the_offset_lies_within_its_stated_error(seed: int, coordinator_first: bool) -> None:
    planted = random.Random(100 + seed).randrange(-5 * SECOND_US, 5 * SECOND_US)
    (clock,) = fold(planted, 1 + seed, seed=seed, coordinator_first=coordinator_first).offsets({"w": worker("w", [])})
    assert abs(clock.offset_us - planted) <= clock.error_us <= 30_000
    assert clock.sessions == 1 + seed


def test_more_sessions_narrow_it_down() -> None:
    few, many = (fold(3_000_000, number).offsets({"w": worker("w", [])})[0] for number in (1, 200))
    assert many.error_us < few.error_us / 2


def test_a_clock_that_was_set_meanwhile_says_how_far_it_moved() -> None:
    (clock,) = fold(0, 11, drift_us=SECOND_US).offsets({"w": worker("w", [])})
    assert abs(clock.offset_us - 5 * SECOND_US) < 60_000
    assert clock.error_us > 4.9 * SECOND_US


def test_without_a_shared_session_there_is_no_offset() -> None:
    assert fold(0, 0).offsets({"w": worker("w", [])}) == ()
    assert fold(0, 3).offsets({"v": worker("v", [])}) == ()


def test_a_session_is_accepted_by_its_marker_too():
    seen = ClockFold()
    seen.feed("c.log", Event(1, "INFO", "coordinator", "RECONNECT", "accepted", {"session": "s1"}))
    assert seen.accepted == {}
    seen.feed("c.log", Event(2, "INFO", "coordinator", "CONNECT", "accepted", {"session": "s1"}))
    assert seen.accepted == {"s1": ("c.log", 2)}
