"""The cheapest look finds what the whole analysis finds."""

import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest
from stories import tagged

import recontool
from recontool.api import summary as module
from recontool.api.analyze import analyze
from recontool.api.sources import Reading
from recontool.model.errors import NoDataError, UsageError

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
import near
import near_pairs

STORY = [
    (0, "config role=worker log_level=DEBUG"),
    (1, "[CONNECT] established"),
    (2, "[TASK] completed task=a"),
    (3, "DEBUG queue depth=1"),
    (9, "DEBUG message_error error=x"),
    (20, "config role=worker log_level=INFO"),  # the session ended at the record before: second 9
    (21, "[CONNECT] established"),
    (30, "[RECONNECT] lost cause=closed"),
    (32, "[RECONNECT] established"),
    (40, "[TASK] failed task=b error=no"),
    (41, "[TASK] cancelled task=c"),
    (50, "[RECONNECT] lost cause=closed"),
]


TAGGED = b"2026-11-24T10:00:00.000000Z INFO worker-1 [TASK] completed task=a\n"


def test_what_it_counts(tmp_path):
    log = tmp_path / "worker-1.log"
    log.write_text(tagged(STORY))
    assert recontool.summary(log).to_dict() == {
        "markers": {"CONNECT": 2, "RECONNECT": 3, "SYNC": 0, "CHECKPOINT": 0, "TASK": 3, "SECURITY": 0, "COMPRESS": 0},
        "reconnects": 2,
        "reconnect_mean_s": 7.0,
        "reconnect_max_s": 12.0,
        "reconnect_p95_s": 12.0,
        "tasks": {"completed": 1, "failed": 1, "cancelled": 1},
        "reconnects_per_minute": {"max": 2, "minutes": 1},
    }


def test_the_shortcut_the_core_and_the_reference_agree(tmp_path, monkeypatch):
    from recontool.api import fold

    log, compared = tmp_path / "w1.log", 0
    makes = (near.tagged, near.untagged, near_pairs.json_lines, near_pairs.logfmt)
    for seed in range(200):
        log.write_bytes(makes[seed % len(makes)](random.Random(seed), 60))
        try:
            found = module.summary(log, reading=Reading(threads=1 + seed % 3))
            assert module.summary(log) == found, seed
            analysis = analyze([str(log)])
        except NoDataError:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(module, "library", lambda: None)
            assert module.summary(log) == found, seed
            patch.setattr(fold, "library", lambda: None)
            assert module.summary(log) == found, seed
        took = [o.duration_us for w in analysis.workers.values() for o in w.outages if o.end_us is not None]
        assert found.reconnects == len(took)
        compared += len(took)
    assert compared > 20


HEADS = {
    "one line": [TAGGED],
    "no last newline": [TAGGED[:-1]],
    "nothing": [],
    "blank": [b"\n"],
    "half of the head is not ours": [TAGGED, b"x\n"] * 60,
    "most of the head is not ours": [TAGGED, b"x\n", b"y\n"] * 60,
    "ours after the head": [b"x\n"] * 100 + [TAGGED] * 900,
    "not ours after the head": [TAGGED] * 100 + [b"x\n"] * 900,
    "a long line in the head": [b"x" * 70_000 + b"\n", *[TAGGED] * 5],
    "long lines, few of them in what is looked at": [TAGGED[:-1] + b" key=" + b"v" * 9_000 + b"\n"] * 20,
    "behind a container's prefix": [b"2026-11-24T10:00:00.000000000Z stdout F " + TAGGED] * 3,
}


@pytest.mark.skipif(module.library() is None, reason="no compiled core: there is no quicker way")
@pytest.mark.parametrize("lines", HEADS.values(), ids=HEADS)
def test_the_quick_way_takes_no_log_that_the_probe_would_read_otherwise(tmp_path, lines):
    log = tmp_path / "worker-1.log"
    log.write_bytes(b"".join(lines))
    quick = module._of_one(str(log))
    try:
        found = module.summary(log, reading=Reading())
    except NoDataError:
        assert quick is None
        return
    assert quick is None or module.of_fleet(quick) == found
    assert module.summary(log) == found


def test_the_quick_way_leaves_packed_logs_and_folders_to_the_closer_look(tmp_path):
    plain, packed = tmp_path / "logs" / "worker-1.log", tmp_path / "worker-1.log.gz"
    plain.parent.mkdir()
    plain.write_text(tagged(STORY))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert recontool.summary(packed) == recontool.summary(plain.parent) == recontool.summary(plain)


@pytest.mark.skipif(module.library() is None, reason="no compiled core: the reference needs them all")
def test_one_log_is_summarised_with_few_modules(tmp_path):
    log = tmp_path / "worker-1.log"
    log.write_text(tagged(STORY))
    told = "import sys; had = {*sys.modules}; import recontool; recontool.summary(sys.argv[1]); print(*{*sys.modules} - had)"
    done = subprocess.run([sys.executable, "-c", told, log], check=True, capture_output=True, text=True)
    costly = {"dataclasses", "typing", "msgspec", "tomllib", "recontool.logs.grammar", "pandas", "pyarrow"}
    assert not costly & set(done.stdout.split())


@pytest.mark.parametrize("name", ["gone.log", "a\0b.log", "\udcff.log"])
def test_a_log_that_is_not_there_is_an_error(tmp_path, name):
    with pytest.raises(UsageError):
        recontool.summary(str(tmp_path / name))


def test_names_mean_what_they_mean_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-", "snapshots.parquet"):
        (tmp_path / name).write_bytes(TAGGED)
    (tmp_path / "in").write_bytes(2 * TAGGED)
    with (tmp_path / "in").open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        assert recontool.summary("-").tasks["completed"] == 2
    with pytest.raises(NoDataError):
        recontool.summary("snapshots.parquet")


def test_plain_data_is_a_copy(tmp_path):
    log = tmp_path / "worker-1.log"
    log.write_bytes(TAGGED)
    found = recontool.summary(log)
    found.to_dict()["tasks"]["completed"] = 99
    assert found.tasks["completed"] == 1


def test_nothing_to_summarise_is_an_error(tmp_path):
    log = tmp_path / "w.log"
    log.write_text("no log of ours\n")
    with pytest.raises(NoDataError):
        recontool.summary(log)


def test_it_is_plain_data(tmp_path):
    log = tmp_path / "worker-1.log"
    log.write_text(tagged(STORY[:2]))
    found = recontool.summary(log)
    assert found._asdict() == found.to_dict()
    assert (found.reconnects, found.reconnect_mean_s, found.reconnect_p95_s) == (0, None, None)
