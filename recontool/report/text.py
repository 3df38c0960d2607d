"""Turns an `Analysis` into the terminal screen: one worker in at most 25 lines of 80 columns, many as a table.

Numbers are never cut: a line that is too long gives up words of its sentences or the middle of its names.
"""

from typing import Final

from recontool.model.findings import Analysis, InputFile, WorkerResult
from recontool.report import quantity, ranking, timeline
from recontool.report.notices import notices
from recontool.report.plain import columns, plain
from recontool.report.tables import fleet_table, metric_table, outage_table
from recontool.report.terminal import LABEL, Screen

ROOM: Final = 25  # lines of the screen of one worker
LISTED_WORKERS: Final = 40
_NARROWEST: Final = 72  # below this the numbers of the fleet table would not fit
_CELLS: Final = {"up": "█", "partly": "▄", "down": "▁", "unknown": "░", "connecting": "·", "unobserved": " "}
_ASCII_CELLS: Final = {"up": "#", "partly": "+", "down": "_", "unknown": "?", "connecting": ".", "unobserved": " "}


def verdict_line(analysis: Analysis) -> str:
    """The verdict as one line: severity word and sentence."""
    return plain(f"{analysis.verdict.severity}  {analysis.verdict.sentence}")


def screen(analysis: Analysis, *, width: int = 80, color: bool = False, ascii_only: bool = False) -> str:
    """The whole screen, lines joined by newlines, none at the end; no line is wider than `width` columns."""
    on = Screen(max(width, _NARROWEST), color, ascii_only)
    head = [*_verdict(on, analysis), *_based_on(on, analysis)]
    if len(analysis.workers) == 1:
        return "\n".join(_one(on, analysis, head))
    body = [] if not analysis.workers else ["", *_many(on, analysis)]
    return "\n".join([*head, *body, "", *notices(on, analysis, most_each=2)])


def _verdict(on: Screen, analysis: Analysis) -> list[str]:
    word, sentence = analysis.verdict.severity, analysis.verdict.sentence
    first, *rest = on.wrapped("", f"{word}  {sentence}", 3)
    return [on.paint(first[: len(word)], word) + on.paint(first[len(word) :], "bold"), *rest]


def _based_on(on: Screen, analysis: Analysis) -> list[str]:
    total = sum(file.lines.total for file in analysis.inputs)
    parsed = sum(file.lines.parsed for file in analysis.inputs)
    unparsed = sum(file.lines.unparsed for file in analysis.inputs)
    formats = sorted({file.format for file in analysis.inputs if file.format})
    lines = [
        f"{quantity.counted(total, 'line')}, parsed {quantity.count(parsed)}, unparsed {quantity.count(unparsed)}"
        + (f" ({quantity.percent(unparsed, total)})" if unparsed else "")
    ]
    names = _names(on, analysis.inputs, on.width - columns(lines[0]) - 2)
    at = "" if analysis.first_us is None or analysis.last_us is None else _span(analysis.first_us, analysis.last_us)
    below = "  ".join(part for part in (at, f"format {', '.join(formats)}" if formats else "") if part)
    return [f"{names}  {lines[0]}", *on.wrapped("", below, 1)]


def _span(first_us: int, last_us: int) -> str:
    return f"{quantity.span(first_us, last_us)} ({quantity.duration(last_us - first_us)})"


def _names(on: Screen, inputs: tuple[InputFile, ...], room: int) -> str:
    if len(inputs) == 1:
        return on.short(inputs[0].name, room)
    return quantity.counted(len(inputs), "file")


def _one(on: Screen, analysis: Analysis, head: list[str]) -> list[str]:
    """The screen of one worker: the outages and metrics share the lines that head and notices leave."""
    worker = next(iter(analysis.workers.values()))
    head = [*head, *_strip(on, worker)]
    tail = notices(on, analysis, most_each=1)
    room = ROOM - len(head) - len(tail)
    outages = outage_table(on, worker, 4 if room > 11 else 3)  # noqa: PLR2004 - header, rows and the rest
    metrics = metric_table(on, worker, room - len(outages))
    blocks = [block for block in (head, outages, metrics, tail) if block]
    spaced = ROOM - sum(len(block) for block in blocks) >= len(blocks) - 1
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if lines and spaced else block
    return lines


def _strip(on: Screen, worker: WorkerResult) -> list[str]:
    room = on.width - LABEL
    last = max(worker.last_us, worker.first_us + 1)
    found = timeline.cells(worker, worker.first_us, last, room)
    glyphs = _ASCII_CELLS if on.ascii_only else _CELLS
    names = {"up": "up", "partly": "outage", "down": "down", "unknown": "unknown", "connecting": "connecting"}
    legend = "  ".join(f"{glyphs[state]} {name}" for state, name in names.items() if state in found)
    left, right = quantity.clock(worker.first_us), quantity.clock(last)
    middle = legend.center(room - len(left) - len(right))
    return [
        "state".ljust(LABEL) + "".join(glyphs[cell] for cell in found).rstrip(),
        " " * LABEL + left + on.paint(middle, "dim") + right,
    ]


def _many(on: Screen, analysis: Analysis) -> list[str]:
    ranked = ranking.by_damage(analysis.workers.values())
    shown, rest = ranked[:LISTED_WORKERS], len(ranked) - LISTED_WORKERS
    lines = fleet_table(on, analysis, shown)
    if rest > 0:
        lines.append(
            on.paint(f"  and {quantity.counted(rest, 'worker')} with less damage; --format json has all", "dim")
        )
    return lines
