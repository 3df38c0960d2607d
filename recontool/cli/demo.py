"""`recontool demo`: a real fleet through real faults, then the report that must find them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from recontool.cli.options import DATA_DIR, say

_REPORT = Path("reports/demo.html")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("demo", help="Break a real fleet on purpose and show that every fault is found.")(_demo)


def _demo(
    *,
    data_dir: Annotated[Path, typer.Option(help="Folder for the fleet's data; an earlier demo's is replaced.")] = (
        DATA_DIR / "demo"
    ),
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the report goes.")] = _REPORT,
) -> None:
    from recontool.demo.run import run_demo, table

    outcome = run_demo(data_dir, output, say)
    print(table(outcome, ascii_only="utf" not in (sys.stdout.encoding or "").lower()))  # noqa: T201
    if not outcome.ok:
        raise typer.Exit(1)
