"""The documented rules over real logs: the intervals as read off the logs by hand.

Evaluations lie 15 s apart from the first line on. `connection_failures` fires at the first of them after the first
"Connection refused"; no log goes on for five minutes after its last failure, so it never resolves; its peak is attempts
minus successes. `high_reconnection_rate` fires at the first of them with more than three "connection established" after
an outage in the minute before. No task fails in these logs, latencies stay below 200 ms, and compression cannot be told.
"""

from datetime import datetime
from pathlib import Path

import pytest

from recontool.alerts.rules import BUILT_IN
from recontool.api.analyze import analyze
from recontool.api.backtest import run_backtest
from recontool.model.instant import from_datetime

FOLDER = Path(__file__).parents[3] / "shared" / "field-logs"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/field-logs is not part of a clone")

BY_HAND = {
    # first line 21:24.682, refused at 21:38.764
    "s1_asis_restart__w1.log": [("connection_failures", "02:21:39.682", None, 3)],
    # 21:28.728, 21:38.696
    "s1_asis_restart__w2.log": [("connection_failures", "02:21:43.728", None, 3)],
    # 21:29.642, 21:38.769
    "s1_asis_restart__w3.log": [("connection_failures", "02:21:44.642", None, 3)],
    # 21:24.714, 21:29.181
    "s2_restart__w1.log": [("connection_failures", "02:21:39.714", None, 8)],
    # 21:29.253, 21:29.328; back at 23:34.411, 23:35.779, 23:40.969 and 23:45.531, last evaluation 24:14.253
    "s2_restart__w2.log": [
        ("connection_failures", "02:21:44.253", None, 9),
        ("high_reconnection_rate", "02:23:59.253", None, 4),
    ],
    # 21:30.258, 21:30.308; back at 23:03.660, 23:05.365, 23:10.362, 23:14.666 and 23:16.333
    "s2_restart__w3.log": [
        ("connection_failures", "02:21:45.258", None, 7),
        ("high_reconnection_rate", "02:23:15.258", "02:24:15.258", 5),
    ],
    # 21:30.057, 21:30.100
    "s2_restart__w4.log": [("connection_failures", "02:21:45.057", None, 8)],
    # 21:30.722, 22:35.023
    "s3_debug__d1.log": [("connection_failures", "02:22:45.722", None, 12)],
    # 21:31.250, 22:35.141; back at 23:35.703, 23:36.348, 23:41.353 and 23:47.451
    "s3_debug__d2.log": [
        ("connection_failures", "02:22:46.250", None, 11),
        ("high_reconnection_rate", "02:24:01.250", "02:24:46.250", 4),
    ],
    # 21:30.912, 22:34.971
    "s3_debug__d3.log": [("connection_failures", "02:22:45.912", None, 11)],
}


def micros(time):
    return None if time is None else from_datetime(datetime.fromisoformat(f"2026-11-24T{time}+00:00"))


@pytest.mark.parametrize("name", BY_HAND)
def test_the_intervals_are_those_read_off_by_hand(name):
    found = run_backtest([str(FOLDER / name)], BUILT_IN).alerts
    assert [(one.alert, one.fired_us, one.resolved_us, one.peak) for one in found] == [
        (alert, micros(fired), micros(resolved), peak) for alert, fired, resolved, peak in BY_HAND[name]
    ]


@pytest.mark.parametrize("name", BY_HAND)
def test_the_analysis_finds_the_same_at_the_events_themselves(name):
    """It looks at every event too, so it fires up to 15 s earlier and, as these peaks do not fall between, as high."""
    found = analyze([str(FOLDER / name)]).alerts
    expected = BY_HAND[name]
    assert [(one.alert, one.peak) for one in found] == [(alert, peak) for alert, _, _, peak in expected]
    for one, (_, fired, resolved, _) in zip(found, expected, strict=True):
        assert micros(fired) - 15_000_000 < one.fired_us <= micros(fired)
        assert (one.resolved_us is None) is (resolved is None)
