"""Stories that test rules: what holds, what is told when one does not, and what a test file may not say."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recontool.alerts.document import DocumentError
from recontool.alerts.rules import BUILT_IN
from recontool.alerts.stories import differences, load_stories
from recontool.cli import command_line

LATENCY = """
tests:
  - name: latency
    samples: {worker-1: {avg_message_latency_ms: "100x3 300x3 _x2 50 stale"}}
    at:
      45s: {firing: []}
      1m: {firing: [high_message_latency worker-1], pending: []}
    alerts: [{alert: high_message_latency, worker: worker-1, fired: 1m, resolved: 2m30s}]
"""


def story(text):
    (found,) = load_stories(text, "t.yaml").stories
    return found


def test_a_story_that_holds():
    assert differences(story(LATENCY), BUILT_IN) == []


def test_what_differs_is_shown_as_a_diff():
    told = LATENCY.replace("45s: {firing: []}", "45s: {firing: [task_failures worker-1]}").replace("2m30s", "2m45s")
    assert differences(story(told), BUILT_IN) == [
        "at 45s, firing:",
        "  - expected task_failures worker-1",
        "intervals:",
        "  - expected high_message_latency worker-1: pending 1m, fired 1m, resolved 2m45s",
        "  + found    high_message_latency worker-1: pending 1m, fired 1m, resolved 2m30s",
    ]


def test_an_alert_that_no_rule_has_is_told_apart_from_one_that_was_not_raised():
    told = LATENCY.replace("[high_message_latency worker-1]", "[high_mesage_latency worker-1]")
    told = told.replace("alert: high_message_latency", "alert: disk_full")
    assert differences(story(told), BUILT_IN)[1:4:2] == [
        "  - expected high_mesage_latency worker-1 (no rule has this name; did you mean high_message_latency?)",
        "intervals:",
    ]
    assert "  - expected disk_full worker-1: pending 1m, fired 1m, resolved 2m30s (no rule has this name)" in (
        differences(story(told), BUILT_IN)
    )


@pytest.mark.parametrize(
    ("run", "samples"),
    [
        ('"1 2"', [1, 2]),
        ('"5x2"', [5, 5, 5]),
        ('"0+1x3"', [0, 1, 2, 3]),
        ('"3-1.5x2"', [3, 1.5, 0]),
        ('"_x2 1 _ stale"', [None, None, 1, None, "stale"]),
        ('"+Inf -Inf"', [float("inf"), -float("inf")]),
        ("[1, null, stale, ~, 2.5e3]", [1, None, "stale", None, 2500]),
    ],
)
def test_runs_of_samples(run, samples):
    found = story(f"tests: [{{samples: {{w: {{queue_depth: {run}}}}}, at: {{0s: {{firing: []}}}}}}]")
    assert found.samples["w"]["queue_depth"] == samples


REFUSED = {
    "{tests: []}": "list of stories",
    "{tests: [{samples: {w: {queue_depth: '1'}}}]}": "expects nothing",
    "{tests: [{at: {0s: {firing: []}}}]}": "no samples",
    "{tests: [{samples: {w: {queue_dept: '1'}}, at: {0s: {firing: []}}}]}": "unknown key 'queue_dept'",
    "{tests: [{samples: {w: {queue_depth: 'many'}}, at: {0s: {firing: []}}}]}": "no run of samples",
    "{tests: [{samples: {w: {queue_depth: '1x99999999999'}}, at: {0s: {firing: []}}}]}": "no run of samples",
    "{tests: [{samples: {w: {queue_depth: '1'}}, at: {10s: {firing: []}}}]}": "nothing is evaluated at 10s",
    "{tests: [{samples: {w: {queue_depth: '1'}}, at: {soon: {firing: []}}}]}": "a time since the start",
    "{tests: [{samples: {w: {queue_depth: '1'}}, alerts: [{worker: w}]}]}": "names its alert",
    "{tests: [{samples: {w: {queue_depth: '1'}}, alerts: [{alert: a}]}]}": "has `fired`",
    "{tests: [{samples: {w: {queue_depth: '1'}}, interval: 0s, alerts: []}]}": "must be a duration",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refusals(text):
    with pytest.raises(DocumentError) as raised:
        load_stories(text, "t.yaml")
    assert any(REFUSED[text] in problem.text for problem in raised.value.problems)


def test_the_command_says_which_story_failed(tmp_path):
    (tmp_path / "r.yaml").write_text("alerts: {g: {deep: {condition: queue_depth > 3, for: 15s}}}")
    (tmp_path / "t.yaml").write_text(
        "rules: r.yaml\n"
        "tests:\n"
        "  - {name: deep, samples: {w: {queue_depth: 5x4}}, at: {15s: {firing: [deep w]}, 0s: {pending: [deep w]}}}\n"
    )
    done = CliRunner().invoke(command_line(), ["alerts", "test", str(tmp_path / "t.yaml")])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 of 1 stories hold")
    (tmp_path / "r.yaml").write_text("alerts: {g: {deep: {condition: queue_depth > 3, for: 30s}}}")
    done = CliRunner().invoke(command_line(), ["alerts", "test", str(tmp_path / "t.yaml")])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "FAIL  deep  (t.yaml:3)",
        "      at 15s, firing:",
        "        - expected deep w",
        "0 of 1 stories hold",
    ]


def test_the_engines_own_stories_hold():
    done = CliRunner().invoke(command_line(), ["alerts", "test", str(Path(__file__).with_name("engine_stories.yaml"))])
    assert done.exit_code == 0, done.stdout


def test_the_example_of_the_docs_holds(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")
    rules, stories = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "stories.yaml").write_text(stories)
    done = CliRunner().invoke(command_line(), ["alerts", "test", str(tmp_path / "stories.yaml")])
    assert done.exit_code == 0, done.stdout
