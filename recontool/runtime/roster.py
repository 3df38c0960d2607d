"""The coordinator's machine: connections and messages go in, what to do comes out. No socket, no clock.

It knows every connection and the worker behind it; the board knows the tasks. A worker whose connection
ends keeps its leases for a grace period, so that it can come back and go on; after that its tasks go to
another worker with their last checkpoint. A result is applied once, keyed by task id.
"""

import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final

import msgspec
from msgspec import Struct

from recontool.model.markers import COORDINATOR, Marker
from recontool.runtime import keys
from recontool.runtime.board import TaskBoard
from recontool.runtime.instructions import (
    Abort,
    Close,
    CoordinatorInstruction,
    Fields,
    Log,
    Sample,
    Secure,
    Send,
    StoreAssignment,
    StoreCheckpoint,
    StoreResult,
    StoreTask,
)
from recontool.runtime.messages import (
    PROTOCOL_VERSION,
    Ack,
    Assign,
    Cancel,
    Challenge,
    Checkpoint,
    GoingAway,
    Heartbeat,
    Hello,
    Json,
    Leaving,
    ListTasks,
    Message,
    Refuse,
    Rejected,
    Report,
    Result,
    Submit,
    Submitted,
    Sync,
    Synced,
    TaskList,
    Welcome,
)

Phase = Enum("Phase", "CHALLENGED WORKER OPERATOR ENDED")
Instructions = list[CoordinatorInstruction]

NAME: Final = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}")
LEASE_TIMEOUTS: Final = 3  # heartbeat timeouts a disconnected worker keeps its tasks
RETURN_AFTER_S: Final = 1.0  # a restart is not over sooner
RETURN_WINDOW_S: Final = 2.0
MAX_SPEC_BYTES: Final = 2**20
CLOSE_RESTART: Final = 1012
CLOSE_POLICY: Final = 1008
CLOSE_REPLACED: Final = 4000
CLOSE_ABNORMAL: Final = 1006

ALLOWED: Final[dict[Phase, frozenset[type]]] = {
    Phase.CHALLENGED: frozenset({Hello}),
    Phase.WORKER: frozenset({Heartbeat, Ack, Sync, Checkpoint, Result, Report, Leaving}),
    Phase.OPERATOR: frozenset({Heartbeat, Ack, Submit, ListTasks}),
    Phase.ENDED: frozenset(),
}


class Peer(Struct):
    """One connection. `heard_s` and `beat_s` are monotonic seconds."""

    link: int
    address: str
    nonce: bytes
    heard_s: float
    beat_s: float
    phase: Phase = Phase.CHALLENGED
    name: str = ""
    session: str = ""
    slots: int = 0
    synced: bool = False
    leaving: bool = False


