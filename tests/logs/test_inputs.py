"""Paths in, files out; packed, rotated and torn input."""

import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from stories import tagged

from recontool.logs.inputs import default_paths, find_inputs, rotation, short_names
from recontool.logs.lines import MAX_LINE, LineStream
from recontool.logs.rotation import overlap
from recontool.model.errors import NoDataError, UsageError

TEXT = tagged([(n / 100, f"[TASK] started task={n}") for n in range(3000)]).encode()


def test_directories_patterns_and_files_name_each_log_once(tmp_path):
    for name in ("a.log", "a.log.1", "b.log.gz", "notes.txt", "date=2026-11-24.parquet"):
        (tmp_path / name).write_text("x")
    found = find_inputs([str(tmp_path), str(tmp_path / "*.log"), str(tmp_path / "notes.txt")])
    names = [path.rpartition("/")[2] for path in found.logs]
    assert names == ["a.log", "a.log.1", "b.log.gz", "notes.txt"]
    assert len(found.snapshots) == 1


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        find_inputs([str(tmp_path / "nothing.log")])
    with pytest.raises(NoDataError, match="holds no"):
        find_inputs([str(tmp_path)])
    with pytest.raises(NoDataError, match="matches the pattern"):
        find_inputs([str(tmp_path / "*.log")])


def test_without_a_path_the_data_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoDataError, match="no PATH was given"):
        default_paths(tmp_path / "data")
    (tmp_path / "here.log").write_text("x")
    assert default_paths(tmp_path / "data")[0] == ["here.log"]
    (tmp_path / "data" / "logs").mkdir(parents=True)
    (tmp_path / "data" / "logs" / "w.log").write_text("x")
    assert default_paths(tmp_path / "data")[0] == [str(tmp_path / "data" / "logs")]


ROTATIONS = [
    ("logs/w.log", ("logs/w.log", 0)),
    ("logs/w.log.2", ("logs/w.log", 2)),
    ("logs/w.log.2.gz", ("logs/w.log", 2)),
    ("logs/w.log.zst", ("logs/w.log", 0)),
    ("logs/w.log-20261124", ("logs/w.log", 0)),
]


@pytest.mark.parametrize(("path", "expected"), ROTATIONS)
def test_rotated_siblings_share_a_stem(path, expected):
    assert rotation(path) == expected


def test_files_of_one_name_are_told_apart_by_their_path():
    assert short_names(["a/w.log", "b/w.log", "c.log"]) == {
        "a/w.log": "a/w.log",
        "b/w.log": "b/w.log",
        "c.log": "c.log",
    }


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.compress, lambda raw: gzip.compress(raw[:999]) + gzip.compress(raw[999:])]
)
def test_packed_logs_are_recognised_by_content(tmp_path, pack):
    path = tmp_path / "packed"
    path.write_bytes(pack(TEXT))
    assert b"".join(LineStream(str(path))) == TEXT


@given(st.integers(1, 30))
def test_a_torn_archive_gives_what_it_holds(tmp_path_factory, percent):
    path = tmp_path_factory.mktemp("torn") / "torn.gz"
    packed = gzip.compress(TEXT)
    path.write_bytes(packed[: max(20, len(packed) * percent // 100)])
    stream = LineStream(str(path))
    held = b"".join(stream)
    assert TEXT.startswith(held.rpartition(b"\n")[0])
    assert "ends inside" in stream.torn


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "wide.log"
    path.write_bytes(b"x" * (3 * MAX_LINE) + b"\nnext\n")
    assert [len(line) for line in LineStream(str(path))] == [MAX_LINE, 5]


@given(st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"]), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_overlap_is_the_longest_run_at_the_seam(lines, start, end):
    older, newer = lines[:end], lines[start:]
    runs = [n for n in range(min(len(older), len(newer)) + 1) if older[len(older) - n :] == newer[:n]]
    assert overlap(older, newer) == max(runs)
