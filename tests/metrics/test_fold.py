"""The fold: eighteen metrics from events, claims where a log shows no events, disagreements between both."""

import pytest
from blocks import BLOCK, BLOCK_VALUES
from hypothesis import given
from hypothesis import strategies as st
from stories import at, fold, fold_text, tagged

from recontool.metrics.activity import MOST_BUCKETS, Activity
from recontool.metrics.fold import WorkerFold
from recontool.metrics.gaps import Gaps
from recontool.metrics.judgement import worker_metrics
from recontool.metrics.totals import Totals
from recontool.model.catalogue import DOCUMENTED
from recontool.model.events import Event
from recontool.model.units import MINUTE_US, SECOND_US

CONFIG = "config role=worker log_level={} metrics_interval=10.0 heartbeat_interval=5.0"
STORY = [
    (0, CONFIG.format("DEBUG")),
    (1, "[CONNECT] attempt n=1 url=ws://localhost:8765/"),
    (2, "[CONNECT] established session=a"),
    (3, "DEBUG message_sent type=result size_bytes=100 seq=1"),
    (3, "DEBUG message_sent type=result size_bytes=300 seq=2"),
    (4, "DEBUG message_acked seq=1 rtt_ms=10.5"),
    (4, "DEBUG message_acked seq=2 rtt_ms=20.0"),
    (5, "DEBUG message_received type=task size_bytes=50 seq=1"),
    (6, "DEBUG message_error error=full"),
    (10, "[TASK] started task=a"),
    (11, "[TASK] completed task=a took_ms=900.25"),
    (12, "[TASK] started task=b"),
    (14, "[TASK] failed task=b error=boom"),
    (15, "[CHECKPOINT] created task=a checkpoint=1"),
    (15, "[CHECKPOINT] restored task=a checkpoint=1"),
    (16, "[COMPRESS] compressed raw_bytes=3000 wire_bytes=1000 took_ms=2.0"),
    (16, "[COMPRESS] decompressed raw_bytes=9 wire_bytes=3 took_ms=1.0"),
    (20, "[RECONNECT] lost cause=closed"),
    (21, "[RECONNECT] attempt n=1"),
    (21.5, "[RECONNECT] failed n=1"),
    (22, "[RECONNECT] attempt n=2"),
    (22.5, "[RECONNECT] established n=2"),
    (32, "plain words"),
]
EXPECTED = {
    "connection_attempts": 3,
    "successful_connections": 2,
    "avg_reconnect_time": 2.5,
    "max_reconnect_time": 2.5,
    "connection_stability": 1 - 2.5 / 30,
    "messages_sent": 2,
    "messages_received": 1,
    "avg_message_latency_ms": 15.25,
    "avg_message_size_bytes": 200.0,
    "message_errors": 1,
    "tasks_executed": 2,
    "task_success_rate": 0.5,
    "avg_task_execution_time_ms": (900.25 + 2000) / 2,
    "checkpoints_created": 1,
    "checkpoints_restored": 1,
    "compression_ratio": 3.0,
    "compression_time_ms": 2.0,
    "decompression_time_ms": 1.0,
}


def test_the_eighteen_metrics_follow_from_events():
    found = worker_metrics(fold(STORY))
    assert {name: metric.value for name, metric in found.items()} == pytest.approx(EXPECTED)
    assert {metric.source for metric in found.values()} == {"events"}


def test_nothing_to_count_is_null_with_a_reason():
    found = worker_metrics(fold([(0, CONFIG.format("DEBUG")), (1, "[CONNECT] attempt n=1")]))
    empty = {name: metric.reason for name, metric in found.items() if metric.value is None}
    assert set(empty) == {
        name
        for name in EXPECTED
        if name.startswith(("avg_", "max_", "compression_", "decompression_")) or name == "task_success_rate"
    }
    assert all(empty.values())
    assert found["connection_attempts"].value == 1


