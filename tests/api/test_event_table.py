"""Events as Parquet: the compiled core writes what the reference would, filters pushed into the scan."""

import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
import near
import near_pairs
import near_runs

from recontool.api import export
from recontool.api.select import Selection
from recontool.api.sources import Reading
from recontool.kernel import table
from recontool.kernel.library import library
from recontool.logs.grammar import render
from recontool.model.events import Event
from recontool.model.instant import iso
from recontool.model.units import MINUTE_US, SECOND_US

pytestmark = pytest.mark.skipif(library() is None, reason="the compiled core is not built here")
MAKES = {
    "tagged": near.tagged,
    "runs": near_runs.tagged,
    "templates": near.untagged,
    "json": near_pairs.json_lines,
    "logfmt": near_pairs.logfmt,
}
EVERYTHING = Selection()


def rows(log, out, wanted=EVERYTHING, **how):
    count = export.export_parquet([str(log)], wanted, Reading(**how), out)
    found = pq.read_table(out).to_pylist()
    assert len(found) == count
    return found


def both(tmp_path, monkeypatch, log, wanted=EVERYTHING, **how):
    core = rows(log, tmp_path / "core.parquet", wanted, **how)
    with monkeypatch.context() as patch:
        patch.setattr(export, "library", lambda: None)
        reference = rows(log, tmp_path / "reference.parquet", wanted, **how)
    return core, reference


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_the_core_writes_what_the_reference_writes(tmp_path, monkeypatch, make):
    log, seen = tmp_path / "w1.log", 0
    for seed in range(60):
        monkeypatch.setattr(
            table, "RANGE_BYTES", (300, 2**22)[seed // 4 % 2]
        )  # many cuts, or time to learn of earlier lines
        log.write_bytes(make(random.Random(seed), 40))
        try:
            core, reference = both(tmp_path, monkeypatch, log, threads=1 + seed % 4)
        except export.NoDataError:
            continue
        assert core == reference, seed
        seen += len(core)
    assert seen > 300


def test_what_repeats_is_written_once_even_where_ranges_and_markers_share_names(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "RANGE_BYTES", 2000)
    at_us, events = 1_767_225_600 * SECOND_US, []
    for number in range(400):
        marker, name = [("CONNECT", "established"), ("RECONNECT", "established"), ("TASK", "odd")][number % 3]
        events.append(Event(at_us + number * SECOND_US, "INFO", f"worker-{number * 7 % 11}", marker, name, {}))
    log, out = tmp_path / "all.log", tmp_path / "all.parquet"
    log.write_text("".join(render(event) + "\n" for event in events))
    found = rows(log, out)
    assert [(row["source"], row["marker"], row["event"]) for row in found] == [
        (event.source, event.marker, event.name) for event in events
    ]
    group = pq.ParquetFile(out).metadata.row_group(0)
    described = [group.column(at) for at in range(group.num_columns)]
    by_dictionary = {one.path_in_schema for one in described if "RLE_DICTIONARY" in one.encodings}
    assert by_dictionary >= {"level", "source", "marker", "event", "file"}


def test_an_export_loads_no_pandas(tmp_path):
    log = tmp_path / "w1.log"
    log.write_bytes(near.tagged(random.Random(3), 40))
    code = (
        "import sys; from recontool.api.export import export_parquet; from recontool.api.select import Selection; "
        "from recontool.api.sources import DEFAULT; from pathlib import Path; "
        f"export_parquet([{str(log)!r}], Selection(), DEFAULT, Path({str(tmp_path / 'out.parquet')!r})); "
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def as_json(event):
    record = {"time": iso(event.at_us), "source": event.source, "marker": event.marker, "event": event.name}
    return json.dumps(record)


def steady(path, minutes, write=render):
    """A log in time order: an event a second, markers by turns."""
    lines = []
    for second in range(60 * minutes):
        marker, name = (("TASK", "started"), ("RECONNECT", "lost"), ("", "queue"))[second % 3]
        lines.append(write(Event(near.START_US + second * SECOND_US, "INFO", f"w{second % 2}", marker, name, {})))
    path.write_text("\n".join(lines) + "\n")


FILTERS = {
    "a window": Selection(near.START_US + 40 * MINUTE_US, near.START_US + 41 * MINUTE_US),
    "its ends are inclusive": Selection(near.START_US + 90 * SECOND_US, near.START_US + 90 * SECOND_US),
    "from a time on": Selection(near.START_US + 100 * MINUTE_US),
    "up to a time": Selection(until_us=near.START_US + MINUTE_US),
    "nothing": Selection(near.START_US - MINUTE_US, near.START_US - 1),
    "a marker": Selection(markers=frozenset({"RECONNECT"})),
    "a worker": Selection(workers=frozenset({"w1"})),
    "the last minutes": Selection(last_us=3 * MINUTE_US),
    "all at once": Selection(
        near.START_US + 30 * MINUTE_US, near.START_US + 60 * MINUTE_US, None, frozenset({"w0"}), frozenset({"TASK"})
    ),
}


@pytest.mark.parametrize("write", [render, as_json])
@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_filters_are_pushed_into_the_scan(tmp_path, monkeypatch, wanted, write):
    log = tmp_path / "fleet.log"
    steady(log, 120, write)
    read = []
    batches = export.batches

    def spy(fleet, parser, fd, span, desks):
        read.append(span[1] - span[0])
        return batches(fleet, parser, fd, span, desks)

    monkeypatch.setattr(export, "batches", spy)
    core, reference = both(tmp_path, monkeypatch, log, wanted)
    assert core == reference
    if wanted.since_us is not None and wanted.until_us is not None:
        assert read[0] < log.stat().st_size / 2 + 2**18


def test_a_clock_that_jumps_back_switches_bisection_off(tmp_path, monkeypatch):
    log = tmp_path / "fleet.log"
    steady(log, 120)
    log.write_text(log.read_text() * 2)
    core, reference = both(tmp_path, monkeypatch, log, FILTERS["a window"])
    assert core == reference
    assert len(core) == 2 * math.ceil(61)


def test_a_range_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    log = tmp_path / "fleet.log"
    steady(log, 10)
    monkeypatch.setattr(table, "RANGE_BYTES", 1000)
    chunk_read, reads = table.Chunk.read, []

    def failing(self, fd, offset, *rest):
        reads.append(offset)
        if offset == 5000:
            raise OSError(5, "Input/output error")
        return chunk_read(self, fd, offset, *rest)

    monkeypatch.setattr(table.Chunk, "read", failing)
    with pytest.raises(export.UsageError, match="Input/output error"):
        export.export_parquet([str(log)], EVERYTHING, Reading(threads=3), tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
    assert 5000 in reads
