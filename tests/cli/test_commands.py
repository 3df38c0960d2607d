"""The commands as a user meets them: output, exit status, errors that help."""

import gzip
import json
import os
import subprocess
import sys

import pandas as pd
import pytest
import typer
from stories import tagged
from typer.testing import CliRunner

import recontool
from recontool.cli import COMMANDS, command_line
from recontool.model.version import VERSION

STORY = [
    (0, "config role=worker log_level=INFO metrics_interval=10.0"),
    (1, "[CONNECT] attempt n=1"),
    (2, "[CONNECT] established session=a"),
    (10, "[RECONNECT] lost cause=closed code=1006"),
    (11, "[RECONNECT] attempt n=1"),
    (12, "[RECONNECT] established n=1"),
    (13, "[TASK] started task=a"),
    (14, "[TASK] completed task=a took_ms=900.5"),
]


def run(*arguments, cwd, stdin="", **environment):
    return subprocess.run(
        [sys.executable, "-m", "recontool", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "worker-1.log").write_text(tagged(STORY))
    return tmp_path


def test_json_follows_the_contract(folder):
    done = run("analyze", "worker-1.log", "--format", "json", cwd=folder)
    found = json.loads(done.stdout)
    assert (done.returncode, found["schema"]) == (0, "recontool.analysis/1")
    worker = found["workers"]["worker-1"]
    assert len(worker["metrics"]) == 18
    assert worker["outages"] == [
        {
            **worker["outages"][0],
            "start": "2026-11-24T10:00:10.000000Z",
            "end": "2026-11-24T10:00:12.000000Z",
            "duration_s": 2.0,
            "cause": "closed",
            "attempts": 1,
            "evidence": ["worker-1.log:4", "worker-1.log:6"],
        }
    ]
    assert found["inputs"][0]["lines"] == {
        "total": 8, "parsed": 8, "continuation": 0, "blank": 0, "unmarked": 0, "unparsed": 0, "duplicate": 0
    }  # fmt: skip


def test_the_screen_of_one_worker_fits(folder):
    done = run("analyze", "worker-1.log", cwd=folder)
    lines = done.stdout.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.stdout
    assert "\x1b[" in run("analyze", "worker-1.log", cwd=folder, FORCE_COLOR="1").stdout
    quiet = run("analyze", "worker-1.log", "-q", cwd=folder)
    assert len(quiet.stdout.splitlines()) == 1


def test_stdin_and_the_current_folder(folder):
    assert json.loads(run("analyze", "-", "--format", "json", cwd=folder, stdin=tagged(STORY)).stdout)["workers"]
    done = run("analyze", cwd=folder)
    assert (done.returncode, "reading 1 *.log" in done.stderr) == (0, True)


UNUSABLE = {
    "empty file": ("empty.log", b"", "nothing in it"),
    "binary garbage": ("garbage.log", bytes(range(256)) * 20, "known formats"),
    "another product": ("nginx.log", b'127.0.0.1 - - [24/Nov/2026:10:00:00] "GET /" 200 1\n' * 5, "known formats"),
    "our shape, other product": ("other.log", b"2026-11-24 02:21:24,682 - INFO - [app] - hi\n" * 3, "worker or coord"),
}


@pytest.mark.parametrize(("name", "content", "help_text"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("command", [("analyze",), ("report", "--html")])
def test_no_usable_data_exits_with_three(tmp_path, name, content, help_text, command):
    (tmp_path / name).write_bytes(content)
    done = run(*command, name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert help_text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_logs_exits_with_three(tmp_path):
    done = run("analyze", ".", cwd=tmp_path)
    assert (done.returncode, "holds no" in done.stderr) == (3, True)


USAGE = {
    "missing file": ("analyze", "nothing.log"),
    "unknown option": ("analyze", "--nonsense"),
    "unknown format": ("analyze", "worker-1.log", "--format-in", "nope"),
    "unknown zone": ("analyze", "worker-1.log", "--tz", "Mars/Base"),
    "no kind of report": ("report", "worker-1.log"),
    "no such language": ("report", "worker-1.log", "--html", "--lang", "tlh"),
    "nothing known to redact": ("report", "worker-1.log", "--html", "--redact", "colours"),
    "bad time": ("events", "worker-1.log", "--since", "yesterday"),
    "bad duration": ("events", "worker-1.log", "--last", "a while"),
    "bad marker": ("events", "worker-1.log", "--marker", "NOPE"),
    "parquet to a terminal": ("events", "worker-1.log", "--format", "parquet"),
    "output into nowhere": ("events", "worker-1.log", "-o", "/dev/null/x.csv"),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_usage_errors_exit_with_two(folder, arguments):
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_five_damaged_lines_are_shown_with_their_place(folder):
    lines = tagged(STORY).splitlines(keepends=True)
    (folder / "worker-1.log").write_text("".join(f"{line}damaged \x1b[31m\n" for line in lines))
    done = run("analyze", "worker-1.log", cwd=folder)
    shown = [line.split(": ")[0] for line in done.stderr.splitlines()]
    assert shown == [f"unparsed worker-1.log:{line}" for line in (2, 4, 6, 8, 10)]
    assert "\x1b" not in done.stderr
    assert run("analyze", "worker-1.log", "-q", cwd=folder).stderr == ""


def test_strict_refuses_damage_with_its_place(folder):
    with (folder / "worker-1.log").open("a") as log:
        log.write("damaged\n")
    assert run("analyze", "worker-1.log", cwd=folder).returncode == 0
    done = run("analyze", "worker-1.log", "--strict", cwd=folder)
    assert (done.returncode, "worker-1.log:9" in done.stderr) == (4, True)


def test_events_are_filtered_and_exported_alike(folder):
    filters = ("--marker", "reconnect", "--since", "2026-11-24T10:00:11Z", "--worker", "worker-1")
    run("events", "worker-1.log", *filters, "-o", "e.parquet", cwd=folder)
    run("events", "worker-1.log", *filters, "-o", "e.csv", cwd=folder)
    ndjson = run("events", "worker-1.log", *filters, "--format", "ndjson", cwd=folder).stdout
    expected = ["attempt", "established"]
    frame = pd.read_parquet(folder / "e.parquet")
    assert list(frame["event"]) == expected
    assert str(frame["at"].dtype) == "datetime64[us, UTC]"
    assert list(pd.read_csv(folder / "e.csv")["event"]) == expected
    assert [json.loads(line)["event"] for line in ndjson.splitlines()] == expected
    assert len(run("events", "worker-1.log", "--last", "2s", cwd=folder).stdout.splitlines()) == 3
    assert "[TASK]" in run("events", "worker-1.log", cwd=folder).stdout


def test_the_report_is_one_file(folder):
    done = run("report", "--html", cwd=folder)
    assert done.returncode == 0
    page = (folder / done.stdout.strip()).read_text()
    assert page.lower().startswith("<!doctype html>")
    again = run("report", "worker-1.log", "--html", "-o", "again.html", cwd=folder)
    assert (folder / again.stdout.strip()).read_text() == page


def test_a_small_report_and_one_without_names(folder):
    done = run("report", "worker-1.log", "--html", "--lite", "-o", "lite.html", cwd=folder)
    assert done.returncode == 0
    assert (folder / "lite.html").stat().st_size <= 150_000
    done = run("report", "worker-1.log", "--html", "--lite", "--redact", "workers", cwd=folder)
    assert done.stdout.strip() == "reports/redacted.html"
    assert "worker-1" not in (folder / "reports" / "redacted.html").read_text()


def test_a_closed_pipe_ends_quietly(folder):
    with (folder / "worker-1.log").open("a") as log:
        log.write(tagged([(20 + n / 100, f"[TASK] started task={n}") for n in range(20_000)]))
    command = f"{sys.executable} -m recontool events worker-1.log | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_load_gives_typed_frames(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "packed.gz").write_bytes(gzip.compress(tagged(STORY, source="worker-2").encode()))
    loaded = recontool.load("worker-1.log", "packed.gz")
    assert list(loaded.outages["worker"]) == ["worker-1", "worker-2"]
    assert list(loaded.outages["duration_s"]) == [2.0, 2.0]
    assert str(loaded.outages["start"].dt.tz) == "UTC"
    assert set(loaded.metrics["worker"]) == {"worker-1", "worker-2", "fleet"}
    assert len(loaded.events) == 16
    assert loaded.alerts.empty
    assert str(loaded.alerts["fired_at"].dtype) == "datetime64[us, UTC]"
    assert loaded.plot.timeline().data
    assert loaded.plot.reconnect_times().data
    assert loaded.report(folder / "out.html").exists()


def test_help_loads_nothing_slow():
    code = "import sys; from recontool.cli import command_line; command_line(); print([m for m in ('pandas', 'pyarrow', 'plotly', 'websockets') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told(tmp_path):
    assert run("--version", cwd=tmp_path).stdout == f"recontool {VERSION}\n"


@pytest.mark.parametrize(
    "command", [("report", "--html"), ("check",), ("alerts", "backtest"), ("compare",)], ids=lambda command: command[0]
)
def test_a_format_of_ones_own_is_taken_wherever_logs_are(folder, command):
    (folder / "mine.toml").write_text("no format")
    paths = ["worker-1.log", "worker-1.log"] if command == ("compare",) else ["worker-1.log"]
    done = run(*command, *paths, "--format-file", "mine.toml", cwd=folder)
    assert done.returncode == 2
    assert "mine.toml" in done.stderr


def test_after_a_demo_the_hint_says_where_its_logs_are(tmp_path):
    (tmp_path / "recontool-data" / "demo" / "logs").mkdir(parents=True)
    done = run("analyze", cwd=tmp_path)
    assert done.returncode == 3
    assert "recontool-data/demo" in done.stderr


def test_a_timeout_shorter_than_a_heartbeat_is_refused(tmp_path):
    done = run("run-worker", "--heartbeat-interval", "5", "--heartbeat-timeout", "1", cwd=tmp_path)
    assert done.returncode == 2
    assert "--heartbeat-timeout" in done.stderr


def test_a_command_made_alone_is_the_one_among_all():
    assert set(typer.main.get_command(command_line()).commands) == set(COMMANDS)
    for name in COMMANDS:
        alone, among = (CliRunner().invoke(made, [name, "--help"]) for made in (command_line(name), command_line()))
        assert alone.exit_code == 0
        assert alone.output == among.output
