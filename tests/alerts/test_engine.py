"""The live engine: equal to the backtest on any samples, what changes it tells, its health, its state on paper."""

import json

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recontool.alerts.backtest import backtest, grid
from recontool.alerts.engine import AlertEngine
from recontool.alerts.evaluate import Terms
from recontool.alerts.rules import BUILT_IN, Rule
from recontool.model.units import SECOND_US

RULES = (
    Rule("value", "queue_depth > 3"),
    Rule("late", "queue_depth > 3", for_us=20 * SECOND_US, keep_firing_us=25 * SECOND_US),
    Rule("held", "queue_depth > 3", clear_when="queue_depth <= 1", no_data="keep"),
    Rule("asked", "queue_depth > 3 and avg(uptime_s[40s]) < 5", no_data="alert", for_us=10 * SECOND_US),
    Rule("rate", "rate(reconnections[50s]) * 60 > 2 unless max(uptime_s[30s]) >= 8"),
    Rule("gone", "absent(queue_depth[30s])"),
    Rule("fleet", "queue_depth > 6", scope="fleet", for_us=10 * SECOND_US),
    Rule("none", "absent(uptime_s[5m])", scope="fleet"),
)
# Those that do not fire on workers that are gone.
FORGETFUL = tuple(rule for rule in RULES if rule.name not in {"asked", "gone"})
SAMPLE_PARTS = (
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["queue_depth", "uptime_s", "reconnections"]),
    st.integers(0, 9).map(float) | st.sampled_from(["stale", float("nan"), float("inf"), -float("inf")]),
)
SAMPLES = st.lists(
    st.tuples(st.integers(0, 300), *SAMPLE_PARTS),
    max_size=40,
    unique_by=lambda sample: sample[:3],
)


@settings(deadline=None)
@given(SAMPLES, st.integers(1, 17), st.sets(st.integers(0, 30), max_size=3))
def test_live_step_by_step_is_the_backtest(samples, step_s, restarts):
    rows = sorted(((second * SECOND_US, *rest) for second, *rest in samples), key=lambda row: row[0])
    # Offline nobody knows of a worker before its first sample, a stale mark included; live it is the same.
    at_us = grid(0, 330 * SECOND_US, step_s * SECOND_US)
    expected = [
        (one.alert, one.worker, one.pending_us, one.fired_us, one.resolved_us, one.peak)
        for one in backtest(RULES, oracle.series_of(rows), at_us)
        if one.fired_us is not None
    ]
    assert sorted(live(rows, at_us, restarts), key=str) == sorted(expected, key=str)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 120).map(lambda n: 30 * n), *SAMPLE_PARTS),
        max_size=40,
        unique_by=lambda sample: sample[:3],
    ),
    st.sampled_from([20, 45, 170, 400]),
    st.sets(st.integers(0, 180), max_size=2),
)
def test_so_it_is_for_workers_that_are_forgotten_and_come_back(samples, step_s, restarts):
    rows = sorted(((second * SECOND_US, *rest) for second, *rest in samples), key=lambda row: row[0])
    at_us = grid(0, 5000 * SECOND_US, step_s * SECOND_US)
    expected = [
        (one.alert, one.worker, one.pending_us, one.fired_us, one.resolved_us, one.peak)
        for one in backtest(FORGETFUL, oracle.series_of(rows), at_us)
        if one.fired_us is not None
    ]
    assert sorted(live(rows, at_us, restarts, FORGETFUL), key=str) == sorted(expected, key=str)


def test_fifty_thousand_names_that_come_and_go_leave_nothing_behind():
    engine, most = AlertEngine(BUILT_IN), 0
    for number in range(500):
        names = [f"w{number}-{one}" for one in range(100)]
        engine.step(second(15 * number), {name: {"compression_ratio": 1.0, "uptime_s": 1.0} for name in names})
        engine.leave(second(15 * number) + 1, names[:50])
        most = max(most, len(engine._workers))
    # Five minutes hold 21 rounds; a quarter more may wait for its turn.
    assert most <= 22 * 100 * 4 / 3
    assert {len(buffer._last) for buffer in engine._buffers.values()} <= set(range(most + 1))
    for number in range(500, 525):
        engine.evaluate(second(15 * number))
    assert (engine._workers, engine.status().active) == ([], ())


