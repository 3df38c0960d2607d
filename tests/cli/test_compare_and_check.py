"""`compare` and `check` as a user and a build server meet them: output, files, exit status."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import made_runs
import pytest
from made_runs import Fleet
from msgspec.structs import replace
from stories import tagged

FLEET = Fleet(hours=3.0)
SHORT = [
    (0, "config role=worker log_level=INFO"),
    (1, "[CONNECT] attempt n=1"),
    (2, "[CONNECT] established"),
    (10, "[RECONNECT] lost cause=closed"),
    (12, "[RECONNECT] established n=1"),
    (20, "plain"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    made_runs.write(path / "base", FLEET, 1)
    made_runs.write(path / "same", FLEET, 3)
    made_runs.write(path / "slower", replace(FLEET, reconnect=1.4), 2)
    (path / "short.log").write_text(tagged(SHORT))
    return path


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "recontool", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"},
        timeout=60,
    )


def test_compare_exits_1_on_a_regression_and_0_without(folder):
    worse, same = run("compare", "base", "slower", cwd=folder), run("compare", "base", "same", cwd=folder)
    assert (worse.returncode, same.returncode) == (1, 0), worse.stderr + same.stderr
    assert worse.stdout.startswith("WORSE  worse: ")
    assert same.stdout.startswith("OK  no difference beyond chance")
    lines = worse.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    (row,) = (line for line in lines if line.startswith("typical_reconnect_time"))
    assert row.split()[-1] == "WORSE"
    assert any("studentised cluster bootstrap" in line for line in lines)


def test_a_better_run_is_no_finding(folder):
    done = run("compare", "slower", "base", "-q", cwd=folder)
    assert done.returncode == 0
    assert done.stdout.startswith("OK  better: ")
    assert len(done.stdout.splitlines()) == 1


def test_compare_json_is_finite_and_reproducible(folder):
    first, again = (run("compare", "base", "slower", "--format", "json", cwd=folder).stdout for _ in range(2))
    assert first == again
    found = json.loads(first, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert found["schema"] == "recontool.comparison/1"
    assert found["verdict"]["severity"] == "WORSE"
    assert found["method"]["correction"] == "holm"
    measures = {one["measure"]: one for one in found["measures"]}
    typical = measures["typical_reconnect_time"]
    assert (typical["verdict"], typical["scale"], typical["better"]) == ("worse", "ratio", "lower")
    assert typical["low"] < typical["change"] < typical["high"]
    assert measures["decompression_time_ms"]["verdict"] == "no_data"
    assert measures["decompression_time_ms"]["reason"]


def test_compare_writes_markdown_and_a_page(folder):
    done = run("compare", "base", "slower", "--format", "markdown", "-o", "c.md", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert (folder / "c.md").read_text().startswith("### WORSE: ")
    done = run("compare", "base", "slower", "--format", "html", "-o", "c.html", cwd=folder)
    assert (done.returncode, done.stdout.strip()) == (1, "c.html")
    assert run("compare", "base", "base", "--format", "html", cwd=folder).returncode == 2


def test_too_little_data_is_an_answer(folder):
    done = run("compare", "short.log", "short.log", cwd=folder)
    assert done.returncode == 0
    assert "without enough data" in done.stdout
    assert "needs 8 units that carry weight" in done.stdout


def test_compare_says_what_is_missing(folder):
    done = run("compare", "base", "nowhere", cwd=folder)
    assert (done.returncode, "nowhere" in done.stderr) == (2, True)
    (folder / "junk.bin").write_bytes(b"\0" * 100)
    assert run("compare", "base", "junk.bin", cwd=folder).returncode == 3


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 0),
        (("--fail-on", "avg_reconnect_time>1"), 1),
        (("--fail-on", "avg_reconnect_time>2"), 0),
        (("--fail-on", "restarts>0", "--fail-on", "reconnections>0"), 1),
        (("--fail-on", "avg_message_latency_ms>1"), 3),
        (("--fail-on", "avg_message_latency_ms>1,restarts>0"), 0),
        (("--fail-on", "avg_reconect_time>1"), 2),
        (("--fail-on", "regression"), 2),
        (("--baseline", "short.log", "--fail-on", "avg_reconnect_time>+5%"), 3),
    ],
)
def test_check_exits_by_its_conditions(folder, arguments, status):
    done = run("check", "short.log", *arguments, cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    if status == 3:
        assert done.stdout.startswith("NO DATA")
        assert "this is no pass" in done.stderr


def test_a_baseline_gates_by_regression(folder):
    worse = run("check", "slower", "--baseline", "base", cwd=folder)
    assert worse.returncode == 1
    assert "typical_reconnect_time got worse" in " ".join(worse.stdout.split())
    assert run("check", "same", "--baseline", "base", cwd=folder).returncode == 0
    limit = ("--fail-on", "typical_reconnect_time>+20%")
    assert run("check", "slower", "--baseline", "base", *limit, cwd=folder).returncode == 1
    limit = ("--fail-on", "typical_reconnect_time>+60%")
    assert run("check", "slower", "--baseline", "base", *limit, cwd=folder).returncode == 0


def test_check_writes_what_build_servers_read(folder):
    arguments = ("check", "short.log", "--fail-on", "avg_reconnect_time>1,restarts>0")
    done = run(*arguments, "--format", "junit", "-o", "out/check.xml", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "1 of 2 conditions failed" in done.stderr
    assert ET.parse(folder / "out/check.xml").getroot().get("failures") == "1"
    found = json.loads(run(*arguments, "--format", "sarif", cwd=folder).stdout)
    place = found["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "short.log"}, "region": {"startLine": 4}}
    found = json.loads(run(*arguments, "--format", "json", cwd=folder).stdout)
    assert [check["status"] for check in found["checks"]] == ["failed", "passed"]
    assert run(*arguments, "--format", "markdown", cwd=folder).stdout.startswith("### FAILED: 1 of 2 conditions failed")


def test_where_nothing_could_be_decided_the_word_is_not_ok():
    logs = Path(__file__).parents[2] / "sample_logs"
    done = run("compare", str(logs / "worker-1.log"), str(logs / "worker-2.log"), cwd=logs)
    assert done.returncode == 0
    assert done.stdout.startswith("UNCLEAR  none of ")
