"""`recontool events`: the events behind the numbers, filtered, as lines, CSV, NDJSON or Parquet."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recontool.cli.options import DATA_DIR, DataDir, FormatIn, Output, Paths, Quiet, Zone, say, zone_of
from recontool.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recontool.model.events import Event


class Form(StrEnum):
    """How events are written."""

    TABLE = "table"
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


_BY_SUFFIX: Final = {".parquet": Form.PARQUET, ".csv": Form.CSV, ".ndjson": Form.NDJSON, ".jsonl": Form.NDJSON}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("events", help="List or export the events of logs.")(_events)


def _events(
    *,
    paths: Paths = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="Default: by the suffix of -o, else table.", show_default=False)
    ] = None,
    output: Output = None,
    since: Annotated[str | None, typer.Option(help="From this time on (ISO 8601).", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(help="Up to this time (ISO 8601).", show_default=False)] = None,
    last: Annotated[str | None, typer.Option(help="Only the last 15m, 1h30m, ...", show_default=False)] = None,
    worker: Annotated[list[str] | None, typer.Option(help="Only this source; may be repeated.")] = None,
    marker: Annotated[list[str] | None, typer.Option(help="Only this marker; may be repeated.")] = None,
    quiet: Quiet = False,
    tz: Zone = "UTC",
    format_in: FormatIn = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    from recontool.api.analyze import Reading, paths_or_default
    from recontool.api.select import select_events, selection

    zone = zone_of(tz)
    reading = Reading(format_in, zone, tell=say)
    wanted = selection(since=since, until=until, last=last, workers=worker or (), markers=marker or (), zone=zone)
    events = select_events(paths_or_default(paths or [], data_dir, reading), wanted, reading)
    chosen = form or (_BY_SUFFIX.get(output.suffix, Form.TABLE) if output is not None else Form.TABLE)
    count = _write(events, chosen, output)
    if not quiet and output is not None:
        say(f"{count} events written to {output}")


def _write(events: "Iterable[tuple[str, Event]]", form: Form, output: Path | None) -> int:
    from recontool.api import table

    if form is Form.PARQUET:
        if output is None:
            raise UsageError("Parquet needs a file", where="--format", hint="add -o events.parquet")
        return table.write_parquet(events, output)
    write = {Form.CSV: table.write_csv, Form.NDJSON: table.write_ndjson, Form.TABLE: table.write_lines}[form]
    if output is None:
        return write(events, sys.stdout)
    with table.whole_text(output) as out:
        return write(events, out)
