"""Pipes, such as a shell makes of `<(zcat worker-1.log.gz)`: they can be read only once, and are."""

import gzip
import os
import threading
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

import recontool
from recontool.cli import command_line
from recontool.logs.grammar import render
from recontool.model.events import Event

LINES = "".join(
    f"{render(Event(at * 1_000_000, 'INFO', 'w1', 'RECONNECT', name, {}))}\n"
    for at, name in enumerate(("attempt", "established", "lost", "attempt", "established"), 1_790_000_000)
).encode()


@contextmanager
def piped(path, content):
    """`path` as a pipe that somebody writes `content` to, once."""
    os.mkfifo(path)

    def write():
        with path.open("wb") as pipe:
            pipe.write(content)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield str(path)
    writer.join(timeout=60)
    assert not writer.is_alive()


@pytest.mark.parametrize("content", [LINES, gzip.compress(LINES)], ids=["plain", "packed"])
@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "--no-cache", "--format", "json"),
        ("events",),
        ("check",),
        ("alerts", "backtest"),
        ("report", "--html", "-o", "page.html"),
    ],
    ids=" ".join,
)
def test_a_command_reads_a_pipe_as_it_reads_a_file(tmp_path, monkeypatch, command, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").mkdir()
    log = tmp_path / "file" / "w1.log"
    log.write_bytes(content)
    expected = CliRunner().invoke(command_line(), [*command, str(log)])
    with piped(tmp_path / "w1.log", content) as pipe:
        found = CliRunner().invoke(command_line(), [*command, pipe])
    assert found.exit_code == expected.exit_code
    assert same(found.stdout) == same(expected.stdout)


def same(text):
    """Without what says how large a file is, and where."""
    return [line for line in text.splitlines() if '"path"' not in line and '"bytes"' not in line]


@pytest.mark.parametrize("content", [LINES, gzip.compress(LINES)], ids=["plain", "packed"])
def test_the_api_does_so_too(tmp_path, content):
    log = tmp_path / "file.log"
    log.write_bytes(content)
    with piped(tmp_path / "w1.log", content) as pipe:
        assert recontool.summary(pipe) == recontool.summary(log)
    with piped(tmp_path / "w2.log", content) as pipe:
        assert list(recontool.load(pipe).analysis.workers) == ["w1"]
