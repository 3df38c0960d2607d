"""Two runs side by side, from logs through the whole analysis: what is called, what is not, what cannot be said."""

import compare as scores
import made_runs
import pytest
from made_runs import Fleet
from msgspec.structs import replace
from stories import analysis, tagged

from recontool.analysis.compare.measures import HOUR_US, MEASURES
from recontool.analysis.compare.runs import compare_runs
from recontool.api.analyze import analyze
from recontool.model.comparison import Comparison
from recontool.storage import snapshots
from recontool.storage.snapshots import Sample

SMALL = Fleet(hours=3.0)


def measure(compared: Comparison, name: str):
    (one,) = (one for one in compared.differences if one.measure == name)
    return one


@pytest.fixture(scope="module")
def base():
    return scores.run(SMALL, 1)


@pytest.fixture(scope="module")
def slower():
    return scores.run(replace(SMALL, reconnect=1.4, task=1.4, latency=1.4), 2)


def test_no_false_alarms_among_a_few_pairs():
    alarms, called = scores.false_alarms(SMALL, 4)
    assert alarms == 0, called


def test_slowdowns_of_a_fifth_are_found():
    assert scores.found(Fleet(), "reconnect times", 2, 1.2) == 2


def test_what_is_slower_is_worse_and_the_other_way_round_better(base, slower):
    forth, back = compare_runs(base, slower), compare_runs(slower, base)
    names = {one.measure for one in forth.worse}
    assert {"typical_reconnect_time", "avg_task_execution_time_ms", "avg_message_latency_ms"} <= names
    assert forth.severity == "WORSE"
    assert "typical_reconnect_time" in forth.sentence
    assert {one.measure for one in back.differences if one.verdict == "better"} == names
    one = measure(forth, "typical_reconnect_time")
    assert one.low < one.change < one.high
    assert one.low == pytest.approx(0.4, abs=0.3)
    assert one.p < one.p_adjusted < 0.05
    assert one.effect > 0.1


def test_values_are_those_of_analyze(base, slower):
    compared = compare_runs(base, slower)
    for name in (
        "avg_reconnect_time",
        "connection_stability",
        "avg_message_latency_ms",
        "task_success_rate",
        "avg_task_execution_time_ms",
        "compression_ratio",
        "compression_time_ms",
        "avg_message_size_bytes",
        "max_reconnect_time",
    ):
        one = measure(compared, name)
        assert (one.base, one.new) == pytest.approx((base.fleet[name].value, slower.fleet[name].value)), name


def test_a_run_compared_with_itself_is_the_same(base):
    compared = compare_runs(base, base)
    assert compared.severity == "OK"
    assert {one.verdict for one in compared.differences} <= {"same", "unclear", "neutral", "no_data"}
    assert all(one.change == 0 for one in compared.differences if one.change is not None)


