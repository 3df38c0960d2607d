"""Whose line is it: which files join, which stay apart, what coordinators are."""

from stories import analysis, tagged

LIFE = [
    (0, "config role=worker log_level=INFO"),
    (1, "[CONNECT] attempt n=1"),
    (2, "[CONNECT] established"),
    (10, "plain"),
]


def later(story, seconds):
    return [(second + seconds, text) for second, text in story]


def test_files_of_one_worker_that_follow_each_other_join(tmp_path):
    found = analysis(tmp_path, b__log=tagged(LIFE), a__log=tagged(later(LIFE, 100)))
    (worker,) = found.workers.values()
    assert worker.key == "worker-1"
    assert worker.files == ("b.log", "a.log")
    assert worker.derived["restarts"] == 1


def test_files_that_overlap_stay_apart_and_say_so(tmp_path):
    found = analysis(tmp_path, a__log=tagged(LIFE), b__log=tagged(later(LIFE, 5)))
    assert list(found.workers) == ["worker-1@a.log", "worker-1@b.log"]
    assert any("overlap in time" in note.text for note in found.quality)
    assert {outage.worker for worker in found.workers.values() for outage in worker.outages} <= set(found.workers)


def test_rotated_siblings_join_and_count_their_seam_once(tmp_path):
    lines = tagged(
        [*LIFE, (11, "[RECONNECT] lost cause=closed"), (13, "[RECONNECT] established n=1"), (20, "plain")]
    ).splitlines(keepends=True)
    found = analysis(tmp_path, w__log__1="".join(lines[:6]), w__log="".join(lines[4:]))
    (worker,) = found.workers.values()
    assert worker.derived["reconnections"] == 1
    assert [one.lines.duplicate for one in found.inputs] == [0, 2]


def test_one_file_may_hold_many_workers_and_the_coordinator(tmp_path):
    text = (
        tagged(LIFE) + tagged(LIFE, source="worker-2") + tagged([(0, "config role=coordinator")], source="coordinator")
    )
    found = analysis(tmp_path, all__log=text)
    assert list(found.workers) == ["worker-1", "worker-2"]
    assert list(found.coordinators) == ["all.log"]
    assert found.inputs[0].role == "mixed"


def test_only_a_coordinator_is_an_answer_too(tmp_path):
    text = tagged([(0, "config role=coordinator"), (1, "[CONNECT] accepted worker=w")], source="coordinator")
    found = analysis(tmp_path, coordinator__log=text)
    assert not found.workers
    assert found.coordinators["coordinator.log"].counts["accepted"] == 1
    assert found.verdict.severity == "NO DATA"


def test_five_hundred_workers(tmp_path):
    lose = [*LIFE, (11, "[RECONNECT] lost cause=closed"), (13, "[RECONNECT] established n=1")]
    text = "".join(tagged(lose, source=f"worker-{n}") for n in range(500))
    found = analysis(tmp_path, all__log=text)
    assert list(found.workers)[:3] == ["worker-0", "worker-1", "worker-2"]
    assert found.fleet["successful_connections"].value == 1000
    (incident,) = found.incidents
    assert len(incident.workers) == 500
