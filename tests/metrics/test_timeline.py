"""The two-state rule, as short stories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import at, fold

UP, LOST = "[CONNECT] established", "[RECONNECT] lost cause=closed code=1006"
BACK, TRY, CLOSED = "[RECONNECT] established n=1", "[RECONNECT] attempt n=1", "[CONNECT] closed code=1000"
CONFIG = "config role=worker log_level=INFO metrics_interval=10.0"

# (story, outages as (start, end, cause, attempts), stability)
STORIES = {
    "never established": ([(0, CONFIG), (1, "[CONNECT] attempt n=1"), (9, "[CONNECT] failed n=1")], [], 0.0),
    "never lost": ([(0, CONFIG), (1, UP), (11, "plain")], [], 1.0),
    "one outage": ([(0, UP), (4, LOST), (5, TRY), (6, BACK), (10, "plain")], [(4, 6, "closed", 1)], 0.8),
    "still open": ([(0, UP), (5, LOST), (6, TRY), (10, "plain")], [(5, None, "closed", 1)], 0.5),
    "a loss while down changes nothing": (
        [(0, UP), (2, LOST), (3, "[RECONNECT] lost cause=heartbeat"), (4, BACK), (10, "plain")],
        [(2, 4, "closed", 0)],
        0.8,
    ),
    "established while up changes nothing": (
        [(0, UP), (3, BACK), (5, LOST), (6, BACK), (10, "x y")],
        [(5, 6, "closed", 0)],
        0.9,
    ),
    "a loss before the first session": ([(0, LOST), (5, UP), (10, "plain")], [], 1.0),
    "a start while up is a crash at the last record": (
        [(0, CONFIG), (1, UP), (5, "plain"), (8, CONFIG), (9, UP), (11, "plain")],
        [(5, 9, "crash", 0)],
        0.6,
    ),
    "a start after an orderly end is none": (
        [(0, CONFIG), (0, UP), (5, CLOSED), (105, CONFIG), (105, UP), (110, "plain")],
        [],
        1.0,
    ),
    "absence is not observed": (
        [(0, UP), (5, CLOSED), (105, CONFIG), (105, UP), (108, LOST), (109, BACK), (110, "plain")],
        [(108, 109, "closed", 0)],
        0.9,
    ),
    "a start while down goes on with the outage": (
        [(0, CONFIG), (0, UP), (4, LOST), (5, CONFIG), (6, UP), (10, "plain")],
        [(4, 6, "closed", 0)],
        0.8,
    ),
    "a clock that steps back makes no negative time": (
        [(0, UP), (8, LOST), (3, BACK), (10, "x y")],
        [(8, 8, "closed", 0)],
        1.0,
    ),
}


@pytest.mark.parametrize(("story", "outages", "stability"), STORIES.values(), ids=STORIES)
def test_outages(story, outages, stability):
    timeline = fold(story).timeline
    found = [(one.start_us, one.end_us, one.cause, one.attempts) for one in timeline.all_outages()]
    assert found == [(at(start), end if end is None else at(end), cause, tries) for start, end, cause, tries in outages]
    assert fold(story).timeline.stability(at(max(second for second, _ in story))) == pytest.approx(stability)


def test_evidence_names_both_lines():
    (outage,) = fold([(0, UP), (4, LOST), (6, BACK)]).timeline.outages
    assert outage.evidence == ("worker-1.log:2", "worker-1.log:3")
    assert outage.code == 1006


def test_flaps_are_sessions_of_at_most_ten_seconds():
    story = [(0, UP), (10, LOST), (11, BACK), (21.000001, LOST)]
    assert [(flap.start_us, flap.end_us) for flap in fold(story).timeline.flaps] == [(at(0), at(10))]


def test_restarts_forced_and_gave_up_are_counted():
    heartbeat, forced = "[RECONNECT] lost cause=heartbeat", "[RECONNECT] lost cause=forced"
    story = [
        (0, CONFIG),
        (1, UP),
        (2, heartbeat),
        (3, BACK),
        (4, forced),
        (5, BACK),
        (6, CONFIG),
        (7, UP),
        (8, "[RECONNECT] gave_up n=3"),
    ]
    timeline = fold(story).timeline
    assert (timeline.forced(), timeline.restarts, timeline.gave_up) == (2, 1, 1)


MINUTES = {
    "quiet": ([], 0),
    "all in one minute": ([0, 20, 40, 59], 4),
    "the first has left the window": ([0, 20, 40, 60], 3),
    "half-open on the left": ([0, 60, 120], 1),
}


@pytest.mark.parametrize(("ends", "most"), MINUTES.values(), ids=MINUTES)
def test_the_busiest_minute(ends, most):
    story = [(-1000, UP)]
    for end in ends:
        story += [(end - 0.5, LOST), (end, BACK)]
    assert fold(story).timeline.most_per_minute == most


@given(
    st.lists(
        st.tuples(st.sampled_from([UP, LOST, BACK, TRY, CLOSED, CONFIG, "plain"]), st.integers(-2, 30)), max_size=40
    )
)
def test_any_story_keeps_the_laws(steps):
    second, story = 0, []
    for text, step in steps:
        second += step
        story.append((second, text))
    found = fold(story)
    totals, timeline = found.totals(), found.timeline
    assert totals.reconnections == len(timeline.outages)
    assert totals.reconnect_us == sum(one.end_us - one.start_us for one in timeline.outages)
    assert all(one.end_us >= one.start_us for one in timeline.outages)
    assert 0 <= timeline.most_per_minute <= len(timeline.outages)


DOWN_AND_TRYING = [(0, UP), (10, LOST), (11, TRY)]
TRIES = {
    "a late close of the older connection is no word on the try": ([(12, LOST), (13, BACK)], []),
    "not even when the try fails afterwards": ([(12, LOST), (13, "[RECONNECT] failed n=1")], [13]),
    "the next try ends the one before": ([(12, LOST), (14, TRY), (15, BACK)], [14]),
    "a new process ends it": ([(14, CONFIG), (15, TRY), (16, UP)], [14]),
    "one under way is not known to have failed": ([(12, LOST), (20, "plain")], []),
}


@pytest.mark.parametrize(("then", "failed"), TRIES.values(), ids=TRIES)
def test_when_a_try_has_failed(then, failed):
    assert list(fold(DOWN_AND_TRYING + then).timeline.recent_failures) == [at(second) for second in failed]
