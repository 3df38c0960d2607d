"""Builds the HTML report of an analysis on disk."""

from pathlib import Path

from recontool.api.analyze import DEFAULT, Reading
from recontool.api.deliver import write_text
from recontool.api.detail import look_again
from recontool.model.findings import Analysis


def build_report(analysis: Analysis, path: Path, reading: Reading = DEFAULT, *, lite: bool = False) -> Path:
    """Write the page to `path`, whole or not at all; the logs are read once more for their raw lines.

    Raises:
        UsageError: the file cannot be written.
    """
    from recontool.report.html import render  # jinja2 and plotly are slow to load

    return write_text(path, render(analysis, look_again(analysis, reading), lite=lite))


def default_name(analysis: Analysis) -> str:
    """File name of a report: the worker it is about, or `fleet`."""
    keys = list(analysis.workers)
    stem = keys[0] if len(keys) == 1 else "fleet"
    return "".join(char if char.isalnum() or char in "._-" else "-" for char in stem) + ".html"
