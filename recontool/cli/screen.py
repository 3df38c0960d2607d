"""The terminal a command writes to: its width, colours and characters; or the file it was told to write."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recontool.report.terminal import Screen


def at_hand(output: Path | None) -> "Screen":
    """The screen, or what stands in for it when `output` names a file."""
    from recontool.report.terminal import Screen

    width = max(40, shutil.get_terminal_size((80, 24)).columns)
    ascii_only = output is None and "utf" not in (sys.stdout.encoding or "").lower()
    return Screen(width, _color(output), ascii_only)


def deliver(text: str, output: Path | None) -> None:
    """Print `text`, or write it to `output`.

    Raises:
        UsageError: the file cannot be written.
    """
    from recontool.api.deliver import write_text

    if output is None:
        print(text)  # noqa: T201
    else:
        write_text(output, text + "\n")


def _color(output: Path | None) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return output is None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