def info_only(story, record):
    kept = [(second, text) for second, text in story if not text.startswith("DEBUG")]
    return [(0, CONFIG.format("INFO")), *kept[1:], *record]


def test_at_info_a_metrics_record_tells_of_messages():
    record = "metrics " + " ".join(f"{name}={value!r}" for name, value in EXPECTED.items()) + " messages_acked=2"
    found = worker_metrics(fold(info_only(STORY, [(32, record)])))
    assert {name: metric.value for name, metric in found.items()} == pytest.approx(EXPECTED, rel=1e-12)
    assert found["messages_sent"].source == "block"
    assert found["tasks_executed"].source == "events"


def test_at_info_without_any_claim_messages_are_unknown():
    found = worker_metrics(fold(info_only(STORY, [])))
    assert found["messages_sent"].value is None
    assert "DEBUG" in found["messages_sent"].reason
    assert found["compression_ratio"].value == 3.0


def test_claims_of_two_processes_add_up():
    def life(start, sent, latency, acked):
        claim = f"metrics messages_sent={sent} avg_message_latency_ms={latency} messages_acked={acked}"
        return [(start, CONFIG.format("INFO")), (start + 1, "[CONNECT] established"), (start + 2, claim)]

    found = worker_metrics(fold([*life(0, 10, 5.0, 4), *life(10, 30, 20.0, 12)]))
    assert found["messages_sent"].value == 40
    assert found["avg_message_latency_ms"].value == pytest.approx((5 * 4 + 20 * 12) / 16)


def test_a_log_of_blocks_only_is_believed():

    found = worker_metrics(fold_text(BLOCK))
    assert found["tasks_executed"].value == BLOCK_VALUES["tasks_executed"]
    assert found["avg_reconnect_time"].value == BLOCK_VALUES["avg_reconnect_time"]
    assert found["connection_stability"].value is None
    assert {metric.source for metric in found.values() if metric.value is not None} == {"block"}


def test_a_process_that_miscounts_is_caught():
    record = "metrics connection_attempts=3 tasks_executed=9 messages_sent=2"
    (claim,) = fold([*STORY, (33, record)]).disagreements()
    assert (claim.metric, claim.claimed, claim.shown) == ("tasks_executed", 9, 2)
    assert claim.evidence == ("worker-1.log:24",)


def test_a_claim_is_compared_with_its_own_process_only():
    second_life = [
        (40, CONFIG.format("DEBUG")),
        (41, "[CONNECT] established"),
        (42, "metrics tasks_executed=0 checkpoints_created=0"),
    ]
    assert fold([*STORY, *second_life]).disagreements() == []


def test_a_rounded_block_agrees_with_what_it_rounds():
    lines = [
        "===== Performance Metrics for worker-1 =====",
        "Task success rate: 0.50",
        "Average message latency: 15.3 ms",
        "=====",
    ]
    assert fold([*STORY, *((33, line) for line in lines)]).disagreements() == []
    lines[2] = "Average message latency: 15.1 ms"
    assert [one.metric for one in fold([*STORY, *((33, line) for line in lines)]).disagreements()] == [
        "avg_message_latency_ms"
    ]


CLAIM_ONLY = """\
2026-11-24 02:21:24,000 - INFO - [enhanced_worker_client] - Starting enhanced worker client w1
2026-11-24 02:21:25,100 - INFO - [worker_reconnection] - WebSocket connection established for worker w1
2026-11-24 02:21:55,151 - INFO - [enhanced_worker_client] - ====== Performance Metrics for w1 ======
2026-11-24 02:21:55,151 - INFO - [enhanced_worker_client] - Message count: 94
2026-11-24 02:21:55,151 - INFO - [enhanced_worker_client] - Average message latency: 900.0 ms
2026-11-24 02:21:55,151 - INFO - [enhanced_worker_client] - Task success rate: 1.00
2026-11-24 02:21:55,151 - INFO - [enhanced_worker_client] - ======
"""


