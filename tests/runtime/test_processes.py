"""Real processes on loopback under real faults: what they promise and what their logs say."""

import signal
import stat
import time

import pytest
from processes import Fleet, end, wait_for

from recontool.demo.proxy import FaultProxy
from recontool.metrics.fold import WorkerFold
from recontool.model.catalogue import CATALOGUE, DOCUMENTED
from recontool.model.markers import Marker
from recontool.storage import snapshots

NAMES = [metric.name for metric in DOCUMENTED]
SLEEP = {"type": "sleep", "iterations": 8, "seconds": 0.05, "checkpoint_every": 2}
LONG = {"type": "sleep", "iterations": 40, "seconds": 0.1, "checkpoint_every": 1}
ECHO = {"type": "echo", "size": 20_000}
FAIL = {"type": "fail", "at": 2, "seconds": 0.01}


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path / "data") as made:
        yield made


def agree(events):
    """Fold a log and compare the fold with every `metrics` record at its place; how many there were."""
    fold, compared = WorkerFold("w-1"), 0
    for event in events:
        fold.feed(event, "w-1.log")
        if (event.marker, event.name) == ("", "metrics"):
            shown = fold.reported(event.at_us)
            assert {name: shown[name] for name in NAMES} == {name: event.fields.get(name) for name in NAMES}
            compared += 1
    return compared


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_one_life_of_a_worker_in_all_seven_markers(fleet, level):
    coordinator = fleet.coordinator()
    worker = fleet.worker("w-1", "--log-level", level)
    fleet.submit(SLEEP, ECHO, FAIL)
    fleet.settled(3)
    assert end(coordinator, signal.SIGKILL) == -signal.SIGKILL
    fleet.saw("w-1", "RECONNECT", "failed")
    coordinator = fleet.coordinator()
    fleet.saw("w-1", "RECONNECT", "established")
    long = fleet.submit(LONG)[0]
    fleet.saw("w-1", "CHECKPOINT", "created", 6)
    fleet.saw("w-1", "", "metrics", 4)  # a quick machine may be here before that many intervals have passed
    assert end(worker, signal.SIGKILL) == -signal.SIGKILL
    first_life = len(fleet.events("w-1", "", "metrics"))
    worker = fleet.worker("w-1", "--log-level", level)
    assert fleet.saw("w-1", "CHECKPOINT", "restored")[0].fields["task"] == long
    rows = {row.id: row.state for row in fleet.settled(4)}
    assert sorted(rows.values()) == ["done", "done", "done", "failed"]
    wait_for("a sample", lambda: fleet.http("/api/v1/workers/w-1/metrics", fleet.key("operator"))[1]["at"])
    fleet.saw("w-1", "", "metrics", first_life + 4)
    assert end(worker) == 0
    assert end(coordinator) == 0
    events = fleet.events("w-1")
    assert {event.marker for event in events} - {""} == {marker.value for marker in Marker}
    # What the live plugin said at each moment is what the log up to there shows, exactly.
    first, second = split_at_config(events)
    assert agree(first) > 3
    assert agree(second) > 3
    assert [event.name for event in events][-2 if level == "INFO" else -4] == "closed"
    table = snapshots.read(snapshots.files(fleet.data / "snapshots"))
    assert set(table["worker"].to_pylist()) == {"w-1"}
    assert max(table["tasks_executed"].to_pylist()) >= 1
    assert set(CATALOGUE) < set(table.column_names)


def split_at_config(events):
    starts = [place for place, event in enumerate(events) if event.name == "config"]
    assert len(starts) == 2
    return events[: starts[1]], events[starts[1] :]


def test_a_killed_coordinator_loses_no_task_and_applies_each_once(fleet):
    coordinator = fleet.coordinator()
    workers = [fleet.worker(name) for name in ("w-1", "w-2")]
    ids = [*fleet.submit(*[SLEEP] * 12), *fleet.submit(*[ECHO] * 6)]
    for round_ in range(2):
        fleet.saw("coordinator", "TASK", "applied", 3 * (round_ + 1))
        end(coordinator, signal.SIGKILL)
        coordinator = fleet.coordinator()
    rows = fleet.settled(len(ids))
    assert {row.id for row in rows} == set(ids)
    assert all(row.state == "done" for row in rows)
    applied = [event.fields["task"] for event in fleet.events("coordinator", "TASK", "applied")]
    assert len(applied) == len(set(applied))
    assert [end(process) for process in (*workers, coordinator)] == [0, 0, 0]


def test_a_killed_worker_resumes_where_its_checkpoint_was(fleet):
    fleet.coordinator()
    worker = fleet.worker("w-1")
    (task,) = fleet.submit({**LONG, "iterations": 12})
    fleet.saw("w-1", "CHECKPOINT", "created", 5)
    end(worker, signal.SIGKILL)
    fleet.worker("w-1")
    fleet.settled(1)
    restored = fleet.saw("w-1", "CHECKPOINT", "restored")[0].fields["checkpoint"]
    assert int(str(restored).removeprefix(f"{task}.")) >= 5
    assert len(fleet.events("w-1", "TASK", "started")) == 2
    assert list((fleet.data / "checkpoints" / "w-1").iterdir()) == []


