"""The reference reader: every line is accounted for, blocks and tracebacks belong to their record."""

import pytest
from blocks import BLOCK, BLOCK_VALUES
from hypothesis import given
from hypothesis import strategies as st
from stories import START_US, at, tagged

from recontool.logs.format import builtin
from recontool.logs.reader import LogReader
from recontool.model.events import METRICS_BLOCK
from recontool.model.findings import LineCount

TAGGED, UNTAGGED = builtin()["tagged-v1"], builtin()["ipfs-accelerate"]


def read(text, form=TAGGED, **options):
    raw = text if isinstance(text, bytes) else text.encode()
    reader = LogReader(raw.splitlines(keepends=True), form, source="worker-1", **options)
    return reader, list(reader)


def test_every_line_is_accounted_for():
    text = (
        "junk before\n"
        + tagged([(0, "[CONNECT] attempt n=1"), (1, "it broke")])
        + "Traceback (most recent call last):\n  File x\nValueError: no\n\n"
        + "junk between\n"
        + tagged([(2, "[CONNECT] attempt n=bad"), (3, "DEBUG message_sent type=a size_bytes=3 seq=1")])
        + "  indented\n{\n  'a': 1\n}\nmore junk\n"
    )
    reader, events = read(text)
    assert reader.counts() == LineCount(total=15, parsed=2, continuation=7, blank=1, unmarked=1, unparsed=4)
    # A line whose fields are damaged is no event, yet its process was there to write it.
    assert [event.name for event in events] == ["attempt", "", "", "message_sent"]
    assert [line for line, _, _ in reader.examples] == [1, 8, 9, 15]
    assert reader.examples[2][2] == "n is 'bad', expected int of 64 bits"


FAILED = "Traceback (most recent call last):\n  File x\nValueError: two lines:\nthis is one\nthis another\n"


@pytest.mark.parametrize("damaged", ["2026-11-2", '{"time": "2026', "[INFO] x"])
@pytest.mark.parametrize("form", [TAGGED, UNTAGGED])
def test_the_message_of_an_exception_may_have_lines(form, damaged):
    text = UNTAGGED_STORY if form is UNTAGGED else tagged([(0, "plain")])
    before, counts = read(text, form)[0].counts(), read(text + FAILED + damaged, form)[0].counts()
    assert (counts.continuation - before.continuation, counts.unparsed - before.unparsed) == (5, 1)


def test_what_stands_in_the_way_of_json_records_is_no_message():
    record = '{"time": "2026-11-24T10:00:00Z", "msg": "plain"}\n'
    counts = read(record + FAILED + record[3:] * 3, builtin()["json-lines"])[0].counts()
    assert (counts.continuation, counts.unparsed) == (3, 5)


def test_the_first_five_unparsed_lines_are_kept():
    reader, _ = read("".join(f"junk {n}\n" for n in range(9)))
    assert [text for _, text, _ in reader.examples] == [f"junk {n}" for n in range(5)]


@pytest.mark.parametrize("prefix", ["", "2026-11-24T10:00:00.000000Z INFO worker-1 "])
def test_a_metrics_block_in_both_forms(prefix):
    text = tagged([(0, "[CONNECT] attempt n=1")]) + "".join(f"{prefix}{line}\n" for line in BLOCK.splitlines())
    reader, events = read(text)
    assert events[-1].name == METRICS_BLOCK
    assert events[-1].fields == BLOCK_VALUES
    assert events[-1].at_us == START_US
    counts = reader.counts()
    assert (counts.continuation, counts.parsed) == ((15, 1) if not prefix else (0, 16))


def test_a_block_in_other_units_and_without_suffix():
    text = "".join(
        f"2026-11-24 10:00:00,000 - INFO - [enhanced_worker_client] - {line}\n"
        for line in (
            "====== Performance Metrics for w1 ======",
            "Average task duration: 0.3 s",
            "Compression ratio: 1.07",
            "=====",
        )
    )
    _, events = read(text, UNTAGGED)
    assert events[-1].fields == {"avg_task_execution_time_ms": 300.0, "compression_ratio": 1.07}


def test_records_of_other_threads_may_stand_inside_a_block():
    lines = [f"2026-11-24T10:00:00.000000Z INFO worker-1 {line}\n" for line in BLOCK.splitlines()]
    lines.insert(3, tagged([(0, "[TASK] started task=a")]))
    lines.insert(6, tagged([(0, "a line that says Reconnections: 99 on the way")]))
    _, events = read("".join(lines))
    assert [event.name for event in events if event.name] == ["started", METRICS_BLOCK]
    assert events[-1].fields == BLOCK_VALUES


def test_a_block_the_file_ends_in_still_counts():
    _, events = read("\n".join(BLOCK.splitlines()[:4]) + "\n")
    assert events[0].fields == {name: BLOCK_VALUES[name] for name in list(BLOCK_VALUES)[:3]}


