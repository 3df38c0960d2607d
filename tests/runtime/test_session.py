"""The worker's machine: its whole table, and its life as short stories."""

import random

import pytest

from recontool.model.markers import Marker
from recontool.model.policy import Backoff
from recontool.runtime.instructions import Abort, CancelTask, Dial, Execute, Forget, Log, Secure, Send, Stopped
from recontool.runtime.lifecycle import NEXT, UP, Saw, State
from recontool.runtime.messages import (
    Ack,
    Assign,
    Cancel,
    Challenge,
    Checkpoint,
    GoingAway,
    Heartbeat,
    Hello,
    Leaving,
    Refuse,
    Report,
    Result,
    Running,
    Submit,
    Sync,
    Synced,
    Welcome,
)
from recontool.runtime.session import Identity, Pace, Session, UnexpectedError, Why

BEAT_S, TIMEOUT_S = 5.0, 15.0


def session(jitter="none", initial=1.0, cap=60.0):
    pace = Pace(BEAT_S, TIMEOUT_S, Backoff(initial, cap, jitter))
    identity = Identity("w-1", "key", "ws://here", slots=2)
    return Session(identity, pace, draw=random.Random(7), entropy=lambda size: b"n" * size)


def online(now_s=0.0, **made):
    machine = session(**made)
    machine.see(Saw.START, now_s)
    establish(machine, now_s)
    return machine


def establish(machine, now_s):
    machine.see(Saw.OPENED, now_s)
    machine.heard(Challenge(b"c"), 1, now_s)
    found = machine.heard(Welcome("s-1"), 2, now_s)
    machine.heard(Synced([], []), 3, now_s)
    assert machine.state is State.ONLINE
    return found


def logs(instructions, marker=None):
    return [(i.name, i.fields) for i in instructions if isinstance(i, Log) and marker in {None, i.marker}]


def sent(instructions):
    return [i.message for i in instructions if isinstance(i, Send)]


STIMULI = {
    Saw.CHALLENGED: Challenge(b"c"),
    Saw.WELCOMED: Welcome("s"),
    Saw.REFUSED: Refuse("wrong key"),
    Saw.SYNCED: Synced([], []),
    Saw.HEARD: Heartbeat(),
}


def in_state(state):
    machine = session()
    if state is not State.NEW:
        machine.see(Saw.START, 0.0)
    if state is State.WAITING:
        machine.see(Saw.UNREACHABLE, 0.0, why=Why("refused"))
    if state in {State.AUTHENTICATING, State.STOPPED, *UP}:
        machine.see(Saw.OPENED, 0.0)
    if state in {State.STOPPED, *UP}:
        machine.heard(Welcome("s"), 1, 0.0)
    if state is State.ONLINE:
        machine.heard(Synced([], []), 2, 0.0)
    if state in {State.DRAINING, State.STOPPED}:
        machine.see(Saw.LEAVE, 0.0)
    if state is State.STOPPED:
        machine.see(Saw.DROPPED, 0.0)
    assert machine.state is state
    return machine


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("saw", Saw)
def test_every_pair_is_listed_or_refused(state, saw):
    machine = in_state(state)
    message = STIMULI.get(saw)
    if (state, saw) in NEXT:
        machine.see(saw, 1.0, message=message, seq=3)
        assert machine.state is NEXT[state, saw]
    else:
        with pytest.raises(UnexpectedError):
            machine.see(saw, 1.0, message=message, seq=3)
        assert machine.state is state


@pytest.mark.parametrize("message", [Sync([], []), Submit([]), Report(0, {}), Hello("worker", "w", b"", b"")])
def test_a_coordinator_may_not_say_what_only_clients_say(message):
    with pytest.raises(UnexpectedError):
        online().heard(message, 9, 1.0)


def test_the_first_connection_is_connect_lines_and_a_proof():
    machine = session()
    assert machine.see(Saw.START, 10.0) == [Log(Marker.CONNECT, "attempt", {"n": 1, "url": "ws://here"}), Dial()]
    assert machine.see(Saw.OPENED, 10.1) == []
    secure, hello = machine.heard(Challenge(b"c"), 1, 10.2)
    assert isinstance(secure, Secure)
    assert (hello.message.name, hello.message.slots) == ("w-1", 2)
    found = machine.heard(Welcome("s-1"), 2, 10.5)
    assert logs(found, Marker.CONNECT) == [("established", {"n": 1, "took_s": 0.5, "session": "s-1"})]
    assert sent(found) == [Sync([], [])]
    assert machine.state is State.SYNCING