def test_the_seed_moves_intervals_and_nothing_else(base, slower):
    first, again, other = (compare_runs(base, slower, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert [one.change for one in first.differences] == [one.change for one in other.differences]
    assert [one.low for one in first.differences] != [one.low for one in other.differences]


def test_workers_are_paired_by_name_where_the_wider_answer_is_theirs(base, slower):
    compared = compare_runs(base, slower)
    units = {one.resampled for one in compared.differences if one.resampled}
    assert units == {"worker pair", "time block"}
    renamed = replace(slower, workers={f"new-{key}": worker for key, worker in slower.workers.items()})
    units = {one.resampled for one in compare_runs(base, renamed).differences if one.resampled}
    assert units == {"worker", "time block"}


def test_one_worker_is_cut_into_time(tmp_path):
    runs = [
        analyze([str(made_runs.write(tmp_path / name, replace(SMALL, workers=1, hours=24.0, restarts=0.0), seed))])
        for name, seed in (("a", 1), ("b", 2))
    ]
    compared = compare_runs(*runs)
    assert {one.resampled for one in compared.differences if one.resampled} == {"time block"}
    assert measure(compared, "compression_time_ms").verdict == "no_data"
    assert "1 worker" in measure(compared, "compression_time_ms").reason


def test_a_restart_all_workers_share_is_no_slowdown(tmp_path):
    """Sixteen outages of one restart are one event: the mean moves by half, and that proves nothing."""
    calm = replace(SMALL, restarts=0.0)
    runs = []
    for name, shared in (("a", False), ("b", True)):
        folder = made_runs.write(tmp_path / name, calm, 3 + shared)
        for log in folder.iterdir():
            lines = log.read_text().splitlines(keepends=True)
            source = log.stem
            hit = tagged([(0, "x")], source=source)[: len("2026-11-24T")]
            extra = [
                f"{hit}09:30:00.100000Z INFO {source} [RECONNECT] lost cause=closed code=1006\n",
                f"{hit}09:30:30.000000Z INFO {source} [RECONNECT] established n=9 session=c\n",
            ]
            log.write_text("".join(sorted(lines + extra * shared)))
        runs.append(analyze([str(folder)]))
    mean, typical = (measure(compare_runs(*runs), name) for name in ("avg_reconnect_time", "typical_reconnect_time"))
    assert mean.change > 0.3
    assert mean.verdict == "unclear"
    assert mean.resampled == "time block"
    assert abs(typical.change) < 0.1
    assert typical.verdict in {"same", "unclear"}


def test_too_little_says_so(tmp_path):
    story = [
        (0, "config role=worker log_level=INFO"),
        (1, "[CONNECT] attempt n=1"),
        (2, "[CONNECT] established"),
        (10, "[RECONNECT] lost cause=closed"),
        (12, "[RECONNECT] established n=1"),
        (20, "plain"),
    ]
    one = analysis(tmp_path, worker__log=tagged(story))
    compared = compare_runs(one, one)
    found = measure(compared, "avg_reconnect_time")
    assert (found.base, found.verdict) == (2.0, "no_data")
    assert found.reason.startswith("needs 8 units that carry weight")
    assert measure(compared, "avg_message_latency_ms").reason == "nothing to count in base and new"


def test_totals_without_times_are_not_taken_for_constant(tmp_path):
    """At INFO the messages of a run are one number at its end: no interval, rather than one of no width."""
    runs = []
    for name, sent in (("a", 900), ("b", 800)):
        story = [
            (0, "config role=worker log_level=INFO"),
            (1, "[CONNECT] attempt n=1"),
            (2, "[CONNECT] established"),
            (600, f"metrics messages_sent={sent} messages_received={sent}"),
        ]
        (tmp_path / name).mkdir()
        runs.append(analysis(tmp_path / name, worker__log=tagged(story)))
    found = measure(compare_runs(*runs), "messages_sent")
    assert found.change < 0
    assert (found.low, found.high) == (None, None)


def test_nothing_to_compare_is_no_data(tmp_path):
    text = tagged([(0, "config role=coordinator"), (1, "[CONNECT] accepted worker=w")], source="coordinator")
    only = analysis(tmp_path, coordinator__log=text)
    compared = compare_runs(only, only)
    assert (compared.severity, compared.tested) == ("NO DATA", 0)


def test_snapshots_weigh_workers_by_what_they_counted(tmp_path):
    for name, factor in (("a", 1.0), ("b", 1.5)):
        samples = [
            Sample(
                made_runs.START_US + hour * HOUR_US,
                f"worker-{i}",
                {"avg_reconnect_time": factor * (1 + i / 50), "reconnections": 10 + i, "tasks_executed": 50},
            )
            for i in range(12)
            for hour in (0, 2)
        ]
        snapshots.write(tmp_path / name, samples)
    runs = [analyze([str(tmp_path / name)]) for name in "ab"]
    found = measure(compare_runs(*runs), "avg_reconnect_time")
    weights = [10 + i for i in range(12)]
    expected = sum((1 + i / 50) * weight for i, weight in enumerate(weights)) / sum(weights)
    assert found.base == pytest.approx(expected)
    assert found.change == pytest.approx(0.5)
    assert (found.verdict, found.resampled) == ("worse", "worker pair")


def test_every_measure_says_what_it_counts():
    assert all(one.of and one.title for one in MEASURES)
    assert len({one.metric for one in MEASURES}) == len(MEASURES)
