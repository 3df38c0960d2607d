"""The messages coordinator and worker exchange, and how urgent each is.

Every message is a tagged msgspec struct, so decoding validates. Unknown fields are ignored, which lets
either side be the newer one.
"""

from enum import IntEnum
from typing import Any, Final, Literal, TypeAlias

import msgspec

Role: TypeAlias = Literal["worker", "operator"]
Json: TypeAlias = Any  # what JSON can hold; parameters, states and results belong to the user's task

PROTOCOL_VERSION: Final = 1


class Frame(msgspec.Struct, frozen=True, tag_field="t", tag=str.lower):
    """Base of every message."""


class Challenge(Frame, frozen=True):
    """Coordinator's first word: prove that you hold the key over `nonce`."""

    nonce: bytes
    version: int = PROTOCOL_VERSION


class Hello(Frame, frozen=True):
    """The client's proof and who it is. `slots` is how many tasks it runs at once."""

    role: Role
    name: str
    nonce: bytes
    proof: bytes
    slots: int = 1
    version: int = PROTOCOL_VERSION


class Welcome(Frame, frozen=True):
    """The session is usable. `resumed`: the coordinator still held leases of this worker."""

    session: str
    resumed: bool = False


class Refuse(Frame, frozen=True):
    """The session is not to be; the connection closes next."""

    reason: str


class Heartbeat(Frame, frozen=True):
    """Nothing but a sign of life; its acknowledgement is the other side's."""


class Ack(Frame, frozen=True):
    """The message with sequence number `seq` has been taken over, durably where it matters."""

    seq: int


class Running(msgspec.Struct, frozen=True):
    """An execution that goes on in a worker: task id and the lease it runs under."""

    task: str
    lease: int


class Sync(Frame, frozen=True):
    """After every connect: results not acknowledged yet, what is still running, and whose progress is kept."""

    results: list[str]
    running: list[Running]
    saved: list[str] = []


class Synced(Frame, frozen=True):
    """Answer to Sync: tasks among results and saved that have a result; executions another worker has now."""

    known: list[str]
    stop: list[str]


class Assign(Frame, frozen=True):
    """Run `task`. `state` is its last checkpoint, taken after `number` steps; None to begin at the start."""

    task: str
    lease: int
    spec: dict[str, Json]
    number: int = 0
    state: Json = None


class Cancel(Frame, frozen=True):
    """Stop running `task`; its result is not wanted."""

    task: str


class Checkpoint(Frame, frozen=True):
    """A running task's progress after `number` steps."""

    task: str
    lease: int
    number: int
    state: Json


class Result(Frame, frozen=True):
    """How an execution ended. Kept by the worker until it is acknowledged."""

    task: str
    lease: int
    ok: bool
    value: Json = None
    error: str = ""
    took_ms: float = 0.0


class Report(Frame, frozen=True):
    """A worker's metrics at `at_us`."""

    at_us: int
    metrics: dict[str, float | int | None]


class Leaving(Frame, frozen=True):
    """The worker shuts down in good order: assign it nothing, requeue what it held."""


class GoingAway(Frame, frozen=True):
    """The coordinator shuts down: come back at a random moment of [after_s, after_s + window_s]."""

    after_s: float
    window_s: float


class Submit(Frame, frozen=True):
    """Operator: run these tasks."""

    tasks: list[dict[str, Json]]


class Submitted(Frame, frozen=True):
    """Answer to Submit, in its order."""

    tasks: list[str]


class ListTasks(Frame, frozen=True):
    """Operator: what became of the tasks."""


class TaskRow(msgspec.Struct, frozen=True):
    """One task as an operator sees it."""

    id: str
    type: str
    state: str
    worker: str | None
    attempts: int
    applied_us: int | None


class TaskList(Frame, frozen=True):
    """Answer to ListTasks, in order of submission."""

    tasks: list[TaskRow]


class Rejected(Frame, frozen=True):
    """Answer to an operator's request that cannot be met."""

    reason: str


Message: TypeAlias = (
    Challenge
    | Hello
    | Welcome
    | Refuse
    | Heartbeat
    | Ack
    | Sync
    | Synced
    | Assign
    | Cancel
    | Checkpoint
    | Result
    | Report
    | Leaving
    | GoingAway
    | Submit
    | Submitted
    | ListTasks
    | TaskList
    | Rejected
)

HANDSHAKE: Final = (Challenge, Hello, Welcome, Refuse)  # answered by each other, so never acknowledged
UNSIGNED: Final = (Challenge, Hello, Refuse)  # sent before both sides hold the session's key


class Priority(IntEnum):
    """Five classes; a smaller number goes first."""

    CONTROL = 0
    SESSION = 1
    TASK = 2
    RESULT = 3
    BULK = 4


_PRIORITIES: Final[dict[type[Frame], Priority]] = {
    Challenge: Priority.CONTROL,
    Hello: Priority.CONTROL,
    Welcome: Priority.CONTROL,
    Refuse: Priority.CONTROL,
    Heartbeat: Priority.CONTROL,
    Ack: Priority.CONTROL,
    GoingAway: Priority.CONTROL,
    Leaving: Priority.CONTROL,
    Sync: Priority.SESSION,
    Synced: Priority.SESSION,
    Cancel: Priority.SESSION,
    Rejected: Priority.SESSION,
    Assign: Priority.TASK,
    Submit: Priority.TASK,
    Submitted: Priority.TASK,
    Result: Priority.RESULT,
    ListTasks: Priority.RESULT,
    TaskList: Priority.RESULT,
    Checkpoint: Priority.BULK,
    Report: Priority.BULK,
}


def priority(message: Message) -> Priority:
    """How urgent `message` is."""
    return _PRIORITIES[type(message)]


def type_name(message: Message) -> str:
    """The tag that stands on the wire and in `message_sent` lines."""
    return type(message).__name__.lower()
