"""The files build servers read: JUnit XML and SARIF hold what their readers need, whatever stands in a log."""

import json
import re
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from recontool.model.comparison import CheckResult, Finding, Gate
from recontool.report.gate import document, text
from recontool.report.gate.junit import junit
from recontool.report.gate.markdown import markdown
from recontool.report.gate.sarif import sarif
from recontool.report.terminal import Screen

PLAIN = Screen(80, color=False, ascii_only=False)
HOSTILE = "<b>|`\"'&\x1b[31m\x00\u202e]]>\n| forged |"
GATE = Gate(
    (
        CheckResult(
            "avg_reconnect_time>3",
            "failed",
            "fleet: too slow and 1 more",
            (
                Finding("fleet", "too slow", ("worker 1.log:12", "worker-2.log:7")),
                Finding(f"w{HOSTILE}", f"slow {HOSTILE}", (f"w{HOSTILE}.log:3",)),
                Finding("worker-3", "no line tells"),
            ),
        ),
        CheckResult("critical", "passed", "nothing of the kind fired"),
        CheckResult("regression: message_errors", "passed", "too wide", unclear=True),
        CheckResult("avg_message_latency_ms>1", "no_data", f"has no value: {HOSTILE}"),
    ),
    (("worker 1.log", "logs/worker 1.log"), ("worker-2.log", "/srv/logs/worker-2.log")),
    f"base{HOSTILE}",
    "1 of 4 conditions failed; not enough data for 1",
    "0.1.0",
)
# The parts of the SARIF 2.1.0 schema that say what must be there and which words are allowed.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "additionalProperties": False,
                    "properties": {"uri": {"type": "string", "pattern": "^[!-~]+$"}},
                },
                "region": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"startLine": {"type": "integer", "minimum": 1}},
                },
            },
        }
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "invocations": {
                        "type": "array",
                        "items": {"type": "object", "required": ["executionSuccessful"]},
                    },
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {"shortDescription": TEXT},
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": TEXT,
                                "locations": {"type": "array", "items": LOCATION},
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif_has_what_the_standard_requires():
    found = json.loads(json.dumps(sarif(GATE), allow_nan=False))
    jsonschema.validate(found, SARIF)
    (run,) = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(GATE.checks)
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    # The standard: a level other than "none" belongs to kind "fail".
    assert {(result["kind"], result["level"]) for result in run["results"]} == {
        ("fail", "error"),
        ("pass", "none"),
        ("open", "none"),
    }
    places = [place["physicalLocation"] for place in run["results"][0]["locations"]]
    assert places == [
        {"artifactLocation": {"uri": "logs/worker%201.log"}, "region": {"startLine": 12}},
        {"artifactLocation": {"uri": "file:///srv/logs/worker-2.log"}, "region": {"startLine": 7}},
    ]
    assert "locations" not in run["results"][2]


def test_the_schema_of_this_test_refuses_what_is_wrong():
    found = sarif(GATE)
    found["runs"][0]["results"][0]["level"] = "CRITICAL"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, SARIF)


def test_junit_counts_what_it_holds():
    root = ET.fromstring(junit(GATE))
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    cases = list(suite)
    for level in (root, suite):
        assert [level.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "0", "1"]
    assert [[child.tag for child in case] for case in cases] == [
        ["failure"],
        ["system-out"],
        ["system-out"],
        ["skipped"],
    ]
    assert all(case.tag == "testcase" and case.get("name") and case.get("classname") for case in cases)
    failure = cases[0][0]
    assert failure.get("message") == "fleet: too slow and 1 more"
    assert "worker 1.log:12" in failure.text
    assert len(failure.text.splitlines()) == 3


def test_no_output_carries_hidden_characters_or_a_forged_row():
    shown = {
        "markdown": markdown(GATE),
        "junit": junit(GATE),
        "sarif": json.dumps(sarif(GATE)),
        "screen": text.screen(GATE, PLAIN),
        "json": json.dumps(document.document(GATE)),
    }
    for name, output in shown.items():
        assert not {"\x1b", "\x00", "\u202e"} & set(output), name
    rows = [line for line in shown["markdown"].splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(GATE.checks)
    assert "<b>" not in re.sub("`[^`]*`", "", shown["markdown"])


def test_the_screen_says_each_outcome_in_words():
    lines = text.screen(GATE, PLAIN).splitlines()
    assert lines[0] == "FAILED  1 of 4 conditions failed; not enough data for 1"
    assert [
        word for word in ("FAILED", "no data", "passed", "unclear") if any(line.startswith(word) for line in lines[1:])
    ] == [
        "FAILED",
        "no data",
        "passed",
        "unclear",
    ]
    assert all(len(line) <= 80 for line in lines)


def test_json_uses_words():
    found = document.document(GATE)
    assert (found["schema"], found["status"]) == ("recontool.check/1", "failed")
    assert [check["status"] for check in found["checks"]] == ["failed", "passed", "passed", "no_data"]
    assert [check["certainty"] for check in found["checks"]] == ["clear", "clear", "unclear", "clear"]
