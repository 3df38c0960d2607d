"""Text as a busy log has it: many lines of one minute, few sources and few forms, with now and then something at the edge.

What reads many lines before it takes one, or a text as a whole, meets here what `near.tagged` seldom makes: full
batches, texts about as long as a vector, numbers about as long as they may be.
"""

import random
from collections.abc import Callable, Sequence
from datetime import datetime

import near

from recontool.logs.format import load
from recontool.logs.grammar import render
from recontool.model.events import EVENTS, FIELD_TYPES, Event
from recontool.model.instant import to_datetime
from recontool.model.markers import LEVELS

VALUES = (
    "0", "12", "123456789012345", "1234567890123456", "12345678901234567", "99999.9999999999", "1.5", "1.", ".5", "1..5",
    "1.2.3", "00000000000000.5", "0.123456789", "999999999999999", "1000000000000000", "1000000000000001", "1e3", "-1", "",
    "=", "5=5", "1=", "true", "false", "a.b.c", "..", ".", "x" * 20, "9" * 15 + ".5", "9" * 14 + ".5", "\x7f", "a\x00b", "\x00",
    '"q"', '"a b"', '"a=b"', '"1"',
)  # fmt: skip
TEXTS = (
    "", "c", "config", "processing a=1", "idle", "[", "[TASK]", "[TASK] ", "[TASK]  completed", "[NOPE] completed a=1",
    "Message count: 3", "=== Performance Metrics for w1 ===", "======", "[TASK] Completed", "z=1", "z", "[TASK] completed\t",
    "[TASK] completedx=1", "[TASK] completed=1", "a" * 32, "b" * 33, "[CHECKPOINT] " + "k" * 19 + " a=1", "[CHECKPOINT] " + "k" * 20,
)  # fmt: skip
WIDTHS = (62, 63, 64, 65, 126, 127, 128, 129, 191, 192, 193, 255, 256, 257)
SOURCES = ("w1", "w1", "w1", "w1", "w2", "coordinator", "s" * 63, "s" * 128)
MORE = ("unknown", "longer_than_sixteen_bytes_it_is", "a", "resumed")
ENDS = (b"\r\n", b"\r\r\n", b"\n\n", b"\n\r\n")
STEPS_US = (0, 1, 1000, 20_000)
BYTES = (" ", "=", '"', ".", "/", "0", "9", ":", "a", "[", "]", "_", "-", "\t", "\x00", "\x1f", "\x7f", "é")
SHAPES = 8  # of a file are written again and again
JUMPS_US = (-5000, 59_000_000, 70_000_000)
# Patterns with every way to go wrong: choices that look at the same bytes, ways back, sets with gaps, values that bind.
OWN = load(
    r"""
name = "own"
title = "a format of nobody's"
engine = "templates"
shapes = [
    '(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(?P<milli>\d{6}) <(?P<level>[A-Z]+)> (?P<logger>[\w.]+?)(?: \[\d+\])?: (?P<text>.+)',
    '(?P<second>\d{4}-\d\d-\d\d \d\d:\d\d:[0-4]\d),(?P<milli>\d{3}) (?P<level>[A-Z]+) (?P<logger>\S+) (?P<text>.*)',
    '(?P<second>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(?P<milli>\d+) (?P<level>[A-Z]+) (?P<logger>[ab]?\S*?[^ ]) ?(?P<text>.*)',
]
worker_loggers = ["a"]
coordinator_loggers = ["b"]
claim_only = []

[[template]]
logger = "a"
starts = "up"
match = 'up(?: after (?:None|(?P<down_s>[\d.]+)s?))?(?:, (?P<resumed>true|false|maybe))?.*'
marker = "session"
event = "established"

[[template]]
logger = "a"
starts = ""
match = 'down(?: (?P<code>\d{1,5}|-\d))? ?(?P<reason>[a-m0-5]*?x?)(?P<cause>closed|crash)?'
marker = "RECONNECT"
event = "lost"

[[template]]
logger = "a"
starts = "t "
match = 't (?P<task>\S+?)(?:-(?P<checkpoint>[0-9a-f]{2,4}))?(?: (?P<size_bytes>\d+))?'
marker = "CHECKPOINT"
event = "created"
even = "size_bytes"

[[template]]
logger = "a"
starts = "t "
match = 't (?P<task>[a-z]+\d*) (?P<took_ms>[0-9.e+-]+)(?P<error>: .*| !)?'
marker = "TASK"
event = "failed"

[[template]]
logger = "a"
starts = "m"
match = 'm (?P<type>[^ :]+)[ :](?P<seq>[1-8]\d*)?.?'
event = "message_sent"

[[template]]
logger = "a"
starts = "ack"
match = 'ack (?P<rtt_ms>\d+\.\d|\d+)(?:ms|(?P<worker> \w+))'
event = "message_acked"

[[template]]
logger = "a"
starts = "says "
match = 'says (?P<messages_sent>\d+)(?: (?P<avg_message_latency_ms>\S+))?'
event = "metrics"
also = { event = "metrics" }

[[template]]
logger = "b"
starts = "t "
match = 't (?P<task>[^5]+)(?P<worker>5?)'
marker = "TASK"
event = "started"
also = { event = "message_received", fields = { type = "heartbeat" } }

[[sample]]
line = "2026-11-24T02:21:24.682000 <INFO> a: up"
marker = "CONNECT"
event = "established"
""",
    where="near_runs.py",
)
OWN_TEXTS = (
    "a up", "a up after 12.5s", "a up after None, true", "a up, maybe", "a up after 1.2.3s, false", "a up after 7 and a day",
    "a down", "a down 1006", "a down 1006 abcx", "a down -1", "a down 5closed", "a down 100200 e", "a down closedcrash", "a down 12 k0",
    "a t abc-12", "a t abc-12f", "a t abc-12f 13", "a t abc-12f 14", "a t abc 3.5", "a t abc3 17: no", "a t abc 1e3 !", "a t x5 12 !",
    "a m heartbeat:1", "a m heartbeat 9", "a m a b", "a m type:77", "a m 1:81", "a ack 12.5ms", "a ack 7 w1", "a ack 7ms", "a ack 12.55ms", "a says 7", "a says 12 3.5", "a says 12 x",
    "b t abc5", "b t 123", "b t 1235", "c t abc", "a Message count: 3", "a Messages", "a Reconnections: 12", "a nothing", "a  indented",
    "a ======", "a === Performance Metrics for w1 ===", "a =", "b {", "b x [", "a Traceback (most recent call last):",
)  # fmt: skip
_COMPLETED = next(spec for spec in EVENTS if (spec.marker, spec.name) == ("TASK", "completed"))