def test_who_is_asked_for_is_not_forgotten():
    engine = AlertEngine([Rule("asked", "queue_depth > 3", no_data="alert"), Rule("deep", "queue_depth > 3")])
    engine.step(second(0), {"gone": {"queue_depth": 1.0}, "here": {"queue_depth": 1.0}})
    for number in range(1, 200):
        engine.step(second(15 * number), {"here": {"queue_depth": 1.0}})
    assert [(one.alert, one.worker) for one in engine.status().active] == [("asked", "gone")]


def live(rows, at_us, restarts, rules=RULES):
    engine, waiting, active, ended = AlertEngine(rules), rows[::-1], {}, []
    for number, now_us in enumerate(at_us.tolist()):
        while waiting and waiting[-1][0] <= now_us:
            sampled_us, worker, metric, value = waiting.pop()
            if value == "stale":
                engine.add(sampled_us, {worker: {"messages_sent": 0.0}})
                engine.end_series(sampled_us, worker, metric)
            else:
                engine.add(sampled_us, {worker: {metric: value}})
        before = {(one.alert, one.worker): one for one in engine.status().active}
        for change in engine.evaluate(now_us):
            key = change.alert, change.worker
            if change.state == "firing":
                active[key] = now_us
            elif change.state == "resolved":
                ended.append((*key, before[key].since_us, active.pop(key), now_us, before[key].peak))
        if number in restarts:
            engine = AlertEngine.load(rules, json.loads(json.dumps(engine.dump())))
    last = {(one.alert, one.worker): one for one in engine.status().active}
    assert {key for key, one in last.items() if one.state == "firing"} == set(active)
    return ended + [(*key, last[key].since_us, fired_us, None, last[key].peak) for key, fired_us in active.items()]


def second(number):
    return number * SECOND_US


def test_what_a_change_tells():
    engine = AlertEngine([Rule("deep", "queue_depth > 3", "CRITICAL", for_us=second(10))])
    told = [
        engine.step(second(number), {"w": {"queue_depth": depth}})
        for number, depth in ((0, 1), (5, 4), (10, 5), (15, 6), (20, 2))
    ]
    assert [[(one.state, one.at_us, one.since_us, one.value) for one in changes] for changes in told] == [
        [],
        [("pending", second(5), second(5), 4.0)],
        [],
        [("firing", second(15), second(5), 6.0)],
        [("resolved", second(20), second(5), 2.0)],
    ]
    assert {(one.alert, one.severity, one.worker) for changes in told for one in changes} == {("deep", "CRITICAL", "w")}


def test_a_pending_alert_that_goes_away_changes_nothing_more():
    engine = AlertEngine([Rule("deep", "queue_depth > 3", for_us=second(10))])
    engine.step(second(0), {"w": {"queue_depth": 4}})
    assert engine.step(second(5), {"w": {"queue_depth": 1}}) == []
    assert engine.status().active == ()


def test_status_shows_what_is_active_with_value_and_peak():
    engine = AlertEngine([Rule("deep", "queue_depth > 3"), Rule("all", "queue_depth > 9", scope="fleet")])
    engine.step(second(0), {"a": {"queue_depth": 9}, "b": {"queue_depth": 1}})
    engine.step(second(5), {"a": {"queue_depth": 5}, "b": {"queue_depth": 6}})
    shown = [(one.alert, one.worker, one.state, one.since_us, one.value, one.peak) for one in engine.status().active]
    assert shown == [
        ("deep", "a", "firing", 0, 5.0, 9.0),
        ("deep", "b", "firing", second(5), 6.0, 6.0),
        ("all", None, "firing", 0, 11.0, 11.0),
    ]