def test_crlf_invalid_utf8_and_a_cut_last_line():
    text = tagged([(0, "[CONNECT] attempt n=1"), (1, "[CONNECT] established")]).replace("\n", "\r\n").encode()
    reader, events = read(text[:-2] + b"\r\n\xff\xfe broken\r\n2026-11-24T10:00:02.0000")
    assert [event.name for event in events] == ["attempt", "established"]
    assert reader.counts().unparsed == 2


def test_rotated_lines_that_were_read_before_are_duplicates():
    reader, events = read(tagged([(0, "[CONNECT] attempt n=1"), (1, "[CONNECT] established")]), duplicates=1)
    assert [event.name for event in events] == ["established"]
    assert reader.counts() == LineCount(total=2, parsed=1, duplicate=1)


UNTAGGED_STORY = """\
2026-11-24 02:21:24,000 - INFO - [enhanced_worker_client] - Starting enhanced worker client w1
2026-11-24 02:21:25,000 - INFO - [worker_reconnection] - Connecting to coordinator at ws://127.0.0.1:1/w1/ws/
2026-11-24 02:21:25,100 - INFO - [worker_reconnection] - WebSocket connection established for worker w1
2026-11-24 02:21:26,000 - INFO - [worker_reconnection] - Executing task t1
2026-11-24 02:21:26,000 - INFO - [enhanced_worker_client] - Executing task t1
2026-11-24 02:21:26,001 - INFO - [worker_reconnection] - Task t1 completed successfully
2026-11-24 02:21:26,100 - INFO - [enhanced_worker_client] - Task t1 (Task-1): iteration 1/2 - 50.0%
2026-11-24 02:21:26,600 - INFO - [enhanced_worker_client] - Task t1 (Task-1): iteration 2/2 - 100.0%
2026-11-24 02:21:27,000 - ERROR - [enhanced_worker_client] - Error executing task t1: boom
2026-11-24 02:21:27,001 - ERROR - [worker_reconnection] - Error executing task t1: boom
2026-11-24 02:21:30,000 - WARNING - [worker_reconnection] - No heartbeat received from coordinator for 65.0s, forcing
2026-11-24 02:21:30,001 - INFO - [worker_reconnection] - Forcing reconnection to coordinator
2026-11-24 02:21:30,002 - INFO - [worker_reconnection] - Connecting to coordinator at ws://127.0.0.1:1/w1/ws/
2026-11-24 02:21:30,003 - WARNING - [worker_reconnection] - WebSocket connection closed: 1000, None
2026-11-24 02:21:58,325 - StressTest - INFO - Paused worker process 26215
"""


def test_untagged_lines_are_read_for_their_meaning():
    _, events = read(UNTAGGED_STORY, UNTAGGED)
    said = [(event.marker, event.name) for event in events if event.name]
    assert said == [
        ("", "process_started"),
        ("CONNECT", "attempt"),
        ("CONNECT", "established"),
        ("TASK", "started"),
        ("CHECKPOINT", "created"),  # derived from the even iteration; the premature "completed" line is none
        ("TASK", "failed"),  # logged by two loggers, counted once
        ("RECONNECT", "lost"),
        ("RECONNECT", "attempt"),
        ("RECONNECT", "lost"),
    ]
    assert [event.fields["cause"] for event in events if event.name == "lost"] == ["heartbeat", "closed"]
    assert events[-2].fields["code"] == 1000


def test_at_debug_checkpoints_are_counted_not_derived():
    debug = "2026-11-24 02:21:26,550 - DEBUG - [worker_reconnection] - Created checkpoint c for task t1\n"
    lines = UNTAGGED_STORY.splitlines(keepends=True)
    _, events = read("".join([*lines[:7], debug, *lines[7:]]), UNTAGGED)
    assert [event.level for event in events if event.marker == "CHECKPOINT"] == ["DEBUG"]


NEAR_LINES = st.lists(
    st.sampled_from(
        [
            *tagged([(0, "[CONNECT] attempt n=1"), (1, "plain"), (2, "[TASK] started task=x")]).splitlines(),
            *BLOCK.splitlines(),
            *UNTAGGED_STORY.splitlines(),
            "Traceback (most recent call last):",
            "  File",
            "ValueError: x",
            "{",
            "}",
            "",
            "junk",
        ]
    ),
    max_size=30,
)


@given(NEAR_LINES, st.integers(0, 2000), st.binary(max_size=6), st.sampled_from([TAGGED, UNTAGGED]))
def test_the_parts_always_add_up(lines, cut, junk, form):
    raw = "\n".join(lines).encode()
    reader, _ = read(raw[:cut] + junk + raw[cut:], form)
    counts = reader.counts()
    parts = (counts.parsed, counts.continuation, counts.blank, counts.unmarked, counts.unparsed, counts.duplicate)
    assert sum(parts) == counts.total


def test_times_without_a_zone_follow_the_named_one():
    from zoneinfo import ZoneInfo

    _, events = read(UNTAGGED_STORY, UNTAGGED, zone=ZoneInfo("Europe/Berlin"))
    assert events[0].at_us == at(-7 * 3600 - 38 * 60 - 36 - 3600)