def test_claim_only_labels_never_become_metrics():
    found = fold_text(CLAIM_ONLY, form="ipfs-accelerate")
    metrics = worker_metrics(found)
    assert metrics["messages_sent"].value == 94
    assert metrics["messages_received"].value is None
    assert metrics["avg_message_latency_ms"].value is None
    assert metrics["task_success_rate"].value is None
    assert {one.metric: one.shown for one in found.disagreements()} == {
        "avg_message_latency_ms": None,
        "task_success_rate": None,
    }


def test_live_and_offline_agree_on_the_same_events():
    live = WorkerFold("worker-1", live=True)
    offline = fold(STORY)
    from recontool.logs.grammar import parse_record

    for line in tagged(STORY).splitlines():
        live.feed(parse_record(line))
    assert live.reported(at(32)) == offline.reported(at(32))


def test_limits_are_inclusive_and_too_good_is_no_finding():
    def reconnect_after(length):
        story = [
            (0, "[CONNECT] established"),
            (5, "[RECONNECT] lost"),
            (5 + length, "[RECONNECT] established"),
            (900, "x y"),
        ]
        return worker_metrics(fold(story))["avg_reconnect_time"]

    assert [(reconnect_after(length).status, reconnect_after(length).side) for length in (0.5, 3.0, 3.001)] == [
        ("ok", ""),
        ("ok", ""),
        ("outside", "high"),
    ]
    fast = reconnect_after(0.1)
    assert (fast.status, fast.side, bool(fast.note)) == ("ok", "low", True)


@given(
    st.lists(st.builds(Totals, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), max_size=8),
    st.integers(0, 8),
)
def test_totals_add_up_in_any_grouping(parts, cut):
    whole = sum(parts, Totals())
    assert sum(parts[:cut], Totals()) + sum(parts[cut:], Totals()) == whole


@given(st.lists(st.integers(0, 10**12), max_size=600))
def test_activity_keeps_its_sums_in_bounded_memory(times):
    activity = Activity()
    for at_us in times:
        activity.add(at_us, "messages_sent")
    buckets = activity.buckets()
    assert len(buckets) <= MOST_BUCKETS
    assert sum(bucket.counts["messages_sent"] for bucket in buckets) == len(times)


GAPS = {
    "thirty seconds unless a rhythm is known": (None, [], 61, 1),
    "exactly twice the interval is none": (None, [], 60, 0),
    "configured": (10.0, [], 21, 1),
    "median of status lines": (None, [("status", 10)], 21, 1),
    "heartbeats do not count beside status lines": (None, [("status", 10), ("heartbeat", 2)], 15, 0),
    "heartbeats alone do": (None, [("heartbeat", 2)], 5, 1),
}


@pytest.mark.parametrize(("configured", "rhythms", "silence", "found"), GAPS.values(), ids=GAPS)
def test_gaps(configured, rhythms, silence, found):
    gaps = Gaps()
    if configured is not None:
        gaps.configured(configured)
    for kind, distance in rhythms:
        for beat in range(5):
            gaps.periodic(kind, beat * distance * SECOND_US)
    gaps.record(0)
    gaps.record(silence * SECOND_US)
    assert len(gaps.spans()) == found


def test_an_orderly_end_is_no_gap():
    story = [
        (0, CONFIG.format("INFO")),
        (1, "[CONNECT] established"),
        (2, "[CONNECT] closed"),
        (9000, CONFIG.format("INFO")),
    ]
    assert fold(story).gaps.spans() == ()


def test_every_documented_metric_is_reported():
    assert {metric.name for metric in DOCUMENTED} <= set(fold(STORY).reported(at(MINUTE_US)))


def test_events_of_other_kinds_leave_metrics_alone():
    before = fold(STORY).reported(at(40))
    found = fold(STORY)
    found.feed(Event(at(33), "INFO", "worker-1", "SECURITY", "auth_ok", {}))
    assert found.reported(at(40)) == before
