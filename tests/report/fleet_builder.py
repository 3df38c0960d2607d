"""Builds an `Analysis` of any size for tests: seeded faults, metrics that follow from them, no files read."""

import random

from msgspec.structs import replace

from recontool.model.catalogue import DOCUMENTED
from recontool.model.detail import CONTEXT, Detail, Steps, Wait
from recontool.model.findings import (
    ACTIVITY,
    Alert,
    Analysis,
    Bucket,
    ClockOffset,
    CoordinatorResult,
    Disagreement,
    Incident,
    InputFile,
    LineCount,
    MetricValue,
    Outage,
    QualityNote,
    Recommendation,
    SecurityFinding,
    Span,
    Tasks,
    Verdict,
    WorkerResult,
)
from recontool.model.markers import Marker
from recontool.model.units import MINUTE_US, SECOND_US

START_US = 1_795_507_200 * SECOND_US  # 2026-11-24T08:00:00Z
CAUSES = ("closed", "closed", "heartbeat", "forced", "error", "crash")
HOUR_US = 60 * MINUTE_US


def fleet(number: int, *, minutes: int = 60, outages: int = 4, seed: int = 7, text: str = "") -> Analysis:
    """`number` workers over `minutes`, each with `outages` of its own and one they share.

    `text` is put into every field a peer or a file name could have written.
    """
    draw = random.Random(seed)
    length_us = minutes * MINUTE_US
    workers = {
        f"worker-{i + 1}{text}": one_worker(f"worker-{i + 1}{text}", draw, length_us, outages, text)
        for i in range(number)
    }
    if not workers:
        return nothing(text)
    everything = tuple(workers.values())
    first = next(iter(workers))
    return Analysis(
        verdict=verdict(everything, number, text),
        inputs=(
            *(input_file(f"{key}.log", "worker", text) for key in workers),
            input_file(f"coordinator{text}.log", "coordinator", text),
        ),
        workers=workers,
        coordinators={f"coordinator{text}.log": coordinator(length_us, text)},
        fleet=everything[0].metrics,
        fleet_derived={"reconnections": sum(w.derived["reconnections"] for w in everything)},
        incidents=incidents(everything, text) if outages else (),
        alerts=alerts(everything, text) if outages else (),
        disagreements=disagreements(first, text),
        recommendations=recommendations(tuple(workers)[:3], text) if outages else (),
        security=refusals(text),
        quality=(QualityNote(f"{first}.log", f"last line cut{text}", (f"{first}.log:12345",)),),
        first_us=START_US,
        last_us=START_US + length_us,
        version="0.1.0",
        clocks=tuple(ClockOffset(key, draw.randrange(-(10**6), 10**6), 6_000, 5) for key in workers),
    )


def verdict(workers: tuple[WorkerResult, ...], number: int, text: str) -> Verdict:
    """The sentence on top."""
    worst = max((o.duration_us or 0 for w in workers for o in w.outages), default=None)
    if worst is None:
        return Verdict("OK", f"All {number} workers stayed connected{text}")
    lost = f"{number} of {number} workers lost their session; the longest outage took {worst / SECOND_US:.1f} s{text}"
    return Verdict("CRITICAL", lost)


def disagreements(first: str, text: str) -> tuple[Disagreement, ...]:
    """Two claims of the first worker that its events do not bear out."""
    at_us, place = START_US + HOUR_US // 2, (f"{first}.log:812",)
    early = f"its own block counts a task as successful when it starts{text}"
    local = f"the time of the local send call, no round trip{text}"
    return (
        Disagreement(first, "task_success_rate", 1.0, 0.93, at_us, early, place),
        Disagreement(first, "avg_message_latency_ms", 0.1, None, at_us, local, place),
    )


def recommendations(workers: tuple[str, ...], text: str) -> tuple[Recommendation, ...]:
    """One setting to change."""
    return (
        Recommendation(
            f"Retry sooner after a loss{text}",
            "initial_reconnect_delay",
            "1.0 s",
            "0.5 s",
            f"17 of 21 outages ended at the second try, 1.0 s after the first{text}",
            workers,
            (f"{workers[0]}.log:120", f"{workers[0]}.log:980"),
        ),
    )


def refusals(text: str) -> tuple[SecurityFinding, ...]:
    """Logins that the coordinator refused."""
    log = f"coordinator{text}.log"
    since_us, until_us = START_US + MINUTE_US, START_US + 9 * MINUTE_US
    return (SecurityFinding(log, "auth_failed", 12, f"unknown key{text}", since_us, until_us, (f"{log}:44",)),)