def test_a_first_connection_that_fails_is_tried_again_in_connect_lines():
    machine = session()
    machine.see(Saw.START, 0.0)
    found = machine.see(Saw.UNREACHABLE, 0.25, why=Why("refused"))
    assert logs(found) == [("failed", {"n": 1, "error": "refused", "took_s": 0.25})]
    assert machine.wake_at_s == 1.25
    assert machine.tick(1.2) == []
    assert machine.tick(1.25) == [Log(Marker.CONNECT, "attempt", {"n": 2, "url": "ws://here"}), Dial()]


def test_a_coordinator_that_accepts_and_says_nothing_is_a_failed_try():
    machine = in_state(State.AUTHENTICATING)
    assert machine.wake_at_s == TIMEOUT_S
    found = machine.tick(TIMEOUT_S)
    assert logs(found) == [("failed", {"n": 1, "error": "no answer within 15 s", "took_s": TIMEOUT_S})]
    assert Abort() in found


def test_silence_ends_the_session_by_abort_and_says_heartbeat():
    machine = online(100.0)
    assert machine.tick(105.0) == [Send(Heartbeat())]
    machine.heard(Ack(4), 4, 105.1)
    assert machine.tick(110.0) == [Send(Heartbeat())]
    assert machine.tick(115.0) == [Send(Heartbeat())]
    found = machine.tick(120.2)
    name, fields = logs(found)[0]
    assert (name, fields["cause"]) == ("lost", "heartbeat")
    assert fields["detected_s"] == pytest.approx(15.1)
    assert Abort() in found
    assert machine.state is State.WAITING


def test_any_word_of_the_peer_puts_the_deadline_off():
    machine = online(0.0)
    for now_s in range(1, 100):
        machine.heard(Ack(now_s + 3), now_s + 3, float(now_s))
    machine.tick(99.5)
    assert machine.state is State.ONLINE


def test_a_thawed_process_does_not_believe_old_messages():
    machine = online(0.0)
    found = machine.heard(Heartbeat(), 4, 60.0)
    assert logs(found)[0][1]["cause"] == "heartbeat"
    assert sent(found) == []


@pytest.mark.parametrize(
    ("saw", "why", "expected"),
    [
        (Saw.DROPPED, Why(code=1006), {"cause": "closed", "code": 1006}),
        (
            Saw.DROPPED,
            Why(code=1012, reason="service restart"),
            {"cause": "closed", "code": 1012, "reason": "service restart"},
        ),
        (Saw.DROPPED, Why("replayed", 1006), {"cause": "error", "code": 1006, "reason": "replayed"}),
        (Saw.FORCED, Why(), {"cause": "forced"}),
    ],
)
def test_a_lost_session_says_why(saw, why, expected):
    found = online().see(saw, 2.0, why=why)
    name, fields = logs(found)[0]
    assert (name, fields) == ("lost", {**expected, "detected_s": 2.0})


def test_a_reconnection_is_told_from_lost_to_established():
    machine = online(0.0)
    found = machine.see(Saw.DROPPED, 20.0, why=Why(code=1006))
    assert logs(found, Marker.RECONNECT)[1:] == [("scheduled", {"n": 1, "delay_s": 1.0})]
    assert logs(machine.tick(21.0)) == [("attempt", {"n": 1, "url": "ws://here"})]
    found = machine.see(Saw.UNREACHABLE, 21.5, why=Why("refused"))
    assert logs(found) == [
        ("failed", {"n": 1, "error": "refused", "took_s": 0.5}),
        ("scheduled", {"n": 2, "delay_s": 2.0}),
    ]
    machine.tick(23.5)
    found = establish(machine, 24.0)
    assert logs(found, Marker.RECONNECT) == [
        ("established", {"n": 2, "down_s": 4.0, "session": "s-1", "resumed": False})
    ]


