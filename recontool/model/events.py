"""The event vocabulary: every event of format tagged-v1, with the type of each field.

Writer, parser, fold, export and docs read these tables; nothing else repeats a field's type.
Source: SPEC section 2.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from msgspec import Struct, field

from recontool.model.catalogue import CATALOGUE, DOCUMENTED
from recontool.model.markers import Marker
from recontool.model.settings import SETTINGS

Value: TypeAlias = str | int | float | bool

FIELD_TYPES: Final[Mapping[str, type[str] | type[int] | type[float] | type[bool]]] = {
    "n": int,
    "url": str,
    "session": str,
    "took_s": float,
    "took_ms": float,
    "error": str,
    "code": int,
    "reason": str,
    "worker": str,
    "cause": str,
    "detected_s": float,
    "delay_s": float,
    "down_s": float,
    "resumed": bool,
    "results": int,
    "states": int,
    "resent": int,
    "duplicates": int,
    "task": str,
    "checkpoint": str,
    "size_bytes": int,
    "attempt": int,
    "peer": str,
    "raw_bytes": int,
    "wire_bytes": int,
    "type": str,
    "seq": int,
    "rtt_ms": float,
    "depth": int,
    "oldest_s": float,
    "lag_ms": float,
    # Not a documented metric: how many acknowledgements a reported mean latency stands for.
    "messages_acked": int,
    "role": str,
    "version": str,
    "pid": int,
    "alert": str,
    "severity": str,
    "state": str,
    "alert_value": float,
    "channel": str,
    "key": str,
    **{setting.name: setting.kind for setting in SETTINGS},
    **{metric.name: int if metric.unit == "count" else float for metric in CATALOGUE.values()},
}


class Event(Struct, eq=False):
    """One record of a log; `marker` is "" on unmarked lines, `name` is "" on records that are no event.

    `fields` holds the known fields that stand on the line, typed as in `FIELD_TYPES`; what is absent is absent.
    `line` is the 1-based number of the line it was read from, 0 when it was not read from a file.
    """

    at_us: int
    level: str
    source: str
    marker: str
    name: str
    fields: dict[str, Value] = field(default_factory=dict)
    line: int = 0

    __hash__ = None  # type: ignore[assignment]  # its fields change

    def _told(self) -> tuple[object, ...]:
        """All but where it was read from, which does not tell two records apart."""
        return (self.at_us, self.level, self.source, self.marker, self.name, self.fields)

    def __eq__(self, other: object) -> bool:
        return self._told() == other._told() if isinstance(other, Event) else NotImplemented


class EventSpec(Struct, frozen=True):
    """A row of the vocabulary."""

    marker: str
    name: str
    fields: tuple[str, ...]
    meaning: str


_CONNECT, _RECONNECT, _SYNC = Marker.CONNECT, Marker.RECONNECT, Marker.SYNC
_CHECKPOINT, _TASK, _SECURITY, _COMPRESS = Marker.CHECKPOINT, Marker.TASK, Marker.SECURITY, Marker.COMPRESS

EVENTS: Final[tuple[EventSpec, ...]] = (
    EventSpec(_CONNECT, "attempt", ("n", "url"), "the first try to open a connection after a start"),
    EventSpec(_CONNECT, "established", ("session", "took_s"), "the session is usable for the first time"),
    EventSpec(_CONNECT, "failed", ("n", "error", "took_s"), "a first try did not lead to a session"),
    EventSpec(_CONNECT, "closed", ("code", "reason"), "an orderly end; observation stops here"),
    EventSpec(_CONNECT, "accepted", ("worker", "session"), "coordinator: a worker's session began"),
    EventSpec(_CONNECT, "disconnected", ("worker", "code", "reason"), "coordinator: a worker's session ended"),
    EventSpec(_RECONNECT, "lost", ("cause", "code", "detected_s", "reason"), "an established session was lost"),
    EventSpec(_RECONNECT, "scheduled", ("n", "delay_s"), "the next try waits this long"),
    EventSpec(_RECONNECT, "attempt", ("n", "url"), "a try to open a connection again"),
    EventSpec(_RECONNECT, "failed", ("n", "error", "took_s"), "a try did not lead to a session"),
    EventSpec(_RECONNECT, "established", ("n", "down_s", "session", "resumed"), "the session is usable again"),
    EventSpec(_RECONNECT, "gave_up", ("n",), "the worker stopped trying"),
    EventSpec(_SYNC, "started", ("results", "states", "worker"), "state exchange after a connect began"),
    EventSpec(_SYNC, "completed", ("took_s", "resent", "duplicates", "worker"), "both sides agree again"),
    EventSpec(_SYNC, "failed", ("error", "worker"), "state exchange did not finish"),
    EventSpec(_CHECKPOINT, "created", ("task", "checkpoint", "size_bytes", "took_ms"), "a task's progress was saved"),
    EventSpec(_CHECKPOINT, "restored", ("task", "checkpoint"), "a task went on from saved progress"),
    EventSpec(_CHECKPOINT, "failed", ("task", "error"), "progress could not be saved or loaded"),
    EventSpec(_TASK, "submitted", ("task", "type"), "coordinator: a task was accepted"),
    EventSpec(_TASK, "assigned", ("task", "worker"), "a task was handed to a worker"),
    EventSpec(_TASK, "started", ("task", "attempt"), "an execution began"),
    EventSpec(_TASK, "completed", ("task", "took_ms"), "an execution ended well"),
    EventSpec(_TASK, "failed", ("task", "took_ms", "error"), "an execution ended in an error"),
    EventSpec(_TASK, "cancelled", ("task",), "an execution was called off"),
    EventSpec(_TASK, "applied", ("task", "worker"), "coordinator: a result was stored"),
    EventSpec(_TASK, "duplicate", ("task", "worker"), "coordinator: a result was already stored"),
    EventSpec(_SECURITY, "auth_ok", ("worker", "peer"), "a peer proved its key"),
    EventSpec(_SECURITY, "auth_failed", ("reason", "peer", "worker"), "a peer's key was refused"),
    EventSpec(_SECURITY, "bad_signature", ("worker", "peer"), "a frame's signature did not fit"),
    EventSpec(_SECURITY, "replayed", ("worker", "seq"), "a frame came a second time"),
    EventSpec(_SECURITY, "oversized", ("size_bytes", "worker"), "a frame was larger than allowed"),
    EventSpec(_SECURITY, "malformed", ("error", "worker"), "a frame could not be decoded"),
    EventSpec(_COMPRESS, "compressed", ("raw_bytes", "wire_bytes", "took_ms", "worker"), "a message was compressed"),
    EventSpec(_COMPRESS, "decompressed", ("raw_bytes", "wire_bytes", "took_ms", "worker"), "a message was unpacked"),
    EventSpec(_COMPRESS, "skipped", ("raw_bytes", "reason", "worker"), "a message went uncompressed"),
    EventSpec(
        "",
        "config",
        ("role", "version", "pid", *(setting.name for setting in SETTINGS)),
        "a process started; every tunable of its role and its value",
    ),
    EventSpec(
        "",
        "metrics",
        (*(m.name for m in DOCUMENTED), "messages_acked", "reconnections", "uptime_s"),
        "what the process itself reports",
    ),
    EventSpec("", "message_sent", ("type", "size_bytes", "seq", "worker"), "an application message left"),
    EventSpec("", "message_received", ("type", "size_bytes", "seq", "worker"), "an application message came"),
    EventSpec("", "message_acked", ("seq", "rtt_ms", "worker"), "the peer acknowledged a message"),
    EventSpec("", "message_error", ("error", "worker"), "a message could not be delivered"),
    EventSpec("", "queue", ("depth", "oldest_s"), "state of the outgoing queue"),
    EventSpec("", "loop_lag", ("lag_ms",), "how late the event loop ran"),
    EventSpec(
        "",
        "alert",
        ("alert", "severity", "state", "worker", "alert_value"),
        "coordinator: an alert is pending, firing or resolved; without a worker it is the fleet's",
    ),
    EventSpec(
        "",
        "notification",
        ("channel", "state", "key", "n", "delay_s", "error"),
        "coordinator: a message to a channel was delivered, is waiting for another try, or was dropped",
    ),
)

EVENT_SCHEMA: Final[Mapping[tuple[str, str], EventSpec]] = {(spec.marker, spec.name): spec for spec in EVENTS}

# Read from logs only, never written as one line: a metrics block, label by label, folded into one event.
METRICS_BLOCK: Final = "metrics_block"
STATUS: Final = "status"
PROCESS_STARTED: Final = "process_started"
PROCESS_STOPPING: Final = "process_stopping"
UNMARKED_BY_TEMPLATES: Final = (METRICS_BLOCK, STATUS, PROCESS_STARTED, PROCESS_STOPPING)

for _spec in EVENTS:
    _untyped = set(_spec.fields) - set(FIELD_TYPES)
    if _untyped:
        raise ValueError(f"event {_spec.name!r} has fields without a type: {sorted(_untyped)}")