def look(analysis: Analysis, text: str = "") -> Detail:
    """What a second look at the logs of `analysis` would add; `text` stands in every raw line."""
    draw = random.Random(11)
    outages = [outage for worker in analysis.workers.values() for outage in worker.outages]
    steps = tuple(
        Steps(
            o.worker,
            o.start_us,
            o.start_us - draw.randrange(15 * SECOND_US) if o.cause == "heartbeat" else None,
            o.end_us and o.end_us - draw.randrange(90_000),
            o.end_us,
            o.end_us and o.end_us + draw.randrange(60_000),
            o.end_us and o.end_us + draw.randrange(60_000, 3 * SECOND_US),
        )
        for o in sorted(outages, key=lambda o: (o.start_us, o.worker))
    )
    waits = tuple(Wait(o.worker, n, draw.uniform(2 ** (n - 2), 2 ** (n - 1))) for o in outages for n in (1, 2, 3))
    raw: dict[str, dict[int, str]] = {}
    for place in (place for o in outages for place in o.evidence):
        file, _, number = place.rpartition(":")
        for near in range(max(int(number) - CONTEXT, 1), int(number) + CONTEXT + 1):
            line = f"2026-11-24T08:{near % 60:02d}:00.{draw.randrange(10**6):06d}Z INFO {file} [TASK] started task=task-{draw.randrange(16**8):08x}"
            raw.setdefault(file, {})[near] = line + text
    return Detail(steps, waits[:2000], len(waits), {next(iter(analysis.workers)): 2} if analysis.workers else {}, raw)


def nothing(text: str = "") -> Analysis:
    """What one coordinator log without any worker log gives."""
    return Analysis(
        verdict=Verdict("NO DATA", f"1 coordinator log and no worker log: nothing to measure{text}"),
        inputs=(input_file(f"coordinator{text}.log", "coordinator", text),),
        workers={},
        coordinators={f"coordinator{text}.log": coordinator(HOUR_US, text)},
        fleet={m.name: MetricValue(None, reason="no worker log was given") for m in DOCUMENTED},
        fleet_derived={},
        incidents=(),
        alerts=(),
        disagreements=(),
        recommendations=(),
        security=(),
        quality=(),
        first_us=START_US,
        last_us=START_US + HOUR_US,
        version="0.1.0",
    )