def test_backoff_goes_on_over_sessions_too_short_to_trust():
    """A coordinator that accepts and drops must not be dialled at the first delay for ever."""
    machine, now_s, delays = online(0.0), 0.0, []
    for _ in range(4):
        now_s += 0.5
        found = machine.see(Saw.DROPPED, now_s, why=Why(code=1006))
        delays.append(logs(found)[1][1]["delay_s"])
        now_s = machine.wake_at_s
        machine.tick(now_s)
        establish(machine, now_s)
    assert delays == [1.0, 2.0, 4.0, 8.0]
    for later in range(1, 12):  # a stable session: acknowledged heartbeats for over ten seconds
        machine.heard(Ack(9), 9, now_s + later)
    found = machine.see(Saw.DROPPED, now_s + 12, why=Why(code=1006))
    assert logs(found)[1][1]["delay_s"] == 1.0


def test_a_planned_restart_says_when_to_come_back():
    machine = online(0.0)
    assert sent(machine.heard(GoingAway(3.0, 2.0), 4, 1.0)) == [Ack(4)]
    found = machine.see(Saw.DROPPED, 1.1, why=Why(code=1012))
    assert 3.0 <= logs(found)[1][1]["delay_s"] <= 5.0


def test_a_wrong_key_is_a_failed_try_a_security_line_and_patience():
    machine = in_state(State.AUTHENTICATING)
    found = machine.heard(Refuse("wrong key"), 1, 0.5)
    assert logs(found) == [
        ("failed", {"n": 1, "error": "refused: wrong key", "took_s": 0.5}),
        ("auth_failed", {"reason": "wrong key", "peer": "ws://here"}),
    ]
    assert machine.state is State.WAITING
    assert machine.wake_at_s == 1.5


def test_an_assignment_is_run_and_acknowledged_once():
    machine = online()
    assign = Assign("t-1", 1, {"type": "sleep"})
    found = machine.heard(assign, 4, 1.0)
    assert [Execute(assign), Send(Ack(4))] == found[1:]
    again = machine.heard(Assign("t-1", 2, {"type": "sleep"}), 5, 1.1)
    assert not any(isinstance(i, Execute) for i in again)
    assert machine.running == {"t-1": 2}


def test_a_result_is_sent_again_until_acknowledged():
    machine = online()
    machine.heard(Assign("t-1", 1, {}), 4, 1.0)
    result = Result("t-1", 1, ok=True)
    assert sent(machine.finished(result)) == [result]
    machine.see(Saw.DROPPED, 2.0, why=Why(code=1006))
    machine.tick(3.0)
    machine.see(Saw.OPENED, 3.0)
    found = machine.heard(Welcome("s-2"), 2, 3.0)
    assert sent(found) == [Sync(["t-1"], [])]
    found = machine.heard(Synced([], []), 3, 3.5)
    assert sent(found) == [result, Ack(3)]
    assert logs(found) == [("completed", {"took_s": 0.5, "resent": 1, "duplicates": 0})]
    assert machine.acknowledged("t-1") == [Forget("t-1")]
    assert machine.acknowledged("t-1") == []


def test_a_result_the_coordinator_knows_is_forgotten_not_resent():
    machine = online()
    machine.heard(Assign("t-1", 1, {}), 4, 1.0)
    machine.finished(Result("t-1", 1, ok=True))
    machine.see(Saw.DROPPED, 2.0, why=Why(code=1006))
    machine.tick(3.0)
    machine.see(Saw.OPENED, 3.0)
    machine.heard(Welcome("s-2"), 2, 3.0)
    found = machine.heard(Synced(["t-1"], []), 3, 3.5)
    assert Forget("t-1") in found
    assert sent(found) == [Ack(3)]
    assert logs(found)[-1][1]["duplicates"] == 1


def test_a_result_finished_while_syncing_is_sent_once():
    machine = in_state(State.SYNCING)
    machine.running["t-1"] = 1
    assert len(sent(machine.finished(Result("t-1", 1, ok=True)))) == 1
    assert sent(machine.heard(Synced([], []), 3, 1.0)) == [Ack(3)]


