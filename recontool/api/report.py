"""Builds the HTML report of an analysis on disk."""

import os
from pathlib import Path

from recontool.api.deliver import write_text
from recontool.api.detail import look_again
from recontool.api.sources import DEFAULT, Reading
from recontool.model.findings import Analysis
from recontool.model.languages import ENGLISH


def build_report(
    analysis: Analysis,
    path: Path,
    reading: Reading = DEFAULT,
    *,
    lite: bool = False,
    redact: tuple[str, ...] = (),
    lang: str = ENGLISH,
) -> Path:
    """Write the page to `path`, whole or not at all; the logs are read once more for their raw lines.

    Args:
        analysis: what the page is about.
        path: where it goes.
        reading: how the logs were read.
        lite: leave out Plotly.
        redact: kinds of names that become tokens; RECONTOOL_REDACT_KEY makes them one's own.
        lang: code of the page's language, one of `LANGUAGES`.

    Raises:
        UsageError: the file cannot be written.
    """
    from recontool.report.html import render  # jinja2 and plotly are slow to load
    from recontool.report.redaction import redacted

    key = os.environ.get("RECONTOOL_REDACT_KEY", "").encode()
    shown = redacted(analysis, look_again(analysis, reading), redact, key)
    return write_text(path, render(*shown, lite=lite, lang=lang))


def kinds_of(text: str) -> tuple[str, ...]:
    """The kinds of names to redact, from a list with commas.

    Raises:
        UsageError: one of them is unknown.
    """
    from recontool.report.redaction import kinds_of as parsed

    return parsed(text)


def default_name(analysis: Analysis) -> str:
    """File name of a report: the worker it is about, or `fleet`."""
    keys = list(analysis.workers)
    stem = keys[0] if len(keys) == 1 else "fleet"
    return "".join(char if char.isalnum() or char in "._-" else "-" for char in stem) + ".html"
