"""Events as CSV and NDJSON: the compiled core writes byte for byte what Python's csv and json would."""

import gzip
import json
import math
import random
import struct
import sys
from csv import reader
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
import near
import near_pairs

from recontool.api import export, table
from recontool.api.select import Selection, select_events
from recontool.api.sources import Reading
from recontool.kernel import table as kernel_table
from recontool.kernel.library import library
from recontool.logs.grammar import render
from recontool.model.events import Event

pytestmark = pytest.mark.skipif(library() is None, reason="the compiled core is not built here")
MAKES = {"tagged": near.tagged, "templates": near.untagged, "json": near_pairs.json_lines, "logfmt": near_pairs.logfmt}
EVERYTHING = Selection()


def much(make):
    return b"".join(make(random.Random(seed), 60) for seed in range(8))


def rows_of(text, *, csv):
    return len(list(reader(StringIO(text, newline="")))) - 1 if csv else text.count("\n")


def by_core(paths, wanted, reading, *, csv):
    out = StringIO()
    count = export.export_text([str(path) for path in paths], wanted, reading, out, csv=csv)
    assert count == rows_of(out.getvalue(), csv=csv)
    return out.getvalue()


def by_reference(paths, wanted, reading, *, csv):
    out = StringIO()
    write = table.write_csv if csv else table.write_ndjson
    write(select_events([str(path) for path in paths], wanted, reading), out)
    return out.getvalue()


def same(paths, wanted=EVERYTHING, **how):
    written = 0
    for csv in (True, False):
        expected = by_reference(paths, wanted, Reading(**how), csv=csv)
        assert by_core(paths, wanted, Reading(**how), csv=csv) == expected
        written = expected.count("\n")
    return written


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_the_core_writes_what_the_reference_writes(tmp_path, monkeypatch, make):
    log, seen = tmp_path / "w,1.log", 0
    monkeypatch.setattr(kernel_table, "RANGE_BYTES", 300)
    for seed in range(40):
        log.write_bytes(make(random.Random(seed), 40))
        zone = ZoneInfo(near_pairs.ZONES[seed % len(near_pairs.ZONES)])
        try:
            seen += same([log], threads=1 + seed % 4, zone=zone)
        except export.NoDataError:
            continue
    assert seen > 200


def test_files_of_several_formats_and_filters(tmp_path):
    paths = []
    for name, make in MAKES.items():
        paths.append(tmp_path / f"{name}.log")
        paths[-1].write_bytes(much(make))
    assert same(paths) > 40
    assert same(paths, Selection(markers=frozenset({"RECONNECT", "TASK"}))) > 5
    assert same(paths, Selection(workers=frozenset({"w1"}))) > 5
    assert same(paths, Selection(near.START_US + 10**8, near.START_US + 10**9)) > 5


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_packed_and_prefixed_files(tmp_path, make):
    text = much(make)
    packed = tmp_path / "packed.log.gz"
    packed.write_bytes(gzip.compress(text))
    assert same([packed]) > 5
    prefixed = tmp_path / "prefixed.log"
    prefixed.write_bytes(
        b"".join(b"Nov 24 10:15:32 host worker[7]: " + line for line in text.splitlines(keepends=True))
    )
    assert same([prefixed]) > 5


def test_no_event_at_all(tmp_path):
    log = tmp_path / "quiet.log"
    log.write_text(render(Event(near.START_US, "INFO", "w1", "", "queue", {"depth": 1})) + "\n")
    assert by_core([log], Selection(markers=frozenset({"TASK"})), Reading(), csv=True) == table.CSV_HEADER
    assert by_core([log], Selection(markers=frozenset({"TASK"})), Reading(), csv=False) == ""


def floats():
    rng = random.Random(1)
    for power in range(-60, 60):
        yield from (2.0**power, math.nextafter(2.0**power, 0), math.nextafter(2.0**power, math.inf), 10.0**power)
    for _ in range(3000):
        yield rng.choice(
            (
                rng.random(),
                rng.random() * 10 ** rng.randint(-9, 15),
                round(rng.random() * 1000, rng.randint(0, 7)),
                float(rng.randrange(10**15)),
            )
        )
        yield abs(struct.unpack("d", struct.pack("Q", rng.getrandbits(64) & 0x433FFFFFFFFFFFFF))[0])


def test_numbers_are_written_as_python_writes_them(tmp_path):
    log = tmp_path / "numbers.log"
    numbers = [number * sign for number in floats() for sign in (1, -1) if number <= 1e15]
    events = [Event(near.START_US, "INFO", "w1", "", "queue", {"oldest_s": number}) for number in numbers]
    log.write_text("".join(render(event) + "\n" for event in events))
    written = [json.loads(line) for line in by_core([log], EVERYTHING, Reading(), csv=False).splitlines()]
    assert [one["oldest_s"] for one in written] == numbers
    assert len(numbers) > 10_000
    same([log])


def test_text_beyond_ascii_and_what_a_cell_must_quote(tmp_path):
    log = tmp_path / "text.log"
    texts = [
        "a,b",
        'say "hi"',
        "two\nlines",
        "return\rhere",
        "\t\b\f\v\x00\x1f\x7f",
        "ünï\u2028",
        "\U0001f600\ud7ff\ue000\uffff",
        "",
        "\\",
    ]
    events = [Event(near.START_US, "INFO", "w1", "TASK", "failed", {"task": text, "error": text}) for text in texts]
    events += [Event(near.START_US, "INFO", "w1", "", "config", {"role": text, "resumed": True}) for text in texts]
    log.write_text("".join(render(event) + "\n" for event in events))
    assert same([log]) == len(events)