def test_progress_made_while_offline_is_sent_after_the_sync():
    machine = online()
    machine.heard(Assign("t-1", 1, {}), 4, 1.0)
    machine.see(Saw.DROPPED, 2.0, why=Why(code=1006))
    assert machine.checkpointed(Checkpoint("t-1", 1, 2, None)) == []
    assert machine.checkpointed(Checkpoint("t-1", 1, 3, None)) == []
    machine.tick(3.0)
    machine.see(Saw.OPENED, 3.0)
    assert sent(machine.heard(Welcome("s-2"), 2, 3.0)) == [Sync([], [Running("t-1", 1)])]
    assert sent(machine.heard(Synced([], []), 3, 3.5)) == [Checkpoint("t-1", 1, 3, None), Ack(3)]


def test_progress_of_a_task_that_is_not_wanted_any_more_is_dropped():
    machine = online()
    assert machine.checkpointed(Checkpoint("t-9", 1, 2, None)) == []


@pytest.mark.parametrize("message", [Cancel("t-1"), Synced([], ["t-1"])])
def test_a_task_that_went_elsewhere_is_cancelled(message):
    machine = in_state(State.SYNCING) if isinstance(message, Synced) else online()
    machine.running["t-1"] = 1
    assert CancelTask("t-1") in machine.heard(message, 4, 1.0)
    machine.cancelled("t-1")
    assert machine.running == {}


def test_progress_of_a_task_that_ended_elsewhere_is_swept_out():
    machine = online()
    machine.running.update({"t-1": 1, "t-2": 1})
    machine.cancelled("t-1")
    machine.cancelled("t-2")
    machine.see(Saw.DROPPED, 2.0, why=Why(code=1006))
    machine.tick(3.0)
    machine.see(Saw.OPENED, 3.0)
    assert sent(machine.heard(Welcome("s-2"), 2, 3.0)) == [Sync([], [], ["t-1", "t-2"])]
    assert machine.heard(Synced(["t-1"], []), 3, 3.5)[0] == Forget("t-1")
    assert machine.saved == {"t-2"}
    machine.heard(Assign("t-2", 2, {}), 4, 3.6)
    assert machine.saved == set()


def test_a_lost_sync_says_so():
    found = in_state(State.SYNCING).see(Saw.DROPPED, 1.0, why=Why(code=1006))
    assert [name for name, _ in logs(found)] == ["failed", "lost", "scheduled"]


def test_draining_takes_leave_and_takes_nothing_on():
    machine = online()
    machine.running["t-1"] = 1
    assert machine.see(Saw.LEAVE, 1.0) == [Send(Leaving()), CancelTask("t-1")]
    assert sent(machine.heard(Assign("t-2", 1, {}), 4, 1.1)) == [Ack(4)]
    assert (machine.close().code, machine.running) == (1001, {"t-1": 1})
    found = machine.see(Saw.DROPPED, 1.5, why=Why(code=1001))
    assert logs(found) == [("closed", {"code": 1001, "reason": "worker stopped"})]
    assert Stopped() in found
    assert machine.wake_at_s is None


@pytest.mark.parametrize("state", [State.NEW, State.WAITING, State.DIALING, State.AUTHENTICATING])
def test_stopping_while_down_ends_at_once(state):
    found = in_state(state).see(Saw.LEAVE, 1.0)
    assert logs(found) == [("closed", {"code": 1001, "reason": "worker stopped"})]
    assert found[-1] == Stopped()


def test_a_task_that_comes_back_before_its_cancelled_execution_ended_runs_again():
    machine = online()
    first, second = Assign("t-1", 1, {}), Assign("t-1", 3, {})
    machine.heard(first, 4, 1.0)
    machine.heard(Cancel("t-1"), 5, 1.1)
    assert not any(isinstance(i, Execute) for i in machine.heard(second, 6, 1.2))
    assert machine.cancelled("t-1") == [Execute(second)]
    assert machine.running == {"t-1": 3}
    assert machine.cancelled("t-1") == []


@pytest.mark.parametrize("task", ["../../etc/passwd", "", "a/b", "x" * 65, "."])
def test_a_task_id_that_could_name_another_file_is_refused(task):
    with pytest.raises(UnexpectedError):
        online().heard(Assign(task, 1, {}), 4, 1.0)
