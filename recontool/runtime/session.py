"""The worker's machine: what it saw goes in, what to do comes out. No socket, no clock, no thread.

`lifecycle.NEXT` is the whole life of a session; a pair it does not list cannot happen, and a peer that makes
it happen is refused.
"""

import random
import re
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from recontool.model.markers import Marker
from recontool.model.policy import Backoff
from recontool.runtime import keys
from recontool.runtime.instructions import (
    Abort,
    CancelTask,
    Close,
    Dial,
    Execute,
    Fields,
    Forget,
    Log,
    Secure,
    Send,
    Stopped,
    WorkerInstruction,
)
from recontool.runtime.lifecycle import NEXT, UP, Saw, State
from recontool.runtime.messages import (
    HANDSHAKE,
    Ack,
    Assign,
    Cancel,
    Challenge,
    Checkpoint,
    GoingAway,
    Heartbeat,
    Hello,
    Leaving,
    Message,
    Refuse,
    Result,
    Running,
    Sync,
    Synced,
    Welcome,
)

_SAW: Final[dict[type, Saw]] = {
    Challenge: Saw.CHALLENGED,
    Welcome: Saw.WELCOMED,
    Refuse: Saw.REFUSED,
    Synced: Saw.SYNCED,
    Heartbeat: Saw.HEARD,
    Ack: Saw.HEARD,
    Assign: Saw.HEARD,
    Cancel: Saw.HEARD,
    GoingAway: Saw.HEARD,
}

CLOSE_LEAVING: Final = 1001
TASK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")  # it names files


class UnexpectedError(Exception):
    """The pair is not in `NEXT`: a bug of the shell, or a peer that does not keep to the protocol."""


class Identity(Struct, frozen=True):
    """Who the worker is and how it proves it; `url` and `peer` only for the log."""

    worker: str
    key: str
    url: str
    slots: int = 1


class Pace(Struct, frozen=True):
    """Intervals in seconds and the backoff between tries."""

    heartbeat_s: float
    timeout_s: float
    backoff: Backoff


class Why(Struct, frozen=True):
    """How a connection failed or ended: our own trouble with it, or the peer's close code and reason."""

    error: str = ""
    code: int = 0
    reason: str = ""


NOTHING: Final = Why()


