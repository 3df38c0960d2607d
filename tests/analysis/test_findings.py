"""Alerts over time, advice, data quality and the verdict of small stories."""

import pytest
from stories import START_US, analysis, at, tagged

from recontool.alerts.rules import BUILT_IN
from recontool.alerts.state import decided

UP = [
    (0, "config role=worker log_level=DEBUG metrics_interval=10.0"),
    (1, "[CONNECT] attempt n=1"),
    (2, "[CONNECT] established"),
]


def alerts(folder, story):
    found = analysis(folder, w__log=tagged(story)).alerts
    return [
        (one.alert, (one.fired_us - START_US) / 1e6, one.resolved_us and (one.resolved_us - START_US) / 1e6, one.peak)
        for one in found
    ]


def flaps(*ends):
    return [
        part
        for end in ends
        for part in (
            (end - 1, "[RECONNECT] lost cause=closed"),
            (end - 0.5, "[RECONNECT] attempt n=1"),
            (end, "[RECONNECT] established n=1"),
        )
    ]


def test_a_flapping_worker_is_found_though_every_attempt_succeeds(tmp_path):
    story = [*UP, *flaps(10, 20, 30, 40, 50), (200, "plain words")]
    # The fourth reconnection fires it; at 90 s two are left in the window, which the grid sees at 80 + 10 = 90 s.
    assert alerts(tmp_path, story) == [("high_reconnection_rate", 40, 90, 5)]


def test_exactly_the_limit_does_not_fire(tmp_path):
    assert alerts(tmp_path, [*UP, *flaps(10, 20, 30), (200, "plain words")]) == []


def test_connection_failures_resolve_after_five_minutes(tmp_path):
    story = [
        (0, "config role=worker"),
        (1, "[CONNECT] attempt n=1"),
        (2, "[CONNECT] failed n=1"),
        (3, "[CONNECT] attempt n=2"),
        (4, "[CONNECT] established"),
        (400, "x y"),
    ]
    assert alerts(tmp_path, story) == [("connection_failures", 2, 315, 1)]


def test_rates_fire_on_the_event_that_moves_them(tmp_path):
    done, failed = "[TASK] completed task=a took_ms=1.0", "[TASK] failed task=a took_ms=1.0"
    story = [*UP, (10, done), (11, failed), *((12 + n, done) for n in range(18)), (60, "x y")]
    assert alerts(tmp_path, story) == [("task_failures", 11, 29, 0.5)]


def test_latency_and_compression(tmp_path):
    story = [
        *UP,
        (5, "DEBUG message_acked seq=1 rtt_ms=201.0"),
        (6, "[COMPRESS] compressed raw_bytes=10 wire_bytes=9"),
        (7, "x y"),
    ]
    assert alerts(tmp_path, story) == [("high_message_latency", 5, None, 201.0), ("low_compression", 6, None, 10 / 9)]


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.name)
def test_each_rule_fires_beyond_its_threshold_only(rule):
    beyond = rule.threshold + (0.001 if rule.comparison == ">" else -0.001)
    values = [None, rule.threshold, float("nan"), beyond, rule.threshold]
    (interval,) = decided(rule, "w", [(at(second), value) for second, value in enumerate(values)])
    assert (interval.fired_us, interval.resolved_us, interval.peak) == (at(3), at(4), beyond)


def test_advice_needs_evidence(tmp_path):
    assert analysis(tmp_path, w__log=tagged([*UP, (100, "x y")])).recommendations == ()


def test_late_returns_point_to_the_backoff_cap(tmp_path):
    def down(end):
        return [
            (0, "config role=worker max_reconnect_delay=60.0"),
            (1, "[CONNECT] established"),
            (10, "[RECONNECT] lost cause=closed"),
            (11, "[RECONNECT] attempt n=1"),
            (14, "[RECONNECT] attempt n=2"),
            (end, "[RECONNECT] established n=2"),
            (99, "x y"),
        ]

    found = analysis(tmp_path, a__log=tagged(down(20), source="a"), b__log=tagged(down(50), source="b"))
    (advice,) = found.recommendations
    assert (advice.setting, advice.current, advice.workers, advice.evidence) == (
        "max_reconnect_delay",
        "60 s",
        ("b",),
        ("b.log:6",),
    )
    assert "30.0 worker-seconds" in advice.reason


def test_failing_tasks_flaps_and_refused_keys_are_named(tmp_path):
    story = [
        *UP,
        (3, '[TASK] failed task=a error="disk full"'),
        *flaps(5, 7, 9),
        (10, "[SECURITY] auth_failed reason=wrong_key"),
        (11, "[RECONNECT] gave_up n=4"),
    ]
    found = analysis(tmp_path, w__log=tagged(story))
    assert ["disk full" in one.reason for one in found.recommendations].count(True) == 1
    assert len(found.recommendations) == 4
    assert [finding.event for finding in found.security] == ["auth_failed"]


def test_damage_is_counted_and_does_no_harm(tmp_path):
    story = [*UP, *((10 + n / 10, f"[TASK] completed task={n} took_ms=1.0") for n in range(700)), *flaps(90)]
    clean = tagged(story)
    lines = clean.splitlines(keepends=True)
    for n in range(0, len(lines), 100):
        lines.insert(n, f"\x00 damaged {n}\n")
    (tmp_path / "clean").mkdir()
    (tmp_path / "damaged").mkdir()
    expected = analysis(tmp_path / "clean", w__log=clean)
    found = analysis(tmp_path / "damaged", w__log="".join(lines))
    assert found.inputs[0].lines.unparsed == 8
    assert len(found.inputs[0].unparsed_examples) == 5
    assert {name: value.value for name, value in found.fleet.items()} == {
        name: value.value for name, value in expected.fleet.items()
    }
    assert any("w.log:1" in note.evidence for note in found.quality)


VERDICTS = {
    "OK": [*UP, (100, "x y")],
    "WARNING": [*UP, (50, "[RECONNECT] lost cause=closed"), (51, "[RECONNECT] established n=1"), (100, "x y")],
    "CRITICAL": [*UP, (50, "[RECONNECT] lost cause=closed"), (100, "x y")],
}


@pytest.mark.parametrize("severity", VERDICTS)
def test_the_verdict(tmp_path, severity):
    assert analysis(tmp_path, w__log=tagged(VERDICTS[severity])).verdict.severity == severity
