"""Writes seeded logs of any size, fast: `python bench/make_logs.py --kind debug --size 1GB --out debug.log`.

Kinds: `debug` (60 % of the lines are unmarked DEBUG records), `info` (every line carries a marker), `json` and `logfmt`
(the same events as `info`) and `field` (the untagged format ipfs-accelerate at INFO). A few scenes of 16 minutes are rendered once, by the grammar the runtime uses;
then only what differs from repetition to repetition is written over them: times, ids, sequence numbers, last digits.
"""

import argparse
import json
import re
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import scenes

from recontool.logs.grammar import parse_record, value_text
from recontool.model.instant import from_datetime, iso, to_datetime
from recontool.model.units import MINUTE_US

START_US: Final = from_datetime(to_datetime(0).replace(year=2026, month=1, day=1))
KINDS: Final = ("debug", "info", "field", "json", "logfmt")
BEFORE_TIME: Final = {"json": '{"timestamp":"', "logfmt": "ts="}
UNITS: Final = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
SCENES: Final = 4
MINUTES: Final = 16  # of one scene
MINUTE_WIDTH: Final = 16  # 2026-11-24T10:15
SEQ_WIDTH: Final = 9
POOL: Final = 2**20
ID: Final = re.compile(rb"(?:task-|cp-|session=|session\":\")([0-9a-f]{8})|\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-")
SEQ: Final = re.compile(rb"seq=(\d{9})\b")
LAST_DIGITS: Final = re.compile(rb"_ms(?:=|\":)\d+\.(\d\d)[1-9]\b|_bytes(?:=|\":)[1-9]\d*(\d\d)\b")

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[Any]


