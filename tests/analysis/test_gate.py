"""The gate: what its conditions mean, how it refuses what it does not understand, and when it fails."""

import compare as scores
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import Fleet
from msgspec.structs import replace
from stories import analysis, tagged

from recontool.analysis.compare.runs import compare_runs
from recontool.analysis.gate.conditions import parse
from recontool.analysis.gate.evaluate import evaluate
from recontool.model.comparison import Difference
from recontool.model.errors import UsageError

ALERTS = frozenset({"high_reconnection_rate", "connection_failures", "task_failures"})
STORY = [
    (0, "config role=worker log_level=INFO"),
    (1, "[CONNECT] attempt n=1"),
    (2, "[CONNECT] established"),
    (100, "[RECONNECT] lost cause=closed"),
    (101, "[RECONNECT] attempt n=1"),
    (102, "[RECONNECT] failed n=1 error=refused"),
    (103, "[RECONNECT] attempt n=2"),
    (104, "[RECONNECT] established n=2"),
    (110, "[TASK] started task=a"),
    (111, "[TASK] failed task=a took_ms=900.0 error=boom"),
    (200, "plain"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("critical", ("severity", "critical", "", 0.0)),
        (" outside ", ("outside", "outside", "", 0.0)),
        ("regression", ("regression", "regression", "", 0.0)),
        ("connection_failures", ("alert", "connection_failures", "", 0.0)),
        ("avg_reconnect_time>3", ("limit", "avg_reconnect_time", ">", 3.0)),
        ("connection_stability <= 0.95", ("limit", "connection_stability", "<=", 0.95)),
        ("avg_message_latency>1e2", ("limit", "avg_message_latency_ms", ">", 100.0)),
        ("reconnections_per_minute>=3", ("limit", "max_reconnections_per_minute", ">=", 3.0)),
        ("restarts > -1", ("limit", "restarts", ">", -1.0)),
        ("avg_reconnect_time>+10%", ("change", "avg_reconnect_time", ">", 0.1)),
        ("task_success_rate<-2.5%", ("change", "task_success_rate", "<", -0.025)),
    ],
)
def test_conditions(text, expected):
    (found,) = parse([text], ALERTS)
    assert (found.kind, found.name, found.operator, found.limit) == expected
    assert found.text == text.strip()


def test_several_conditions_keep_their_order():
    found = parse(["critical,restarts>1", "outside"], ALERTS)
    assert [one.text for one in found] == ["critical", "restarts>1", "outside"]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("avg_reconect_time>3", 1, "did you mean avg_reconnect_time?"),
        ("criticl", 1, "did you mean critical?"),
        ("no_such_thing_at_all", 1, "known: "),
        ("avg_reconnect_time", 19, "e.g. avg_reconnect_time>3"),
        ("avg_reconnect_time >", 21, "expected a number"),
        ("avg_reconnect_time > >", 22, "expected a number"),
        ("restarts>1>2", 11, "expected nothing more"),
        ("restarts > three", 12, "expected a number"),
        ("> 3", 1, "expected a name"),
        ("", 1, "expected a condition"),
        ("critical,", 1, "expected a condition"),
        ("restarts>1; import os", 11, "expected a name, one of"),
        ("__import__('os')", 1, "expected a name, one of"),
        ("restarts>+1", 10, "a plain number"),
        ("avg_reconnect_time>10%", 20, "a change carries its sign"),
        ("avg_reconnect_time<+10%", 20, "a change carries its sign"),
        ("messages_sent>+10%", 1, "not compared with a baseline"),
        ("uptime_s>3", 1, "'uptime_s' is no metric"),
    ],
)
def test_errors_point_at_the_place(text, column, says):
    with pytest.raises(UsageError) as caught:
        parse([text], ALERTS)
    message = str(caught.value)
    assert f"column {column}:" in message
    assert says in message
    caret = next(line for line in message.splitlines() if line.strip() == "^")
    assert len(caret) == 4 + column


def test_a_very_long_condition_is_refused():
    with pytest.raises(UsageError, match="at most 200"):
        parse(["x" * 100_000], ALERTS)


@given(st.text("abc_>=<+-0123456789.% ,e\n\x1b", max_size=30))
def test_anything_is_a_condition_or_a_clean_error(text):
    try:
        shown = [one.text for one in parse([text], ALERTS)]
    except UsageError as error:
        shown = [str(error)]
    assert shown
    assert "\x1b" not in "".join(shown)


@pytest.fixture
def run(tmp_path):
    return analysis(tmp_path, worker__log=tagged(STORY), worker2__log=tagged(STORY[:3] + STORY[-1:], source="worker-2"))


