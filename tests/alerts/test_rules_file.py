"""Rules files: what they say, and how every mistake is shown at its place, all at once."""

import pytest
from typer.testing import CliRunner

from recontool.alerts.document import DocumentError
from recontool.alerts.rules import BUILT_IN, Rule
from recontool.alerts.rules_file import load_rules
from recontool.cli import command_line
from recontool.model.units import SECOND_US

GUIDE = """
alerts:
  worker_reconnection:
    high_reconnection_rate:
      condition: "reconnections_per_minute > 3"
      severity: "WARNING"
      notification: ["dashboard", "email"]
"""


def test_the_guides_file():
    (rule,) = load_rules(GUIDE, "r.yaml").rules
    assert rule == Rule(
        "high_reconnection_rate",
        "reconnections_per_minute > 3",
        "WARNING",
        notification=("dashboard", "email"),
        group="worker_reconnection",
    )


def test_every_field():
    text = """
alerts:
  latency:
    lag:
      condition: avg_message_latency_ms > 200
      severity: CRITICAL
      notification: [slack]
      for: 1m
      keep_firing_for: 1h30m
      clear_when: avg_message_latency_ms <= 150
      no_data: keep
      scope: fleet
      description: too slow
"""
    (rule,) = load_rules(text, "r.yaml").rules
    assert rule == Rule(
        "lag",
        "avg_message_latency_ms > 200",
        "CRITICAL",
        notification=("slack",),
        for_us=60 * SECOND_US,
        keep_firing_us=5400 * SECOND_US,
        clear_when="avg_message_latency_ms <= 150",
        no_data="keep",
        scope="fleet",
        description="too slow",
        group="latency",
    )


def test_a_condition_alone_is_enough():
    (rule,) = load_rules("alerts: {g: {r: {condition: queue_depth > 1}}}", "r.yaml").rules
    assert (rule.severity, rule.notification, rule.no_data, rule.scope) == ("WARNING", ("dashboard",), "ok", "worker")


def problems(text, **options):
    with pytest.raises(DocumentError) as raised:
        load_rules(text, "r.yaml", **options)
    return [(one.line, one.column, one.text.splitlines()[0], one.hint) for one in raised.value.problems]


def test_all_problems_come_at_once_in_the_order_of_the_file():
    text = """alerts:
  worker_reconnection:
    a:
      condition: "reconnections_per_minut > 3"
      severity: WARN
      severities: INFO
      for: 5 min
    a:
      condition: queue_depth > 1
    b:
      notification: ["emial", slack]
    c: {condition: "uptime_s > 1 and queue_dept > 2", no_data: yes, scope: [fleet]}
  flat: {condition: "queue_depth > 1"}
alert: 3
"""
    found = problems(text)
    assert [(line, column) for line, column, _, _ in found] == [
        (4, 19),
        (5, 17),
        (6, 7),
        (7, 12),
        (8, 5),
        (10, 5),
        (11, 22),
        (12, 38),
        (12, 64),
        (12, 76),
        (13, 3),
        (14, 1),
    ]
    hints = {line: hint for line, _, _, hint in found}
    assert "reconnections_per_minute" in hints[4]
    assert "did you mean WARNING" in hints[5]
    assert "did you mean severity" in hints[6]
    assert "e.g. 250ms" in hints[7]
    assert "did you mean email" in hints[11]
    assert "did you mean alerts" in hints[14]