class Scene:
    """Rendered minutes and the places in them that change each time they are written."""

    def __init__(self, kind: str, sources: list[str], seed: int) -> None:
        lines = scenes.scene(kind, sources, MINUTES, seed)
        rendered = [_line(kind, START_US + at * 1000, tail).encode() for at, tail in lines]
        text = b"".join(rendered)
        starts = np.cumsum([0, *map(len, rendered[:-1])]) + len(BEFORE_TIME.get(kind, ""))
        self._minute_of_line = np.array([at // scenes.MINUTE_MS for at, _ in lines])
        self._separator = kind == "field"
        self._minutes = starts[:, None] + np.arange(MINUTE_WIDTH)
        # Milliseconds keep the lines in order; what is below them may be anything.
        self._micros = starts[:, None] + np.arange(23, 26) if kind != "field" else np.empty((0, 3), int)
        self._ids, self._id_of = _places(ID, text, 8)
        self._seqs, self._seq_of = _places(SEQ, text, SEQ_WIDTH)
        self._digits, _ = _places(LAST_DIGITS, text, 2)
        self.text: Bytes = np.frombuffer(text, np.uint8).copy()

    def write_over(self, first_minute: int, first_seq: int, draw: "Draw") -> int:
        """Move the scene to `first_minute`; returns the next free sequence number."""
        stamps = [iso(START_US + (first_minute + minute) * MINUTE_US)[:MINUTE_WIDTH] for minute in range(MINUTES)]
        stamped = "".join(stamps).replace("T", " ") if self._separator else "".join(stamps)
        table = np.frombuffer(stamped.encode(), np.uint8).reshape(MINUTES, MINUTE_WIDTH)
        self.text[self._minutes] = table[self._minute_of_line]
        self.text[self._micros] = draw.digits(self._micros.shape)
        self.text[self._digits] = draw.digits(self._digits.shape)
        distinct = int(self._id_of.max(initial=-1)) + 1
        self.text[self._ids] = draw.hexes((distinct, 8))[self._id_of]
        numbers = first_seq + np.arange(int(self._seq_of.max(initial=-1)) + 1)
        powers = 10 ** np.arange(SEQ_WIDTH - 1, -1, -1)
        self.text[self._seqs] = (48 + numbers[:, None] // powers % 10)[self._seq_of]
        return first_seq + len(numbers)


class Draw:
    """Random characters cut from a pool, which is far cheaper than drawing each."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._digit_pool = self._rng.integers(48, 58, POOL, dtype=np.uint8)
        self._hex_pool = np.frombuffer(b"0123456789abcdef", np.uint8)[self._rng.integers(0, 16, POOL)]

    def digits(self, shape: tuple[int, ...]) -> Bytes:
        """Decimal digits."""
        return self._cut(self._digit_pool, shape)

    def hexes(self, shape: tuple[int, ...]) -> Bytes:
        """Lower case hexadecimal digits."""
        return self._cut(self._hex_pool, shape)

    def _cut(self, pool: Bytes, shape: tuple[int, ...]) -> Bytes:
        size = int(np.prod(shape))
        at = int(self._rng.integers(0, POOL - size))
        return pool[at : at + size].reshape(shape)


def write(path: Path, kind: str, size_bytes: int, *, workers: int = 1, seed: int = 7) -> int:
    """Write whole lines up to `size_bytes`; returns the bytes written."""
    sources = [f"worker-{number}" for number in range(1, workers + 1)]
    made = [Scene(kind, sources, seed * 1000 + number) for number in range(SCENES)]
    draw = Draw(seed)
    with path.open("wb", buffering=0) as log:
        written = _write_head(log, kind, sources)
        minute, seq, turn = 1, scenes.FIRST_SEQ, 0
        while written < size_bytes:
            scene = made[turn % SCENES]
            seq = scene.write_over(minute, seq, draw)
            room = size_bytes - written
            text = scene.text.data
            if len(text) > room:
                ends = np.flatnonzero(scene.text[:room] == ord("\n"))
                text = text[: int(ends[-1]) + 1] if len(ends) else text[:0]
                log.write(text)
                return written + len(text)
            log.write(text)
            written += len(text)
            minute, turn = minute + MINUTES, turn + 1
    return written


def _write_head(log: IO[bytes], kind: str, sources: list[str]) -> int:
    """Every process's first connect, in the minute before the first scene."""
    lines = [(at + index, tail) for index, source in enumerate(sources) for at, tail in scenes.head(kind, source)]
    lines.sort(key=lambda line: line[0])
    return log.write("".join(_line(kind, START_US + at * 1000, tail) for at, tail in lines).encode())


def _line(kind: str, at_us: int, tail: str) -> str:
    if kind not in BEFORE_TIME:
        return f"{_stamp(kind, at_us)}{tail}\n"
    event = parse_record(iso(at_us) + tail)
    if event is None:
        raise ValueError(f"no record: {tail!r}")
    who = {"level": event.level.lower(), "source": event.source, "marker": event.marker, "event": event.name}
    pairs = {("timestamp" if kind == "json" else "ts"): iso(at_us), **who, **event.fields}
    if kind == "json":
        return json.dumps(pairs, separators=(",", ":")) + "\n"
    return " ".join(f"{key}={value_text(value)}" for key, value in pairs.items()) + "\n"


def _stamp(kind: str, at_us: int) -> str:
    return iso(at_us)[:23].replace("T", " ").replace(".", ",") if kind == "field" else iso(at_us)


def _places(pattern: re.Pattern[bytes], text: bytes, width: int) -> tuple[Places, Places]:
    """(offsets of every character to replace, which distinct value each row shows), in order of appearance."""
    matches = list(pattern.finditer(text))
    order: dict[bytes, int] = {}
    which = [order.setdefault(match[match.lastindex or 0], len(order)) for match in matches]
    starts = np.array([match.start(match.lastindex or 0) for match in matches], dtype=np.int64)
    return starts[:, None] + np.arange(width), np.array(which, dtype=np.int64)


def size(text: str) -> int:
    """Bytes of `200MB`, `1GB` (powers of ten)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(kB|MB|GB)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 200MB or 1GB")
    return round(float(match[1]) * UNITS[match[2]])


def main() -> None:
    """Write one log."""
    parser = argparse.ArgumentParser(description="Write a seeded log.")
    parser.add_argument("--kind", choices=KINDS, default="info")
    parser.add_argument("--size", type=size, default=size("1GB"), help="such as 200MB or 1GB")
    parser.add_argument("--workers", type=int, default=1, help="sources that write into the one file by turns")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    written = write(options.out, options.kind, options.size, workers=options.workers, seed=options.seed)
    print(f"{options.out}: {written:,} bytes")


if __name__ == "__main__":
    main()