@pytest.mark.parametrize(
    ("text", "outcome", "says", "evidence"),
    [
        ("avg_reconnect_time>3", "failed", "is 4 s, fails at > 3 s", ("worker.log:4",)),
        ("avg_reconnect_time>4", "passed", "is 4 s", None),
        ("avg_reconnect_time>=4", "failed", "is 4 s", ("worker.log:4",)),
        ("connection_attempts<4", "passed", "is 4", None),
        ("task_success_rate<0.5", "failed", "is 0", ("worker.log:10",)),
        ("avg_message_latency_ms>1", "no_data", "has no value", None),
        ("failed_reconnections_total>0", "failed", "is 1", ("worker.log:4",)),
        ("reconnections_per_minute>0", "failed", "max_reconnections_per_minute is 1", ("worker.log:4",)),
        ("gave_up>0", "passed", "gave_up is 0", None),
        ("outside", "failed", "task_success_rate is 0, below", ("worker.log:10",)),
        ("critical", "failed", "CRITICAL connection_failures fired", ("worker.log:4",)),
        ("connection_failures", "failed", "connection_failures fired", ("worker.log:4",)),
        ("high_reconnection_rate", "passed", "nothing of the kind fired", None),
    ],
)
def test_verdicts_on_one_run(run, text, outcome, says, evidence):
    gate = evaluate(run, parse([text], ALERTS))
    (check,) = gate.checks
    said = " ".join([check.message, *(one.message for one in check.findings)])
    assert (check.outcome, says in said) == (outcome, True), said
    assert gate.failed is (outcome == "failed")
    assert gate.undecided is (outcome == "no_data")
    if evidence is not None:
        assert evidence in [one.evidence for one in check.findings]


def test_limits_hold_for_the_fleet_or_for_each_worker(run):
    conditions = parse(["connection_stability<0.985"], ALERTS)
    assert not evaluate(run, conditions).failed
    (check,) = evaluate(run, conditions, scope="worker").checks
    assert [one.subject for one in check.findings] == ["worker-1"]


def test_a_worker_that_did_not_come_back_is_critical(tmp_path):
    down = [*STORY[:3], (50, "[RECONNECT] lost cause=closed"), (60, "plain")]
    (check,) = evaluate(analysis(tmp_path, worker__log=tagged(down)), parse(["critical"], ALERTS)).checks
    assert [one.message for one in check.findings] == [
        "had not come back when its log ended, down since 2026-11-24T10:00:50Z"
    ]
    assert check.findings[0].evidence == ("worker.log:4",)


def test_a_coordinator_alone_decides_nothing(tmp_path):
    text = tagged([(0, "config role=coordinator")], source="coordinator")
    gate = evaluate(analysis(tmp_path, coordinator__log=text), parse(["critical,outside,restarts>0"], ALERTS))
    assert {check.outcome for check in gate.checks} == {"no_data"}
    assert gate.severity == "NO DATA"


def compared(sides, **change):
    """A comparison in which one measure is as given."""
    one = Difference("avg_reconnect_time", "t", "s", "lower", "ratio", 0.05, 2.0, 2.6)
    return replace(sides, differences=(replace(one, **change),))


CHANGES = {
    "over, and the interval agrees": ((0.3, 0.1, 0.5), ("failed", False)),
    "over, the interval reaches no change": ((0.3, -0.1, 0.8), ("passed", True)),
    "under, the interval reaches over": ((0.1, 0.05, 0.4), ("passed", True)),
    "under for certain": ((0.02, -0.05, 0.08), ("passed", False)),
    "exactly the limit": ((0.2, 0.1, 0.2), ("passed", False)),
    "better": ((-0.4, -0.5, -0.3), ("passed", False)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_fails_only_when_effect_and_interval_agree(run, name):
    (change, low, high), expected = CHANGES[name]
    sides = compared(compare_runs(run, run), change=change, low=low, high=high, verdict="unclear")
    (check,) = evaluate(run, parse(["avg_reconnect_time>+20%"], ALERTS), sides).checks
    assert (check.outcome, check.unclear) == expected
    gate = evaluate(run, parse(["avg_reconnect_time>+20%"], ALERTS), sides)
    assert gate.severity == ("FAILED" if gate.failed else "UNCLEAR" if check.unclear else "PASSED")


def test_a_difference_is_held_against_the_base(run):
    sides = compared(compare_runs(run, run), scale="difference", base=0.5, change=-0.05, low=-0.06, high=-0.04)
    sides = replace(sides, differences=(replace(sides.differences[0], measure="task_success_rate", better="higher"),))
    (check,) = evaluate(run, parse(["task_success_rate<-8%"], ALERTS), sides).checks
    assert (check.outcome, "by -10.0%" in check.message) == ("failed", True)


def test_a_thin_baseline_is_no_pass(run):
    gate = evaluate(run, parse(["avg_reconnect_time>+10%"], ALERTS), compare_runs(run, run))
    (check,) = gate.checks
    assert (check.outcome, check.message.startswith("not enough data")) == ("no_data", True)
    assert (gate.failed, gate.undecided) == (False, True)
    assert "not enough data for 1" in gate.sentence


def test_a_regression_fails_and_names_its_measure():
    fleet = Fleet(hours=3.0)
    base, slower = scores.run(fleet, 1), scores.run(replace(fleet, reconnect=1.4), 2)
    gate = evaluate(slower, parse(["regression"], ALERTS), compare_runs(base, slower))
    failed = [check for check in gate.checks if check.outcome == "failed"]
    assert "regression: typical_reconnect_time" in [check.condition for check in failed]
    assert not evaluate(base, parse(["regression"], ALERTS), compare_runs(base, base)).failed
