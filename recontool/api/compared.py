"""`recontool.compare`: two runs side by side for notebooks."""

from functools import cached_property
from os import PathLike, fspath
from pathlib import Path

import pandas as pd

from recontool.analysis.compare.runs import SEED, compare_runs
from recontool.api import frames
from recontool.api.compare import build_page, name_of
from recontool.api.run import Run, load
from recontool.model.comparison import Comparison


def compare(base: "Run | str | PathLike[str]", new: "Run | str | PathLike[str]", *, seed: int = SEED) -> "Compared":
    """Compare two runs, or the logs behind two paths; the same seed gives the same digits.

    Raises:
        ReconError: a path holds nothing that can be analysed.
    """
    runs = [run if isinstance(run, Run) else load(fspath(run)) for run in (base, new)]
    names = name_of(runs[0].paths), name_of(runs[1].paths)
    return Compared(compare_runs(runs[0].analysis, runs[1].analysis, names, seed))


class Compared:
    """What differs between two runs. `comparison` holds everything, `table` is a DataFrame of it."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def __repr__(self) -> str:
        return f"<recontool.Compared {self.comparison.severity}: {self.comparison.sentence}>"

    def _repr_html_(self) -> str:
        """The measures as a static table: no script, everything escaped."""
        from recontool.report.notebook import comparison_card

        return comparison_card(self.comparison)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per measure: base, new, change, low, high, p, p_adjusted, cliffs_delta, resampled, verdict, reason."""
        return frames.differences(self.comparison)

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the comparison as an offline page to `path`."""
        return build_page(self.comparison, Path(path))
