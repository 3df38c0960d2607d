"""Seeded log text near the grammar: real lines, and what damage makes of them."""

import random

from recontool.logs.grammar import render
from recontool.model.catalogue import BLOCK
from recontool.model.events import EVENTS, FIELD_TYPES, Event
from recontool.model.markers import LEVELS
from recontool.model.units import SECOND_US

# What changes states; other events are seldom enough, so that stories happen.
LIFE = tuple(
    spec
    for spec in EVENTS
    for _ in range({"established": 4, "lost": 4, "attempt": 2, "failed": 2, "started": 2}.get(spec.name, 1))
    if spec.marker in {"CONNECT", "RECONNECT", "TASK"} or spec.name in {"config", "metrics"}
)
START_US = 1_795_600_000 * SECOND_US
SOURCES = ("w1", "w1", "w1", "w1", "w1", "w1", "w-2", "coordinator", "a.b:c_D-9")
TASKS = ("t1", "t2", "t3", "", "täsk", 'q"uo te', "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"))
STEPS_US = (0, 0, 1, 999, 100_000, 900_000, 4_000_000, 20_000_000, 70_000_000, 400_000_000, -5_000, -90_000_000)
NUMBERS = (
    "0",
    "-0",
    "1",
    "7",
    "2.50",
    "0.1",
    "1e3",
    "1E-2",
    "123456789012345678",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e15",
    "1.0000001e15",
    "99999999999999999999",
    "0.30000000000000004",
    "3.14159265358979323846",
    "1e999",
    "1.",
    ".5",
    "--1",
    "1_0",
    "0x1",
    "nan",
    "inf",
    "true",
    "007.250",
)
STRINGS = (
    "plain",
    "a b",
    "",
    "x=y",
    'say "hi"',
    "\\",
    "tab\there",
    "ünï",
    "heartbeat",
    "closed",
    "crash",
    "forced",
    "DEBUG",
    "INFO",
    "s1",
    "s1",
    "s2",
    "ws://h:80/x",
    "http://a//b:1:22/",
    "\u2028",
    "\x7f",
    "ws://h:99999999/",
)
ESCAPES = (
    r'"\u0041"',
    r'"\ud83d\ude00"',
    r'"\ud83d x"',
    r'"\udc00"',
    r'"\q"',
    r'"\u12"',
    r'"a\/b"',
    '"open',
    '"tab\there"',
    '""',
    r'"\\"',
    r'"\""',
    '"a"b',
    '"a" ',
    '"x\x00y"',
)
JUNK = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b'"',
    b"=",
    b" ",
    b"\\",
    b"[",
    b"]",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b"1",
    b"Z",
    b"\x1c",
    b"\xc2\xa0",
    b"===",
    b": ",
    b"\xf0\x9f\x98",
    b"9" * 20,
)
LOOSE = (
    "",
    "   ",
    "junk",
    "  indented",
    "\tindented",
    "Traceback (most recent call last):",
    "ValueError: no",
    "ValueError",
    "{",
    "}",
    "[",
    "]",
    "  {",
    "} ",
    "During handling of the above exception, another",
    "=====",
    "==",
    "x: y",
    "Value Error: no",
    "\xa0",
    "[RECONNECT] lost",
    "Messages: 3",
    "not.an_exc: x",
    "9Error: x",
)
BLOCK_LINES = (
    "====== Performance Metrics for w1 ======", "=== Performance Metrics for w-2 ===", "====  Performance Metrics for w1 ====",
    "=========", *(f"{label.label}: {value}{suffix}" for _, label in BLOCK for value, suffix in (("3", ""), ("2.5", label.suffix), ("1.07", " s"), ("40", "ms"))),
    "Message count: n/a", "Message count: n/a x", "Message count: 9999999999999999999999", "Message count: -3", "Message count: 3 y", "Reconnections: 1.",
    "message count: 3", "Messages count: 3", "Message count:3", " Message count: 3 ", "Average message latency: 0.3333333333 s",
)  # fmt: skip
SENTENCES = (
    "[enhanced_worker_client] - Starting enhanced worker client w1",
    "[enhanced_worker_client] - Stopping enhanced worker client w1",
    "[worker_reconnection] - Connecting to coordinator at ws://127.0.0.1:18801/api/v1/worker/w1/ws/",
    "[worker_reconnection] - WebSocket connection established for worker w1",
    "[worker_reconnection] - WebSocket connection closed: 1006, None",
    "[worker_reconnection] - WebSocket connection closed: None, None",
    "[worker_reconnection] - No heartbeat received from coordinator for 65.0s, forcing reconnection",
    "[worker_reconnection] - Forcing reconnection to coordinator",
    "[worker_reconnection] - WebSocket error: [Errno 111] refused",
    "[worker_reconnection] - Will attempt reconnection in 1.5 seconds (attempt 3)",
    "[worker_reconnection] - Maximum reconnect attempts (5) reached. Giving up.",
    "[worker_reconnection] - Received task assignment for task t1",
    "[enhanced_worker_client] - Executing task t1",
    "[enhanced_worker_client] - Executing task t2",
    "[enhanced_worker_client] - Task t1 (Task-1): iteration 1/4 - 25.0%",
    "[enhanced_worker_client] - Task t1 (Task-1): iteration 2/4 - 50.0%",
    "[enhanced_worker_client] - Task t1 (Task-1) completed successfully",
    "[worker_reconnection] - Task t1 completed successfully",
    "[enhanced_worker_client] - Error executing task t1: boom",
    "[worker_reconnection] - Error executing task t1: boom",
    "[enhanced_worker_client] - Traceback (most recent call last):",
    "[enhanced_worker_client] - Test results: {",
    "[worker_reconnection] - left [ ",
    "[worker_reconnection] - Created checkpoint c1 for task t1",
    "[enhanced_worker_client] - Resuming task t1 from checkpoint (iteration 2)",
    '[worker_reconnection_enhancements] - Sent message: {"compressed": true, "original_size": 1093, "compressed_size": 545, "da',
    '[worker_reconnection_enhancements] - Sent message: {"type": "heartbeat", "x": 1}',
    "[worker_reconnection] - Heartbeat latency: 12.5ms",
    "[coordinator_websocket_server] - Received result for task t1 from worker w1",
    "[coordinator_websocket_server] - Coordinator WebSocket server started on 127.0.0.1:18801",
    "[coordinator_websocket_server] - Connection attempt with invalid path: /x",
    "[enhanced_worker_client] - Worker w1 status: CONNECTED, Active tasks: 1, Reconnections: 3",
)


