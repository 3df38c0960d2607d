"""Runs the demo: break a fleet, analyse what it left behind, write the report, hold both against each other."""

import shutil
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from recontool.api.analyze import analyze
from recontool.api.report import build_report
from recontool.demo.checks import Found, look_up, results_are_exact
from recontool.demo.faults import Story
from recontool.demo.fleet import DemoFleet
from recontool.model.errors import UsageError

MARK: Final = ".recontool-demo"  # a data folder that carries it may be replaced by the next demo
_FIRST: Final = 34  # width of the table's first column


class Row(Struct, frozen=True):
    """One line of the table: what was injected, what was found of it."""

    injected: str
    found: Found

    @property
    def ok(self) -> bool:
        """Whether the analysis found it."""
        return bool(self.found.figure)


class Outcome(Struct, frozen=True):
    """The demo's answer."""

    rows: tuple[Row, ...]
    report: Path
    data_dir: Path
    took_s: float

    @property
    def ok(self) -> bool:
        """Whether everything was found."""
        return all(row.ok for row in self.rows)


def run_demo(data_dir: Path, report: Path, tell: Callable[[str], None]) -> Outcome:
    """Run it; `tell` gets progress sentences.

    Raises:
        UsageError: `data_dir` holds something that no demo left there.
        DemoError: a process did not do in time what the story needs.
    """
    _make_room(data_dir)
    began = time.monotonic()

    def tell_when(sentence: str) -> None:
        tell(f"{time.monotonic() - began:4.0f} s  {sentence}")

    with DemoFleet(data_dir) as fleet:
        story = Story(fleet, tell_when)
        story.run()
    tell_when("analyse the logs and snapshots they left, write the report")
    analysis = analyze([str(data_dir)])
    rows = [Row(injected.fault.value, look_up(injected, analysis)) for injected in story.injected]
    rows.append(Row("no result lost or applied twice", results_are_exact(story.submitted, analysis)))
    return Outcome(tuple(rows), build_report(analysis, report), data_dir, time.monotonic() - began)


def table(outcome: Outcome, *, ascii_only: bool) -> str:
    """The outcome for a terminal of 80 columns."""
    tick, cross = ("ok", "MISSING") if ascii_only else ("✓", "✗")
    lines = [f"  {'injected':<{_FIRST - 2}}found"]
    for row in outcome.rows:
        lines.append(f"{tick if row.ok else cross} {row.injected:<{_FIRST - 2}}")
        lines[-1] += f"\n{'':<{_FIRST}}".join(textwrap.wrap(row.found.figure or "nothing", 80 - _FIRST))
        if row.found.evidence:
            lines.append(f"{'':<{_FIRST}}{', '.join(row.found.evidence[:2])}")
    found = sum(row.ok for row in outcome.rows)
    lines += ["", f"{found} of {len(outcome.rows)} found in {outcome.took_s:.0f} s", f"report  {outcome.report}"]
    lines.append(f"logs    {outcome.data_dir}")
    return "\n".join(lines)


def _make_room(data_dir: Path) -> None:
    if data_dir.exists() and any(data_dir.iterdir()):
        if not (data_dir / MARK).exists():
            raise UsageError(
                "the folder is not empty and no demo made it", where=str(data_dir), hint="name another --data-dir"
            )
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / MARK).touch()