def tagged(rng: random.Random, size: int) -> bytes:
    """Up to ten times `size` lines of format tagged-v1, in most files few of them unusual."""
    at_us, odd, lines = near.START_US + rng.randrange(10**8), rng.choice((0, 0, 0.01, 0.05, 0.3)), []
    again, texts = rng.choice((0, 0.5, 0.95)), [_text(rng, odd)]
    source = rng.choice(SOURCES)
    for _ in range(rng.randint(1, 10 * size)):
        at_us += rng.choice(JUMPS_US) if rng.random() < 0.01 else rng.choice(STEPS_US)
        source = rng.choice(SOURCES) if rng.random() < odd else source
        end = rng.choice(ENDS) if rng.random() < odd / 3 else b"\n"
        text = _again(rng, rng.choice(texts), odd) if rng.random() < again else _text(rng, odd)
        if len(texts) < SHAPES:
            texts.append(text)
        head = render(Event(at_us, rng.choice(("INFO", "INFO", "INFO", "DEBUG")), source, "", "x"))[:-1]
        lines.append(f"{head}{text}".encode() + end)
    text = b"".join(lines)
    return text[: rng.randrange(len(text) + 1)] if rng.random() < 0.3 else text


def untagged(rng: random.Random, size: int) -> bytes:
    """As `tagged`, in the shape of ipfs-accelerate."""
    sentences = (*near.SENTENCES, *(f"[enhanced_worker_client] - {line}" for line in (*near.BLOCK_LINES, *near.LOOSE)))
    return _shaped(
        rng, size, sentences, lambda _, at, level, text: f"{at:%F %T},{at.microsecond // 1000:03d} - {level} - {text}"
    )


