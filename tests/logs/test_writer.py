"""The log a process writes, where the file system does not help."""

import os
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest

from recontool.logs.grammar import parse_record
from recontool.logs.writer import LogWriter


@contextmanager
def room(size):
    """No file of this process grows beyond `size` bytes: what comes after is refused as a full disk refuses it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def lines(path):
    return path.read_text().splitlines()


@pytest.mark.parametrize(("count", "told"), [(1, "1 line"), (5, "5 lines")])
def test_lines_a_full_disk_refuses_are_counted_and_told_of_later(tmp_path, count, told):
    path = tmp_path / "w.log"
    log = LogWriter("w", path)
    heard = []
    log.listen(heard.append)
    log.text("INFO", "first")
    with room(path.stat().st_size + 30):  # in the middle of a line
        for number in range(count):
            log.event(None, "config", level="INFO", pid=number)
    assert len(lines(path)) == 1
    log.text("INFO", "last")
    log.close()
    first, note, last = lines(path)
    assert (first[28:], last[28:]) == ("INFO w first", "INFO w last")
    assert note[28:] == f"WARNING w {told} could not be written here: File too large"
    assert len(heard) == count


def test_a_log_others_cut_is_cut_no_further_than_by_its_own_line(tmp_path):
    path = tmp_path / "w.log"
    log = LogWriter("w", path)
    log.text("INFO", "x" * 500)
    path.write_text("kept by logrotate\n")
    with room(path.stat().st_size + 30):
        log.text("INFO", "refused")
    assert lines(path) == ["kept by logrotate"]
    log.close()


def test_what_a_crash_cut_off_ends_before_the_next_record(tmp_path):
    path = tmp_path / "w.log"
    path.write_text("2026-11-24T10:00:00.000000Z INFO w [CONN")
    for text in ("one", "two"):
        log = LogWriter("w", path)
        log.text("INFO", text)
        log.close()
    assert [line[28:] for line in lines(path)] == ["INFO w [CONN", "INFO w one", "INFO w two"]


def test_a_full_log_moves_aside_and_the_oldest_part_goes(tmp_path):
    path = tmp_path / "w.log"
    log = LogWriter("w", path, max_bytes=40)
    for number in range(14):
        log.text("INFO", f"{number}")
        log.text("INFO", "and")
    log.close()
    parts = {part.name: len(lines(part)) for part in tmp_path.iterdir()}
    assert parts == {"w.log": 0, **{f"w.log.{number}": 2 for number in range(1, 11)}}
    assert lines(tmp_path / "w.log.1")[0].endswith(" 13")
    assert all(parse_record(line) for part in tmp_path.iterdir() for line in part.read_bytes().splitlines())


def test_where_no_new_file_can_be_made_the_old_one_goes_on(tmp_path, monkeypatch):
    path = tmp_path / "w.log"
    log = LogWriter("w", path, max_bytes=40)

    def refuse(_log):
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(LogWriter, "_opened", refuse)
        for number in range(4):
            log.text("INFO", f"{number}")
    log.text("INFO", "4")
    log.text("INFO", "5")
    log.close()
    found = [line.rpartition(" ")[2] for part in (f"{path}.1", path) for line in lines(Path(part))]
    assert found == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("level", ["INFO", "ERROR"])
def test_a_pipe_takes_the_log_and_is_never_moved(tmp_path, level):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    log = LogWriter("w", pipe, max_bytes=10)
    log.text(level, "first")
    log.text(level, "second")
    log.close()
    assert [line[28:] for line in os.read(reader, 4096).decode().splitlines()] == [
        f"{level} w first",
        f"{level} w second",
    ]
    os.close(reader)
    assert [part.name for part in tmp_path.iterdir()] == ["pipe"]
