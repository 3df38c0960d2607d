"""Faults as a deployment without markers logs them: stops in order, a coordinator that stands still or is gone."""

import pytest
from stories import START_US, analysis

from recontool.analysis.gate.conditions import parse
from recontool.analysis.gate.evaluate import evaluate
from recontool.api import fold
from recontool.model.instant import to_datetime
from recontool.report.sections.outages import outages_section
from recontool.report.text import screen

CLIENT, LINK, SERVER, WIRE = (
    "enhanced_worker_client",
    "worker_reconnection",
    "coordinator_websocket_server",
    "websockets.server",
)


def untagged(story):
    """Lines of (second, logger, text)."""
    lines = []
    for second, logger, text in story:
        moment = to_datetime(START_US + round(second * 1e6))
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03d} - INFO - [{logger}] - {text}\n")
    return "".join(lines)


def session(name, end):
    """A worker that connects at second 2 and says something now and then until `end`."""
    talk = [(second, CLIENT, f"Worker {name} status: CONNECTED, Active tasks: 0") for second in range(10, int(end), 10)]
    return [
        (0, CLIENT, f"Starting enhanced worker client {name}"),
        (1, LINK, "Connecting to coordinator at ws://127.0.0.1:18801/api/v1/worker/w/ws/"),
        (2, LINK, f"WebSocket connection established for worker {name}"),
        *talk,
    ]


def stops(name, at):
    return [
        *session(name, at),
        (at, CLIENT, "Interrupted by user, shutting down..."),
        (at + 0.001, CLIENT, f"Stopping enhanced worker client {name}"),
        (at + 0.05, LINK, "WebSocket connection closed: 1000, None"),
        (at + 5, LINK, f"Worker reconnection manager stopped for worker {name}"),
        (at + 5.001, CLIENT, f"Enhanced worker {name} stopped"),
    ]


def loses(name, at, *, heartbeat=False, back=None, until=200):
    """Loses its session at `at` and tries again until the log ends, or is back."""
    told = [(at, LINK, "No heartbeat received from coordinator for 15.0s, forcing reconnection")] if heartbeat else []
    how = "Forcing reconnection to coordinator" if heartbeat else "WebSocket connection closed: None, None"
    end = [(back, LINK, f"WebSocket connection established for worker {name}")] if back else []
    tries = [
        (second, LINK, "Connecting to coordinator at ws://127.0.0.1:18801/") for second in range(int(at) + 2, until, 20)
    ]
    return [*session(name, at), *told, (at + 0.001, LINK, how), *sorted([*tries, *end])]


def coordinator(*lines):
    return [
        (-5, WIRE, "server listening on 127.0.0.1:18801"),
        (-5, SERVER, "Coordinator WebSocket server started on 127.0.0.1:18801"),
        (2, WIRE, "connection open"),
        (2.01, SERVER, "Worker w1 registered with capabilities: {'cpu': 4}"),
        (2.02, SERVER, "Worker w2 registered with capabilities: {'cpu': 4}"),
        *lines,
    ]


@pytest.fixture(params=["core", "reference"], autouse=True)
def reader(request, monkeypatch):
    if request.param == "reference":
        monkeypatch.setattr(fold, "library", lambda: None)
    elif fold.library() is None:
        pytest.skip("no compiled core: the reference is all there is")


def test_workers_that_stop_in_order_are_no_incident(tmp_path):
    server = coordinator((60.1, SERVER, "Worker w1 disconnected"), (60.2, SERVER, "Worker w2 disconnected"))
    found = analysis(
        tmp_path, w1__log=untagged(stops("w1", 60)), w2__log=untagged(stops("w2", 60.1)), c__log=untagged(server)
    )
    assert found.incidents == ()
    assert [worker.still_down for worker in found.workers.values()] == [None, None]
    assert [len(worker.outages) for worker in found.workers.values()] == [1, 1], "the log says that the session ended"
    assert found.verdict.severity == "WARNING"
    assert evaluate(found, parse(["critical"], ())).severity == "PASSED"


