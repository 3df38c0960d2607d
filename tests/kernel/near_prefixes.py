"""Seeded lines behind prefixes of containers, journald and syslog: some in pieces, some damaged."""

import json
import random

from near import damaged

from recontool.logs.prefix import PREFIXES

BY_NAME = {prefix.name: prefix for prefix in PREFIXES}
STAMP = "2026-11-24T10:15:32"
TAGS = ("F", "F", "F", "F", "P", "P", "F:x", "P:pod", "X", "")
PLAIN = {
    "timestamps": (f"{STAMP}.123456789Z ", f"{STAMP}.12345678Z ", f"{STAMP}.123456789Z"),
    "docker-compose": (
        "worker-1  | ",
        "\x1b[36mfleet-worker-1  | \x1b[0m",
        f"worker-1 | {STAMP}.123456789Z ",
        "-w | ",
        "w  ",
    ),
    "syslog": (
        f"<34>1 {STAMP}.123456Z host worker 17 ID47 - ",
        rf'<34>1 {STAMP}Z host worker - - [a@1 k="v\]"][b] ',
        "1 - h w - - [x] \ufeff",
        r"<1>1 - h w - - [\] ",
        f"<34>1 {STAMP}Z host worker 17 ID47 -",
        f"<34>1 {STAMP}Z host worker 17 ID47 []x",
    ),
    "journald": (
        "Nov 24 10:15:32 host worker[123]: ",
        "Nov  4 10:15:32.123456 host recontool-worker@1.service[9]: ",
        "<13>Nov 24 10:15:32 host worker: ",
        "Feb 30 10:15:32 h w[x]: ",
    ),
    "journald-iso": (
        f"{STAMP}+0000 host worker[123]: ",
        f"{STAMP}.123456+00:00 host worker[123]: ",
        f"{STAMP}Z host w: ",
    ),
}


def prefixed(rng: random.Random, text: bytes) -> tuple[str, bytes]:
    """Name of a prefix, and the lines of `text` behind it."""
    name = rng.choice(tuple(BY_NAME))
    lines = [behind(rng, name, line) for line in text.split(b"\n")]
    return name, damaged(rng, lines)


def behind(rng: random.Random, name: str, line: bytes) -> bytes:
    """A line without its end behind one of the forms of a prefix."""
    if rng.random() < 0.04:
        return line
    if name == "kubernetes":
        fraction, zone = rng.choice(("", ".1", ".123456789", ".1234567890")), rng.choice(("Z", "+01:00", "+0100"))
        tag = rng.choice(TAGS)
        return (
            f"{STAMP}{fraction}{zone} {rng.choice(('stdout', 'stderr', 'stdin'))} {tag}{' ' if rng.random() < 0.95 else ''}".encode()
            + line
        )
    if name == "docker-json":
        return _docker(rng, line.decode("utf-8", "replace"))
    return rng.choice(PLAIN[name]).encode() + line


def _docker(rng: random.Random, line: str) -> bytes:
    end = rng.choice(("\n", "\n", "\n", "\r\n", "", "\n\n", "\r\r\n"))
    if rng.random() < 0.1:
        line = line.replace(" ", "\n", 1)
    record = {"log": line + end, "stream": "stdout", "time": STAMP + "Z"}
    if rng.random() < 0.05:
        del record[rng.choice(("time", "log"))]
    if rng.random() < 0.05:
        record[rng.choice(("log", "time", "attrs"))] = rng.choice((None, 7, "x", {"a": [1]}, "\ud800"))
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.03:
        text = text.replace('"time"', r'"t\u0069me"')
    return text.encode("utf-8", "surrogatepass")
