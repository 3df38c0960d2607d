"""What is compared: one row per measure, with where its sums come from and which way is worse.

Every measure is a ratio of two sums over workers, so that runs of different length and size can be set side by
side: means over what was counted, shares, and rates per hour of a worker's observed time.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from recontool.metrics.totals import NANOS_PER_MS
from recontool.model.catalogue import CATALOGUE
from recontool.model.comparison import Scale
from recontool.model.findings import WorkerResult
from recontool.model.units import MINUTE_US, SECOND_US

Pair: TypeAlias = tuple[float, float] | None  # (numerator, denominator) of one worker; None when it cannot tell
Weights: TypeAlias = Mapping[tuple[str, int], float]  # of outages that are part of an incident, by worker and start
PairOf: TypeAlias = Callable[[WorkerResult, Weights], Pair]

HOUR_US: Final = 60 * MINUTE_US
RATE: Final = "/h"
SHARE: Final = "share"
LEAST_RATIO: Final = 0.05  # 5 % more or less
LEAST_SHARE: Final = 0.005  # half a point


class Measure(Struct, frozen=True):
    """One row. `blocks` names the sums that spread it over time, "" when none do.

    With `logs` the sums are over logarithms, and the measure is a geometric mean.
    """

    metric: str
    better: Literal["lower", "higher", ""]
    of: str  # what it says in words
    pair: PairOf
    unit: str = ""
    scale: Scale = "ratio"
    blocks: tuple[str, str] = ("", "")
    logs: bool = False

    @property
    def title(self) -> str:
        """The metric's own title."""
        return CATALOGUE[self.metric].title if self.metric in CATALOGUE else "Typical reconnect time"

    def least(self, base: float) -> float:
        """The smallest change that counts when the base run shows `base`."""
        if self.scale == "ratio":
            return LEAST_RATIO
        return LEAST_SHARE if self.unit == SHARE else LEAST_RATIO * abs(base)


def observed_hours(worker: WorkerResult) -> float:
    """Time in which the worker's state was known; without sessions the time between its first and last record."""
    spans = [span.end_us - span.start_us for span in worker.observed]
    return (sum(spans) if spans else worker.last_us - worker.first_us) / HOUR_US


def _reconnects(worker: WorkerResult, _weights: Weights) -> Pair:
    times = [outage.duration_us for outage in worker.outages if outage.duration_us is not None]
    if times:
        return sum(times) / SECOND_US, len(times)
    return _weighted(worker, "avg_reconnect_time", worker.derived.get("reconnections"))


def _typical(worker: WorkerResult, weights: Weights) -> Pair:
    """Logarithms of the reconnect times; what hit several workers at once weighs as much as one outage in all."""
    shares = [(weights.get((worker.key, o.start_us), 1.0), o.duration_us) for o in worker.outages]
    known = [(weight, us) for weight, us in shares if us is not None]
    total = sum(weight for weight, _ in known)
    return (sum(weight * log_seconds(us) for weight, us in known), total) if known else None


def log_seconds(duration_us: int) -> float:
    """The logarithm of a reconnect time in seconds; below a millisecond a log tells nothing."""
    return math.log(max(duration_us, 1000) / SECOND_US)


def _down(worker: WorkerResult, _weights: Weights) -> Pair:
    """Share of observed time with a session, from its complement; what a snapshot reports is weighted by time."""
    if not worker.observed:
        return _weighted(worker, "connection_stability", observed_hours(worker))
    hours = observed_hours(worker)
    lost = sum((worker.last_us if o.end_us is None else o.end_us) - o.start_us for o in worker.outages) / HOUR_US
    return hours - lost, hours


def _share(over: str, under: str) -> PairOf:
    def pair(worker: WorkerResult, _weights: Weights) -> Pair:
        part, whole = worker.metrics[over].value, worker.metrics[under].value
        return None if part is None or not whole else (part, whole)

    return pair


def _successes(worker: WorkerResult, _weights: Weights) -> Pair:
    tasks = worker.tasks
    ended = tasks.succeeded + tasks.failed
    return (tasks.succeeded, ended) if ended else None