def test_a_broken_rule_shows_as_broken_and_others_go_on(monkeypatch):
    engine = AlertEngine(
        [Rule("bad", "sum(queue_depth[1m]) > 3"), Rule("good", "queue_depth > 3"), Rule("quiet", "uptime_s > 3")]
    )

    def fail(*_):
        raise ZeroDivisionError("as it happens")

    assert [rule.health for rule in engine.status().rules] == ["no_data"] * 3
    monkeypatch.setattr(Terms, "window", fail)
    (change,) = engine.step(second(0), {"w": {"queue_depth": 4}})
    assert change.alert == "good"
    health = {rule.alert: (rule.health, rule.error) for rule in engine.status().rules}
    assert health == {
        "bad": ("broken", "ZeroDivisionError: as it happens"),
        "good": ("ok", ""),
        "quiet": ("no_data", ""),
    }
    monkeypatch.undo()
    engine.step(second(5), {"w": {"queue_depth": 4}})
    assert engine.status().rules[0].health == "ok"


def test_none_is_no_sample_an_alias_is_one_and_the_unknown_is_ignored():
    engine = AlertEngine(BUILT_IN)
    assert engine.step(second(0), {"w": {"avg_message_latency_ms": None, "nonsense": 1.0}}) == []
    (change,) = engine.step(second(5), {"w": {"avg_message_latency": 300.0}})
    assert change.alert == "high_message_latency"


def test_a_worker_without_any_sample_is_not_known():
    engine = AlertEngine([Rule("asked", "queue_depth > 3", no_data="alert")])
    assert engine.step(second(0), {"w": {"queue_depth": None}, "v": {}}) == []
    (change,) = engine.step(second(5), {"w": {"queue_depth": None, "uptime_s": 1.0}, "v": {}})
    assert (change.worker, change.state, change.value) == ("w", "firing", None)


def test_a_worker_that_leaves_in_an_orderly_way_resolves_at_once():
    engine = AlertEngine(BUILT_IN)
    engine.step(second(0), {"w": {"compression_ratio": 1.0}})
    engine.leave(second(3), ["w", "unknown"])
    assert [(one.state, one.at_us) for one in engine.evaluate(second(5))] == [("resolved", second(5))]


def test_old_samples_are_given_up():
    engine = AlertEngine([Rule("deep", "avg(queue_depth[10m]) > 3")])
    for number in range(1000):
        engine.step(second(5 * number), {"w": {"queue_depth": float(number % 7)}})
    assert engine._buffers["queue_depth"]._at.shape[1] < 600


def test_state_of_other_rules_and_of_another_version():
    engine = AlertEngine([Rule("deep", "queue_depth > 3"), Rule("gone", "uptime_s > 3")])
    engine.step(second(0), {"w": {"queue_depth": 4, "uptime_s": 4}})
    kept = json.loads(json.dumps(engine.dump()))
    other = AlertEngine.load([Rule("new", "queue_depth > 2"), Rule("deep", "queue_depth > 3")], kept)
    assert [(one.alert, one.state) for one in other.evaluate(second(5))] == [("new", "firing")]
    ended = {one.alert: one.since_us for one in other.step(second(6), {"w": {"queue_depth": 0}})}
    assert ended == {"new": second(5), "deep": 0}
    with pytest.raises(ValueError, match="version"):
        AlertEngine.load([], {**kept, "version": 0})


def test_a_peak_that_is_not_finite_survives_a_restart():
    rules = [Rule("deep", "queue_depth > 3")]
    engine = AlertEngine(rules)
    engine.step(second(0), {"w": {"queue_depth": float("inf")}})
    engine = AlertEngine.load(rules, json.loads(json.dumps(engine.dump(), allow_nan=False)))
    assert engine.status().active[0].peak is None
    engine.step(second(5), {"w": {"queue_depth": 9.0}})
    assert np.isinf(engine._machines[0].active[0].peak)
