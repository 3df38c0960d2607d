"""The demo: one real run through every fault, and checks that fail when their finding is taken away."""

import socket
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from recontool.api.analyze import analyze
from recontool.cli import command_line
from recontool.demo import run as demo_run
from recontool.demo.checks import NOT_FOUND, Found, look_up, results_are_exact
from recontool.demo.faults import Fault, Story
from recontool.demo.fleet import DemoError, DemoFleet
from recontool.demo.proxy import FaultProxy
from recontool.demo.run import Outcome, Row, table
from recontool.model.errors import UsageError


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("demo")
    with DemoFleet(data_dir) as fleet:
        story = Story(fleet, lambda _sentence: None)
        story.run()
    return story, analyze([str(data_dir)])


def without_workers(analysis, **changes):
    workers = {key: replace(worker, **changes) for key, worker in analysis.workers.items()}
    return replace(analysis, workers=workers)


def without_metric(analysis, name):
    empty = replace(analysis.fleet[name], value=None)
    workers = {
        key: replace(worker, metrics={**worker.metrics, name: empty}) for key, worker in analysis.workers.items()
    }
    return replace(analysis, fleet={**analysis.fleet, name: empty}, workers=workers)


TAKEN_AWAY = {
    Fault.COORDINATOR_KILLED: [
        lambda found: replace(found, incidents=()),
        lambda found: replace(found, incidents=tuple(replace(one, workers=one.workers[:1]) for one in found.incidents)),
    ],
    Fault.HALF_OPEN: [lambda found: without_workers(found, outages=()), lambda found: replace(found, workers={})],
    Fault.WORKER_KILLED: [
        lambda found: without_workers(found, outages=()),
        lambda found: without_metric(found, "checkpoints_restored"),
    ],
    Fault.FROZEN: [lambda found: without_workers(found, gaps=()), lambda found: without_workers(found, outages=())],
    Fault.WRONG_KEY: [lambda found: replace(found, security=()), lambda found: replace(found, coordinators={})],
    Fault.FAILING_TASKS: [lambda found: replace(found, workers={})],
    Fault.LARGE_RESULTS: [
        lambda found: without_metric(found, "compression_ratio"),
        lambda found: without_workers(found, activity=()),
    ],
}


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_is_found_and_missed_without_its_finding(played, fault):
    story, analysis = played
    (injected,) = [one for one in story.injected if one.fault is fault]
    assert look_up(injected, analysis).figure
    assert [look_up(injected, taken(analysis)) for taken in TAKEN_AWAY[fault]] == [NOT_FOUND] * len(TAKEN_AWAY[fault])


def test_a_fault_at_another_time_is_not_this_one(played):
    story, analysis = played
    for injected in story.injected:
        if injected.fault not in {Fault.FAILING_TASKS, Fault.LARGE_RESULTS}:
            hour_us = 3_600_000_000
            moved = replace(injected, start_us=injected.start_us + hour_us, end_us=injected.end_us + hour_us)
            assert look_up(moved, analysis) == NOT_FOUND


def test_no_result_is_lost_or_applied_twice(played):
    story, analysis = played
    assert results_are_exact(story.submitted, analysis).figure
    assert results_are_exact(story.submitted + 1, analysis) == NOT_FOUND


def test_nothing_is_called_an_incident_that_was_none(played):
    _, analysis = played
    assert [one.cause for one in analysis.incidents] == ["coordinator_restart"]


def test_all_seven_markers_and_snapshots_come_from_the_runtime(played):
    _, analysis = played
    markers = {marker for worker in analysis.workers.values() for marker in worker.markers}
    assert markers == {"CONNECT", "RECONNECT", "SYNC", "CHECKPOINT", "TASK", "SECURITY", "COMPRESS"}
    assert any(one.role == "snapshot" for one in analysis.inputs)
    assert sum(one.lines.unparsed for one in analysis.inputs) <= 2  # a SIGKILL may cut a line


def outcome(*figures):
    rows = tuple(Row(f"fault {n}", Found(figure, ("w.log:1",) if figure else ())) for n, figure in enumerate(figures))
    return Outcome(rows, Path("reports/demo.html"), Path("recontool-data/demo"), 17.0)


def test_the_table_fits_eighty_columns_and_shows_crosses():
    shown = table(outcome("long " * 30, ""), ascii_only=False)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert [line[0] for line in shown.splitlines() if "fault" in line] == ["✓", "✗"]
    assert "1 of 2 found" in shown
    assert table(outcome(""), ascii_only=True).isascii()


@pytest.mark.parametrize(("figures", "status"), [(("seen", "seen"), 0), (("seen", ""), 1)])
def test_a_cross_exits_with_one(monkeypatch, figures, status):
    monkeypatch.setattr(demo_run, "run_demo", lambda *_: outcome(*figures))
    assert CliRunner().invoke(command_line(), ["demo"]).exit_code == status


def test_a_folder_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "precious").touch()
    with pytest.raises(UsageError, match="not empty"):
        demo_run.run_demo(tmp_path, tmp_path / "report.html", lambda _sentence: None)
    assert (tmp_path / "precious").exists()


def test_waiting_in_vain_says_for_what(tmp_path, monkeypatch):
    monkeypatch.setattr("recontool.demo.fleet.PATIENCE_S", 0.1)
    with pytest.raises(DemoError, match="in vain for a miracle"):
        DemoFleet(tmp_path).until("a miracle", lambda: False)


def test_the_proxy_falls_silent_without_closing():
    with socket.create_server(("127.0.0.1", 0)) as listener, FaultProxy(listener.getsockname()[1]) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
        server, _ = listener.accept()
        client.sendall(b"through")
        assert server.recv(100) == b"through"
        proxy.cut()
        client.sendall(b"held")
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.recv(100)
        proxy.heal()
        assert server.recv(100) == b"held"
        client.close()
        server.close()
