"""The books a simulated worker keeps while it acts: what it did, not what a reader makes of its log.

truth.json and the simulated process's own metrics block both come from here; nothing in this file reads a log.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_US = 60_000_000
FLAP_US = 10_000_000


def iso(at_us: int) -> str:
    """`at_us` as recontool prints it: 2026-11-24T10:15:32.123456Z."""
    return f"{EPOCH + timedelta(microseconds=at_us):%Y-%m-%dT%H:%M:%S.%f}Z"


@dataclass
class Down:
    """One outage; `end_us` None while it lasts."""

    start_us: int
    cause: str
    end_us: int | None = None
    attempts: int = 0


@dataclass
class Ledger:
    """Counts and sums of one worker, or of one process of it. Instants are microseconds UTC."""

    first_us: int
    last_us: int = 0
    attempts: int = 0
    established: int = 0
    first_up_us: int | None = None
    session_us: int = 0  # when the present session began
    outages: list[Down] = field(default_factory=list)
    flaps: int = 0
    restarts: int = 0
    executed: int = 0
    succeeded: int = 0
    failed: int = 0
    task_ms: list[float] = field(default_factory=list)
    created: int = 0
    restored: int = 0
    sizes: list[int] = field(default_factory=list)
    received: int = 0
    rtt_ms: list[float] = field(default_factory=list)
    errors: int = 0
    packed: list[tuple[int, int, float]] = field(default_factory=list)  # raw, wire, ms
    unpacked_ms: list[float] = field(default_factory=list)

    @property
    def is_down(self) -> bool:
        """Whether an outage is under way."""
        return bool(self.outages) and self.outages[-1].end_us is None

    def attempt(self) -> None:
        """A try to open a connection began."""
        self.attempts += 1
        if self.is_down:
            self.outages[-1].attempts += 1

    def up(self, at_us: int) -> None:
        """A session became usable; one more while another is up (a ghost) only counts."""
        self.established += 1
        if self.first_up_us is None:
            self.first_up_us = at_us
        elif not self.is_down:
            return
        else:
            self.outages[-1].end_us = at_us
        self.session_us = at_us

    def down(self, at_us: int, cause: str) -> None:
        """The session was lost."""
        self.flaps += at_us - self.session_us < FLAP_US
        self.outages.append(Down(at_us, cause))

    def task_ended(self, took_ms: float, *, good: bool) -> None:
        """An execution completed or failed."""
        self.succeeded += good
        self.failed += not good
        self.task_ms.append(took_ms)

    def started(self) -> None:
        """An execution began."""
        self.executed += 1

    def saved(self) -> None:
        """A checkpoint was created."""
        self.created += 1

    def resumed(self) -> None:
        """A task went on from a checkpoint."""
        self.restored += 1

    def sent(self, size_bytes: int) -> None:
        """A message left; its size before compression."""
        self.sizes.append(size_bytes)

    def came(self) -> None:
        """A message arrived."""
        self.received += 1

    def acked(self, rtt_ms: float) -> None:
        """The peer acknowledged a message."""
        self.rtt_ms.append(rtt_ms)

    def broken(self) -> None:
        """A message could not be delivered."""
        self.errors += 1

    def packs(self, raw_bytes: int, wire_bytes: int, took_ms: float) -> None:
        """A message was compressed."""
        self.packed.append((raw_bytes, wire_bytes, took_ms))

    def unpacks(self, took_ms: float) -> None:
        """A message was decompressed."""
        self.unpacked_ms.append(took_ms)

    def durations_s(self) -> list[float]:
        """Reconnect times, in order."""
        return [(o.end_us - o.start_us) / 1_000_000 for o in self.outages if o.end_us is not None]

    def stability(self, now_us: int) -> float:
        """Share of the time since the first session in which one was up."""
        if self.first_up_us is None or now_us <= self.first_up_us:
            return 0.0 if self.first_up_us is None else 1.0
        lost_us = sum((now_us if o.end_us is None else o.end_us) - o.start_us for o in self.outages)
        return 1 - lost_us / (now_us - self.first_up_us)

    def connection(self, now_us: int) -> dict[str, Any]:
        """The connection metrics; None where there is nothing to count."""
        times = self.durations_s()
        return {
            "connection_attempts": self.attempts,
            "successful_connections": self.established,
            "avg_reconnect_time": fmean(times) if times else None,
            "max_reconnect_time": max(times, default=None),
            "connection_stability": self.stability(now_us),
        }

    def work(self) -> dict[str, Any]:
        """The task and checkpoint metrics; None where there is nothing to count."""
        ended = self.succeeded + self.failed
        return {
            "tasks_executed": self.executed,
            "task_success_rate": self.succeeded / ended if ended else None,
            "avg_task_execution_time_ms": fmean(self.task_ms) if self.task_ms else None,
            "checkpoints_created": self.created,
            "checkpoints_restored": self.restored,
        }

    def compression(self) -> dict[str, Any]:
        """The compression metrics: ratio and time of messages sent, time of messages received."""
        wire = sum(wire for _, wire, _ in self.packed)
        return {
            "compression_ratio": sum(raw for raw, _, _ in self.packed) / wire if wire else None,
            "compression_time_ms": fmean(ms for *_, ms in self.packed) if self.packed else None,
            "decompression_time_ms": fmean(self.unpacked_ms) if self.unpacked_ms else None,
        }

    def messages(self) -> dict[str, Any]:
        """The message metrics, which only a DEBUG log shows line by line."""
        return {
            "messages_sent": len(self.sizes),
            "messages_received": self.received,
            "avg_message_latency_ms": fmean(self.rtt_ms) if self.rtt_ms else None,
            "avg_message_size_bytes": fmean(self.sizes) if self.sizes else None,
            "message_errors": self.errors,
        }

    def derived(self) -> dict[str, int]:
        """The counters that `analyze` lists under `derived`."""
        ends = [o.end_us for o in self.outages if o.end_us is not None]
        return {
            "reconnections": len(ends),
            "failed_reconnections_total": self.attempts - self.established,
            "max_reconnections_per_minute": max((sum(t - MINUTE_US < u <= t for u in ends) for t in ends), default=0),
            "forced_reconnections": sum(o.cause in {"heartbeat", "forced"} for o in self.outages),
            "restarts": self.restarts,
        }

    def truth(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """The entry of truth.json: `metrics` as given, the rest from the books."""
        return {
            "role": "worker",
            "metrics": metrics,
            "derived": self.derived(),
            "outages": [
                {
                    "start": iso(o.start_us),
                    "end": None if o.end_us is None else iso(o.end_us),
                    "cause": o.cause,
                    "attempts": o.attempts,
                }
                for o in self.outages
            ],
            "tasks": {"executed": self.executed, "succeeded": self.succeeded, "failed": self.failed},
            "flaps": self.flaps,
        }
