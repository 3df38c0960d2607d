"""The journal keeps what was committed, and a result once."""

import sqlite3
import subprocess
import sys

import pytest

from recontool.model.errors import UsageError
from recontool.storage.journal import Journal, StoredTask


def test_a_committed_task_comes_back_with_its_progress(tmp_path):
    journal = Journal(tmp_path / "coordinator.db")
    journal.add_task("t-1", {"type": "sleep"}, 100)
    journal.add_task("t-2", {"type": "echo"}, 101)
    journal.assign("t-1", "w-1", 1)
    journal.checkpoint("t-1", 3, {"done": 3})
    journal.checkpoint("t-1", 5, {"done": 5})
    journal.close()
    assert list(Journal(tmp_path / "coordinator.db").load()) == [
        StoredTask("t-1", {"type": "sleep"}, "w-1", 1, None, None, 5, {"done": 5}),
        StoredTask("t-2", {"type": "echo"}, None, 0, None, None, 0, None),
    ]


def test_the_first_result_of_a_task_stays(tmp_path):
    journal = Journal(tmp_path / "coordinator.db")
    journal.add_task("t-1", {"type": "sleep"}, 100)
    journal.checkpoint("t-1", 1, None)
    assert journal.apply("t-1", "w-1", ok=True, value={"answer": 42}, error="", at_us=200)
    assert not journal.apply("t-1", "w-2", ok=False, value=None, error="late", at_us=300)
    journal.commit()
    assert journal.result("t-1") == (True, {"answer": 42}, "")
    assert journal.result("t-9") is None
    assert list(journal.load()) == [StoredTask("t-1", {"type": "sleep"}, "w-1", 0, True, 200, 0, None)]


def test_what_was_committed_survives_a_kill_and_what_was_not_is_gone(tmp_path):
    path = tmp_path / "coordinator.db"
    script = (
        "import os, signal, sys; from pathlib import Path; from recontool.storage.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "journal.add_task('t-1', {'type': 'sleep'}, 1); journal.commit()\n"
        "journal.add_task('t-2', {'type': 'sleep'}, 2); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert killed.returncode == -9
    assert [task.id for task in Journal(path).load()] == ["t-1"]


def test_a_full_disk_is_told_and_takes_nothing_that_was_committed(tmp_path, monkeypatch):
    path = tmp_path / "coordinator.db"
    prepare = Journal._prepare

    def small(journal):
        prepare(journal)
        journal._db.execute("PRAGMA max_page_count = 40")

    monkeypatch.setattr(Journal, "_prepare", small)
    journal, kept = Journal(path), []

    def fill():
        for number in range(100):
            journal.add_task(f"t-{number}", {"type": "x" * 5000}, number)
            journal.commit()
            kept.append(f"t-{number}")

    with pytest.raises(UsageError, match=r"coordinator\.db: cannot go on: database or disk is full") as told:
        fill()
    assert "make room" in told.value.hint
    journal.close()
    assert len(kept) > 5
    assert [task.id for task in Journal(path).load()] == kept


def test_a_second_coordinator_on_the_same_folder_is_refused(tmp_path):
    first = Journal(tmp_path / "coordinator.db")
    first.add_task("t-1", {}, 1)
    first.commit()
    with pytest.raises(UsageError, match="another coordinator may be running"):
        Journal(tmp_path / "coordinator.db")
    first.close()


@pytest.mark.parametrize("damage", ["no database", "newer"])
def test_a_file_that_is_no_journal_of_ours_is_refused(tmp_path, damage):
    path = tmp_path / "coordinator.db"
    if damage == "newer":
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
    else:
        path.write_bytes(b"this is no database " * 100)
    with pytest.raises(UsageError, match=str(path)):
        Journal(path)
