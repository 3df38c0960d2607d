"""The benches' inputs read without a damaged line, and the comparison notices a wrong answer."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from recontool.logs.format import builtin
from recontool.logs.reader import LogReader

BENCH = Path(__file__).parents[2] / "bench"
FORMS = {
    "debug": "tagged-v1",
    "info": "tagged-v1",
    "field": "ipfs-accelerate",
    "json": "json-lines",
    "logfmt": "logfmt",
}


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import make_logs
    import side_by_side

    return make_logs, side_by_side


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("workers", [1, 3])
def test_made_logs_hold_no_damaged_line_and_keep_time_order(bench, tmp_path, kind, workers):
    path = tmp_path / "made.log"
    size_bytes = 3_000_000 if workers == 1 else 8_000_000  # more than one scene
    written = bench[0].write(path, kind, size_bytes, workers=workers)
    assert size_bytes - 1_000 < written <= size_bytes
    assert path.stat().st_size == written
    with path.open("rb") as log:
        reader = LogReader(log, builtin()[FORMS[kind]], source="worker-1")
        events = list(reader)
    counts = reader.counts()
    assert counts.unparsed == counts.continuation == counts.blank == 0
    if kind != "field":
        times = [event.at_us for event in events]
        assert all(before < after for before, after in pairwise(times))
        assert {event.source for event in events} == {f"worker-{n}" for n in range(1, workers + 1)}
        unmarked = sum(not event.marker for event in events) / len(events)
        assert unmarked == 0 if kind != "debug" else 0.58 < unmarked < 0.63


def test_the_same_seed_writes_the_same_bytes(bench, tmp_path):
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    for path in (first, second):
        bench[0].write(path, "info", 200_000)
    assert first.read_bytes() == second.read_bytes()


DIFFERENT = [
    ({"a": 1}, {"a": 2}, ".a: 1 and 2"),
    ({"a": 1}, {"a": 1.0}, ".a: 1 and 1.0"),
    ({"a": 1}, {"b": 1}, "keys"),
    ({"a": [1.0, 2.0]}, {"a": [1.0, 2.001]}, ".a[1]: 2.0 and 2.001"),
    ({"a": [1]}, {"a": [1, 2]}, ".a: [1] and [1, 2]"),
    ({"a": None}, {"a": 0}, ".a: None and 0"),
]


@pytest.mark.parametrize(("left", "right", "said"), DIFFERENT)
def test_a_different_answer_is_noticed(bench, left, right, said):
    assert bench[1].difference(left, right).startswith(said)
    assert bench[1].difference(left, left) == ""


def test_floats_may_differ_in_the_last_digits(bench):
    assert bench[1].difference({"a": 0.1 + 0.2}, {"a": 0.3}) == ""


def test_commands_are_compared_before_they_are_measured(bench):
    side = bench[1]
    say = [side.Command(str(n), [sys.executable, "-c", f"print('progress'); print('[{n}]')"]) for n in (1, 1, 2)]
    with pytest.raises(side.DifferentAnswerError, match=r"1 and 2 differ: \[0\]: 1 and 2"):
        side.compare(say, rounds=1)
    measured = side.compare(say[:2], rounds=2)
    assert [len(one.took_s) for one in measured] == [2, 2]
    assert "| 1 |" in side.table(measured, base="1", size_bytes=1)
    with pytest.raises(RuntimeError, match="broken ended with 3"):
        side.compare([side.Command("broken", [sys.executable, "-c", "raise SystemExit(3)"])])


def test_the_plain_peer_counts_what_the_reader_reads(bench, tmp_path):
    path = tmp_path / "made.log"
    bench[0].write(path, "debug", 1_000_000)
    (command,) = bench[1].python_peer("summary", "plain", str(path))
    measured = bench[1].Measured(command)
    bench[1].run_once(measured, keep=False)
    with path.open("rb") as log:
        events = list(LogReader(log, builtin()["tagged-v1"]))
    counted = {marker: sum(event.marker == marker for event in events) for marker in measured.answer["markers"]}
    assert measured.answer["markers"] == counted
    assert measured.answer["tasks"]["completed"] == sum((e.marker, e.name) == ("TASK", "completed") for e in events)
    lost = [event.at_us for event in events if (event.marker, event.name) == ("RECONNECT", "lost")]
    back = [event.at_us for event in events if (event.marker, event.name) == ("RECONNECT", "established")]
    took_us = [end - start for start, end in zip(lost, back, strict=False)]
    assert measured.answer["reconnects"] == len(took_us)
    assert measured.answer["reconnect_max_s"] == max(took_us) / 1e6
