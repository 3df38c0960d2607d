"""Short stories in log lines: what tests feed to readers and folds."""

from pathlib import Path

from recontool.api.analyze import analyze
from recontool.logs.format import builtin
from recontool.logs.grammar import second_us
from recontool.logs.reader import LogReader
from recontool.metrics.fold import WorkerFold
from recontool.model.findings import Analysis, WorkerResult
from recontool.model.instant import iso
from recontool.model.units import SECOND_US

# A format of one's own; its lines do not say whose they are.
OWN = r"""
name = "mine"
title = "mine"
engine = "templates"
shapes = ['(?P<level>[A-Z]+) (?P<second>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(?P<milli>\d+) (?P<logger>\w+): (?P<text>.*)']
worker_loggers = ["net"]
[[template]]
logger = "net"
starts = "up"
match = 'up'
marker = "session"
event = "established"
[[template]]
logger = "net"
starts = "down"
match = 'down (?P<code>\d+)'
marker = "RECONNECT"
event = "lost"
[[sample]]
line = "INFO 2026-11-24 10:15:32.250000 net: up"
marker = "CONNECT"
event = "established"
"""
START_US = second_us(b"2026-11-24T10:00:00")


def at(second: float) -> int:
    """Microseconds of that second of the story."""
    return START_US + round(second * SECOND_US)


def tagged(story: list[tuple[float, str]], *, source: str = "worker-1") -> str:
    """Lines of format tagged-v1; each text starts with the level when that is not INFO."""
    lines = []
    for second, text in story:
        level, _, rest = text.partition(" ")
        if level not in {"DEBUG", "WARNING", "ERROR"}:
            level, rest = "INFO", text
        lines.append(f"{iso(at(second))} {level} {source} {rest}\n")
    return "".join(lines)


def fold(story: list[tuple[float, str]], *, form: str = "tagged-v1") -> WorkerFold:
    """The fold of a tagged story."""
    return fold_text(tagged(story), form=form)


def fold_text(text: str, *, form: str = "tagged-v1") -> WorkerFold:
    """The fold of log text of one worker."""
    chosen = builtin()[form]
    found = WorkerFold("worker-1", claim_only=chosen.claim_only)
    for event in LogReader(text.encode().splitlines(keepends=True), chosen, source="worker-1"):
        found.feed(event, "worker-1.log")
    return found


def analysis(folder: Path, **files: str) -> Analysis:
    """The analysis of files given as name -> text; `__` in a name stands for a dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return analyze([str(folder)])


def only_worker(folder: Path, story: list[tuple[float, str]]) -> WorkerResult:
    """The result of a fleet of one."""
    (found,) = analysis(folder, worker__log=tagged(story)).workers.values()
    return found
