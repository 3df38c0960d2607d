"""Executions: results, checkpoints, resuming, cancelling; and what is durable when."""

import os
import queue

import pytest

from recontool.model.errors import UsageError
from recontool.runtime import executor
from recontool.runtime.executor import Executor, Finished, Restored, RestoreFailed, Saved, Stopped, load
from recontool.runtime.messages import Assign, Checkpoint, Result
from recontool.runtime.outbox import Outbox


class Bench:
    def __init__(self, folder, own=None, may_produce=lambda: True):
        self.notes = queue.Queue()
        self.outbox = Outbox(folder, "w-1")
        self.executor = Executor(self.outbox, self.notes.put, may_produce, own)

    def run(self, spec, *, number=0, state=None):
        self.executor.start(Assign("t-1", 1, spec, number, state))
        return self.until_end()

    def until_end(self):
        found = []
        while not found or not isinstance(found[-1], (Finished, Stopped)):
            found.append(self.notes.get(timeout=10))
        return found


def kinds(notes):
    return [type(note).__name__ for note in notes]


def test_sleep_saves_progress_and_its_result_outlives_the_process(tmp_path):
    bench = Bench(tmp_path)
    notes = bench.run({"type": "sleep", "iterations": 5, "seconds": 0, "checkpoint_every": 2})
    assert [note.checkpoint.number for note in notes[:-1]] == [2, 4]
    assert all(note.size_bytes > 0 and note.took_ms > 0 for note in notes[:-1])
    result = notes[-1].result
    assert (result.ok, result.value) == (True, {"iterations": 5, "resumed_at": 0})
    assert Outbox(tmp_path, "w-1").results() == [result]
    assert bench.outbox.checkpoint("t-1") is None  # done with
    bench.outbox.forget("t-1")
    assert Outbox(tmp_path, "w-1").results() == []


@pytest.mark.parametrize(("assigned", "local", "resumed"), [(0, 0, 0), (3, 0, 3), (0, 2, 2), (3, 2, 3), (2, 4, 4)])
def test_an_execution_goes_on_from_the_further_checkpoint(tmp_path, assigned, local, resumed):
    bench = Bench(tmp_path)
    if local:
        bench.outbox.keep_checkpoint(Checkpoint("t-1", 1, local, {"done": local}))
    notes = bench.run({"type": "sleep", "iterations": 6, "seconds": 0, "checkpoint_every": 0}, number=assigned)
    assert [note.number for note in notes if isinstance(note, Restored)] == ([resumed] if resumed else [])
    assert notes[-1].result.value["resumed_at"] == resumed


def test_a_checkpoint_that_cannot_be_read_means_beginning_anew(tmp_path):
    bench = Bench(tmp_path)
    bench.outbox.keep_checkpoint(Checkpoint("t-1", 1, 2, None))
    (tmp_path / "checkpoints" / "w-1" / "t-1.json").write_text("{")
    notes = bench.run({"type": "sleep", "iterations": 1, "seconds": 0})
    assert isinstance(notes[0], RestoreFailed)
    assert notes[-1].result.ok


def test_a_result_file_that_is_not_ours_is_put_aside(tmp_path):
    folder = tmp_path / "outbox" / "w-1"
    folder.mkdir(parents=True)
    (folder / "t-9.json").write_text("?")
    assert Outbox(tmp_path, "w-1").results() == []
    assert [path.name for path in folder.iterdir()] == ["t-9.unreadable"]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"type": "fail", "at": 2}, "RuntimeError: failed at iteration 2, as asked"),
        ({"type": "nonsense"}, "unknown task type 'nonsense'; built in are sleep, echo, fail"),
        ({"type": "sleep", "iterations": "many"}, "iterations is 'many', expected a number"),
        ({"type": "sleep", "seconds": -1}, "seconds is -1, expected a number"),
        ({"type": "echo", "size": 10**9}, "size is 1000000000, expected a number"),
        ({"type": "own", "give": "object"}, "is unsupported"),
        ({"type": "own", "give": "huge"}, "at most 8388608 are carried"),
    ],
)
def test_what_goes_wrong_is_the_result(tmp_path, spec, error):
    gifts = {"object": object(), "huge": "x" * (9 * 2**20)}
    own = None if spec["type"] == "nonsense" else lambda task, _: gifts[task["give"]]
    result = Bench(tmp_path, own).run(spec)[-1].result
    assert not result.ok
    assert error in result.error


@pytest.mark.parametrize("size", [0, 1, 1000, 65536])
def test_echo_returns_a_compressible_text_of_the_size_asked_for(tmp_path, size):
    assert len(Bench(tmp_path).run({"type": "echo", "size": size})[-1].result.value["echo"]) == size


def test_an_own_function_gets_the_task_and_its_progress(tmp_path):
    def own(task, execution):
        execution.checkpoint(execution.number + 1, [task["name"]])
        return {"before": execution.state}

    notes = Bench(tmp_path, own).run({"type": "mine", "name": "x"}, number=7, state=["old"])
    assert kinds(notes) == ["Restored", "Saved", "Finished"]
    assert (notes[1].checkpoint.number, notes[1].checkpoint.state) == (8, ["x"])
    assert notes[2].result.value == {"before": ["old"]}


def test_a_cancelled_task_leaves_no_result(tmp_path):
    bench = Bench(tmp_path)
    bench.executor.start(Assign("t-1", 1, {"type": "sleep", "iterations": 10, "seconds": 60}))
    bench.executor.cancel("t-1")
    assert kinds(bench.until_end()) == ["Stopped"]
    assert bench.outbox.results() == []


def test_a_bulk_producer_waits_while_there_is_no_room(tmp_path):
    room = []
    bench = Bench(tmp_path, may_produce=lambda: bool(room))
    bench.executor.start(Assign("t-1", 1, {"type": "sleep", "iterations": 2, "seconds": 0}))
    with pytest.raises(queue.Empty):
        bench.notes.get(timeout=0.15)
    room.append(1)
    assert kinds(bench.until_end()) == ["Saved", "Finished"]


def test_a_disk_that_refuses_is_said_and_the_result_goes_out_all_the_same(tmp_path, monkeypatch):
    def full(_path, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recontool.runtime.outbox.write_whole", full)
    notes = Bench(tmp_path).run({"type": "sleep", "iterations": 2, "seconds": 0})
    assert isinstance(notes[0], Saved)
    assert "No space" in notes[0].error
    assert "No space" in notes[1].unsaved
    assert notes[1].result.ok


def test_a_checkpoint_too_large_to_travel_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "MAX_VALUE_BYTES", 100)

    def own(_task, execution):
        execution.checkpoint(1, "x" * 200)

    assert "the checkpoint is" in Bench(tmp_path, own).run({"type": "mine"})[0].error


def test_executors_are_named_module_colon_function():
    assert load("os:getcwd") is os.getcwd
    for name in ("os", "os:nothing", "no_such_module:f", "os:sep", ":f"):
        with pytest.raises(UsageError, match="--executor"):
            load(name)


def test_a_result_is_a_result_after_a_trip_through_the_disk(tmp_path):
    outbox = Outbox(tmp_path, "w-1")
    result = Result("t-1", 2, ok=False, value={"a": [1, None, 0.5]}, error="e", took_ms=1.5)
    outbox.keep_result(result)
    assert outbox.results() == [result]
