"""What the machines tell their shells to do; plain values, so a test reads them like a transcript.

Both machines return lists of these. A shell carries them out in order; `Store*` before any `Send` that
follows them reaches the network.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from recontool.model.events import Value
from recontool.model.markers import Marker
from recontool.runtime.messages import Assign, Json, Message

Fields: TypeAlias = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Log:
    """Write one event."""

    marker: Marker | None
    name: str
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a connection."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put `message` in the queue of the worker's one connection, or of connection `link`."""

    message: Message
    link: int = 0


@dataclass(frozen=True, slots=True)
class Secure:
    """From the next frame on, sign with `key`."""

    key: bytes
    link: int = 0


@dataclass(frozen=True, slots=True)
class Abort:
    """Drop the connection at once; never wait for a peer that is silent."""

    link: int = 0


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection in good order once what is queued has been sent."""

    code: int
    reason: str
    link: int = 0


@dataclass(frozen=True, slots=True)
class Execute:
    """Start an execution."""

    assign: Assign


@dataclass(frozen=True, slots=True)
class CancelTask:
    """Stop an execution; its result is not wanted."""

    task: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop the durable result and checkpoint of `task`: the coordinator has the result."""

    task: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The machine is done."""


@dataclass(frozen=True, slots=True)
class StoreTask:
    """Keep a submitted task."""

    task: str
    spec: dict[str, Json]
    at_us: int


@dataclass(frozen=True, slots=True)
class StoreAssignment:
    """Keep who runs `task` under which lease."""

    task: str
    worker: str
    lease: int


@dataclass(frozen=True, slots=True)
class StoreCheckpoint:
    """Keep a task's progress."""

    task: str
    number: int
    state: Json


@dataclass(frozen=True, slots=True)
class StoreResult:
    """Keep a task's result, unless it has one."""

    task: str
    worker: str
    ok: bool
    value: Json
    error: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A worker's metrics, for the snapshots and the REST answer."""

    worker: str
    at_us: int
    metrics: dict[str, float | int | None]


WorkerInstruction: TypeAlias = Log | Dial | Send | Secure | Abort | Close | Execute | CancelTask | Forget | Stopped
Store: TypeAlias = StoreTask | StoreAssignment | StoreCheckpoint | StoreResult
CoordinatorInstruction: TypeAlias = Log | Send | Secure | Abort | Close | Store | Sample
