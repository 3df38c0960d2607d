"""The worker's machine: what it saw goes in, what to do comes out. No socket, no clock, no thread.

`NEXT` is the whole life of a worker's session; a pair it does not list cannot happen, and a peer that
makes it happen is refused.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from recontool.model.events import Value
from recontool.model.markers import Marker
from recontool.model.policy import Backoff
from recontool.runtime import keys
from recontool.runtime.instructions import (
    Abort,
    CancelTask,
    Close,
    Dial,
    Execute,
    Forget,
    Log,
    Secure,
    Send,
    Stopped,
    WorkerInstruction,
)
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
    Message,
    Refuse,
    Result,
    Running,
    Sync,
    Synced,
    Welcome,
)

State = Enum("State", "NEW WAITING DIALING AUTHENTICATING SYNCING ONLINE DRAINING STOPPED")
Saw = Enum(
    "Saw",
    "START DUE BEAT OPENED UNREACHABLE CHALLENGED WELCOMED REFUSED SYNCED HEARD DROPPED FORCED LEAVE DRAINED",
)

UP: Final = frozenset({State.SYNCING, State.ONLINE, State.DRAINING})
NEXT: Final[dict[tuple[State, Saw], State]] = {
    (State.NEW, Saw.START): State.DIALING,
    (State.NEW, Saw.LEAVE): State.STOPPED,
    (State.WAITING, Saw.DUE): State.DIALING,
    (State.WAITING, Saw.LEAVE): State.STOPPED,
    (State.DIALING, Saw.OPENED): State.AUTHENTICATING,
    (State.DIALING, Saw.UNREACHABLE): State.WAITING,
    (State.DIALING, Saw.DUE): State.WAITING,
    (State.DIALING, Saw.LEAVE): State.STOPPED,
    (State.AUTHENTICATING, Saw.CHALLENGED): State.AUTHENTICATING,
    (State.AUTHENTICATING, Saw.WELCOMED): State.SYNCING,
    (State.AUTHENTICATING, Saw.REFUSED): State.WAITING,
    (State.AUTHENTICATING, Saw.DUE): State.WAITING,
    (State.AUTHENTICATING, Saw.DROPPED): State.WAITING,
    (State.AUTHENTICATING, Saw.LEAVE): State.STOPPED,
    (State.SYNCING, Saw.SYNCED): State.ONLINE,
    (State.SYNCING, Saw.HEARD): State.SYNCING,
    (State.SYNCING, Saw.BEAT): State.SYNCING,
    (State.SYNCING, Saw.DUE): State.WAITING,
    (State.SYNCING, Saw.DROPPED): State.WAITING,
    (State.SYNCING, Saw.FORCED): State.WAITING,
    (State.SYNCING, Saw.LEAVE): State.DRAINING,
    (State.ONLINE, Saw.HEARD): State.ONLINE,
    (State.ONLINE, Saw.BEAT): State.ONLINE,
    (State.ONLINE, Saw.DUE): State.WAITING,
    (State.ONLINE, Saw.DROPPED): State.WAITING,
    (State.ONLINE, Saw.FORCED): State.WAITING,
    (State.ONLINE, Saw.LEAVE): State.DRAINING,
    (State.DRAINING, Saw.SYNCED): State.DRAINING,
    (State.DRAINING, Saw.HEARD): State.DRAINING,
    (State.DRAINING, Saw.BEAT): State.DRAINING,
    (State.DRAINING, Saw.DUE): State.STOPPED,
    (State.DRAINING, Saw.DROPPED): State.STOPPED,
    (State.DRAINING, Saw.DRAINED): State.STOPPED,
}

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


class UnexpectedError(Exception):
    """The pair is not in `NEXT`: a bug of the shell, or a peer that does not keep to the protocol."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the worker is and how it proves it; `url` and `peer` only for the log."""

    worker: str
    key: str
    url: str
    slots: int = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """Intervals in seconds and the backoff between tries."""

    heartbeat_s: float
    timeout_s: float
    backoff: Backoff


