"""Seeded JSON lines and logfmt near the grammar: records of many writers, and what damage makes of them."""

import json
import random
from datetime import datetime, timedelta, timezone

from near import BLOCK_LINES, ESCAPES, LIFE, LOOSE, NUMBERS, SOURCES, START_US, STEPS_US, STRINGS, TASKS, damaged

from recontool.logs.structured import EVENT_KEY, LEVEL_KEYS, MARKER_KEYS, SOURCE_KEYS, TEXT_KEYS, TIME_KEYS
from recontool.model.events import EVENTS, FIELD_TYPES
from recontool.model.instant import from_datetime, to_datetime
from recontool.model.units import SECOND_US

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Africa/Casablanca",
)
# Soon after these a clock on the wall is set: in Berlin back and forth, in New York, on Lord Howe Island.
EDGES = ("2026-10-25T01:58:00", "2027-03-28T01:58:00", "2026-11-01T00:59:00", "2026-10-04T01:58:00")
EDGES_US = tuple(from_datetime(datetime.fromisoformat(f"{edge}Z")) for edge in EDGES)
LEVELS = (
    "info",
    "WARN",
    "Error",
    "DEBUG-4",
    "INFO+2",
    "notice",
    "fatal",
    "",
    "loud",
    " warning ",
    "30",
    "50",
    "7",
    "0",
    "\u0130NFO",
    "INFO+",
    "9999999999",
)
MARKERS = ("TASK", "[RECONNECT]", "connect", "[sync", "SECURITY]", "ta\u017fk", "pool", "", "[[TASK]]", "checkpoint")
ODD_TIMES = (
    "", "soon", "2026-11-24", "2026-02-30T10:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T10:15", "2026-11-24 10:15Z", "2026-11-24T10:15:32,5",
    "2026-11-24T10:15:32.1234567891Z", "2026-11-24T10:15:60Z", "2026-11-24T10:15:32+24:00", "2026-11-24T10:15:32-23:59", "2026-11-24T10:15:32+0530",
    "2026-11-24T10:15:32 +01:00", "2026-11-24t10:15:32z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59", "2026-11-24T10:15:32.",
    "2500-07-01 12:00:00", "1890-01-01 00:00:00", "0000-01-01T00:00:00Z", "2026-11-24 10:15:32 ", "1795600000.5", "-1", "-0", "1e3", "00017", "12345678901234567890",
    "1795600000." + "9" * 18, "1795600000." + "9" * 19, "20261124", "2026-11-24T10:15:3", "2026-11-24T10:15:32+1:00", "2026-11-24T10:15+01:00",
)  # fmt: skip
ODD_NUMBERS = (
    "1e999999999999", "1e-5", "17956e5", "1.5e1", "99999999999", "100000000000", "99999999999999.9", "1e17", "253402300799999999999", "253402300800000000000",
    "-0.0", "-3", "1e0", "007", "1.", "NaN", "Infinity", "-Infinity", "+1", "0.1e1", "123456789012345678901234567890", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "1.0", "10e-1", "1e18", "1.0000000000000000000000000000001", "1e15", "1.1e15", "0x1", "1e", "- 1", "1E+2",
)  # fmt: skip
NESTED = (
    "{}",
    "[]",
    '{"a":1}',
    '{"a": [1, {"b": null}], "a": "\\u00e9"}',
    "[1,2]",
    "[1,]",
    '{"a"}',
    "{'a':1}",
    "[[[[]]]]",
    '{"k":NaN}',
    "[" * 40 + "]" * 40,
    "[" * 101 + "]" * 101,
)
JSON_STRINGS = (
    *ESCAPES,
    r'"\u0074"',
    r'"lost\u0020code=3"',
    r'"\ud83d\u0041"',
    r'"\ud800\ud83d\ude00"',
    r'"\uD83D\uDE00"',
    '"\x7f"',
    r'"\b\f\n\r\t"',
)
LOGFMT_STRINGS = (
    *ESCAPES,
    r'"\x41\101\777\xzz"',
    r'"\U0001f600\U00110000\ud83d\ude00\ude00"',
    r'"\a\e\v\7\é"',
    r'"\\"',
    "a=b",
    "=",
    'x"y',
)


def json_lines(rng: random.Random, size: int) -> bytes:
    """Up to `size` records as JSON, some of them damaged."""
    return damaged(rng, [_line(rng, at_us, _json_line) for at_us in _times(rng, size)])


def logfmt(rng: random.Random, size: int) -> bytes:
    """As `json_lines`, as key=value."""
    return damaged(rng, [_line(rng, at_us, _logfmt_line) for at_us in _times(rng, size)])


def _times(rng, size):
    at_us = rng.choice((START_US, START_US, *EDGES_US))
    for _ in range(rng.randint(1, size)):
        at_us += rng.choice(STEPS_US)
        yield at_us


def _line(rng, at_us, write):
    if rng.random() < 0.07:
        return rng.choice((*LOOSE, *BLOCK_LINES)).encode()
    line = write(rng, _record(rng, at_us))
    return line.encode("utf-8", "surrogatepass")


