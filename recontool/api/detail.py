"""Takes the second look at the logs that a page needs: steps of each reconnection, raw lines around each proof."""

from collections.abc import Mapping
from typing import Final

from recontool.api.sources import DEFAULT, Reading
from recontool.api.steps import follow_outages
from recontool.logs.lines import LineStream, read_once
from recontool.model.detail import CONTEXT, Detail
from recontool.model.errors import ReconError
from recontool.model.findings import Analysis, InputFile
from recontool.model.said import said

MOST_OUTAGES: Final = 250  # whose raw lines are read; a page lists fewer
LINE_CHARS: Final = 1000  # a longer line is cut and says so


def look_again(analysis: Analysis, reading: Reading = DEFAULT) -> Detail:
    """Read the logs of `analysis` once more; what cannot be read a second time is said in `missing`."""
    logs = [file for file in analysis.inputs if file.role != "snapshot"]
    if any(read_once(file.path) for file in logs):
        return Detail(missing=said("Standard input can be read only once, so there are no raw lines and no steps."))
    if not logs:
        return Detail(missing=said("Snapshots hold no log lines, so there are no raw lines and no steps."))
    try:
        found = follow_outages(analysis, logs, reading)
        wanted = _wanted(analysis)
        raw = {file.name: lines for file in logs if (lines := _lines_of(file, wanted.get(file.name, set())))}
    except ReconError as error:
        # The numbers of the page are known already; a log that has gone since costs it this part only.
        return Detail(
            missing=said("The logs could not be read a second time: {problem}.", problem=str(error).splitlines()[0])
        )
    return Detail(found.steps(), found.waits(), found.waits_seen, found.repeated, raw)


def _wanted(analysis: Analysis) -> dict[str, set[int]]:
    """By file, the numbers of the lines around every place that proves an outage or an incident."""
    outages = [(outage, worker.last_us) for worker in analysis.workers.values() for outage in worker.outages]
    outages.sort(key=lambda pair: pair[0].start_us - (pair[1] if pair[0].end_us is None else pair[0].end_us))
    proofs = [outage.evidence for outage, _ in outages[:MOST_OUTAGES]]
    proofs += [incident.evidence for incident in analysis.incidents[:MOST_OUTAGES]]
    wanted: dict[str, set[int]] = {}
    for place in (place for evidence in proofs for place in evidence):
        name, _, digits = place.rpartition(":")
        if digits.isdecimal():
            number = int(digits)
            wanted.setdefault(name, set()).update(range(max(number - CONTEXT, 1), number + CONTEXT + 1))
    return wanted


def _lines_of(file: InputFile, wanted: set[int]) -> Mapping[int, str]:
    if not wanted:
        return {}
    stream = LineStream(file.path)
    try:
        return {number: _shown(line) for number, line in stream.numbered(wanted)}
    finally:
        stream.close()


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    return f"{text[:LINE_CHARS]}… ({len(text):,} characters)" if len(text) > LINE_CHARS else text
