"""Raw lines that prove outages, as the page shows them without scripts: the longest outages first, bounded in all."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from recontool.model.detail import Detail
from recontool.model.findings import Analysis, Outage
from recontool.report import quantity, ranking
from recontool.report.anchors import numbered
from recontool.report.language import say
from recontool.report.sections.outages import listed_outages

ROOM: Final = 40_000  # characters of raw lines that stand in the page as text
LITE_ROOM: Final = 2_500  # likewise of a small page
_NEAR: Final = 4  # lines kept on either side of a proof
_MOST_IN_LINE: Final = 240


class RawLine(Struct, frozen=True):
    """One line of a file; `proof` if the outage names it, `after_gap` if lines before it are left out."""

    number: int
    text: str
    proof: bool
    after_gap: bool


class Proof(Struct, frozen=True):
    """The lines around the proofs of one outage, by file."""

    title: str
    files: tuple[tuple[str, tuple[RawLine, ...]], ...]


def proofs(analysis: Analysis, detail: Detail, room: int) -> tuple[Proof, ...]:
    """The listed outages whose lines are known, longest first, as many as `room` characters hold."""
    shown, _ = listed_outages(analysis)
    ranked = sorted(shown, key=lambda pair: (-ranking.length_us(*pair), pair[0].start_us))
    numbers, seen = numbered(analysis.workers.values()), incident_proofs(analysis)
    orderly = ranking.stopped(analysis)
    found = []
    for outage, _ in ranked:
        known = (outage.worker, outage.start_us)
        proof = Proof(
            _title(outage, numbers[known], in_order=outage in orderly),
            _files(places((*outage.evidence, *seen.get(known, ())), detail.raw), detail),
        )
        room -= sum(len(line.text) for _, lines in proof.files for line in lines)
        if room < 0:
            break
        if proof.files:
            found.append(proof)
    return tuple(found)


def incident_proofs(analysis: Analysis) -> dict[tuple[str, int], tuple[str, ...]]:
    """What the coordinators' logs say about an outage, through the incident it belongs to."""
    own = {place for worker in analysis.workers.values() for outage in worker.outages for place in outage.evidence}
    return {
        (outage.worker, outage.start_us): tuple(place for place in incident.evidence if place not in own)
        for incident in analysis.incidents
        for outage in incident.outages
    }


def places(evidence: Sequence[str], raw: Mapping[str, Mapping[int, str]]) -> list[tuple[str, int]]:
    """The places of `evidence` whose lines are known, as (file, number)."""
    found = []
    for place in evidence:
        name, _, number = place.rpartition(":")
        if number.isdecimal() and int(number) in raw.get(name, {}):
            found.append((name, int(number)))
    return found


def _title(outage: Outage, number: int, *, in_order: bool) -> str:
    return say(
        "{worker}: outage {number} at {time} UTC, {length}",
        worker=outage.worker,
        number=f"{number:,}",
        time=quantity.moment(outage.start_us),
        length=quantity.lasted(outage.duration_us, in_order=in_order),
    )


def _files(found: Sequence[tuple[str, int]], detail: Detail) -> tuple[tuple[str, tuple[RawLine, ...]], ...]:
    named: dict[str, set[int]] = {}
    for name, number in found:
        named.setdefault(name, set()).add(number)
    return tuple((name, tuple(_lines(numbers, detail.raw[name]))) for name, numbers in named.items())


def _lines(numbers: set[int], raw: Mapping[int, str]) -> Iterator[RawLine]:
    wanted = {near for number in numbers for near in range(number - _NEAR, number + _NEAR + 1)} & raw.keys()
    for number in sorted(wanted):
        text = raw[number]
        cut = f"{text[:_MOST_IN_LINE]}…" if len(text) > _MOST_IN_LINE else text
        yield RawLine(
            number, cut, number in numbers, number - 1 in raw and number - 1 not in wanted and number != min(wanted)
        )
