"""The terminal a command prints to: its width, colours and characters; or the file named by -o."""

import os
import shutil
import sys
from pathlib import Path


def width() -> int:
    """Columns to fill."""
    return max(40, shutil.get_terminal_size((80, 24)).columns)


def colored(output: Path | None) -> bool:
    """Whether colours are wanted: NO_COLOR and FORCE_COLOR decide, else whether a terminal will show it."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return output is None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def ascii_only() -> bool:
    """Whether stdout can show nothing but ASCII."""
    return "utf" not in (sys.stdout.encoding or "").lower()


def deliver(text: str, output: Path | None) -> None:
    """Print `text`, or write it to `output` whole or not at all."""
    from recontool.api.deliver import write_text

    if output is None:
        print(text)  # noqa: T201
    else:
        write_text(output, text + "\n")
