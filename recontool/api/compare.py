"""Two inputs in, their comparison out: for the command, the gate and notebooks."""

from collections.abc import Sequence
from pathlib import Path

from recontool.analysis.compare.runs import SEED, compare_runs
from recontool.api.analyze import analyze
from recontool.api.deliver import write_text
from recontool.api.sources import DEFAULT, Reading
from recontool.model.comparison import Comparison


def compare_paths(
    base: Sequence[str], new: Sequence[str], reading: Reading = DEFAULT, *, seed: int = SEED
) -> Comparison:
    """Analyse both runs and set them side by side.

    Raises:
        UsageError, NoDataError, PartlyUnreadableError: as `analyze`, for either run.
    """
    runs = analyze(base, reading), analyze(new, reading)
    return compare_runs(*runs, (name_of(base), name_of(new)), seed)


def build_page(comparison: Comparison, path: Path) -> Path:
    """Write the page to `path`, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    from recontool.report.comparison.page import render  # jinja2 is slow to load

    return write_text(path, render(comparison))


def name_of(paths: Sequence[str]) -> str:
    """How a run read from `paths` is called."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