def test_a_wrong_key_is_refused_said_and_tried_again(fleet):
    fleet.coordinator()
    worker = fleet.worker("w-1", "--api-key", "not-the-key")
    refused = fleet.saw("coordinator", "SECURITY", "auth_failed", 2)[0].fields
    assert (refused["reason"], refused["worker"]) == ("wrong key", "w-1")
    failed = fleet.saw("w-1", "CONNECT", "failed")[0].fields
    assert failed["error"] == "refused: wrong key"
    assert fleet.saw("w-1", "SECURITY", "auth_failed")[0].fields["reason"] == "wrong key"
    assert fleet.events("w-1", "CONNECT", "established") == []
    assert end(worker) == 0
    log = (fleet.data / "logs" / "w-1.log").read_text() + (fleet.data / "logs" / "coordinator.log").read_text()
    assert fleet.key("worker") not in log
    assert "not-the-key" not in log


def test_a_half_open_link_ends_by_the_heartbeat_deadline_on_both_sides(fleet):
    fleet.coordinator()
    with FaultProxy(fleet.port) as relay:
        fleet.worker("w-1", "--coordinator-port", str(relay.port))
        fleet.saw("w-1", "CONNECT", "established")
        relay.cut()
        lost = fleet.saw("w-1", "RECONNECT", "lost")[0].fields
        assert lost["cause"] == "heartbeat"
        assert lost["detected_s"] == pytest.approx(0.6, abs=0.4)
        gone = fleet.saw("coordinator", "CONNECT", "disconnected")[0].fields
        assert (gone["worker"], gone["reason"]) == ("w-1", "heartbeat")
        relay.heal()
        fleet.saw("w-1", "RECONNECT", "established")


def test_a_frozen_worker_finds_its_session_dead(fleet):
    fleet.coordinator()
    worker = fleet.worker("w-1")
    (task,) = fleet.submit({**SLEEP, "iterations": 4, "seconds": 0.5})
    fleet.saw("w-1", "TASK", "started")
    worker.send_signal(signal.SIGSTOP)
    fleet.saw("coordinator", "CONNECT", "disconnected")
    worker.send_signal(signal.SIGCONT)
    assert fleet.saw("w-1", "RECONNECT", "lost")[0].fields["cause"] in {"heartbeat", "closed"}
    assert fleet.saw("w-1", "RECONNECT", "established")[0].fields["resumed"] is True
    assert [row.id for row in fleet.settled(1)] == [task]
    assert len(fleet.events("w-1", "TASK", "started")) == 1  # it went on, it did not begin again


def test_a_drained_coordinator_says_when_to_come_back(fleet):
    coordinator = fleet.coordinator()
    worker = fleet.worker("w-1", "--initial-reconnect-delay", "30", "--max-reconnect-delay", "30")
    fleet.saw("coordinator", "CONNECT", "accepted")
    began = time.monotonic()
    assert end(coordinator) == 0
    assert time.monotonic() - began < 10
    lost = fleet.saw("w-1", "RECONNECT", "lost")[0].fields
    assert (lost["cause"], lost["code"], lost["reason"]) == ("closed", 1012, "service restart")
    delay_s = fleet.saw("w-1", "RECONNECT", "scheduled")[0].fields["delay_s"]
    assert 1.0 <= delay_s <= 3.0  # not the thirty seconds of its own policy
    assert [event.name for event in fleet.events("coordinator", "CONNECT")][-2:] == ["disconnected", "closed"]
    assert end(worker) == 0


def test_a_drained_worker_hands_its_task_to_another(fleet):
    fleet.coordinator()
    worker = fleet.worker("w-1")
    fleet.submit({**LONG, "iterations": 30})
    fleet.saw("w-1", "CHECKPOINT", "created", 2)
    fleet.worker("w-2")
    fleet.saw("w-2", "CONNECT", "established")
    assert end(worker, signal.SIGINT) == 0
    assert fleet.events("w-1", "TASK", "cancelled")
    assert fleet.settled(1)[0].worker == "w-2"
    assert fleet.events("w-2", "CHECKPOINT", "restored")  # with the coordinator's copy of the progress


def test_the_rest_answer_and_its_refusals(fleet):
    fleet.coordinator()
    assert stat.S_IMODE((fleet.data / "keys.json").stat().st_mode) == 0o600
    path, key = "/api/v1/workers/w-1/metrics", fleet.key("operator")
    assert fleet.http(path, key)[0] == 404
    fleet.worker("w-1")
    fleet.saw("w-1", "CONNECT", "established")
    wait_for("a sample", lambda: fleet.http(path, key)[1].get("at"))
    status, body = fleet.http(path, key)
    assert (status, set(body), list(body["metrics"])) == (200, {"worker", "at", "metrics"}, NAMES)
    assert body["metrics"]["successful_connections"] == 1
    assert body["metrics"]["avg_reconnect_time"] is None
    refusals = [
        (401, fleet.http(path)),
        (403, fleet.http(path, fleet.key("worker"))),
        (403, fleet.http(path, "guess")),
        (404, fleet.http("/api/v1/workers/nobody/metrics", key)),
        (404, fleet.http("/", key)),
        (405, fleet.http(path, key, method="POST")),
        (405, fleet.http(path, key, method="DELETE")),
    ]
    for expected, (status, body) in refusals:
        assert (status, list(body)) == (expected, ["error"])


def test_a_taken_port_is_said_in_one_sentence(fleet):
    fleet.coordinator()
    other = Fleet(fleet.data.with_name("other"))
    with other:
        process = other._start("run-coordinator", "--port", str(fleet.port))
        _, stderr = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "cannot listen" in stderr
    assert "Traceback" not in stderr
