"""What an analysis says first: never OK where a fleet was refused, never connected or lost its time."""

from datetime import UTC, datetime, timedelta

import pytest

from recontool.analysis.assemble import assemble
from recontool.analysis.fleet import FleetParts
from recontool.analysis.snapshots import snapshot_results
from recontool.api.analyze import analyze

START = datetime(2026, 11, 24, 10, tzinfo=UTC)


def written(folder, name, lines):
    text = []
    for second, source, said in lines:
        stamp = (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text.append(f"{stamp} INFO {source} {said}\n")
    (folder / name).write_text("".join(text))


def calm(worker):
    return [
        (0, worker, "[CONNECT] attempt n=1"),
        (0.1, worker, "[CONNECT] established session=a took_s=0.1"),
        (600, worker, "[CHECKPOINT] created task=t checkpoint=c size_bytes=1 took_ms=1.0"),
    ]


def refusals(number):
    return [
        (n, "coordinator", f'[SECURITY] auth_failed peer=127.0.0.1:{n + 1} worker=x-{n} reason="wrong key"')
        for n in range(number)
    ]


def test_a_worker_that_never_connected_is_critical_and_named(tmp_path):
    written(tmp_path, "lone.log", [(5 * n, "lone", f"[CONNECT] attempt n={n + 1}") for n in range(19)])
    alone = analyze([str(tmp_path)]).verdict
    assert (alone.severity, alone.sentence.partition(";")[0]) == ("CRITICAL", "1 worker never connected")
    written(tmp_path, "w1.log", calm("w1"))
    beside = analyze([str(tmp_path)]).verdict
    assert beside.severity == "CRITICAL"
    assert "1 worker never connected" in beside.sentence


@pytest.mark.parametrize(("number", "severity"), [(9, "OK"), (10, "WARNING"), (3000, "WARNING")])
def test_many_refused_logins_are_no_calm(tmp_path, number, severity):
    written(tmp_path, "w1.log", calm("w1"))
    written(tmp_path, "coordinator.log", refusals(number))
    found = analyze([str(tmp_path)])
    assert found.verdict.severity == severity
    assert ("logins refused" in found.verdict.sentence) is (severity == "WARNING")
    (advice,) = found.recommendations
    assert advice.title == "Find out who was refused"
    assert f"{number} logins" in advice.reason


def test_a_worker_refused_by_both_accounts_needs_a_key_and_counts_once(tmp_path):
    refused = [(60 + n, "w1", '[SECURITY] auth_failed reason="wrong key"') for n in range(12)]
    written(tmp_path, "w1.log", [*calm("w1")[:2], *refused])
    written(tmp_path, "coordinator.log", refusals(12))
    found = analyze([str(tmp_path)])
    assert [advice.title for advice in found.recommendations] == ["Give the refused peer a valid key"]
    assert "12 logins refused" in found.verdict.sentence


def test_workers_of_one_id_in_two_fleets_are_workers_still(tmp_path):
    refused = [(60 + n, "w1", '[SECURITY] auth_failed reason="wrong key"') for n in range(12)]
    for name in ("a.log", "b.log"):
        written(tmp_path, name, [*calm("w1")[:2], *refused])
    written(tmp_path, "coordinator.log", refusals(24))
    found = analyze([str(tmp_path)])
    assert len(found.workers) == 2
    assert [advice.title for advice in found.recommendations] == ["Give the refused peer a valid key"]


def test_an_outage_over_a_clock_set_back_is_told(tmp_path):
    lines = [
        *calm("w1")[:2],
        (300, "w1", "[RECONNECT] lost cause=closed code=1006 detected_s=0.0"),
        (-3240, "w1", "[RECONNECT] attempt n=1"),
        (-3239, "w1", "[RECONNECT] established n=1 session=b down_s=60.0"),
    ]
    written(tmp_path, "w1.log", lines)
    notes = [note.text for note in analyze([str(tmp_path)]).quality]
    assert any("1 outage ended before it began" in note for note in notes)


def test_why_a_fleet_has_no_value_is_why_its_workers_have_none(tmp_path):
    written(tmp_path, "w1.log", calm("w1"))
    written(tmp_path, "w2.log", calm("w2"))
    found = analyze([str(tmp_path)])
    for name, value in found.fleet.items():
        if value.value is None:
            assert value.reason in {worker.metrics[name].reason for worker in found.workers.values()}, name
    assert found.fleet["avg_reconnect_time"].reason == "no outage was completed"


def test_a_fleet_known_from_snapshots_is_the_sum_of_its_workers():
    common = {"successful_connections": 2, "connection_stability": 0.9, "tasks_executed": 10, "reconnections": 1}
    rows = [
        {"at": START, "worker": "w1", "connection_attempts": 6, "avg_reconnect_time": 1.0, **common},
        {
            "at": START,
            "worker": "w2",
            "connection_attempts": 4,
            "avg_reconnect_time": 4.0,
            **common,
            "reconnections": 2,
        },
    ]
    found = assemble(FleetParts(), [], snapshot_results(rows), [], "1")
    values = {name: value.value for name, value in found.fleet.items()}
    assert (values["connection_attempts"], values["tasks_executed"]) == (10, 20)
    assert values["avg_reconnect_time"] == pytest.approx(3.0)  # (1 x 1 + 2 x 4) / 3
    assert values["connection_stability"] == pytest.approx(0.9)
    assert found.fleet["connection_attempts"].source == "snapshot"
    assert found.verdict.severity == "WARNING"
    assert "3 reconnections known from snapshots alone" in found.verdict.sentence
