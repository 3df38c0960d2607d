"""Options that several commands share, and how they reach the api."""

import sys
from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH]...",
        help="Logs, folders, patterns or - for stdin; without one DATA/logs and DATA/snapshots, else *.log here.",
        show_default=False,
    ),
]
DataDir = Annotated[Path, typer.Option(help="Data folder of coordinator and workers.")]
FormatIn = Annotated[
    str, typer.Option("--format-in", help="Format of the logs instead of detecting it.", show_default=False)
]
Zone = Annotated[str, typer.Option("--tz", help="IANA zone of times that carry none.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse logs with lines that fit no format (exit 4).")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", show_default=False)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what was asked for.")]
FormatFile = Annotated[
    list[Path] | None,
    typer.Option("--format-file", help="A format of your own (docs/formats.md); may be repeated.", show_default=False),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Read everything anew instead of going on where the last run ended.")
]
Rules = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Rules file (docs/alerts.md); the built-in rules without.", show_default=False),
]
DATA_DIR = Path("recontool-data")


def say(sentence: str) -> None:
    """A hint for the person at the terminal; never part of the data."""
    print(sentence, file=sys.stderr)  # noqa: T201