class Session:
    """One worker's session over all its connections.

    Every method that takes `now_s` expects a clock that never goes backwards, in seconds.
    """

    def __init__(self, identity: Identity, pace: Pace, *, draw: random.Random, entropy: Callable[[int], bytes]) -> None:
        self.state = State.NEW
        self.results: dict[str, Result] = {}  # finished, not yet acknowledged
        self.running: dict[str, int] = {}  # task -> lease
        self._checkpoints: dict[str, Checkpoint] = {}  # the latest of each running task
        self._offered: set[str] = set()  # results already sent in this session
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
        self, saw: Saw, now_s: float, *, message: Message | None = None, seq: int = 0, error: str = "", code: int = 0
    ) -> list[WorkerInstruction]:
        """Take one stimulus; `error` and `code` tell why a connection failed or ended.

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
        if message is not None:
            return self._message(message, seq, now_s)
        if after is State.DIALING:
            return self._dial(now_s)
        if after is State.WAITING:
            return self._down(before, saw, now_s, error, code)
        if after is State.STOPPED:
            return self._stop(before, saw, code)
        if saw is Saw.BEAT:
            self._beat_s = now_s + self._pace.heartbeat_s
            return [Send(Heartbeat())]
        if saw is Saw.LEAVE:
            return [Send(Leaving()), *(CancelTask(task) for task in self.running)]
        return []  # OPENED: the coordinator speaks first

    def finished(self, result: Result) -> list[WorkerInstruction]:
        """An execution ended and its result is durable."""
        self.running.pop(result.task, None)
        self._checkpoints.pop(result.task, None)
        self.results[result.task] = result
        return self._offer([result]) if self.state in UP else []

    def cancelled(self, task: str) -> None:
        """An execution ended without a result."""
        self.running.pop(task, None)
        self._checkpoints.pop(task, None)

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

    def _down(self, before: State, saw: Saw, now_s: float, error: str, code: int) -> list[WorkerInstruction]:
        if before in UP:
            unsynced: list[WorkerInstruction] = []
            if before is State.SYNCING:
                unsynced = [Log(Marker.SYNC, "failed", {"error": "session lost"})]
            return [*unsynced, *self._lost(saw, now_s, error, code), *self._schedule(now_s)]
        if saw is Saw.DUE:
            error = f"no answer within {self._pace.timeout_s:g} s"
        elif saw is Saw.DROPPED:
            error = error or f"closed with code {code}"
        return [*self._failed(error, now_s), Abort(), *self._schedule(now_s)]

    def _failed(self, error: str, now_s: float) -> list[WorkerInstruction]:
        took_s = now_s - self._try_began_s
        return [Log(self._marker, "failed", {"n": self._tries, "error": error, "took_s": took_s})]

    def _lost(self, saw: Saw, now_s: float, error: str, code: int) -> list[WorkerInstruction]:
        causes = {Saw.DUE: "heartbeat", Saw.FORCED: "forced", Saw.DROPPED: "error" if error else "closed"}
        fields: dict[str, Value] = {"cause": causes[saw]}
        if saw is Saw.DROPPED:
            fields["code"] = code
        if error:
            fields["reason"] = error
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

    def _stop(self, before: State, saw: Saw, code: int) -> list[WorkerInstruction]:
        orderly = before not in UP or saw is Saw.DRAINED
        fields: dict[str, Value] = {"code": CLOSE_LEAVING if orderly else code, "reason": "worker stopped"}
        return [Abort(), Log(Marker.CONNECT, "closed", fields), Stopped()]

    # --- messages ---------------------------------------------------------------------------------------

    def _message(self, message: Message, seq: int, now_s: float) -> list[WorkerInstruction]:
        self._heard_s = now_s
        match message:
            case Challenge():
                return self._answer(message)
            case Welcome():
                return self._welcomed(message, now_s)
            case Refuse():
                return self._refused(message, now_s)
            case Ack():
                return []
            case Synced():
                return [*self._synced(message, now_s), Send(Ack(seq))]
            case Assign():
                return [*self._assigned(message), Send(Ack(seq))]
            case Cancel():
                return [*self._cancel([message.task]), Send(Ack(seq))]
            case GoingAway():
                self._return = message
        return [Send(Ack(seq))]

    def _answer(self, challenge: Challenge) -> list[WorkerInstruction]:
        me = self._identity
        nonce = self._entropy(keys.NONCE_BYTES)
        proof = keys.proof(me.key, "worker", me.worker, challenge.nonce, nonce)
        hello = Hello(role="worker", name=me.worker, nonce=nonce, proof=proof, slots=me.slots)
        return [Secure(keys.session_key(me.key, "worker", me.worker, challenge.nonce, nonce)), Send(hello)]

    def _welcomed(self, welcome: Welcome, now_s: float) -> list[WorkerInstruction]:
        fields: dict[str, Value] = {"n": self._tries}
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
            Send(Sync(results, running)),
        ]

    def _refused(self, refuse: Refuse, now_s: float) -> list[WorkerInstruction]:
        fields: dict[str, Value] = {"reason": refuse.reason, "peer": self._identity.url}
        return [
            *self._failed(f"refused: {refuse.reason}", now_s),
            Log(Marker.SECURITY, "auth_failed", fields),
            Abort(),
            *self._schedule(now_s),
        ]

    def _synced(self, synced: Synced, now_s: float) -> list[WorkerInstruction]:
        known = [task for task in synced.known if task in self.results]
        forget = [instruction for task in known for instruction in self.acknowledged(task)]
        resend = self._offer([result for task, result in self.results.items() if task not in self._offered])
        stop = self._cancel(synced.stop)
        progress: list[WorkerInstruction] = [
            Send(checkpoint) for task, checkpoint in self._checkpoints.items() if task not in synced.stop
        ]
        fields: dict[str, Value] = {
            "took_s": now_s - self._sync_began_s,
            "resent": len(resend),
            "duplicates": len(known),
        }
        return [*forget, *resend, *stop, *progress, Log(Marker.SYNC, "completed", fields)]

    def _assigned(self, assign: Assign) -> list[WorkerInstruction]:
        if self.state is State.DRAINING:
            return []  # the coordinator requeues it when this session ends
        # The coordinator lost sight of a finished or running task; the answer is what is there already.
        if assign.task in self.results:
            return self._offer([self.results[assign.task]])
        already = assign.task in self.running
        self.running[assign.task] = assign.lease
        log = Log(Marker.TASK, "assigned", {"task": assign.task, "worker": self._identity.worker})
        return [log] if already else [log, Execute(assign)]

    def _offer(self, results: list[Result]) -> list[WorkerInstruction]:
        self._offered.update(result.task for result in results)
        return [Send(result) for result in results]

    def _cancel(self, tasks: list[str]) -> list[WorkerInstruction]:
        return [CancelTask(task) for task in tasks if task in self.running]

    def close(self) -> Close:
        """How a drained worker takes leave."""
        return Close(CLOSE_LEAVING, "worker stopped")
