"""Minutes of a worker's life as log lines: the tagged-v1 mixes and the untagged field format. Seeded.

A scene is what `make_logs` repeats; each of its minutes is a whole story: every task that starts also ends, and an
outage that begins is over before the minute is.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Final, TypeAlias

from recontool.logs.grammar import render
from recontool.model.catalogue import BLOCK
from recontool.model.events import Event, Value
from recontool.model.instant import iso

Line: TypeAlias = tuple[int, str]  # (milliseconds since the scene began, the line after its time)
MINUTE_MS: Final = 60_000
LAST_MS: Final = 58_500  # no story of a minute goes on after this
TASKS: Final = 40  # a minute
TIME_WIDTH: Final = len(iso(0))
ERRORS: Final = (
    "ConnectionRefusedError: [Errno 111] Connect call failed",
    "TimeoutError: no answer to the handshake",
    "ConnectionResetError: [Errno 104] Connection reset by peer",
)
FIRST_SEQ: Final = 100_000_000
HEAD_MS: Final = 59_000  # the first connect, in the minute before the first scene
# What the field process says of itself, block after block; by construction it is wrong about some of it.
CLAIMS: Final = {
    "messages_sent": 120.0,
    "avg_message_size_bytes": 512.4,
    "avg_message_latency_ms": 0.3,
    "message_errors": 0.0,
    "reconnections": 2.0,
    "avg_reconnect_time": 1.2,
    "tasks_executed": 17.0,
    "task_success_rate": 1.0,
    "avg_task_execution_time_ms": 310.2,
    "checkpoints_created": 0.0,
    "checkpoints_restored": 0.0,
    "compression_ratio": 1.1,
    "uptime_s": 300.0,
}


def head(kind: str, source: str) -> list[Line]:
    """The first connect of a process, in the last second of the first minute."""
    if kind == "field":
        texts = (
            f"Connecting to coordinator at {_field_url(source)}",
            f"WebSocket connection established for worker {source}",
        )
        return [(HEAD_MS + 20 * order, _field_line("worker_reconnection", text)) for order, text in enumerate(texts)]
    events = (
        _event(source, "CONNECT", "attempt", n=1, url="ws://localhost:8765/ws"),
        _event(source, "CONNECT", "established", session="4be1a3c7d09f", took_s=0.020137),
    )
    return [(HEAD_MS + 20 * order, _tail(event)) for order, event in enumerate(events)]


def scene(kind: str, sources: list[str], minutes: int, seed: int) -> list[Line]:
    """`minutes` of every source, in strictly increasing milliseconds."""
    rng = random.Random(seed)
    sequence = count() if kind == "debug" else None
    story = _field_minute if kind == "field" else _tagged_minute
    lines = [
        (minute * MINUTE_MS + at, tail)
        for minute in range(minutes)
        for source in sources
        for at, tail in story(_begun(rng, source, sequence))
    ]
    lines.sort(key=lambda line: line[0])
    # One line a millisecond, so that the microseconds below can be drawn anew without changing the order.
    spread: list[Line] = []
    last = -1
    for at, tail in lines:
        last = max(at, last + 1)
        spread.append((last, tail))
    if last >= minutes * MINUTE_MS:
        raise ValueError(f"{len(sources)} workers write more than one line a millisecond")
    return spread


@dataclass(frozen=True, slots=True)
class _Minute:
    """Who lives it, and from when to when the worker was down; `sequence` numbers messages, None leaves them out."""

    rng: random.Random
    source: str
    lost: int
    back: int
    sequence: Iterator[int] | None = None

    def is_down(self, at: int) -> bool:
        return self.lost - 40 <= at <= self.back + 50


def _begun(rng: random.Random, source: str, sequence: Iterator[int] | None = None) -> _Minute:
    """Three minutes of four have an outage of about a second."""
    if rng.random() >= 0.75:
        return _Minute(rng, source, -1, -1_000, sequence)
    lost = rng.randrange(2_000, 40_000)
    took = min(9_000, max(300, round(1_200 * rng.lognormvariate(0, 0.7))))
    return _Minute(rng, source, lost, lost + took, sequence)


def _task_starts(minute: _Minute) -> Iterator[int]:
    for _ in range(TASKS):
        at = minute.rng.randrange(1_000, 50_000)
        yield minute.back + 60 + minute.rng.randrange(500) if minute.is_down(at) else at


def _tagged_minute(minute: _Minute) -> Iterator[Line]:
    rng, source = minute.rng, minute.source
    if minute.lost >= 0:
        yield from _outage(minute)
    for at in _task_starts(minute):
        yield from _task(minute, at)
    for at in range(500, LAST_MS, 5_000):
        yield from _message(minute, at, "heartbeat", 196)
    if minute.sequence is not None:
        for at in range(800, LAST_MS, 10_000):
            yield at, _tail(_debug(source, "queue", depth=rng.randrange(40), oldest_s=round(rng.random(), 3)))
            yield at + 3, _tail(_debug(source, "loop_lag", lag_ms=round(rng.uniform(0.1, 9), 3)))
    if rng.random() < 0.1:
        fields: dict[str, Value] = {"error": "frame ends inside a string"}
        yield rng.randrange(45_000, 58_000), _tail(_event(source, "SECURITY", "malformed", "WARNING", fields))


def _outage(minute: _Minute) -> Iterator[Line]:
    rng, source, lost, back = minute.rng, minute.source, minute.lost, minute.back
    cause = rng.choices(("closed", "heartbeat", "error", "forced"), (60, 20, 15, 5))[0]
    known: dict[str, Value] = {"cause": cause}
    if cause == "closed":
        known["code"] = 1006
    if cause == "heartbeat":
        known["detected_s"] = round(rng.uniform(15, 16), 3)
    yield lost, _tail(_event(source, "RECONNECT", "lost", "WARNING", known))
    tries = 1 + (back - lost > 1_500) + (back - lost > 4_000)
    step = (back - lost) // tries
    for n in range(1, tries + 1):
        at = lost + (n - 1) * step
        yield at + 2, _tail(_event(source, "RECONNECT", "scheduled", n=n, delay_s=round((step - 40) / 1000, 3)))
        yield at + step - 30, _tail(_event(source, "RECONNECT", "attempt", n=n, url="ws://localhost:8765/ws"))
        if n < tries:
            failed: dict[str, Value] = {"n": n, "error": rng.choice(ERRORS), "took_s": 0.021}
            yield at + step - 5, _tail(_event(source, "RECONNECT", "failed", "WARNING", failed))
    yield back - 1, _tail(_event(source, "SECURITY", "auth_ok", peer="127.0.0.1:8765"))
    fields: dict[str, Value] = {"n": tries, "down_s": (back - lost) / 1000}
    fields |= {"session": f"{rng.getrandbits(48):012x}", "resumed": rng.random() < 0.9}
    yield back, _tail(_event(source, "RECONNECT", "established", "INFO", fields))
    results = rng.randrange(4)
    yield back + 4, _tail(_event(source, "SYNC", "started", results=results, states=rng.randrange(3)))
    yield back + 21, _tail(_event(source, "SYNC", "completed", took_s=0.017, resent=results, duplicates=0))


def _task(minute: _Minute, at: int) -> Iterator[Line]:
    rng, source = minute.rng, minute.source
    task = f"task-{rng.getrandbits(32):08x}"
    took = min(rng.randrange(900, 7_000), LAST_MS - at)
    again = rng.random() < 0.03
    yield at, _tail(_event(source, "TASK", "assigned", task=task, worker=source))
    yield at + 3, _tail(_event(source, "TASK", "started", task=task, attempt=1 + again))
    if again:
        saved = f"cp-{rng.getrandbits(32):08x}"
        yield at + 4, _tail(_event(source, "CHECKPOINT", "restored", task=task, checkpoint=saved))
    for step in range(1, rng.randrange(3, 6)):
        now = at + 5 + took * step // 6
        size = rng.randrange(500, 5_000)
        created: dict[str, Value] = {"task": task, "checkpoint": f"cp-{rng.getrandbits(32):08x}"}
        created |= {"size_bytes": size, "took_ms": _odd(rng, 1, 9)}
        yield now, _tail(_event(source, "CHECKPOINT", "created", "INFO", created))
        yield from _message(minute, now + 4, "checkpoint", size)
    end = at + took
    yield end, _tail(_task_end(rng, source, task, took))
    if rng.random() < 0.7:
        raw = rng.randrange(2_000, 30_000)
        packed: dict[str, Value] = {"raw_bytes": raw, "wire_bytes": raw // 3, "took_ms": _odd(rng, 0, 2)}
        name = rng.choice(("compressed", "decompressed"))
        yield end + 2, _tail(_event(source, "COMPRESS", name, "INFO", packed))
    elif rng.random() < 0.3:
        yield end + 2, _tail(_event(source, "COMPRESS", "skipped", raw_bytes=rng.randrange(200, 1_000), reason="small"))
    yield from _message(minute, end + 5, "task_result", 20_480)


def _task_end(rng: random.Random, source: str, task: str, took: int) -> Event:
    took_ms = round(took + rng.randrange(1, 999) / 1000, 3)
    fate = rng.random()
    if fate < 0.012:
        why = f"ValueError: step {rng.randrange(9)} returned nothing"
        return _event(source, "TASK", "failed", "ERROR", {"task": task, "took_ms": took_ms, "error": why})
    if fate < 0.02:
        return _event(source, "TASK", "cancelled", task=task)
    return _event(source, "TASK", "completed", task=task, took_ms=took_ms)


def _message(minute: _Minute, at: int, kind: str, size: int) -> Iterator[Line]:
    """Sent, acknowledged and half the time answered; none while the worker is down, none at INFO."""
    if minute.sequence is None or minute.is_down(at):
        return
    source, seq = minute.source, FIRST_SEQ + next(minute.sequence)
    yield at, _tail(_debug(source, "message_sent", type=kind, size_bytes=size, seq=seq))
    yield at + 12, _tail(_debug(source, "message_acked", seq=seq, rtt_ms=_odd(minute.rng, 4, 20)))
    if minute.rng.random() < 0.5:
        yield at + 17, _tail(_debug(source, "message_received", type=kind, size_bytes=288, seq=seq))


# --- the untagged field format -------------------------------------------------------------------------------
def _field_minute(minute: _Minute) -> Iterator[Line]:
    rng, source = minute.rng, minute.source
    if minute.lost >= 0:
        yield from _field_outage(source, minute.lost, minute.back)
    for number, at in enumerate(_task_starts(minute), 1):
        yield from _field_task(rng, at, number)
    for at in range(9_400, MINUTE_MS, 10_000):
        claims = {label.label: f"{CLAIMS[metric.name]:.{label.decimals}f}{label.suffix}" for metric, label in BLOCK}
        texts = [f"====== Performance Metrics for {source} ======", *(f"{key}: {said}" for key, said in claims.items())]
        for order, text in enumerate([*texts, "=" * 50]):
            yield at + order, _field_line("enhanced_worker_client", text)
        status = f"Worker {source} status: CONNECTED, Active tasks: {rng.randrange(6)}, Completed tasks: 17, "
        status += "Latency: 0.3ms, Messages: 120, Reconnections: 2"
        yield at + 20, _field_line("enhanced_worker_client", status)


def _field_outage(source: str, lost: int, back: int) -> Iterator[Line]:
    yield lost, _field_line("worker_reconnection", "WebSocket error: Connection to remote host was lost.", "ERROR")
    yield lost + 1, _field_line("websocket", "Connection to remote host was lost. - goodbye", "ERROR")
    yield lost + 2, _field_line("worker_reconnection", "WebSocket connection closed: None, None", "WARNING")
    delay_s = (back - lost) / 1000 - 0.1
    yield (
        lost + 3,
        _field_line("worker_reconnection", f"Will attempt reconnection in {delay_s:.2f} seconds (attempt 1)"),
    )
    yield back - 90, _field_line("worker_reconnection", f"Connecting to coordinator at {_field_url(source)}")
    yield back - 5, _field_line("websocket", "Websocket connected")
    yield back, _field_line("worker_reconnection", f"WebSocket connection established for worker {source}")
    yield back + 1, _field_line("worker_reconnection", "Synchronizing state with coordinator")
    yield back + 2, _field_line("worker_reconnection", "State synchronization completed")
    welcome = f"Received welcome message from coordinator for worker {source}"
    yield back + 40, _field_line("worker_reconnection", welcome)


def _field_task(rng: random.Random, at: int, number: int) -> Iterator[Line]:
    raw = f"{rng.getrandbits(128):032x}"
    task = "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
    client, manager = "enhanced_worker_client", "worker_reconnection"
    steps = rng.randrange(5, 10)
    yield at, _field_line(manager, f"Received task assignment for task {task}")
    yield at + 30, _field_line(manager, f"Executing task {task}")
    yield at + 31, _field_line(client, f"Executing task {task}")
    yield at + 90, _field_line(manager, f"Task {task} completed successfully")
    for step in range(1, steps + 1):
        text = f"Task {task} (Task-{number}): iteration {step}/{steps} - {100 * step / steps:.1f}%"
        yield at + 40 + 500 * step, _field_line(client, text)
    end = at + 560 + 500 * steps
    if rng.random() < 0.02:
        yield end, _field_line(client, f"Error executing task {task}: step {steps} returned nothing", "ERROR")
    else:
        yield end, _field_line(client, f"Task {task} (Task-{number}) completed successfully")


def _field_line(logger: str, text: str, level: str = "INFO") -> str:
    return f" - {level} - [{logger}] - {text}"


def _field_url(source: str) -> str:
    return f"ws://127.0.0.1:18802/api/v1/worker/{source}/ws/"


def _event(
    source: str,
    marker: str,
    name: str,
    level: str = "INFO",
    also: Mapping[str, Value] = MappingProxyType({}),
    /,
    **fields: Value,
) -> Event:
    return Event(0, level, source, marker, name, {**also, **fields})


def _debug(source: str, name: str, /, **fields: Value) -> Event:
    return Event(0, "DEBUG", source, "", name, fields)


def _odd(rng: random.Random, low: float, high: float) -> float:
    """Exactly three decimals, the last not 0, so that every value is equally wide."""
    return round(rng.randrange(round(low * 100), round(high * 100)) / 100 + rng.randrange(1, 10) / 1000, 3)


def _tail(event: Event) -> str:
    return render(event)[TIME_WIDTH:]
