"""Turns totals into metric values: one formula per metric that adds up, with the reason when there is nothing to count.

`max_reconnect_time` and `connection_stability` are no sums; the timeline owns them.
Source: SPEC section 4; live plugin, worker, fleet and process claims all use these formulas.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from recontool.metrics.totals import NANOS_PER_MS, Totals
from recontool.model.units import SECOND_US

Formula: TypeAlias = Callable[[Totals], int | float | None]


def _ratio(over: float, under: float, scale: float = 1) -> float | None:
    return over / under / scale if under else None


FORMULAS: Final[Mapping[str, Formula]] = {
    "connection_attempts": lambda t: t.attempts,
    "successful_connections": lambda t: t.established,
    "avg_reconnect_time": lambda t: _ratio(t.reconnect_us, t.reconnections, SECOND_US),
    "messages_sent": lambda t: t.sent,
    "messages_received": lambda t: t.received,
    "avg_message_latency_ms": lambda t: _ratio(t.latency_ns, t.acked, NANOS_PER_MS),
    "avg_message_size_bytes": lambda t: _ratio(t.sent_bytes, t.sized),
    "message_errors": lambda t: t.errors,
    "tasks_executed": lambda t: t.executed,
    "task_success_rate": lambda t: _ratio(t.completed, t.completed + t.failed),
    "avg_task_execution_time_ms": lambda t: _ratio(t.task_ns, t.timed_tasks, NANOS_PER_MS),
    "checkpoints_created": lambda t: t.created,
    "checkpoints_restored": lambda t: t.restored,
    "compression_ratio": lambda t: _ratio(t.raw_bytes, t.wire_bytes),
    "compression_time_ms": lambda t: _ratio(t.compress_ns, t.timed_compressed, NANOS_PER_MS),
    "decompression_time_ms": lambda t: _ratio(t.decompress_ns, t.timed_decompressed, NANOS_PER_MS),
    "reconnections": lambda t: t.reconnections,
    "messages_acked": lambda t: t.acked,
}

NOTHING_TO_COUNT: Final[Mapping[str, str]] = {
    "avg_reconnect_time": "no outage was completed",
    "max_reconnect_time": "no outage was completed",
    "avg_message_latency_ms": "no acknowledged message was seen",
    "avg_message_size_bytes": "no sent message was seen",
    "task_success_rate": "no task completed or failed",
    "avg_task_execution_time_ms": "no task completed or failed with a known duration",
    "compression_ratio": "no compressed message was seen",
    "compression_time_ms": "no compressed message was seen",
    "decompression_time_ms": "no decompressed message was seen",
}