def _record(rng, at_us):
    """Pairs of keys and values; a value that is no str is written as it is."""
    pairs = [(rng.choice(TIME_KEYS), _time(rng, at_us)), (rng.choice(LEVEL_KEYS), rng.choice((*LEVELS, 10, 30, 40, 3)))]
    if rng.random() < 0.9:
        pairs.append(
            (
                rng.choice(SOURCE_KEYS),
                rng.choice(SOURCES) if rng.random() < 0.96 else rng.choice(("two words", "", 7, "x" * 129, "w\u00e9")),
            )
        )
    dice = rng.random()
    if dice < 0.12:
        pairs.append((rng.choice(TEXT_KEYS), rng.choice((*BLOCK_LINES, *LOOSE, *STRINGS))))
    else:
        pairs += _event(rng)
    while rng.random() < 0.25:
        key = rng.choice(
            (*TIME_KEYS, *LEVEL_KEYS, *SOURCE_KEYS, *MARKER_KEYS, EVENT_KEY, *TEXT_KEYS, "logger", "x", *FIELD_TYPES)
        )
        pairs.insert(rng.randrange(len(pairs) + 1), (key, _any(rng)))
    if rng.random() < 0.3:
        rng.shuffle(pairs)
    return pairs


def _event(rng):
    spec = rng.choice(LIFE) if rng.random() < 0.6 else rng.choice(EVENTS)
    names = rng.sample(spec.fields, rng.randint(0, min(4, len(spec.fields)))) if rng.random() < 0.5 else spec.fields[:5]
    fields = [(name, _value(rng, name)) for name in names]
    name = spec.name if rng.random() < 0.97 else rng.choice(("zap", "Lost", "two words"))
    dice, inside = rng.random(), rng.randint(0, len(fields))
    told = "".join(
        f" {key}={value if isinstance(value, str) and value.isalnum() else json.dumps(value)}"
        for key, value in fields[:inside]
    )
    marker = (
        []
        if not spec.marker
        else [(rng.choice(MARKER_KEYS), spec.marker if rng.random() < 0.9 else rng.choice(MARKERS))]
    )
    if dice < 0.4:
        return [*marker, (EVENT_KEY, name), *fields]
    if dice < 0.7:
        return [*marker, (rng.choice(TEXT_KEYS), name + told), *fields[inside:]]
    tag = f"[{spec.marker}] " if spec.marker else ""
    return [(rng.choice(TEXT_KEYS), tag + name + told), *fields[inside:]]


def _value(rng, name):
    kind = FIELD_TYPES[name]
    if rng.random() < 0.08:
        return _any(rng)
    if name == "task":
        return rng.choice(TASKS)
    if kind is str:
        return rng.choice(STRINGS)
    if kind is bool:
        return rng.choice((True, False, "true", "false"))
    if kind is int:
        return rng.choice((0, 1, 3, 250, 65536, 10**12, "7", 1006.0))
    return rng.choice((0.0, 0.25, 1.5, 3, rng.random() * 100, 12345.678, "2.5"))


class Raw(str):
    """A value that is written as it stands."""

    __slots__ = ()


def _any(rng):
    return rng.choice(
        (
            None,
            True,
            False,
            7,
            rng.choice(STRINGS),
            Raw(rng.choice((*ODD_NUMBERS, *NUMBERS, *NESTED))),
            Raw(rng.choice(JSON_STRINGS)),
            rng.choice(ODD_TIMES),
        )
    )


def _time(rng, at_us):
    at, dice = to_datetime(at_us), rng.random()
    if dice < 0.1:
        return rng.choice((*ODD_TIMES, Raw(rng.choice(ODD_NUMBERS))))
    if dice < 0.3:
        return rng.choice(
            (
                at_us // SECOND_US,
                at_us / SECOND_US,
                at_us // 1000,
                at_us,
                at_us * 1000 + 999,
                str(at_us // 1000),
                f"{at_us / SECOND_US:.6f}",
            )
        )
    if dice < 0.5:
        ahead = rng.choice((60, 330, -300, 0))
        moved = at.astimezone(timezone(timedelta(minutes=ahead)))
        return moved.isoformat().replace("T", rng.choice("T T"))
    text = f"{at:%Y-%m-%d}{rng.choice('T ')}{at:%H:%M:%S}{rng.choice('.,')}{at.microsecond:06d}"
    return text[: rng.choice((26, 26, 23, 22, 19))] + rng.choice(("Z", "Z", "", "", "z", " Z"))


def _json_line(rng, pairs):
    comma, colon = rng.choice(((", ", ": "), (",", ":"), (",\t", " : ")))
    ascii_only = rng.random() < 0.5
    written = []
    for key, value in pairs:
        name = json.dumps(key)
        if rng.random() < 0.02:
            name = '"' + "".join(f"\\u{ord(letter):04x}" for letter in key) + '"'
        written.append(name + colon + (value if isinstance(value, Raw) else json.dumps(value, ensure_ascii=ascii_only)))
    return (
        rng.choice(("", "", "", " "))
        + "{"
        + comma.join(written)
        + "}"
        + (rng.choice((" ", "}", ",")) if rng.random() < 0.05 else "")
    )


def _logfmt_line(rng, pairs):
    written = []
    for key, value in pairs:
        if value is True and rng.random() < 0.5:
            written.append(key)
            continue
        text = value if isinstance(value, str) else json.dumps(value)
        if rng.random() < 0.04:
            text = rng.choice(LOGFMT_STRINGS)
        elif not isinstance(value, Raw) and (
            not text or not text.isascii() or set(text) & set(' "=\\\t') or rng.random() < 0.2
        ):
            text = json.dumps(text, ensure_ascii=rng.random() < 0.5)
        written.append(f"{key}={text}")
    return rng.choice(("", "", "", " ")) + rng.choice((" ", " ", " ", "  ", "\t")).join(written)
