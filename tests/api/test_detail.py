import gzip
import random
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
import near

from recontool.api.analyze import analyze
from recontool.api.detail import LINE_CHARS, look_again
from recontool.kernel.library import library
from recontool.logs.lines import MAX_LINE, LineStream
from recontool.model.detail import CONTEXT

SAMPLES = sorted(str(path) for path in (Path(__file__).parents[2] / "sample_logs").glob("*.log"))


def test_the_lines_around_each_proof_are_those_of_the_file() -> None:
    analysis = analyze(SAMPLES)
    found = look_again(analysis)
    places = {place for worker in analysis.workers.values() for o in worker.outages for place in o.evidence}
    assert len(places) == 22
    for place in places:
        name, _, number = place.rpartition(":")
        lines = Path(next(path for path in SAMPLES if path.endswith(name))).read_text("utf-8").splitlines()
        near = range(max(int(number) - CONTEXT, 1), min(int(number) + CONTEXT, len(lines)) + 1)
        assert [found.raw[name][at] for at in near] == [lines[at - 1] for at in near]
    assert "coordinator.log" in found.raw
    assert found.missing == ""
    assert sum(steps.synced_us is not None for steps in found.steps) == 11


def test_packed_logs_and_long_lines_are_cut_openly(tmp_path: Path) -> None:
    lines = Path(SAMPLES[1]).read_text("utf-8").splitlines()
    lines[300] += " " + "x" * 1_500_000
    (tmp_path / "worker-1.log.gz").write_bytes(gzip.compress("\r\n".join(lines).encode()))
    found = look_again(analyze([str(tmp_path)]))
    cut = found.raw["worker-1.log.gz"][301]
    assert cut.startswith(lines[300][:LINE_CHARS] + "… (1,048,")
    assert found.raw["worker-1.log.gz"][300] == lines[299]


@pytest.mark.parametrize("change", ["gone", "emptied"])
def test_a_log_that_has_changed_since_costs_only_this_part(tmp_path: Path, change: str) -> None:
    log = tmp_path / "worker-1.log"
    log.write_bytes(Path(SAMPLES[1]).read_bytes())
    analysis = analyze([str(log)])
    log.unlink() if change == "gone" else log.write_bytes(b"")
    found = look_again(analysis)
    assert found.raw == {}
    assert found.missing.startswith("The logs could not be read a second time: ")


@pytest.mark.parametrize(
    ("path", "role", "why"),
    [("-", "worker", "Standard input can be read only once"), ("x.parquet", "snapshot", "Snapshots hold")],
)
def test_inputs_without_a_second_look_say_so(path: str, role: str, why: str) -> None:
    analysis = analyze(SAMPLES)
    only = replace(analysis.inputs[0], path=path, role=role)
    assert look_again(replace(analysis, inputs=(only,))).missing.startswith(why)


@pytest.mark.skipif(library() is None, reason="the compiled core is not built here")
@pytest.mark.parametrize("form", ["tagged", "untagged", "packed"])
@pytest.mark.parametrize("seed", range(8))
def test_the_core_sees_the_steps_that_the_reference_sees(
    tmp_path: Path, form: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    text = near.untagged(rng, 60_000) if form == "untagged" else near.tagged(rng, 60_000)
    good = Path(SAMPLES[1]).read_bytes()  # so that the file is taken for a log, and something is found in it
    whole = text if form == "untagged" else good + text
    log = tmp_path / "w1.log"
    log.write_bytes(gzip.compress(whole) if form == "packed" else whole)
    monkeypatch.setattr("recontool.kernel.table.RANGE_BYTES", 4096)
    analysis = analyze([str(log)])
    found = look_again(analysis)
    monkeypatch.setattr("recontool.api.steps.library", lambda: None)
    assert found == look_again(analysis)
    assert found.steps
    assert found.missing == ""


def test_lines_are_found_by_their_numbers(tmp_path: Path) -> None:
    texts = [b"a" * number for number in range(3000)] + [b"x" * (MAX_LINE + 5), b"after", b"", b"last"]
    log = tmp_path / "any"
    log.write_bytes(b"\n".join(texts))
    wanted = [1, 2, 2999, 3001, 3002, 3004, 9999]
    found = dict(LineStream(str(log)).numbered(wanted))
    every = {number: line.rstrip(b"\n") for number, line in enumerate(LineStream(str(log)), 1)}
    assert found == {number: every[number] for number in wanted if number in every}
    assert len(found) == 6
