"""What a reader of the numbers should know about the input they come from."""

from collections.abc import Mapping, Sequence
from operator import eq
from typing import Final

from recontool.model.findings import InputFile, QualityNote, WorkerResult
from recontool.model.instant import iso, spelled
from recontool.model.outages import completed_spans
from recontool.model.said import said, said_of

_FEW: Final = 5  # places shown as evidence


def notes_on(inputs: Sequence[InputFile], workers: Mapping[str, WorkerResult]) -> list[QualityNote]:
    """Unparsed and duplicate lines by file; silences and unknown starts by worker."""
    return [note for one in inputs for note in _on_file(one)] + [
        note for worker in workers.values() for note in _on_worker(worker)
    ]


def _on_file(one: InputFile) -> list[QualityNote]:
    notes = []
    lines = one.lines
    if lines.unparsed:
        share = 100 * lines.unparsed / lines.total
        notes.append(
            QualityNote(
                one.name,
                said(
                    "{n} of {all} lines ({share} %) fit no line of format {format}; they were skipped",
                    n=f"{lines.unparsed:,}",
                    all=f"{lines.total:,}",
                    share=f"{share:.2g}",
                    format=one.format,
                ),
                tuple(f"{one.name}:{line}" for line, _, _ in one.unparsed_examples),
            )
        )
    if lines.duplicate:
        notes.append(
            QualityNote(
                one.name,
                said("the first {n} lines also end the rotated part before; counted once", n=str(lines.duplicate)),
            )
        )
    if one.role == "none" and lines.total:
        notes.append(QualityNote(one.name, said("no line of a worker or coordinator in it; not used")))
    return notes


def _on_worker(worker: WorkerResult) -> list[QualityNote]:
    notes = []
    if worker.gaps:
        longest = max(worker.gaps, key=lambda gap: gap.end_us - gap.start_us)
        notes.append(
            QualityNote(
                worker.key,
                said_of(
                    len(worker.gaps),
                    "{n} silence in the log, the longest {length} from {time}: what happened there is unknown",
                    "{n} silences in the log, the longest {length} from {time}: what happened there is unknown",
                    length=spelled(longest.end_us - longest.start_us),
                    time=f"{iso(longest.start_us)[:19]}Z",
                ),
            )
        )
    if any(map(eq, *completed_spans(worker.outages))):
        backwards = [outage for outage in worker.outages if outage.end_us == outage.start_us]
        notes.append(
            QualityNote(
                worker.key,
                said_of(
                    len(backwards),
                    "{n} outage ended before it began by the times in the log: the clock was set back, and its length, "
                    "which is unknown, counts as 0",
                    "{n} outages ended before they began by the times in the log: the clock was set back, and their "
                    "lengths, which are unknown, count as 0",
                ),
                tuple(place for outage in backwards for place in outage.evidence)[:_FEW],
            )
        )
    if worker.files and not worker.starts_us:
        notes.append(
            QualityNote(
                worker.key,
                said("the log does not show the start of the process; what it reports about itself cannot be compared"),
            )
        )
    return notes