REFUSED = {
    "an alias": ("a: &x 1\nb: *x", "aliases are refused"),
    "a tag": ("alerts: {g: {r: {condition: !!python/name:os.system x}}}", "tags are refused"),
    "a tag of one's own": ("alerts: !mine {}", "tags are refused"),
    "a list": ("- 1", "must be a mapping"),
    "nothing": ("", "nothing in it"),
    "a comment only": ("# nothing", "nothing in it"),
    "no rule": ("alerts: {}", "no rule"),
    "no alerts": ("{}", "no `alerts:`"),
    "a torn list": ("alerts: [", "is no YAML"),
    "a control character": ("alerts: \x07", "is no YAML"),
    "a number for a condition": ("alerts: {g: {r: {condition: 3}}}", "condition must be text"),
    "a rule that is text": ("alerts: {g: {r: queue_depth}}", "must be a mapping"),
    "a rule in two groups": (
        "alerts: {g: {r: {condition: queue_depth > 1}}, h: {r: {condition: queue_depth > 1}}}",
        "twice",
    ),
    "a merge": ("alerts: {g: {<<: {r: 1}}}", "tags are refused"),
    "too long a time": ("alerts: {g: {r: {condition: queue_depth > 1, for: 8d}}}", "longer than 7d"),
    "two documents": ("alerts: {}\n---\nalerts: {}", "is no YAML"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_refusals(text, reason):
    assert any(reason in told for _, _, told, _ in problems(text))


def test_a_coordinators_file_may_hold_other_keys_and_other_channels():
    text = "port: 8765\nalerts: {g: {r: {condition: queue_depth > 1, notification: [night-shift]}}}"
    assert load_rules(text, "c.yaml", channels=("night-shift",), others=True).rules[0].notification == ("night-shift",)
    assert [line for line, *_ in problems(text)] == [1, 2]


DOUBTS = {
    "failed_reconnections_total > 0": "is a counter",
    "rate(queue_depth[1m]) > 0": "is no counter",
    "1 > 0": "reads no metric",
    "absent(queue_depth[5m])": "scope: fleet",
}


CONFIG = """
port: 0
notifications: {channels: {pager: {kind: webhook, url: "http://h/"}}}
alerts: {group: {slow: {condition: "avg_message_latency_ms > 5", notification: [dashboard, %s]}}}
"""


def test_a_file_with_notifications_is_a_coordinators_and_names_its_channels():
    (rule,) = load_rules(CONFIG % "pager", "fleet.yaml").rules
    assert rule.notification == ("dashboard", "pager")
    with pytest.raises(DocumentError, match=r"unknown channel 'pagr'\n.*did you mean pager"):
        load_rules(CONFIG % "pagr", "fleet.yaml")


@pytest.mark.parametrize("condition", DOUBTS)
def test_doubts_are_told(condition):
    ((where, warning),) = load_rules(f"alerts: {{g: {{r: {{condition: '{condition}'}}}}}}", "r.yaml").warnings
    assert where == "r.yaml:1:29"
    assert DOUBTS[condition] in warning


def test_the_built_in_rules_raise_no_doubt():
    lines = "".join(f"    {rule.name}: {{condition: '{rule.condition}'}}\n" for rule in BUILT_IN)
    assert load_rules(f"alerts:\n  g:\n{lines}", "r.yaml").warnings == ()


def test_check_shows_rules_and_doubts(tmp_path):
    (tmp_path / "r.yaml").write_text("alerts: {g: {r: {condition: reconnections > 3}}}")
    done = CliRunner().invoke(command_line(), ["alerts", "check", str(tmp_path / "r.yaml")])
    assert done.exit_code == 0
    assert done.stdout.split() == ["r", "WARNING", "reconnections", ">", "3"]
    assert "r.yaml:1:29: warning: reconnections is a counter" in done.stderr


@pytest.mark.parametrize("style", [">", ">-", "|"])
def test_a_condition_may_go_over_lines(style):
    text = f"alerts:\n  g:\n    busy:\n      condition: {style}\n        queue_depth > 3 and\n        uptime_s > 2\n      description: {style}\n        a long\n        text\n"
    (rule,) = load_rules(text, "r.yaml").rules
    assert rule.condition.split() == ["queue_depth", ">", "3", "and", "uptime_s", ">", "2"]
    assert rule.description.split() == ["a", "long", "text"]
    assert "\a" not in rule.condition + rule.description
