"""Real logs of an existing deployment against their truth."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recontool.api.analyze import analyze
from recontool.model.instant import from_datetime

FOLDER = Path(__file__).parents[3] / "shared" / "field-logs"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/field-logs is not part of a clone")

TRUTH = json.loads((FOLDER / "truth.json").read_text())["files"] if FOLDER.is_dir() else {}
WORKERS = [name for name, truth in TRUTH.items() if truth["role"] == "worker"]
COORDINATORS = [name for name, truth in TRUTH.items() if truth["role"] == "coordinator"]

METRICS = {
    "connection_attempts": "connection_attempts",
    "successful_connections": "successful_connections",
    "tasks_executed": "tasks_executed",
    "checkpoints_created": "checkpoints_created_derived",
    "checkpoints_restored": "checkpoints_resumed",
    "task_success_rate": "task_success_rate_finished",
}
TIMES = {
    "avg_reconnect_time": "avg_reconnect_time_s",
    "max_reconnect_time": "max_reconnect_time_s",
    "connection_stability": "connection_stability",
}
DERIVED = {
    "reconnections": "reconnections",
    "failed_reconnections_total": "failed_attempts",
    "max_reconnections_per_minute": "max_reconnections_in_60s",
    "forced_reconnections": "forced_reconnects",
    "gave_up": "gave_up",
}


def micros(text):
    return from_datetime(datetime.strptime(text + "000", "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC))


def only(name):
    (worker,) = analyze([str(FOLDER / name)]).workers.values()
    return worker


@pytest.mark.parametrize("name", WORKERS)
def test_each_worker_equals_its_truth(name):
    truth, worker = TRUTH[name], only(name)
    assert worker.key == truth["worker_id"]
    values = {metric: worker.metrics[metric].value for metric in (*METRICS, *TIMES)}
    assert {metric: values[metric] for metric in METRICS} == {
        metric: truth[theirs] for metric, theirs in METRICS.items()
    }
    assert [values[metric] for metric in TIMES] == [pytest.approx(truth[theirs], abs=1e-3) for theirs in TIMES.values()]
    assert {metric: worker.derived[metric] for metric in DERIVED} == {
        metric: truth[theirs] for metric, theirs in DERIVED.items()
    }
    counted = (worker.tasks.succeeded, worker.tasks.failed, worker.tasks.unfinished)
    assert counted == (truth["tasks_succeeded"], truth["tasks_failed"], truth["tasks_unfinished_at_end"])


@pytest.mark.parametrize("name", WORKERS)
def test_the_outages_equal_the_truth(name):
    truth, worker = TRUTH[name], only(name)
    expected = [(micros(one["down"]), micros(one["up"]), _kind(one["cause"])) for one in truth["outages"]]
    if truth["open_outage_at_end"]:
        expected.append(
            (micros(truth["open_outage_at_end"]["down"]), None, _kind(truth["open_outage_at_end"]["cause"]))
        )
    assert [(one.start_us, one.end_us, _kind(one.cause)) for one in worker.outages] == expected


def _kind(cause):
    return "forced" if cause in {"forced", "heartbeat"} else cause.partition(" ")[0]


@pytest.mark.parametrize("name", WORKERS)
def test_wrong_claims_are_disagreements(name):
    truth = TRUTH[name]
    found = {one.metric: one for one in analyze([str(FOLDER / name)]).disagreements}
    claimed = truth["last_metrics_block"]
    assert found["reconnections"].claimed == claimed["reconnections"]
    assert found["reconnections"].shown is not None
    assert {"avg_message_latency_ms", "avg_reconnect_time"} <= set(found)
    assert ("task_success_rate" in found) == (truth["tasks_succeeded"] == 0)
    assert not {"messages_sent", "tasks_executed", "checkpoints_created"} & set(found)


@pytest.mark.parametrize("name", WORKERS)
def test_the_alerts_that_events_support(name):
    expected = TRUTH[name]["expected_alerts"]
    fired = {alert.alert for alert in analyze([str(FOLDER / name)]).alerts}
    for alert in ("high_reconnection_rate", "connection_failures"):
        assert (alert in fired) == expected[alert]
    assert ("task_failures" in fired) == expected["task_failures_by_events"]
    assert not {"high_message_latency", "low_compression"} & fired


@pytest.mark.parametrize("name", COORDINATORS)
def test_coordinators_are_no_workers(name):
    found = analyze([str(FOLDER / name)])
    truth = TRUTH[name]
    assert not found.workers
    counts = found.coordinators[name].counts
    assert counts["starts"] == truth["process_starts"]
    assert counts["submitted"] == truth["tasks_submitted"]
    assert counts["assigned"] == truth["tasks_assigned"]
    assert counts["applied"] == truth["task_results_unique_tasks"]
    assert counts["applied"] + counts["duplicate"] == truth["task_results_received"]
    assert counts["accepted"] == sum(truth["registrations"].values())


def test_the_folder_as_a_whole():
    found = analyze([str(FOLDER)])
    assert set(found.coordinators) == set(COORDINATORS)
    overlapping = {
        f"{TRUTH[name]['worker_id']}@{name}" for name in WORKERS if TRUTH[name]["worker_id"] in {"w1", "w2", "w3"}
    }
    assert set(found.workers) == overlapping | {"w4", "d1", "d2", "d3"}
    assert sum("overlap in time" in note.text for note in found.quality) == 3
    assert found.fleet["connection_attempts"].value == sum(TRUTH[name]["connection_attempts"] for name in WORKERS)
    lines = [one.lines for one in found.inputs]
    assert sum(one.total for one in lines) == sum(truth["lines"] for truth in TRUTH.values())
    assert sum(one.unparsed for one in lines) == 0


def test_coordinator_deaths_are_incidents_of_their_own_fleet():
    restarts = [one for one in analyze([str(FOLDER)]).incidents if one.cause == "coordinator_restart"]
    assert [{worker.partition("@")[0] for worker in one.workers} for one in restarts] == [
        {"w1", "w2", "w3"},
        {"w1", "w2", "w3", "w4"},
        {"d1", "d2", "d3"},
    ]
