"""The metric catalogue: the eighteen documented metrics and the derived ones, one row each.

Fold, plugin, REST, screens, report, snapshots and docs read this table; no other file repeats a unit,
a range, a title or a block label. Source: SPEC section 4 and the monitoring guide it quotes.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Unit: TypeAlias = Literal["count", "s", "ms", "bytes", "ratio", "x", "per_min", "messages"]
Subject: TypeAlias = Literal["connection", "messages", "tasks", "checkpoints", "compression", "process"]


class Normal(Struct, frozen=True):
    """The documented normal range, both ends inclusive; None is an open end.

    With `relative_to` the ends are factors of that metric's value. `too_good` names the side on
    which leaving the range is good news: noted, no finding.
    """

    low: float | None = None
    high: float | None = None
    relative_to: str = ""
    too_good: Literal["", "low", "high"] = ""


class BlockLabel(Struct, frozen=True):
    """How the metric stands in a metrics block: its label, and the unit suffix our writer puts there."""

    label: str
    decimals: int
    suffix: str = ""


class Metric(Struct, frozen=True):
    """One row. `definition` says how it follows from events; `subject` which part of the fold owns it.

    `trailing` marks a count of what happened lately, which falls again; other counts only grow in a process.
    """

    name: str
    title: str
    unit: Unit
    subject: Subject
    definition: str
    normal: Normal = Normal()
    block: BlockLabel | None = None
    trailing: bool = False

    @property
    def counter(self) -> bool:
        """Whether the value only grows, so that its rate means more than itself."""
        return self.unit == "count" and not self.trailing


DOCUMENTED: Final[tuple[Metric, ...]] = (
    Metric(
        "connection_attempts",
        "Connection attempts",
        "count",
        "connection",
        "tries to open a connection, the first connect included",
    ),
    Metric(
        "successful_connections",
        "Successful connections",
        "count",
        "connection",
        "sessions established",
        Normal(low=0.9, relative_to="connection_attempts"),
    ),
    Metric(
        "avg_reconnect_time",
        "Average reconnect time",
        "s",
        "connection",
        "mean duration of completed outages, by the times of the two events",
        Normal(0.5, 3.0, too_good="low"),
        BlockLabel("Average reconnection duration", 1, " s"),
    ),
    Metric(
        "max_reconnect_time",
        "Longest reconnect time",
        "s",
        "connection",
        "duration of the longest completed outage",
        Normal(high=10.0),
    ),
    Metric(
        "connection_stability",
        "Connection stability",
        "ratio",
        "connection",
        "1 - (outage time, an open outage counted to the last record) / (last record - first established); "
        "0 if never established",
        Normal(low=0.95),
    ),
    Metric(
        "messages_sent",
        "Messages sent",
        "count",
        "messages",
        "application messages sent: every frame except acknowledgements, heartbeats included",
        block=BlockLabel("Message count", 0),
    ),
    Metric(
        "messages_received",
        "Messages received",
        "count",
        "messages",
        "application messages received",
        Normal(0.5, 2.0, relative_to="messages_sent"),
    ),
    Metric(
        "avg_message_latency_ms",
        "Average message latency",
        "ms",
        "messages",
        "mean round trip from send to acknowledgement, on a monotonic clock",
        Normal(high=100.0),
        BlockLabel("Average message latency", 1, " ms"),
    ),
    Metric(
        "avg_message_size_bytes",
        "Average message size",
        "bytes",
        "messages",
        "mean size of sent messages before compression",
        block=BlockLabel("Average message size", 1, " bytes"),
    ),
    Metric(
        "message_errors",
        "Message errors",
        "count",
        "messages",
        "messages that could not be delivered",
        Normal(high=0.01, relative_to="messages_sent"),
        BlockLabel("Message errors", 0),
    ),
    Metric(
        "tasks_executed",
        "Tasks executed",
        "count",
        "tasks",
        "executions started",
        block=BlockLabel("Task execution count", 0),
    ),
    Metric(
        "task_success_rate",
        "Task success rate",
        "ratio",
        "tasks",
        "completed / (completed + failed)",
        Normal(low=0.98),
        BlockLabel("Task success rate", 2),
    ),
    Metric(
        "avg_task_execution_time_ms",
        "Average task execution time",
        "ms",
        "tasks",
        "mean over completed and failed executions: the event's own took_ms, else finished minus started",
        block=BlockLabel("Average task duration", 1, " ms"),
    ),
    Metric(
        "checkpoints_created",
        "Checkpoints created",
        "count",
        "checkpoints",
        "checkpoints saved",
        block=BlockLabel("Checkpoints created", 0),
    ),
    Metric(
        "checkpoints_restored",
        "Checkpoints restored",
        "count",
        "checkpoints",
        "tasks that went on from a checkpoint",
        Normal(high=1.0, relative_to="checkpoints_created"),
        BlockLabel("Checkpoints resumed", 0),
    ),
    Metric(
        "compression_ratio",
        "Compression ratio",
        "x",
        "compression",
        "sum of raw sizes / sum of wire sizes over messages that were compressed",
        Normal(2.0, 5.0, too_good="high"),
        BlockLabel("Compression ratio", 1, "x"),
    ),
    Metric(
        "compression_time_ms",
        "Compression time",
        "ms",
        "compression",
        "mean time to compress one message",
        Normal(high=10.0),
    ),
    Metric(
        "decompression_time_ms",
        "Decompression time",
        "ms",
        "compression",
        "mean time to decompress one message",
        Normal(high=5.0),
    ),
)

DERIVED: Final[tuple[Metric, ...]] = (
    Metric(
        "reconnections",
        "Reconnections",
        "count",
        "connection",
        "completed outages",
        block=BlockLabel("Reconnections", 0),
    ),
    Metric(
        "reconnections_per_minute",
        "Reconnections per minute",
        "per_min",
        "connection",
        "reconnections in the trailing 60 s",
        trailing=True,
    ),
    Metric(
        "failed_reconnections",
        "Failed reconnections",
        "count",
        "connection",
        "attempts in the trailing 5 min that did not lead to a session",
        trailing=True,
    ),
    Metric(
        "failed_reconnections_total",
        "Failed reconnections, total",
        "count",
        "connection",
        "attempts that did not lead to a session; one still in flight at the end counts",
    ),
    Metric("avg_message_latency", "Average message latency", "ms", "messages", "alias of avg_message_latency_ms"),
    Metric("uptime_s", "Uptime", "s", "process", "time since the process started", block=BlockLabel("Uptime", 1, " s")),
    Metric("queue_depth", "Queue depth", "messages", "messages", "messages waiting to be sent"),
)

CATALOGUE: Final[Mapping[str, Metric]] = {metric.name: metric for metric in (*DOCUMENTED, *DERIVED)}
CLAIMABLE: Final = (*CATALOGUE, "messages_acked")  # what a process may say about itself, in this order
ALIASES: Final[Mapping[str, str]] = {"avg_message_latency": "avg_message_latency_ms"}

# The block keeps the order of the monitoring guide, which is not the order of the catalogue.
BLOCK: Final[tuple[tuple[Metric, BlockLabel], ...]] = tuple(
    (CATALOGUE[name], label)
    for name in (
        "messages_sent",
        "avg_message_size_bytes",
        "avg_message_latency_ms",
        "message_errors",
        "reconnections",
        "avg_reconnect_time",
        "tasks_executed",
        "task_success_rate",
        "avg_task_execution_time_ms",
        "checkpoints_created",
        "checkpoints_restored",
        "compression_ratio",
        "uptime_s",
    )
    if (label := CATALOGUE[name].block) is not None
)

UNIT_TEXT: Final[Mapping[str, str]] = {
    "count": "",
    "s": "s",
    "ms": "ms",
    "bytes": "bytes",
    "ratio": "",
    "x": "x",
    "per_min": "/min",
    "messages": "",
}

if len(DOCUMENTED) != 18 or len(CATALOGUE) != len(DOCUMENTED) + len(DERIVED):  # noqa: PLR2004
    raise ValueError("the catalogue holds eighteen documented metrics, each name once")
for _metric in CATALOGUE.values():
    if not _metric.definition or (_metric.normal.relative_to and _metric.normal.relative_to not in CATALOGUE):
        raise ValueError(f"metric {_metric.name!r} lacks a definition or compares with an unknown metric")
    if _metric.block is not None and all(_metric is not row for row, _ in BLOCK):
        raise ValueError(f"metric {_metric.name!r} has a block label but no place in the block")