def _mean(metric: str, total: str, number: str, scale: float = 1, weight: str = "") -> PairOf:
    """The exact sums where the log shows them, else the worker's own mean weighted by metric `weight`."""

    def pair(worker: WorkerResult, _weights: Weights) -> Pair:
        if worker.metrics[metric].value is None:
            return None
        if worker.totals.get(number):
            return worker.totals[total] / scale, worker.totals[number]
        return _weighted(worker, metric, worker.metrics[weight].value if weight else 1.0)

    return pair


def _rate(name: str) -> PairOf:
    def pair(worker: WorkerResult, _weights: Weights) -> Pair:
        found = worker.metrics.get(name)
        count = worker.derived.get(name) if found is None else found.value
        hours = observed_hours(worker)
        return None if count is None or not hours else (count, hours)

    return pair


def _weighted(worker: WorkerResult, metric: str, weight: float | None) -> Pair:
    value = worker.metrics[metric].value
    return None if value is None or not weight else (value * weight, weight)


_PER_HOUR: Final = "per hour of a worker's observed time"

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("avg_reconnect_time", "lower", "mean over reconnections", _reconnects, "s", blocks=("outage_s", "outages")),
    Measure(
        "typical_reconnect_time",
        "lower",
        "geometric mean over reconnections, an incident of several workers counting as one",
        _typical,
        "s",
        blocks=("log_s", "log_weight"),
        logs=True,
    ),
    Measure(
        "reconnections",
        "lower",
        _PER_HOUR,
        _rate("reconnections"),
        RATE,
        "difference",
        ("reconnections", "hours"),
    ),
    Measure(
        "failed_reconnections_total",
        "lower",
        _PER_HOUR,
        _rate("failed_reconnections_total"),
        RATE,
        "difference",
        ("attempts_failed", "hours"),
    ),
    Measure(
        "successful_connections",
        "higher",
        "share of connection attempts",
        _share("successful_connections", "connection_attempts"),
        SHARE,
        "difference",
        ("reconnections", "reconnection_attempts"),
    ),
    Measure(
        "connection_stability",
        "higher",
        "share of observed time with a session",
        _down,
        SHARE,
        "difference",
        ("up_hours", "hours"),
    ),
    Measure(
        "avg_message_latency_ms",
        "lower",
        "mean over acknowledged messages",
        _mean("avg_message_latency_ms", "latency_ns", "acked", NANOS_PER_MS, "messages_sent"),
        "ms",
        blocks=("latency_ms_sum", "latency_count"),
    ),
    Measure(
        "message_errors",
        "lower",
        "share of messages sent",
        _share("message_errors", "messages_sent"),
        SHARE,
        "difference",
        ("message_errors", "messages_sent"),
    ),
    Measure(
        "task_success_rate",
        "higher",
        "share of executions that ended",
        _successes,
        SHARE,
        "difference",
        ("tasks_completed", "tasks_ended"),
    ),
    Measure(
        "avg_task_execution_time_ms",
        "lower",
        "mean over executions",
        _mean("avg_task_execution_time_ms", "task_ns", "timed_tasks", NANOS_PER_MS, "tasks_executed"),
        "ms",
        blocks=("task_ms", "tasks"),
    ),
    Measure(
        "compression_ratio",
        "higher",
        "raw bytes / wire bytes",
        _mean("compression_ratio", "raw_bytes", "wire_bytes"),
        "x",
        blocks=("raw_bytes", "wire_bytes"),
    ),
    Measure(
        "compression_time_ms",
        "lower",
        "mean over compressed messages",
        _mean("compression_time_ms", "compress_ns", "timed_compressed", NANOS_PER_MS),
        "ms",
    ),
    Measure(
        "decompression_time_ms",
        "lower",
        "mean over decompressed messages",
        _mean("decompression_time_ms", "decompress_ns", "timed_decompressed", NANOS_PER_MS),
        "ms",
    ),
    Measure(
        "avg_message_size_bytes",
        "",
        "mean over sent messages",
        _mean("avg_message_size_bytes", "sent_bytes", "sized", 1, "messages_sent"),
        "bytes",
    ),
    *(
        Measure(name, "", _PER_HOUR, _rate(name), RATE, "difference", (blocks, "hours") if blocks else ("", ""))
        for name, blocks in (
            ("connection_attempts", ""),
            ("messages_sent", "messages_sent"),
            ("messages_received", "messages_received"),
            ("tasks_executed", "tasks_started"),
            ("checkpoints_created", "checkpoints_created"),
            ("checkpoints_restored", "checkpoints_restored"),
        )
    ),
)