def test_screen_and_page_say_that_a_worker_stopped(tmp_path):
    found = analysis(tmp_path, w1__log=untagged(stops("w1", 60)))
    table = screen(found).partition("outage ")[2]
    assert " stopped " in table
    assert " open " not in table
    section = outages_section(found)
    assert "had not ended" not in section.lead
    assert "stopped in order" in repr(section)


def test_a_stop_excuses_no_session_of_the_next_process(tmp_path):
    again = [(second + 66, logger, text) for second, logger, text in loses("w1", 14, until=134)]
    (worker,) = analysis(tmp_path, w1__log=untagged([*stops("w1", 60), *again])).workers.values()
    assert [worker.stopped(outage) for outage in worker.outages] == [True, False]
    assert worker.still_down == worker.outages[1]


def test_a_session_lost_long_before_the_stop_is_one_the_worker_did_not_come_back_from(tmp_path):
    story = [*loses("w1", 60), (200, CLIENT, "Stopping enhanced worker client w1")]
    (worker,) = analysis(tmp_path, w1__log=untagged(story)).workers.values()
    assert worker.still_down is not None


@pytest.mark.parametrize(
    "first",
    [
        (104, WIRE, "connection open"),
        (104, SERVER, "Connection closed with error for worker w1: no close frame received or sent"),
        (104, SERVER, "Worker w1 disconnected"),
    ],
)
def test_a_coordinator_that_stood_still_is_seen_whatever_it_says_first(tmp_path, first):
    talk = [(second, SERVER, f"Submitted task t{second}") for second in range(3, 76)]
    again = (104.4, SERVER, "Worker w2 registered with capabilities: {'cpu': 4}")
    server = coordinator(*talk, first, again, (150, SERVER, "Submitted task t150"))
    found = analysis(
        tmp_path,
        w1__log=untagged(loses("w1", 91, heartbeat=True, back=104.1)),
        w2__log=untagged(loses("w2", 92, heartbeat=True, back=104.2)),
        c__log=untagged(server),
    )
    (incident,) = found.incidents
    assert incident.cause == "coordinator_frozen"


def test_idle_time_is_no_standstill(tmp_path):
    server = coordinator((104, SERVER, "Submitted task t1"), (106, SERVER, "Worker w1 disconnected"))
    found = analysis(
        tmp_path,
        w1__log=untagged(loses("w1", 91, heartbeat=True, back=108)),
        w2__log=untagged(loses("w2", 92, heartbeat=True, back=109)),
        c__log=untagged(server),
    )
    assert [one.cause for one in found.incidents] == ["network_cut"]


@pytest.mark.parametrize(("heartbeat", "cause"), [(False, "coordinator_lost"), (True, "network_cut")])
def test_a_coordinator_whose_log_ends_with_the_sessions_is_told_of(tmp_path, heartbeat, cause):
    server = coordinator((89, SERVER, "Submitted task t1"))
    found = analysis(
        tmp_path,
        w1__log=untagged(loses("w1", 91, heartbeat=heartbeat)),
        w2__log=untagged(loses("w2", 91.5, heartbeat=heartbeat)),
        c__log=untagged(server),
    )
    (incident,) = found.incidents
    assert incident.cause == cause
    assert incident.title.endswith("the coordinator's log ends there")
    assert found.verdict.severity == "CRITICAL"


def test_a_log_that_ends_with_those_of_its_workers_tells_nothing(tmp_path):
    other = [(second, SERVER, f"Submitted task t{second}") for second in range(3, 196, 3)]
    found = analysis(
        tmp_path,
        w1__log=untagged(loses("w1", 91, until=93)),
        w2__log=untagged(loses("w2", 91.5, until=94)),
        c__log=untagged(coordinator((90.9, SERVER, "Submitted task t1"))),
        d__log=untagged(coordinator(*other)).replace("18801", "18802"),
    )
    (incident,) = found.incidents
    assert incident.title.endswith("no coordinator log tells why")


def test_a_coordinator_that_was_quiet_before_tells_nothing(tmp_path):
    found = analysis(
        tmp_path,
        w1__log=untagged(loses("w1", 91)),
        w2__log=untagged(loses("w2", 91.5)),
        c__log=untagged(coordinator()),
    )
    (incident,) = found.incidents
    assert incident.title.endswith("no coordinator log tells why")