def tagged(rng: random.Random, size: int) -> bytes:
    """Up to `size` lines of format tagged-v1, some of them damaged."""
    at_us, lines = START_US, []
    for _ in range(rng.randint(1, size)):
        at_us += rng.choice(STEPS_US)
        lines.append(_tagged_line(rng, at_us))
    return damaged(rng, lines)


def untagged(rng: random.Random, size: int) -> bytes:
    """As `tagged`, in the shape of ipfs-accelerate."""
    at_us, lines = START_US, []
    for _ in range(rng.randint(1, size)):
        at_us += rng.choice(STEPS_US)
        lines.append(_untagged_line(rng, at_us))
    return damaged(rng, lines)


def cuts(rng: random.Random, text: bytes) -> list[bytes]:
    """`text` cut at some of its line ends."""
    *whole, last = text.split(b"\n")
    lines = [*(line + b"\n" for line in whole), last]
    pieces: list[bytes] = [b""]
    for line in lines:
        if rng.random() < 0.3:
            pieces.append(b"")
        pieces[-1] += line
    return pieces


def _tagged_line(rng: random.Random, at_us: int) -> bytes:
    dice = rng.random()
    if dice < 0.08:
        return rng.choice(LOOSE).encode()
    if dice < 0.12:
        return rng.choice(BLOCK_LINES).encode()
    level, source = rng.choice(LEVELS), rng.choice(SOURCES)
    head = render(Event(at_us, level, source, "", "x"))[:-1]
    if dice < 0.25:
        return (head + rng.choice(BLOCK_LINES)).encode()
    if dice < 0.3:
        return (head + rng.choice((*LOOSE, *STRINGS))).encode("utf-8", "surrogatepass")
    spec = rng.choice(LIFE) if rng.random() < 0.6 else rng.choice(EVENTS)
    names = rng.sample(spec.fields, rng.randint(0, min(4, len(spec.fields)))) if rng.random() < 0.5 else spec.fields[:6]
    if rng.random() < 0.05:
        names = [*names, rng.choice(list(FIELD_TYPES))]
    fields = {name: _value(rng, name) for name in names}
    name = spec.name if rng.random() < 0.97 else rng.choice(("zap", "lost", "failed"))
    line = render(Event(at_us, level, source, spec.marker, name, {}))
    return (line + "".join(f" {key}={value}" for key, value in fields.items())).encode("utf-8", "surrogatepass")


def _value(rng: random.Random, name: str) -> str:
    kind = FIELD_TYPES[name]
    if rng.random() < 0.08:
        return rng.choice((*NUMBERS, *ESCAPES))
    if name == "task":
        text = rng.choice(TASKS)
    elif kind is str:
        text = rng.choice(STRINGS)
    elif kind is bool:
        return rng.choice(("true", "false"))
    elif kind is int:
        return str(rng.choice((0, 1, 3, 250, 65536, 10**12)))
    else:
        return repr(rng.choice((0.0, 0.25, 1.5, rng.random() * 100, 12345.678)))
    from recontool.logs.grammar import value_text

    return value_text(text)


def _untagged_line(rng: random.Random, at_us: int) -> bytes:
    from recontool.model.instant import to_datetime

    if rng.random() < 0.1:
        return rng.choice((*LOOSE, *BLOCK_LINES)).encode()
    at = to_datetime(at_us)
    level = rng.choice(LEVELS)
    stamp = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"
    if rng.random() < 0.05:
        return f"{stamp} - StressTest - {level} - Paused worker process 1".encode()
    text = rng.choice(SENTENCES) if rng.random() < 0.8 else "[enhanced_worker_client] - " + rng.choice(BLOCK_LINES)
    return f"{stamp} - {level} - {text}".encode()


def damaged(rng: random.Random, lines: list[bytes]) -> bytes:
    """The lines with their ends, here and there something wrong with them, often cut at the end."""
    text = b"".join(line + rng.choice((b"\n", b"\n", b"\n", b"\n", b"\r\n")) for line in lines)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3))):
        at, length = rng.randrange(len(text) + 1), rng.choice((0, 0, 1, 1, 3, 20))
        text = text[:at] + rng.choice(JUNK) + text[at + length :]
    if rng.random() < 0.3:
        text = text[: rng.randrange(len(text) + 1)]
    return text
