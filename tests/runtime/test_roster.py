"""The coordinator's machine: who may say what, leases, and results applied once."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from recontool.model.markers import Marker
from recontool.runtime.board import LATELY, Task
from recontool.runtime.instructions import (
    Abort,
    Close,
    Log,
    Sample,
    Secure,
    Send,
    StoreAssignment,
    StoreCheckpoint,
    StoreResult,
    StoreTask,
)
from recontool.runtime.keys import Handshake, Keys
from recontool.runtime.messages import (
    Ack,
    Assign,
    Cancel,
    Challenge,
    Checkpoint,
    Frame,
    GoingAway,
    Heartbeat,
    Hello,
    Leaving,
    ListTasks,
    Refuse,
    Rejected,
    Report,
    Result,
    Running,
    Submit,
    Submitted,
    Sync,
    Synced,
    TaskList,
    Welcome,
)
from recontool.runtime.roster import ALLOWED, LEASE_TIMEOUTS, Phase, Roster

KEYS = Keys(operator="op", worker="wk")
TIMEOUT_S = 15.0
GRACE_S = LEASE_TIMEOUTS * TIMEOUT_S


def roster():
    count = iter(range(10**6))
    return Roster(KEYS, 5.0, TIMEOUT_S, lambda size: next(count).to_bytes(size, "big"))


def hello(nonce, name="w-1", role="worker", key=None, **more):
    proof = Handshake(role, name, nonce, b"c").proof(key or KEYS.of(role))
    return Hello(role=role, name=name, nonce=b"c", proof=proof, **more)


def challenge(machine, link, now_s=0.0):
    (send,) = machine.connected(link, "10.0.0.1:5", now_s)
    assert isinstance(send.message, Challenge)
    return send.message.nonce


def join(machine, link, name="w-1", *, now_s=0.0, slots=2, sync=None):
    found = machine.heard(link, hello(challenge(machine, link, now_s), name, slots=slots), 1, now_s, 0)
    return found + machine.heard(link, sync or Sync([], []), 2, now_s, 0)


def operator(machine, link=90):
    machine.heard(link, hello(challenge(machine, link), "operator", "operator"), 1, 0.0, 0)
    return link


def logs(found, marker=None):
    return [(i.name, i.fields) for i in found if isinstance(i, Log) and marker in {None, i.marker}]


def sent(found, kind=Frame):
    return [(i.link, i.message) for i in found if isinstance(i, Send) and isinstance(i.message, kind)]


def stores(found):
    return [i for i in found if type(i).__name__.startswith("Store")]


def add_task(machine, task_id="t-1", **spec):
    return machine.submit([(task_id, {"type": "sleep", **spec})], 1)


EXAMPLES = {
    Hello: Hello("worker", "w", b"", b""),
    Heartbeat: Heartbeat(),
    Ack: Ack(1),
    Sync: Sync([], []),
    Checkpoint: Checkpoint("t", 1, 1, None),
    Result: Result("t", 1, ok=True),
    Report: Report(1, {}),
    Leaving: Leaving(),
    Submit: Submit([]),
    ListTasks: ListTasks(),
    Challenge: Challenge(b""),
    Welcome: Welcome("s"),
    Refuse: Refuse("r"),
    Synced: Synced([], []),
    Assign: Assign("t", 1, {}),
    Cancel: Cancel("t"),
    GoingAway: GoingAway(0, 0),
    Submitted: Submitted([]),
    TaskList: TaskList([]),
    Rejected: Rejected("r"),
}


def test_the_examples_are_every_message():
    assert set(EXAMPLES) == set(Frame.__subclasses__())


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_message_is_allowed_or_refused_in_every_phase(phase, kind):
    machine = roster()
    nonce = challenge(machine, 1)
    if phase is Phase.WORKER:
        machine.heard(1, hello(nonce), 1, 0.0, 0)
    elif phase is Phase.OPERATOR:
        machine.heard(1, hello(nonce, "operator", "operator"), 1, 0.0, 0)
    elif phase is Phase.ENDED:
        machine.broken(1, "malformed", "x", 0.0)
    found = machine.heard(1, EXAMPLES[kind], 2, 0.0, 0)
    refused = [name for name, _ in logs(found, Marker.SECURITY) if name == "malformed"]
    assert refused == ([] if kind in ALLOWED[phase] or phase is Phase.ENDED else ["malformed"])
    if phase is Phase.ENDED:
        assert found == []


def test_a_worker_is_welcomed_signed_and_logged():
    machine = roster()
    found = machine.heard(1, hello(challenge(machine, 1)), 1, 0.0, 0)
    assert [name for name, _ in logs(found)] == ["auth_ok", "accepted"]
    kinds = [type(i) for i in found]
    assert kinds.index(Secure) < kinds.index(Send)  # the welcome itself is signed
    assert sent(found, Welcome)[0][1].resumed is False


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"key": "guess"}, "wrong key"),
        ({"role": "operator", "key": KEYS.worker}, "wrong key"),
        ({"key": KEYS.operator}, "wrong key"),
        ({"name": "../../etc"}, "bad name"),
        ({"name": ".."}, "bad name"),
        ({"name": "coordinator"}, "bad name"),
        ({"name": ""}, "bad name"),
        ({"version": 99}, "protocol version 99, expected 1"),
    ],
)
def test_who_cannot_prove_what_it_says_is_refused(made, reason):
    machine = roster()
    found = machine.heard(1, hello(challenge(machine, 1), **made), 1, 0.0, 0)
    assert [(name, fields["reason"]) for name, fields in logs(found)] == [("auth_failed", reason)]
    assert sent(found) == [(1, Refuse(reason))]
    assert found[-1] == Close(1008, reason, 1)
    assert machine.heard(1, hello(b""), 2, 0.0, 0) == []


def test_a_proof_is_good_for_one_connection():
    machine = roster()
    proof = hello(challenge(machine, 1))
    challenge(machine, 2)
    assert sent(machine.heard(2, proof, 1, 0.0, 0), Refuse)


def test_a_task_goes_to_the_least_busy_worker_with_a_free_slot():
    machine = roster()
    join(machine, 1, "w-1", slots=2)
    join(machine, 2, "w-2", slots=1)
    for number in range(4):
        add_task(machine, f"t-{number}")
    found = machine.tick(1.0)
    assert [(link, m.task) for link, m in sent(found, Assign)] == [(1, "t-0"), (2, "t-1"), (1, "t-2")]
    assert [type(i) for i in stores(found)] == [StoreAssignment] * 3
    done = machine.heard(2, Result("t-1", 1, ok=True), 3, 1.5, 77)
    assert sent(done, Assign)[0][1].task == "t-3"


def test_nobody_gets_a_task_before_the_sync():
    machine = roster()
    add_task(machine)
    machine.heard(1, hello(challenge(machine, 1)), 1, 0.0, 0)
    assert sent(machine.tick(1.0), Assign) == []
    assert len(sent(machine.heard(1, Sync([], []), 2, 1.0, 0), Assign)) == 1


def test_a_result_is_stored_before_it_is_acknowledged_and_applied_once():
    machine = roster()
    join(machine, 1)
    add_task(machine)
    machine.tick(0.0)
    found = machine.heard(1, Result("t-1", 1, ok=True, value=7), 3, 1.0, 55)
    assert found[0] == StoreResult("t-1", "w-1", ok=True, value=7, error="", at_us=55)
    assert logs(found) == [("applied", {"task": "t-1", "worker": "w-1"})]
    assert sent(found) == [(1, Ack(3))]
    again = machine.heard(1, Result("t-1", 1, ok=False), 4, 1.0, 56)
    assert stores(again) == []
    assert logs(again) == [("duplicate", {"task": "t-1", "worker": "w-1"})]
    assert sent(again) == [(1, Ack(4))]
    assert machine.board.rows()[0].state == "done"


def test_a_result_nobody_asked_for_is_acknowledged_and_dropped():
    machine = roster()
    join(machine, 1)
    found = machine.heard(1, Result("t-unknown", 1, ok=True), 3, 1.0, 0)
    assert (stores(found), sent(found)) == ([], [(1, Ack(3))])


def test_a_worker_that_comes_back_in_time_goes_on():
    machine = roster()
    join(machine, 1)
    add_task(machine)
    machine.tick(0.0)
    machine.dropped(1, 1006, 10.0)
    machine.tick(10.0 + GRACE_S - 0.1)
    found = join(machine, 2, now_s=10.0 + GRACE_S - 0.1, sync=Sync([], [Running("t-1", 1)]))
    assert sent(found, Welcome)[0][1].resumed is True
    assert sent(found, Synced) == [(2, Synced([], []))]
    assert sent(machine.tick(10.0 + GRACE_S + 1), Assign) == []


def test_a_worker_that_stays_away_loses_its_tasks_with_their_progress():
    machine = roster()
    join(machine, 1)
    add_task(machine)
    machine.tick(0.0)
    progress = machine.heard(1, Checkpoint("t-1", 1, 4, {"done": 4}), 3, 0.0, 0)
    assert stores(progress) == [StoreCheckpoint("t-1", 4, {"done": 4})]
    machine.dropped(1, 1006, 10.0)
    join(machine, 2, "w-2", now_s=10.0)
    machine.heard(2, Heartbeat(), 3, 10.0 + GRACE_S - 0.1, 0)
    assert sent(machine.tick(10.0 + GRACE_S - 0.1), Assign) == []
    found = machine.tick(10.0 + GRACE_S)
    assert sent(found, Assign) == [(2, Assign("t-1", 2, {"type": "sleep"}, 4, {"done": 4}))]
    # the old worker returns: what it runs is another's now, what it saves is fenced off
    back = join(machine, 3, now_s=60.0, sync=Sync([], [Running("t-1", 1)]))
    assert sent(back, Synced) == [(3, Synced([], ["t-1"]))]
    assert stores(machine.heard(3, Checkpoint("t-1", 1, 9, None), 3, 60.0, 0)) == []
    # its result counts all the same, and the other one need not go on
    result = machine.heard(3, Result("t-1", 1, ok=True), 4, 60.0, 5)
    assert sent(result, Cancel) == [(2, Cancel("t-1"))]
    assert logs(machine.heard(2, Result("t-1", 2, ok=True), 5, 61.0, 6)) == [
        ("duplicate", {"task": "t-1", "worker": "w-2"})
    ]


def test_a_worker_may_go_on_with_a_task_that_is_back_in_line():
    machine = roster()
    join(machine, 1)
    add_task(machine)
    machine.tick(0.0)
    machine.dropped(1, 1006, 0.0)
    machine.tick(GRACE_S)
    found = join(machine, 2, now_s=GRACE_S + 1, sync=Sync([], [Running("t-1", 1)]))
    assert sent(found, Synced) == [(2, Synced([], []))]
    assert sent(found, Assign) == []


def test_a_restarted_worker_gets_its_task_again_at_once_with_its_progress():
    machine = roster()
    join(machine, 1)
    add_task(machine)
    machine.tick(0.0)
    machine.heard(1, Checkpoint("t-1", 1, 2, {"done": 2}), 3, 0.0, 0)
    found = join(machine, 2, now_s=1.0)  # the old connection still looks alive
    assert ("disconnected", {"worker": "w-1", "code": 4000, "reason": "replaced"}) in logs(found)
    assert Close(4000, "replaced", 1) in found
    assert sent(found, Assign) == [(2, Assign("t-1", 2, {"type": "sleep"}, 2, {"done": 2}))]
    assert machine.dropped(1, 4000, 1.1) == []


def test_results_named_in_the_sync_are_known_or_awaited():
    machine = roster()
    join(machine, 1)
    add_task(machine, "t-1")
    add_task(machine, "t-2")
    machine.tick(0.0)
    machine.heard(1, Result("t-1", 1, ok=True), 3, 1.0, 5)
    machine.dropped(1, 1006, 1.0)
    found = join(machine, 2, now_s=2.0, sync=Sync(["t-1", "t-2", "t-other"], [], ["t-1", "t-2"]))
    assert sent(found, Synced) == [(2, Synced(["t-1", "t-other", "t-1"], []))]
    assert [name for name, _ in logs(found, Marker.TASK)] == ["duplicate", "duplicate"]
    assert sent(found, Assign) == []  # t-2 is finished; its result is on the way


def test_a_silent_peer_is_dropped_by_abort():
    machine = roster()
    join(machine, 1)
    challenge(machine, 2)  # never says who it is
    found = machine.tick(5.0)
    assert sent(found) == [(1, Heartbeat())]
    found = machine.tick(TIMEOUT_S)
    assert [i for i in found if isinstance(i, Abort)] == [Abort(1), Abort(2)]
    assert logs(found) == [("disconnected", {"worker": "w-1", "code": 1006, "reason": "heartbeat"})]
    assert machine.dropped(1, 1006, TIMEOUT_S) == []


def test_a_worker_that_takes_leave_hands_its_tasks_back_at_once():
    machine = roster()
    join(machine, 1, "w-1")
    add_task(machine)
    machine.tick(0.0)
    join(machine, 2, "w-2")
    machine.heard(1, Leaving(), 3, 1.0, 0)
    found = machine.dropped(1, 1001, 1.1)
    assert sent(found, Assign) == [(2, Assign("t-1", 2, {"type": "sleep"}))]


def test_a_broken_frame_ends_the_session_and_keeps_the_lease():
    machine = roster()
    join(machine, 1)
    found = machine.broken(1, "replayed", "sequence 3 after 3", 1.0)
    assert [name for name, _ in logs(found)] == ["replayed", "disconnected"]
    assert found[-1] == Close(1008, "replayed", 1)
    assert machine.heard(1, Heartbeat(), 9, 1.0, 0) == []


def test_draining_tells_workers_when_to_come_back_and_assigns_nothing():
    machine = roster()
    join(machine, 1)
    asking = operator(machine)
    found = machine.drain()
    assert [type(m) for _, m in sent(found)] == [GoingAway]
    assert [(i.code, i.link) for i in found if isinstance(i, Close)] == [(1012, 1), (1012, asking)]
    assert sent(machine.heard(asking, Submit([{"type": "sleep"}]), 2, 0.0, 0), Rejected)


def test_an_operator_submits_and_lists():
    machine = roster()
    asking = operator(machine)
    found = machine.heard(asking, Submit([{"type": "sleep"}, {"type": "echo"}]), 2, 0.0, 9)
    ids = sent(found, Submitted)[0][1].tasks
    assert [i.task for i in found if isinstance(i, StoreTask)] == ids
    rows = sent(machine.heard(asking, ListTasks(), 3, 0.0, 9), TaskList)[0][1].tasks
    assert [(row.id, row.type, row.state) for row in rows] == [
        (ids[0], "sleep", "pending"),
        (ids[1], "echo", "pending"),
    ]
    assert sent(machine.heard(asking, Submit([{"name": "x"}]), 4, 0.0, 9), Rejected)


def test_a_report_becomes_a_sample():
    machine = roster()
    join(machine, 1)
    found = machine.heard(1, Report(5, {"messages_sent": 1}), 3, 0.0, 9)
    assert found == [Sample("w-1", 5, {"messages_sent": 1}), Send(Ack(3), 1)]


def test_tasks_of_an_earlier_run_wait_for_their_workers():
    machine = roster()
    machine.board.restore(
        [
            Task("t-1", {"type": "sleep"}, "assigned", "w-1", 3, 2, {"done": 2}),
            Task("t-2", {"type": "sleep"}, "done", "w-1", 1, applied_us=5),
            Task("t-3", {"type": "sleep"}),
        ],
        now_s=0.0,
    )
    found = join(machine, 1, "w-2")
    assert [m.task for _, m in sent(found, Assign)] == ["t-3"]
    machine.heard(1, Heartbeat(), 3, GRACE_S - 1, 0)
    found = machine.tick(GRACE_S)
    assert sent(found, Assign) == [(1, Assign("t-1", 4, {"type": "sleep"}, 2, {"done": 2}))]


class Fleet(RuleBasedStateMachine):
    """Workers come, go, crash and finish in any order; the laws of the board hold throughout."""

    links = Bundle("links")

    def __init__(self):
        super().__init__()
        self.roster, self.now_s, self.link, self.task = roster(), 0.0, 0, 0
        self.applied: dict[str, int] = {}
        self.running: dict[int, dict[str, int]] = {}
        self.names: dict[int, str] = {}

    def take(self, found):
        for instruction in found:
            if isinstance(instruction, StoreResult):
                self.applied[instruction.task] = self.applied.get(instruction.task, 0) + 1
            elif isinstance(instruction, Send) and isinstance(instruction.message, Assign):
                self.running.setdefault(instruction.link, {})[instruction.message.task] = instruction.message.lease
            elif isinstance(instruction, (Abort, Close)):
                self.names.pop(instruction.link, None)

    @rule(name=st.sampled_from(["a", "b", "c"]), keep=st.booleans(), target=links)
    def connect(self, name, keep):
        self.link += 1
        old = next((link for link, other in self.names.items() if other == name), None)
        kept = dict(self.running.get(old, {})) if keep and old is not None else {}
        sync = Sync([], [Running(task, lease) for task, lease in kept.items()])
        self.running[self.link] = kept
        self.take(join(self.roster, self.link, name, now_s=self.now_s, sync=sync))
        self.names[self.link] = name
        return multiple(self.link)

    @rule(link=consumes(links), leaving=st.booleans())
    def drop(self, link, leaving):
        if leaving and link in self.names:
            self.take(self.roster.heard(link, Leaving(), 9, self.now_s, 0))
        self.take(self.roster.dropped(link, 1006, self.now_s))

    @rule()
    def submit(self):
        self.task += 1
        self.take(add_task(self.roster, f"t-{self.task}"))

    @rule(link=links, ok=st.booleans(), twice=st.booleans())
    def finish(self, link, ok, twice):
        for task, lease in list(self.running.get(link, {}).items())[:1]:
            for _ in range(1 + twice):
                self.take(self.roster.heard(link, Result(task, lease, ok=ok), 9, self.now_s, 1))

    @rule(seconds=st.sampled_from([1.0, 6.0, 20.0, 100.0]))
    def wait(self, seconds):
        self.now_s += seconds
        self.take(self.roster.tick(self.now_s))

    @invariant()
    def no_result_is_applied_twice(self):
        assert all(count == 1 for count in self.applied.values())

    @invariant()
    def no_task_is_lost(self):
        rows = self.roster.board.rows()
        assert len(rows) == self.task
        for row in rows:
            assert (row.id in self.applied) is (row.state in {"done", "failed"})
            assert (row.state == "assigned") is (row.id in self.roster.board._held[row.worker] if row.worker else False)
            if row.state == "pending":
                assert row.id in self.roster.board._pending

    @invariant()
    def tasks_are_counted_and_named_by_state(self):
        board = self.roster.board
        assert +board.counts == Counter(row.state for row in board.rows())
        assert {task.id for task in board.running(99)} == {row.id for row in board.rows() if row.state == "assigned"}
        assert [task.id for task in board.lately()] == list(self.applied)[-LATELY:][::-1]


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