class Roster:
    """Who is connected and who does what.

    Args:
        secrets: the keys clients must prove.
        heartbeat_s: time between heartbeats to each peer.
        timeout_s: silence after which a peer counts as dead.
        entropy: as many random bytes as asked for.
    """

    def __init__(
        self, secrets: keys.Keys, heartbeat_s: float, timeout_s: float, entropy: Callable[[int], bytes]
    ) -> None:
        self.board = TaskBoard(LEASE_TIMEOUTS * timeout_s)
        self._peers: dict[int, Peer] = {}
        self._workers: dict[str, Peer] = {}
        self._secrets, self._heartbeat_s, self._timeout_s, self._entropy = secrets, heartbeat_s, timeout_s, entropy
        self._draining = False

    def name_of(self, link: int) -> str:
        """The worker or operator behind a connection; "" until it has proved who it is."""
        peer = self._peers.get(link)
        return peer.name if peer is not None else ""

    def workers(self) -> frozenset[str]:
        """Workers with a session."""
        return frozenset(self._workers)

    def connected(self, link: int, address: str, now_s: float) -> Instructions:
        """A connection was opened."""
        nonce = self._entropy(keys.NONCE_BYTES)
        self._peers[link] = Peer(link, address, nonce, now_s, now_s + self._heartbeat_s)
        return [Send(Challenge(nonce), link)]

    def heard(self, link: int, message: Message, seq: int, now_s: float, at_us: int) -> Instructions:
        """A message came. `at_us` is the wall clock, for what is stored."""
        peer = self._peers.get(link)
        if peer is None or peer.phase is Phase.ENDED:
            return []
        if type(message) not in ALLOWED[peer.phase]:
            return self.broken(link, "malformed", f"{type(message).__name__} while {peer.phase.name.lower()}", now_s)
        peer.heard_s = now_s
        found = self._act(peer, message, now_s, at_us)
        if not isinstance(message, (Hello, Ack)):
            found.append(Send(Ack(seq), link))
        return [*found, *self._assign()]

    def broken(self, link: int, kind: str, error: str, now_s: float, size_bytes: int = 0) -> Instructions:
        """A frame came that must not be acted on: say so and end the connection."""
        peer = self._peers.get(link)
        if peer is None or peer.phase is Phase.ENDED:
            return []
        fields: Fields = {"error": error, "peer": peer.address}
        if peer.name:
            fields["worker"] = peer.name
        if size_bytes:
            fields["size_bytes"] = size_bytes
        return [
            Log(Marker.SECURITY, kind, fields),
            *self._end(peer, CLOSE_POLICY, kind, now_s),
            Close(CLOSE_POLICY, kind, link),
        ]

    def dropped(self, link: int, code: int, now_s: float, reason: str = "") -> Instructions:
        """A connection has ended."""
        peer = self._peers.pop(link, None)
        if peer is None:
            return []
        return [*self._end(peer, code, reason, now_s), *self._assign()]

    def tick(self, now_s: float) -> Instructions:
        """Send heartbeats, drop silent peers, requeue tasks whose lease ran out."""
        found: Instructions = []
        for peer in list(self._peers.values()):
            if peer.phase is Phase.ENDED:
                continue
            if now_s >= peer.heard_s + self._timeout_s:
                found += [*self._end(peer, CLOSE_ABNORMAL, "heartbeat", now_s), Abort(peer.link)]
            elif peer.phase is Phase.WORKER and now_s >= peer.beat_s:
                peer.beat_s = now_s + self._heartbeat_s
                found.append(Send(Heartbeat(), peer.link))
        self.board.expire(now_s)
        return [*found, *self._assign()]

    def submit(self, specs: Iterable[tuple[str, dict[str, Json]]], at_us: int) -> Instructions:
        """Take tasks under the ids given with them."""
        found: Instructions = []
        for task_id, spec in specs:
            self.board.add(task_id, spec)
            found.append(StoreTask(task_id, spec, at_us))
            found.append(Log(Marker.TASK, "submitted", {"task": task_id, "type": str(spec.get("type"))}))
        return found

    def drain(self) -> Instructions:
        """Tell every peer that the coordinator goes, and when to come back."""
        self._draining = True
        found: Instructions = []
        for peer in self._peers.values():
            if peer.phase is Phase.WORKER:
                found.append(Send(GoingAway(RETURN_AFTER_S, RETURN_WINDOW_S), peer.link))
            found.append(Close(CLOSE_RESTART, "service restart", peer.link))
        return found

    def _act(self, peer: Peer, message: Message, now_s: float, at_us: int) -> Instructions:
        found: Instructions = []
        match message:
            case Hello():
                found = self._hello(peer, message, now_s)
            case Sync():
                found = self._sync(peer, message)
            case Result():
                found = self._apply(peer, message, at_us)
            case Checkpoint():
                found = self._checkpoint(peer, message)
            case Report():
                found = [Sample(peer.name, message.at_us, message.metrics)]
            case Leaving():
                peer.leaving = True
            case Submit():
                found = self._submitted(peer, message, at_us)
            case ListTasks():
                found = [Send(TaskList(self.board.rows()), peer.link)]
        return found

    # --- connections ------------------------------------------------------------------------------------

    def _hello(self, peer: Peer, hello: Hello, now_s: float) -> Instructions:
        key = self._secrets.of(hello.role)
        handshake = keys.Handshake(hello.role, hello.name, peer.nonce, hello.nonce)
        if not NAME.fullmatch(hello.name) or hello.name == COORDINATOR:
            return self._refuse(peer, "bad name", hello.name[:128])
        if not keys.same(hello.proof, handshake.proof(key)):
            return self._refuse(peer, "wrong key", hello.name)
        if hello.version != PROTOCOL_VERSION:
            return self._refuse(peer, f"protocol version {hello.version}, expected {PROTOCOL_VERSION}", hello.name)
        peer.name, peer.slots = hello.name, max(1, hello.slots)
        peer.session = self._entropy(6).hex()
        peer.beat_s = now_s + self._heartbeat_s
        worker = hello.role == "worker"
        peer.phase = Phase.WORKER if worker else Phase.OPERATOR
        replaced = self._replace(peer, now_s) if worker else []
        resumed = worker and self.board.load(peer.name) > 0
        fields: Fields = {"worker": peer.name, "peer": peer.address}
        accepted: Instructions = []
        if worker:
            accepted = [Log(Marker.CONNECT, "accepted", {"worker": peer.name, "session": peer.session})]
        return [
            Log(Marker.SECURITY, "auth_ok", fields),
            *replaced,
            *accepted,
            Secure(handshake.session_key(key), peer.link),
            Send(Welcome(peer.session, resumed), peer.link),
        ]

    def _refuse(self, peer: Peer, reason: str, name: str) -> Instructions:
        peer.phase = Phase.ENDED
        fields: Fields = {"reason": reason, "peer": peer.address, "worker": name}
        return [
            Log(Marker.SECURITY, "auth_failed", fields),
            Send(Refuse(reason), peer.link),
            Close(CLOSE_POLICY, reason, peer.link),
        ]

    def _replace(self, peer: Peer, now_s: float) -> Instructions:
        """A worker that dials again has given up its old connection, whatever that looks like from here."""
        old = self._workers.get(peer.name)
        self._workers[peer.name] = peer
        if old is None:
            return []
        return [*self._end(old, CLOSE_REPLACED, "replaced", now_s), Close(CLOSE_REPLACED, "replaced", old.link)]

    def _end(self, peer: Peer, code: int, reason: str, now_s: float) -> Instructions:
        if peer.phase is not Phase.WORKER:
            peer.phase = Phase.ENDED
            return []
        peer.phase = Phase.ENDED
        if self._workers.get(peer.name) is peer:
            del self._workers[peer.name]
        if peer.leaving:
            self.board.release(peer.name)
        else:
            self.board.abandon(peer.name, now_s)
        fields: Fields = {"worker": peer.name, "code": code}
        if reason:
            fields["reason"] = reason
        return [Log(Marker.CONNECT, "disconnected", fields)]

    # --- tasks ------------------------------------------------------------------------------------------

    def _submitted(self, peer: Peer, submit: Submit, at_us: int) -> Instructions:
        if self._draining:
            return [Send(Rejected("the coordinator shuts down"), peer.link)]
        if not all(isinstance(spec.get("type"), str) for spec in submit.tasks):
            return [Send(Rejected('every task needs a "type" that is a string'), peer.link)]
        if any(len(msgspec.msgpack.encode(spec)) > MAX_SPEC_BYTES for spec in submit.tasks):
            return [Send(Rejected(f"a task may have {MAX_SPEC_BYTES} bytes"), peer.link)]
        specs = [(self.new_id(), spec) for spec in submit.tasks]
        return [*self.submit(specs, at_us), Send(Submitted([task_id for task_id, _ in specs]), peer.link)]

    def new_id(self) -> str:
        """A task id no other coordinator has given: workers keep files under it."""
        return f"t-{self._entropy(6).hex()}"

    def _sync(self, peer: Peer, sync: Sync) -> Instructions:
        known = [task_id for task_id in sync.results if self.board.settled(task_id)]
        stale = [task_id for task_id in sync.saved if self.board.settled(task_id)]
        adopted = [running.task for running in sync.running if self.board.adopt(peer.name, running)]
        stop = [running.task for running in sync.running if running.task not in adopted]
        # What it holds and did not name, it lost: it restarted, or never got the assignment.
        self.board.release(peer.name, keep=[*adopted, *sync.results])
        peer.synced = True
        fields: Fields = {"worker": peer.name}
        return [
            Log(Marker.SYNC, "started", {**fields, "results": len(sync.results), "states": len(sync.running)}),
            *(Log(Marker.TASK, "duplicate", {**fields, "task": task_id}) for task_id in known),
            Send(Synced([*known, *stale], stop), peer.link),
            Log(Marker.SYNC, "completed", {**fields, "duplicates": len(known)}),
        ]

    def _apply(self, peer: Peer, result: Result, at_us: int) -> Instructions:
        fields: Fields = {"task": result.task, "worker": peer.name}
        task = self.board.get(result.task)
        if task is None or task.settled:
            return [Log(Marker.TASK, "duplicate", fields)]
        found: Instructions = [
            StoreResult(task.id, peer.name, result.ok, result.value, result.error, at_us),
            Log(Marker.TASK, "applied", fields),
        ]
        other = self._workers.get(self.board.settle(task, peer.name, result.ok, at_us) or "")
        return [*found, Send(Cancel(task.id), other.link)] if other is not None else found

    def _checkpoint(self, peer: Peer, checkpoint: Checkpoint) -> Instructions:
        if not self.board.progress(peer.name, checkpoint):
            return []
        return [StoreCheckpoint(checkpoint.task, checkpoint.number, checkpoint.state)]

    def _assign(self) -> Instructions:
        found: Instructions = []
        while not self._draining and (task := self.board.next_pending()) is not None:
            peer = self._least_busy()
            if peer is None:
                break
            self.board.assign(task, peer.name)
            found += [
                StoreAssignment(task.id, peer.name, task.lease),
                Log(Marker.TASK, "assigned", {"task": task.id, "worker": peer.name}),
                Send(Assign(task.id, task.lease, task.spec, task.number, task.checkpoint), peer.link),
            ]
        return found

    def _least_busy(self) -> Peer | None:
        free = [
            peer
            for peer in self._workers.values()
            if peer.synced and not peer.leaving and self.board.load(peer.name) < peer.slots
        ]
        return min(free, key=lambda peer: self.board.load(peer.name), default=None)
