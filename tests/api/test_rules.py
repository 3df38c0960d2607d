"""Rules files in the analysis, the gate and notebooks: thresholds decided while the log is folded, others afterwards."""

import json

import pytest
from stories import at, tagged
from typer.testing import CliRunner

import recontool
from recontool.api.analyze import analyze
from recontool.api.rules import rules_of
from recontool.api.sources import Reading
from recontool.cli import command_line
from recontool.model.errors import UsageError
from recontool.model.instant import iso

RULES = """
alerts:
  mine:
    lasting: {condition: "avg_message_latency_ms > 100", for: 20s, severity: CRITICAL}
    either: {condition: "avg_message_latency_ms > 100 or task_success_rate < 0.5"}
    sum_of_all: {condition: "reconnections > 1", scope: fleet}
    growing: {condition: "increase(reconnections[1m]) > 0", keep_firing_for: 30s}
"""


def log(source, *, back):
    return tagged(
        [
            (0, "config role=worker log_level=DEBUG"),
            (1, "[CONNECT] established"),
            (5, "DEBUG message_acked seq=1 rtt_ms=150.0"),
            (12, "[RECONNECT] lost cause=closed"),
            (back, "[RECONNECT] established n=1"),
            (26, "DEBUG message_received type=task"),
            (40, "DEBUG message_acked seq=2 rtt_ms=10.0"),
            (120, "DEBUG message_received type=task"),
        ],
        source=source,
    )


@pytest.fixture
def run(tmp_path):
    (tmp_path / "a.log").write_text(log("a", back=13))
    (tmp_path / "b.log").write_text(log("b", back=17))
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def of(worker):
    """By hand: events at the seconds of `log`, evaluations also at 15, 30, 45 s ..."""
    back = {"a": 13, "b": 17}[worker]
    return [
        # Pending from the first answer on; 25 s is no instant, 26 s is. The second answer makes the mean 80 ms.
        ("lasting", worker, 5, 26, 40, 150.0),
        ("either", worker, 5, 5, 40, 150.0),
        # The reconnection leaves the window at 73 (77) s, so it is 75 (90) s, and 30 s of keeping on.
        ("growing", worker, back, back, {"a": 105, "b": 120}[worker], 1.0),
    ]


EXPECTED = sorted([*of("a"), *of("b"), ("sum_of_all", None, 17, 17, None, 2.0)], key=str)


def seconds(at_us):
    return None if at_us is None else (at_us - at(0)) // 1_000_000


def shown(alerts):
    return sorted(
        (
            (one.alert, one.worker, *map(seconds, (one.pending_us, one.fired_us, one.resolved_us)), one.peak)
            for one in alerts
        ),
        key=str,
    )


def test_every_rule_is_decided_at_every_event_and_every_15_s(run):
    said = []
    reading = Reading(rules=rules_of(run / "rules.yaml").rules, tell=said.append)
    assert shown(analyze([str(run)], reading).alerts) == EXPECTED
    assert [sentence for sentence in said if "once more" in sentence] == [
        "the logs are read once more by the reference reader, which is slower, for rules either, sum_of_all, growing"
    ]


def test_thresholds_alone_need_no_second_look(run):
    (run / "rules.yaml").write_text('alerts: {g: {lasting: {condition: "avg_message_latency_ms > 100", for: 20s}}}')
    said = []
    reading = Reading(rules=rules_of(run / "rules.yaml").rules, tell=said.append)
    assert shown(analyze([str(run)], reading).alerts) == [one for one in EXPECTED if one[0] == "lasting"]
    assert not any("once more" in sentence for sentence in said)


def test_other_rules_do_not_go_on_from_a_kept_state(run):
    """The state of a log depends on the rules it was read with."""
    from recontool.storage.states import HeldStates

    states = HeldStates()
    text = (run / "a.log").read_text()
    filler = [(200 + number, "DEBUG message_received type=task") for number in range(400_000)]
    (run / "a.log").write_text(text + tagged(filler, source="a"))
    for limit, fired in ((100, 1), (1000, 0), (120, 1)):
        (run / "rules.yaml").write_text(f'alerts: {{g: {{slow: {{condition: "avg_message_latency_ms > {limit}"}}}}}}')
        reading = Reading(rules=rules_of(run / "rules.yaml").rules, states=states)
        assert len(analyze([str(run / "a.log")], reading).alerts) == fired


def test_the_gate_knows_the_names_of_the_file(run):
    arguments = ["check", str(run / "a.log"), "--rules", str(run / "rules.yaml"), "--format", "json", "--fail-on"]
    done = CliRunner().invoke(command_line(), [*arguments, "lasting"])
    assert (done.exit_code, json.loads(done.stdout)["checks"][0]["status"]) == (1, "failed")
    assert CliRunner().invoke(command_line(), [*arguments, "sum_of_all"]).exit_code == 0
    with pytest.raises(UsageError, match="low_compression"):
        CliRunner().invoke(command_line(), [*arguments, "low_compression"], catch_exceptions=False)


def test_analyze_and_notebooks_take_the_file_too(run):
    done = CliRunner().invoke(
        command_line(), ["analyze", str(run), "--rules", str(run / "rules.yaml"), "--format", "json"]
    )
    found = json.loads(done.stdout)["alerts"]
    assert sorted({one["alert"] for one in found}) == ["either", "growing", "lasting", "sum_of_all"]
    assert next(one["fired_at"] for one in found if one["alert"] == "lasting") == iso(at(26))
    assert len(recontool.load(run, rules=run / "rules.yaml").alerts) == len(EXPECTED)


def test_a_report_is_about_the_rules_of_the_file(run):
    arguments = ["report", str(run), "--html", "--lite", "--rules", str(run / "rules.yaml"), "-o", str(run / "r.html")]
    assert CliRunner().invoke(command_line(), arguments).exit_code == 0
    page = (run / "r.html").read_text()
    assert "Sum of all" in page or "sum of all" in page


def test_stdin_cannot_be_read_twice(run):
    with pytest.raises(UsageError, match="stdin cannot be read a second time"):
        CliRunner().invoke(
            command_line(),
            ["analyze", "-", "--rules", str(run / "rules.yaml")],
            input=log("a", back=13),
            catch_exceptions=False,
        )
