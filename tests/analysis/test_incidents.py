"""Outages of several workers with one cause."""

import pytest
from stories import analysis, tagged

UP = [(0, "config role=worker"), (1, "[CONNECT] attempt n=1 url=ws://localhost:8765/"), (2, "[CONNECT] established")]
COORDINATOR = [(-5, "config role=coordinator port=8765")]


def worker(start, end, cause="closed", code=1006):
    return [
        *UP,
        (90, "x y"),
        (start, f"[RECONNECT] lost cause={cause} code={code}"),
        (end, "[RECONNECT] established n=3"),
        (300, "x y"),
    ]


def again(start):
    """Back after an outage of its own, and given up a moment later for a silence that was counted from before."""
    return [
        *UP,
        (start - 20, "[RECONNECT] lost cause=forced"),
        (start - 1, "[RECONNECT] established n=1"),
        (start, "[RECONNECT] lost cause=heartbeat detected_s=65.0"),
        (start + 0.1, "[RECONNECT] established n=1"),
        (300, "x y"),
    ]


def incidents(folder, coordinator, *workers):
    files = {f"w{n}__log": tagged(story, source=f"w{n}") for n, story in enumerate(workers)}
    if coordinator:
        files["c__log"] = tagged(coordinator, source="coordinator")
    return analysis(folder, **files).incidents


ALL_DOWN = (worker(100, 110), worker(100.2, 112), worker(101, 111))
CAUSES = {
    "died and came back": (
        [*COORDINATOR, (105, "config role=coordinator port=8765"), (300, "x y")],
        ALL_DOWN,
        "coordinator_restart",
    ),
    "drained and came back": (
        [*COORDINATOR, (100, "[CONNECT] closed code=1012"), (105, "config role=coordinator port=8765"), (300, "x y")],
        ALL_DOWN,
        "coordinator_restart",
    ),
    "stopped": ([*COORDINATOR, (100, "[CONNECT] closed code=1001")], ALL_DOWN, "coordinator_stopped"),
    "nobody saw": (None, ALL_DOWN, "coordinator_lost"),
    "stayed up": ([*COORDINATOR, (300, "x y")], ALL_DOWN, "connections_cut"),
    "silence": (
        [*COORDINATOR, (300, "x y")],
        (worker(100, 101, "heartbeat"), worker(104, 105, "heartbeat")),
        "network_cut",
    ),
    "both sides miss the other": (
        [*COORDINATOR, (90, "[CONNECT] accepted worker=w1"), (103.5, "[CONNECT] disconnected worker=w0"), (300, "x y")],
        (worker(100, 106, "heartbeat"), worker(104, 107, "heartbeat")),
        "network_cut",
    ),
    "the coordinator stands still": (
        [*COORDINATOR, (90, "[CONNECT] accepted worker=w1"), (112, "[CONNECT] disconnected worker=w0"), (300, "x y")],
        (worker(100, 113, "heartbeat"), worker(104, 114, "heartbeat")),
        "coordinator_frozen",
    ),
}


@pytest.mark.parametrize(("coordinator", "workers", "cause"), CAUSES.values(), ids=CAUSES)
def test_the_cause_follows_from_the_witnesses(tmp_path, coordinator, workers, cause):
    (incident,) = incidents(tmp_path, coordinator, *workers)
    assert incident.cause == cause
    assert len(incident.workers) == len(workers)
    assert incident.evidence


def test_what_it_cost(tmp_path):
    (incident,) = incidents(tmp_path, None, *ALL_DOWN)
    assert incident.lost_us == round((10 + 11.8 + 10) * 1e6)


APART = {
    "one worker": (worker(100, 110),),
    "far apart": (worker(100, 110), worker(150, 160)),
    "closed sockets four seconds apart": (worker(100, 110), worker(104, 114)),
    "heartbeats beyond one interval": (worker(100, 101, "heartbeat"), worker(107, 108, "heartbeat")),
    "deadlines of sessions that have only begun": (again(100), again(100.3)),
    "a frozen worker beside a silent link": (worker(100, 101, "heartbeat"), worker(90.5, 91, "heartbeat")),
    "asked for": (worker(100, 101, "forced"), worker(100, 101, "forced")),
}


@pytest.mark.parametrize("workers", APART.values(), ids=APART)
def test_coincidence_is_no_incident(tmp_path, workers):
    assert incidents(tmp_path, None, *workers) == ()


def test_the_evidence_comes_from_both_sides(tmp_path):
    coordinator, workers, _ = CAUSES["both sides miss the other"]
    (incident,) = incidents(tmp_path, coordinator, *workers)
    assert incident.evidence == ("c.log:3", "w0.log:5", "w1.log:5")


def test_clocks_that_are_off_do_not_tear_an_incident_apart(tmp_path):
    """Three workers lose one coordinator at 100 s; their clocks are 4 s ahead, right and 5 s behind."""

    def story(offset, number):
        lines = [
            (0, "config role=worker"),
            (1, "[CONNECT] attempt n=1"),
            (1.02, f"[CONNECT] established session=a{number}"),
            (90, "x y"),
            (100, "[RECONNECT] lost cause=closed code=1006"),
            (110, "[RECONNECT] attempt n=1"),
            (110.02, f"[RECONNECT] established n=1 session=b{number}"),
            (300, "x y"),
        ]
        return [(at + offset, text) for at, text in lines]

    accepted = [(1.01, f"[CONNECT] accepted worker=w{n} session=a{n}") for n in range(3)]
    again = [(110.01, f"[CONNECT] accepted worker=w{n} session=b{n}") for n in range(3)]
    coordinator = [*COORDINATOR, *accepted, (105, "config role=coordinator port=8765"), *again, (300, "x y")]
    found = incidents(tmp_path, coordinator, *(story(offset, n) for n, offset in enumerate((4, 0, -5))))
    (incident,) = found
    assert incident.cause == "coordinator_restart"
    assert incident.workers == ("w0", "w1", "w2")
    assert incident.lost_us == round(3 * 10.02e6)
    starts = sorted(outage.start_us for outage in incident.outages)
    assert [(start - starts[0]) / 1e6 for start in starts] == [0, 5, 9]
