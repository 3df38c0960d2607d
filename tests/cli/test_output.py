"""Where output goes: files that are links or no files, a full disk, a closed stdout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from stories import tagged

FULL = Path("/dev/full")
NAME = b"w\xff-1.log"
FORMATS = ("table", "ndjson", "csv", "parquet")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "worker-1.log"
    path.write_text(tagged([(1, "[CONNECT] established"), (10, "[RECONNECT] lost cause=closed")]))
    return path


def run(*arguments, cwd, **how):
    how = {"capture_output": True} | how
    return subprocess.run([sys.executable, "-m", "recontool", *arguments], cwd=cwd, check=False, timeout=60, **how)


@pytest.mark.parametrize("form", FORMATS)
def test_a_pipe_is_written_to_and_stays_a_pipe(log, form):
    pipe, file = log.with_name("pipe"), log.with_name("file")
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        done = run("events", log.name, "--format", form, "-o", pipe.name, cwd=log.parent)
        found = reader.communicate(timeout=60)[0]
    assert (done.returncode, pipe.is_fifo()) == (0, True)
    assert run("events", log.name, "--format", form, "-o", file.name, cwd=log.parent).returncode == 0
    assert found == file.read_bytes()


def test_a_link_stays_a_link_to_what_is_written(log):
    target, link = log.parent / "elsewhere" / "events.csv", log.with_name("events.csv")
    target.parent.mkdir()
    link.symlink_to(target)
    for _ in range(2):  # before and after its target is there
        assert run("events", log.name, "-o", link.name, cwd=log.parent).returncode == 0
        assert link.readlink() == target
        assert target.read_text().count("\n") == 3


@pytest.mark.skipif(not FULL.is_char_device(), reason="this system has no /dev/full to play a full disk")
@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("formats",), ("analyze", "worker-1.log"), ("check", "worker-1.log")]
    + [("events", "worker-1.log", "--format", form) for form in FORMATS if form != "parquet"],
    ids=" ".join,
)
def test_a_full_disk_behind_stdout_is_told_and_is_no_finding(log, arguments):
    with FULL.open("wb") as full:
        done = run(*arguments, cwd=log.parent, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("recontool: cannot go on: No space left on device\n")
    assert done.stderr.count(b"\n") == 2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--version",), 0),
        (("analyze", "worker-1.log"), 0),
        (("events", "worker-1.log"), 0),
        (("analyze", "no.log"), 2),
    ],
)
def test_closed_streams_change_no_status(log, arguments, status):
    for closing in (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
        command = f'"$0" -m recontool {" ".join(arguments)} {closing}'
        done = subprocess.run(["sh", "-c", command, sys.executable], cwd=log.parent, check=False, timeout=60)
        assert done.returncode == status, closing


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "--format", "json"),
        ("events", "-o", "events.parquet"),
        ("events", "--format", "ndjson"),
        ("report", "--html", "--lite", "-o", "page.html"),
        ("check", "--format", "sarif", "--fail-on", "info"),
        ("compare", os.fsdecode(NAME)),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_file_name_that_is_no_text_is_spelled(log, arguments):
    log.rename(log.with_name(os.fsdecode(NAME)))
    command, *more = arguments
    done = run(command, NAME, *more, cwd=log.parent)
    assert done.returncode in {0, 1}
    assert done.stderr.count(b"Traceback") == 0
    told = done.stdout.decode("utf-8")
    if "json" in arguments:
        assert [one["path"] for one in json.loads(told)["inputs"]] == ["w\\xff-1.log"]
    if "ndjson" in arguments:
        assert {json.loads(line)["file"] for line in told.splitlines()} == {"w\\xff-1.log"}
    if "sarif" in arguments:
        assert '"uri": "w%FF-1.log"' in told


def test_a_stdout_that_knows_ascii_only_gets_the_rest_spelled(log):
    log = log.rename(log.with_name("größe.log"))
    for command in ("events", "analyze"):
        done = run(command, log.name, cwd=log.parent, env={**os.environ, "PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0
        assert rb"gr\xf6\xdfe.log" in done.stdout