def one_worker(key: str, draw: random.Random, length_us: int, number: int, text: str = "") -> WorkerResult:
    """One worker with `number` outages spread over its time, plus the loss all workers share."""
    first, last = START_US, START_US + length_us
    slot = length_us // (number + 1) if number else length_us
    outages = []
    for i in range(number):
        shared = i == number // 2
        start = first + (i + 1) * slot + (0 if shared else draw.randrange(slot // 2))
        took = round((27.4 if shared else draw.lognormvariate(0.4, 0.9)) * SECOND_US) + draw.randrange(SECOND_US)
        cause = "closed" if shared else draw.choice(CAUSES)
        outages.append(
            Outage(
                key,
                start,
                min(start + took, last),
                cause + text,
                1006 if cause == "closed" else None,
                1 + draw.randrange(4),
                (f"{key}.log:{120 * (i + 1)}", f"{key}.log:{120 * (i + 1) + 9}"),
            )
        )
    failed = draw.randrange(3)
    lost = sum(o.duration_us or 0 for o in outages)
    return WorkerResult(
        key=key,
        worker=key,
        files=(f"{key}.log",),
        first_us=first,
        last_us=last,
        metrics=metrics(len(outages), lost, length_us, failed, outages),
        derived={
            "reconnections": len(outages),
            "failed_reconnections_total": 3,
            "max_reconnections_per_minute": 1,
            "forced_reconnections": 1,
            "restarts": 0,
            "gave_up": 0,
        },
        outages=tuple(outages),
        tasks=Tasks(40, 39 - failed, failed, 1),
        markers={str(marker): 7 for marker in Marker},
        gaps=(Span(first + length_us // 7, first + length_us // 6),) if number else (),
        flaps=(Span(outages[0].start_us - 4 * SECOND_US, outages[0].start_us),) if outages else (),
        starts_us=(first,),
        observed=(Span(first + 2 * SECOND_US, last),),
        activity=activity(draw, length_us),
        config={"initial_reconnect_delay": 1.0, "max_reconnect_delay": 60.0, "reconnect_jitter": "equal"},
        task_ms=tuple(round(draw.lognormvariate(5.5, 0.4), 1) for _ in range(40)),
        first_error=f"ValueError: iteration 3{text}" if failed else "",
    )


def metrics(number: int, lost: int, length: int, failed: int, outages: list[Outage]) -> dict[str, MetricValue]:
    """All eighteen: some fine, some outside, one without data."""
    longest = max((o.duration_us or 0 for o in outages), default=0) / SECOND_US
    mean = lost / max(number, 1) / SECOND_US
    values: dict[str, MetricValue] = {
        "connection_attempts": ok(number + 4),
        "successful_connections": ok(number + 1) if number < 30 else outside(number + 1, "low"),
        "avg_reconnect_time": outside(mean, "high") if mean > 3 else ok(mean) if number else no("no reconnection"),
        "max_reconnect_time": outside(longest, "high") if longest > 10 else ok(longest) if number else no("none"),
        "connection_stability": ok(1 - lost / length),
        "messages_sent": ok(12_345),
        "messages_received": ok(11_021),
        "avg_message_latency_ms": ok(42.31),
        "avg_message_size_bytes": ok(1024.5),
        "message_errors": ok(3),
        "tasks_executed": ok(40),
        "task_success_rate": outside((39 - failed) / 39, "low") if failed else ok(1.0),
        "avg_task_execution_time_ms": ok(250.31),
        "checkpoints_created": ok(88),
        "checkpoints_restored": ok(2),
        "compression_ratio": replace(outside(6.3, "high"), status="ok", note="better than the normal range"),
        "compression_time_ms": ok(0.41),
        "decompression_time_ms": no("no message was decompressed"),
    }
    return {metric.name: values[metric.name] for metric in DOCUMENTED}


def ok(value: float) -> MetricValue:
    return MetricValue(float(value), "events", status="ok")


def outside(value: float, side: str) -> MetricValue:
    return MetricValue(float(value), "events", status="outside", side=side)


def no(reason: str) -> MetricValue:
    return MetricValue(None, "", reason=reason)


def activity(draw: random.Random, length_us: int, number: int = 120) -> tuple[Bucket, ...]:
    """`number` buckets of plausible counts."""
    width = max(length_us // number, 1)
    buckets = []
    for i in range(number):
        counts = {name: float(draw.randrange(6)) for name in ACTIVITY}
        counts |= {
            "messages_sent": 100.0 + draw.randrange(20),
            "latency_count": 50.0,
            "latency_ms_sum": 50 * draw.uniform(20, 60),
            "raw_bytes": 90_000.0,
            "wire_bytes": 30_000.0,
        }
        buckets.append(Bucket(START_US + i * width, width, counts))
    return tuple(buckets)


def incidents(workers: tuple[WorkerResult, ...], text: str) -> tuple[Incident, ...]:
    shared = tuple(w.outages[len(w.outages) // 2] for w in workers)
    return (
        Incident(
            f"coordinator_restart{text}",
            f"Coordinator restarted{text}",
            min(o.start_us for o in shared),
            max(o.end_us or o.start_us for o in shared),
            tuple(w.key for w in workers),
            shared,
            sum(o.duration_us or 0 for o in shared),
            (f"coordinator{text}.log:310",),
        ),
    )


def alerts(workers: tuple[WorkerResult, ...], text: str) -> tuple[Alert, ...]:
    fired = [
        Alert(
            f"connection_failures{text}", "CRITICAL", w.key, o.start_us, o.start_us, None if i == 0 else o.end_us, 2.0
        )
        for i, w in enumerate(workers)
        for o in w.outages[:2]
    ]
    fired.append(
        Alert(
            "high_reconnection_rate",
            "WARNING",
            workers[0].key,
            START_US,
            START_US + MINUTE_US,
            START_US + 2 * MINUTE_US,
            4.0,
        )
    )
    fired.append(Alert("low_compression", "INFO", None, START_US, None, START_US + MINUTE_US, None))
    return tuple(fired)


def coordinator(length_us: int, text: str) -> CoordinatorResult:
    names = ("starts", "stops", "accepted", "disconnected", "rejected", "submitted", "assigned", "applied", "duplicate")
    return CoordinatorResult(
        f"coordinator{text}.log",
        START_US,
        START_US + length_us,
        (START_US, START_US + length_us // 2),
        (START_US + length_us // 2 - 27 * SECOND_US,),
        {name: 2 + i for i, name in enumerate(names)},
        {"CONNECT": 40, "SECURITY": 12},
        (f"coordinator{text}.log:1", f"coordinator{text}.log:310"),
    )


def input_file(name: str, role: str, text: str) -> InputFile:
    return InputFile(
        f"logs/{name}",
        name,
        "tagged-v1",
        role,
        1_234_567,
        LineCount(12_345, 12_001, 200, 0, 100, 44, 0),
        START_US,
        START_US + HOUR_US,
        ((17, f"not a line of ours{text}", "fits no shape"), (18, "\x1b[31mred", "fits no shape")),
    )