class Session:
    """One worker's session over all its connections.

    Every method that takes `now_s` expects a clock that never goes backwards, in seconds.
    """

    def __init__(self, identity: Identity, pace: Pace, *, draw: random.Random, entropy: Callable[[int], bytes]) -> None:
        self.state = State.NEW
        self.results: dict[str, Result] = {}  # finished, not yet acknowledged
        self.running: dict[str, int] = {}  # task -> lease
        self.saved: set[str] = set()  # tasks with a durable checkpoint that are not running here
        self._checkpoints: dict[str, Checkpoint] = {}  # the latest of each running task
        self._offered: set[str] = set()  # results already sent in this session
        self._stopping: dict[str, Assign | None] = {}  # cancelled, not ended; what to run once they have
        self._identity, self._pace, self._draw, self._entropy = identity, pace, draw, entropy
        self._ever_up = False
        self._tries = 0  # since the last session ended, as logged
        self._steps = 0  # of the backoff; outlives short sessions
        self._delay_s = 0.0
        self._return: GoingAway | None = None
        self._wait_until_s = 0.0
        self._try_began_s = 0.0
        self._up_since_s = 0.0
        self._down_since_s = 0.0
        self._heard_s = 0.0
        self._beat_s = 0.0
        self._sync_began_s = 0.0

    @property
    def wake_at_s(self) -> float | None:
        """When `tick` wants to be called; None when nothing is due ever."""
        if self.state is State.WAITING:
            return self._wait_until_s
        if self.state in {State.DIALING, State.AUTHENTICATING}:
            return self._try_began_s + self._pace.timeout_s
        if self.state in UP:
            return min(self._heard_s + self._pace.timeout_s, self._beat_s)
        return None

    def tick(self, now_s: float) -> list[WorkerInstruction]:
        """Do what is due by now."""
        if self.state in UP and now_s < self._heard_s + self._pace.timeout_s:
            return self.see(Saw.BEAT, now_s) if now_s >= self._beat_s else []
        wake = self.wake_at_s
        return self.see(Saw.DUE, now_s) if wake is not None and now_s >= wake else []

    def heard(self, message: Message, seq: int, now_s: float) -> list[WorkerInstruction]:
        """Take one message from the peer.

        Raises:
            UnexpectedError: the peer may not send it, or not now.
        """
        saw = _SAW.get(type(message))
        if saw is None:
            raise UnexpectedError(f"{type(message).__name__} from a coordinator")
        return self.see(saw, now_s, message=message, seq=seq)

    def see(
        self, saw: Saw, now_s: float, *, message: Message | None = None, seq: int = 0, why: Why = NOTHING
    ) -> list[WorkerInstruction]:
        """Take one stimulus; `why` tells how a connection failed or ended.

        Raises:
            UnexpectedError: `NEXT` does not list it in this state.
        """
        # A process that was frozen finds old messages waiting; its session is dead all the same.
        if saw in {Saw.HEARD, Saw.SYNCED} and self.state in UP and now_s >= self._heard_s + self._pace.timeout_s:
            saw, message = Saw.DUE, None
        before = self.state
        after = NEXT.get((before, saw))
        if after is None:
            raise UnexpectedError(f"{saw.name} while {before.name}")
        self.state = after
        found: list[WorkerInstruction] = []  # of OPENED: the coordinator speaks first
        if message is not None:
            found = self._message(message, seq, now_s)
        elif after is State.DIALING:
            found = self._dial(now_s)
        elif after is State.WAITING:
            found = self._down(before, saw, now_s, why)
        elif after is State.STOPPED:
            found = self._stop(why)
        elif saw is Saw.BEAT:
            self._beat_s = now_s + self._pace.heartbeat_s
            found = [Send(Heartbeat())]
        elif saw is Saw.LEAVE:
            found = [Send(Leaving()), *self._cancel(list(self.running))]
        return found

    def finished(self, result: Result) -> list[WorkerInstruction]:
        """An execution ended and its result is durable."""
        self._ended(result.task)
        self.results[result.task] = result
        return self._offer([result]) if self.state in UP else []

    def cancelled(self, task: str) -> list[WorkerInstruction]:
        """An execution ended without a result."""
        again = self._ended(task)
        self.saved.add(task)
        if again is None or self.state is State.DRAINING:
            return []
        self.running[task] = again.lease
        return [Execute(again)]

    def checkpointed(self, checkpoint: Checkpoint) -> list[WorkerInstruction]:
        """A running task saved its progress."""
        if checkpoint.task not in self.running:
            return []
        # The lease may be a newer one than the execution began under.
        current = msgspec.structs.replace(checkpoint, lease=self.running[checkpoint.task])
        self._checkpoints[checkpoint.task] = current
        return [Send(current)] if self.state in UP else []

    def acknowledged(self, task: str) -> list[WorkerInstruction]:
        """The coordinator holds the result of `task` for good."""
        return [Forget(task)] if self.results.pop(task, None) is not None else []

    # --- connecting -------------------------------------------------------------------------------------

    def _dial(self, now_s: float) -> list[WorkerInstruction]:
        self._tries += 1
        self._try_began_s = now_s
        return [Log(self._marker, "attempt", {"n": self._tries, "url": self._identity.url}), Dial()]

    @property
    def _marker(self) -> Marker:
        return Marker.RECONNECT if self._ever_up else Marker.CONNECT

    def _down(self, before: State, saw: Saw, now_s: float, why: Why) -> list[WorkerInstruction]:
        if before in UP:
            unsynced: list[WorkerInstruction] = []
            if before is State.SYNCING:
                unsynced = [Log(Marker.SYNC, "failed", {"error": "session lost"})]
            return [*unsynced, *self._lost(saw, now_s, why), *self._schedule(now_s)]
        error = why.error
        if saw is Saw.DUE:
            error = f"no answer within {self._pace.timeout_s:g} s"
        elif saw is Saw.DROPPED:
            error = error or f"closed with code {why.code} {why.reason}".rstrip()
        return [*self._failed(error, now_s), Abort(), *self._schedule(now_s)]

    def _failed(self, error: str, now_s: float) -> list[WorkerInstruction]:
        took_s = now_s - self._try_began_s
        return [Log(self._marker, "failed", {"n": self._tries, "error": error, "took_s": took_s})]

    def _lost(self, saw: Saw, now_s: float, why: Why) -> list[WorkerInstruction]:
        causes = {Saw.DUE: "heartbeat", Saw.FORCED: "forced", Saw.DROPPED: "error" if why.error else "closed"}
        fields: Fields = {"cause": causes[saw]}
        if saw is Saw.DROPPED:
            fields["code"] = why.code
        if why.error or why.reason:
            fields["reason"] = why.error or why.reason
        fields["detected_s"] = now_s - self._heard_s
        if self._pace.backoff.resets_after(now_s - self._up_since_s, self._delay_s):
            self._steps, self._delay_s = 0, 0.0
        self._tries = 0
        self._down_since_s = now_s
        return [Log(Marker.RECONNECT, "lost", fields), Abort()]

    def _schedule(self, now_s: float) -> list[WorkerInstruction]:
        if self._return is not None:
            window = self._return
            self._return = None
            self._delay_s = window.after_s + self._draw.uniform(0.0, window.window_s)
        else:
            self._delay_s = self._pace.backoff.delay_s(self._steps, self._delay_s, self._draw)
            self._steps += 1
        self._wait_until_s = now_s + self._delay_s
        if not self._ever_up:  # RECONNECT lines belong to workers that were connected once
            return []
        return [Log(Marker.RECONNECT, "scheduled", {"n": self._tries + 1, "delay_s": self._delay_s})]

    def _stop(self, why: Why) -> list[WorkerInstruction]:
        fields: Fields = {"code": why.code or CLOSE_LEAVING, "reason": "worker stopped"}
        return [Abort(), Log(Marker.CONNECT, "closed", fields), Stopped()]

    # --- messages ---------------------------------------------------------------------------------------

    def _message(self, message: Message, seq: int, now_s: float) -> list[WorkerInstruction]:
        self._heard_s = now_s
        found: list[WorkerInstruction] = []
        match message:
            case Challenge():
                found = self._answer(message)
            case Welcome():
                found = self._welcomed(message, now_s)
            case Refuse():
                found = self._refused(message, now_s)
            case Synced():
                found = self._synced(message, now_s)
            case Assign():
                found = self._assigned(message)
            case Cancel():
                found = self._cancel([message.task])
            case GoingAway():
                self._return = message
        return found if isinstance(message, (*HANDSHAKE, Ack)) else [*found, Send(Ack(seq))]

    def _answer(self, challenge: Challenge) -> list[WorkerInstruction]:
        me = self._identity
        nonce = self._entropy(keys.NONCE_BYTES)
        handshake = keys.Handshake("worker", me.worker, challenge.nonce, nonce)
        hello = Hello(role="worker", name=me.worker, nonce=nonce, proof=handshake.proof(me.key), slots=me.slots)
        return [Secure(handshake.session_key(me.key)), Send(hello)]

    def _welcomed(self, welcome: Welcome, now_s: float) -> list[WorkerInstruction]:
        fields: Fields = {"n": self._tries}
        if self._ever_up:
            fields["down_s"] = now_s - self._down_since_s
        else:
            fields["took_s"] = now_s - self._try_began_s
        fields["session"] = welcome.session
        if self._ever_up:
            fields["resumed"] = welcome.resumed
        established = Log(self._marker, "established", fields)
        self._ever_up, self._tries, self._return = True, 0, None
        self._up_since_s = self._sync_began_s = now_s
        self._beat_s = now_s + self._pace.heartbeat_s
        self._offered.clear()
        results = list(self.results)
        running = [Running(task, lease) for task, lease in self.running.items()]
        return [
            Log(Marker.SECURITY, "auth_ok"),
            established,
            Log(Marker.SYNC, "started", {"results": len(results), "states": len(running)}),
            Send(Sync(results, running, sorted(self.saved))),
        ]

    def _refused(self, refuse: Refuse, now_s: float) -> list[WorkerInstruction]:
        fields: Fields = {"reason": refuse.reason, "peer": self._identity.url}
        return [
            *self._failed(f"refused: {refuse.reason}", now_s),
            Log(Marker.SECURITY, "auth_failed", fields),
            Abort(),
            *self._schedule(now_s),
        ]

    def _synced(self, synced: Synced, now_s: float) -> list[WorkerInstruction]:
        known = [task for task in synced.known if task in self.results]
        forget = [instruction for task in known for instruction in self.acknowledged(task)]
        forget += [Forget(task) for task in synced.known if task in self.saved]
        self.saved.difference_update(synced.known)
        resend = self._offer([result for task, result in self.results.items() if task not in self._offered])
        stop = self._cancel(synced.stop)
        progress: list[WorkerInstruction] = [
            Send(checkpoint) for task, checkpoint in self._checkpoints.items() if task not in synced.stop
        ]
        fields: Fields = {
            "took_s": now_s - self._sync_began_s,
            "resent": len(resend),
            "duplicates": len(known),
        }
        return [*forget, *resend, *stop, *progress, Log(Marker.SYNC, "completed", fields)]

    def _assigned(self, assign: Assign) -> list[WorkerInstruction]:
        if self.state is State.DRAINING:
            return []  # the coordinator requeues it when this session ends
        if not TASK_ID.fullmatch(assign.task):
            raise UnexpectedError(f"task id {assign.task[:80]!r}")
        # The coordinator lost sight of a finished or running task; the answer is what is there already.
        if assign.task in self.results:
            return self._offer([self.results[assign.task]])
        already = assign.task in self.running
        if assign.task in self._stopping:  # it went elsewhere and came back before its execution noticed
            self._stopping[assign.task] = assign
        self.running[assign.task] = assign.lease
        log = Log(Marker.TASK, "assigned", {"task": assign.task, "worker": self._identity.worker})
        self.saved.discard(assign.task)
        return [log] if already else [log, Execute(assign)]

    def _offer(self, results: list[Result]) -> list[WorkerInstruction]:
        self._offered.update(result.task for result in results)
        return [Send(result) for result in results]

    def _cancel(self, tasks: list[str]) -> list[WorkerInstruction]:
        running = [task for task in tasks if task in self.running]
        self._stopping.update(dict.fromkeys(running))
        return [CancelTask(task) for task in running]

    def _ended(self, task: str) -> Assign | None:
        self.running.pop(task, None)
        self._checkpoints.pop(task, None)
        return self._stopping.pop(task, None)

    def close(self) -> Close:
        """How a drained worker takes leave."""
        return Close(CLOSE_LEAVING, "worker stopped")