def own(rng: random.Random, size: int) -> bytes:
    """As `tagged`, in the shapes of `OWN`."""
    return _shaped(
        rng,
        size,
        OWN_TEXTS,
        rng.choice((_micros, _micros, _millis, lambda rng, *rest: rng.choice((_micros, _millis))(rng, *rest))),
    )


Written = Callable[[random.Random, datetime, str, str], str]


def _micros(rng: random.Random, at: datetime, level: str, text: str) -> str:
    logger, _, rest = text.partition(" ")
    return f"{at:%FT%T}.{at.microsecond:06d} <{level}> {logger}{rng.choice(('', '', '', ' [12]'))}: {rest}"


def _millis(_: random.Random, at: datetime, level: str, text: str) -> str:
    return f"{at:%F %T},{at.microsecond // 1000:03d} {level} {text}"


def _shaped(rng: random.Random, size: int, sentences: Sequence[str], written: Written) -> bytes:
    at_us, odd, lines = near.START_US + rng.randrange(10**8), rng.choice((0, 0, 0.01, 0.05, 0.3)), []
    few, levels = (
        rng.sample(sentences, rng.randint(1, SHAPES)),
        rng.choice((("INFO",), ("INFO", "DEBUG", "ERROR"), LEVELS)),
    )
    for _ in range(rng.randint(1, 10 * size)):
        at_us += rng.choice(JUMPS_US) if rng.random() < 0.01 else rng.choice(STEPS_US)
        text = _again(rng, rng.choice(few) if rng.random() >= odd else rng.choice(sentences), odd)
        line = written(rng, to_datetime(at_us), rng.choice(levels), text)
        end = rng.choice(ENDS) if rng.random() < odd / 3 else b"\n"
        lines.append((_again(rng, line, 0) if rng.random() < odd / 5 else line).encode() + end)
    text = b"".join(lines)
    return text[: rng.randrange(len(text) + 1)] if rng.random() < 0.3 else text


def _again(rng: random.Random, text: str, odd: float) -> str:
    """A text of the same layout: other digits, and seldom one byte that should not be there."""
    digits = "".join(rng.choice("0123456789") if "0" <= byte <= "9" and rng.random() < 0.5 else byte for byte in text)
    if not digits or rng.random() >= odd + 0.02:
        return digits
    at = rng.randrange(len(digits))
    return digits[:at] + rng.choice(BYTES) + digits[at + 1 :]


def _text(rng: random.Random, odd: float) -> str:
    if rng.random() < odd:
        return rng.choice(TEXTS)
    spec = _COMPLETED if rng.random() < 0.4 else rng.choice(EVENTS)
    names = [*spec.fields[: rng.randint(0, len(spec.fields))], *(rng.choice(MORE) for _ in range(rng.random() < odd))]
    names *= 1 + (rng.random() < odd / 2)
    mark = f"[{spec.marker}] " if spec.marker else ""
    text = mark + spec.name + "".join(f" {name}={_value(rng, name, odd)}" for name in names)
    room = rng.choice(WIDTHS) - len(text) - len(" pad=")
    if room > 0 and rng.random() < odd + 0.02:
        text += " pad=" + "p" * room
    return text


def _value(rng: random.Random, name: str, odd: float) -> str:
    if rng.random() < odd:
        return rng.choice(VALUES)
    kind = FIELD_TYPES.get(name, str)
    if kind is int:
        return str(rng.randrange(10 ** rng.randint(1, 16)))
    if kind is float:
        return f"{rng.random() * 10 ** rng.randint(0, 8):.{rng.randint(0, 9)}f}"
    if kind is bool:
        return rng.choice(("true", "false"))
    return rng.choice(("t1", "t2", "x" * rng.randint(1, 60), "10.0.0.1:80"))
