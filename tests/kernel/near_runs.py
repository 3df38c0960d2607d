"""Text as a busy log has it: many lines of one minute and few sources, with now and then something at the edge.

What reads many lines before it takes one, or a text as a whole, meets here what `near.tagged` seldom makes: full
batches, texts about as long as a vector, numbers about as long as they may be.
"""

import random

import near

from recontool.logs.grammar import render
from recontool.model.events import EVENTS, FIELD_TYPES, Event

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
