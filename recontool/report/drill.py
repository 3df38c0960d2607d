"""What the view of one outage shows beyond its row: its steps and the raw lines around each proof, packed and bounded."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from recontool.model.detail import CONTEXT, Detail, Steps
from recontool.model.findings import Analysis, Outage
from recontool.model.instant import to_datetime
from recontool.report import quantity, ranking
from recontool.report.language import say, spoken
from recontool.report.packing import packed_json
from recontool.report.plain import plain
from recontool.report.proofs import incident_proofs, places
from recontool.report.sections.outages import listed_outages, outage_anchors

MOST_PACKED: Final = 160_000  # characters the packed raw lines may take in the page
LITE_PACKED: Final = 4_000  # likewise in a small page
STEPS: Final = (
    ("silent_us", "Last sign of life"),
    ("start_us", "Loss noticed"),
    ("dialled_us", "Dialled (the try that worked)"),
    ("established_us", "Session established"),
    ("synced_us", "State synchronised"),
    ("task_us", "First task started"),
)


def drill_data(analysis: Analysis, detail: Detail, room: int) -> str:
    """Steps and raw lines of the listed outages, packed into `room` characters; the outages that cost least go without lines first."""
    shown, _ = listed_outages(analysis)
    ranked = [outage for outage, _ in sorted(shown, key=lambda pair: (-ranking.length_us(*pair), pair[0].start_us))]
    with_lines = len(ranked)
    while True:
        packed = packed_json(_data(analysis, detail, ranked, with_lines))
        if len(packed) <= room or not with_lines:
            return packed
        with_lines //= 2


def _data(analysis: Analysis, detail: Detail, outages: Sequence[Outage], with_lines: int) -> dict[str, Any]:
    anchors, proofs = outage_anchors(analysis), incident_proofs(analysis)
    steps = {(one.worker, one.start_us): one for one in detail.steps}
    entries: dict[str, Any] = {}
    wanted: dict[str, set[int]] = {}
    for rank, outage in enumerate(outages):
        known = (outage.worker, outage.start_us)
        entry: dict[str, Any] = {"steps": _step_rows(steps[known]) if known in steps else []}
        if rank < with_lines:
            entry["places"] = places((*outage.evidence, *proofs.get(known, ())), detail.raw)
            for name, number in entry["places"]:
                wanted.setdefault(name, set()).update(range(number - CONTEXT, number + CONTEXT + 1))
        entries[anchors[known]] = entry
    return {
        "context": CONTEXT,
        "outages": {key: _shown(entry) for key, entry in entries.items()},
        "files": {plain(name): _runs(detail.raw[name], numbers) for name, numbers in sorted(wanted.items())},
        "note": plain(spoken(detail.missing)) or _limit_note(len(outages), with_lines),
    }


def _limit_note(outages: int, with_lines: int) -> str:
    if with_lines == outages:
        return say("No raw lines: this outage names no line of a file.")
    return say(
        "Raw lines are kept for the {n} longest of {all} outages; read the rest at its evidence.",
        n=f"{with_lines:,}",
        all=f"{outages:,}",
    )


def _shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    places = [[plain(name), number] for name, number in entry.get("places", ())]
    return {"steps": entry["steps"], "places": places}


def _runs(lines: Mapping[int, str], wanted: set[int]) -> list[tuple[int, list[str]]]:
    """Neighbouring wanted lines as (number of the first, texts)."""
    runs: list[tuple[int, list[str]]] = []
    for number in sorted(wanted & lines.keys()):
        if runs and runs[-1][0] + len(runs[-1][1]) == number:
            runs[-1][1].append(plain(lines[number]))
        else:
            runs.append((number, [plain(lines[number])]))
    return runs


def _step_rows(steps: Steps) -> list[tuple[str, str, str]]:
    """(step, time of day, how long after the one before) of the steps the log tells, in time order."""
    seen = [(at_us, say(title)) for name, title in STEPS if (at_us := getattr(steps, name)) is not None]
    seen.sort(key=lambda step: step[0])
    took = ["", *(f"+{quantity.duration(later - earlier)}" for (earlier, _), (later, _) in pairwise(seen))]
    return [(title, f"{to_datetime(at_us):%H:%M:%S.%f}"[:-3], t) for (at_us, title), t in zip(seen, took, strict=True)]
