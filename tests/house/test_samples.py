"""The sample logs: written anew they are the same bytes, and `analyze` finds in them what happened."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TRUTH = json.loads((Path(__file__).parents[2] / "sample_logs" / "truth.json").read_text("utf-8"))
FILES = TRUTH["files"]
WORKERS = sorted(name for name, entry in FILES.items() if entry["role"] == "worker")
COORDINATORS = sorted(name for name, entry in FILES.items() if entry["role"] == "coordinator")


def analyzed(root, name):
    command = [sys.executable, "-m", "recontool", "analyze", f"sample_logs/{name}", "--format", "json"]
    done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_written_anew_they_are_the_same_bytes(root, tmp_path):
    command = [sys.executable, "sample_logs/make.py", "--seed", str(TRUTH["seed"]), "--into", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True)
    fresh = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert set(fresh) == {*FILES, "truth.json"}
    assert [name for name, text in fresh.items() if text != (root / "sample_logs" / name).read_bytes()] == []
    assert sum(map(len, fresh.values())) < 1_000_000


@pytest.mark.parametrize("name", WORKERS)
def test_analyze_finds_what_happened_to(root, name):
    truth = FILES[name]
    found = analyzed(root, name)["workers"][truth["worker"]]
    metrics = {key: found["metrics"][key]["value"] for key in truth["metrics"]}
    assert metrics == pytest.approx(truth["metrics"], abs=1e-6)
    assert {key: found["derived"][key] for key in truth["derived"]} == truth["derived"]
    assert {key: found["tasks"][key] for key in truth["tasks"]} == truth["tasks"]
    shown = [{key: outage[key] for key in ("start", "end", "cause", "attempts")} for outage in found["outages"]]
    assert shown == truth["outages"]


@pytest.mark.parametrize("name", COORDINATORS)
def test_analyze_knows_the_coordinator_in(root, name):
    counts = {key: value for key, value in FILES[name].items() if key != "role"}
    found = analyzed(root, name)
    assert found["workers"] == {}
    (coordinator,) = found["coordinators"].values()
    assert {key: coordinator[key] for key in counts} == counts


def test_the_fleet_shows_one_coordinator_restart(root):
    incidents = analyzed(root, "*.log")["incidents"]
    assert [(one["cause"], len(one["workers"])) for one in incidents] == [("coordinator_restart", 4)]


def test_the_untagged_files_show_wrong_claims(root):
    claims = {(one["worker"], one["metric"]) for one in analyzed(root, "untagged")["disagreements"]}
    assert {("edge-1", "reconnections"), ("edge-1", "task_success_rate"), ("edge-2", "reconnections")} <= claims


def test_our_own_processes_claim_nothing_wrong(root):
    assert analyzed(root, "worker-[1-4].log")["disagreements"] == []


def test_the_example_report_is_what_the_samples_give(root, tmp_path):
    logs = sorted(str(path.relative_to(root)) for path in (root / "sample_logs").glob("*.log"))
    fresh = tmp_path / "example.html"
    command = [sys.executable, "-m", "recontool", "report", *logs, "--html", "-o", str(fresh)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    committed = root / "reports" / "example.html"
    assert fresh.read_bytes() == committed.read_bytes(), "write it anew with: make example"
