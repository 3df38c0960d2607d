"""What the machines tell their shells to do; plain values, so a test reads them like a transcript.

Both machines return lists of these. A shell carries them out in order; `Store*` before any `Send` that
follows them reaches the network.
"""

from typing import TypeAlias

from msgspec import Struct, field

from recontool.model.events import Value
from recontool.model.markers import Marker
from recontool.runtime.messages import Assign, Json, Message

Fields: TypeAlias = dict[str, Value]


class Log(Struct, frozen=True):
    """Write one event."""

    marker: Marker | None
    name: str
    fields: Fields = field(default_factory=dict)


class Dial(Struct, frozen=True):
    """Open a connection."""


class Send(Struct, frozen=True):
    """Put `message` in the queue of the worker's one connection, or of connection `link`."""

    message: Message
    link: int = 0


class Secure(Struct, frozen=True):
    """From the next frame on, sign with `key`."""

    key: bytes
    link: int = 0


class Abort(Struct, frozen=True):
    """Drop the connection at once; never wait for a peer that is silent."""

    link: int = 0


class Close(Struct, frozen=True):
    """End the connection in good order once what is queued has been sent."""

    code: int
    reason: str
    link: int = 0


class Execute(Struct, frozen=True):
    """Start an execution."""

    assign: Assign


class CancelTask(Struct, frozen=True):
    """Stop an execution; its result is not wanted."""

    task: str


class Forget(Struct, frozen=True):
    """Drop the durable result and checkpoint of `task`: the coordinator has the result."""

    task: str


class Stopped(Struct, frozen=True):
    """The machine is done."""


class StoreTask(Struct, frozen=True):
    """Keep a submitted task."""

    task: str
    spec: dict[str, Json]
    at_us: int


class StoreAssignment(Struct, frozen=True):
    """Keep who runs `task` under which lease."""

    task: str
    worker: str
    lease: int


class StoreCheckpoint(Struct, frozen=True):
    """Keep a task's progress."""

    task: str
    number: int
    state: Json


class StoreResult(Struct, frozen=True):
    """Keep a task's result, unless it has one."""

    task: str
    worker: str
    ok: bool
    value: Json
    error: str
    at_us: int


class Sample(Struct, frozen=True):
    """A worker's metrics, for the snapshots and the REST answer."""

    worker: str
    at_us: int
    metrics: dict[str, float | int | None]


WorkerInstruction: TypeAlias = Log | Dial | Send | Secure | Abort | Close | Execute | CancelTask | Forget | Stopped
Store: TypeAlias = StoreTask | StoreAssignment | StoreCheckpoint | StoreResult
CoordinatorInstruction: TypeAlias = Log | Send | Secure | Abort | Close | Store | Sample
