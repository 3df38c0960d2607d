"""`recontool events`: the events behind the numbers, filtered, as lines, CSV, NDJSON or Parquet."""

import sys
from contextlib import nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recontool.cli.options import DATA_DIR, DataDir, FormatFile, FormatIn, Output, Paths, Quiet, Zone, say
from recontool.model.errors import UsageError
from recontool.model.instant import zone_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

    from recontool.api.select import Selection
    from recontool.api.sources import Reading


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
    format_file: FormatFile = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    from recontool.api.formats import own_formats
    from recontool.api.select import selection
    from recontool.api.sources import Reading, paths_or_default
    from recontool.api.table import whole_text

    zone = zone_named(tz, "--tz")
    reading = Reading(format_in, zone, tell=say, forms=own_formats(format_file))
    wanted = selection(since=since, until=until, last=last, workers=worker or (), markers=marker or (), zone=zone)
    named = paths_or_default(paths or [], data_dir, reading)
    chosen = form or (_BY_SUFFIX.get(output.suffix, Form.TABLE) if output is not None else Form.TABLE)
    if chosen is Form.PARQUET:
        from recontool.api.export import export_parquet  # pyarrow is slow to load

        if output is None:
            raise UsageError("Parquet needs a file", where="--format", hint="add -o events.parquet")
        count = export_parquet(named, wanted, reading, output)
    else:
        with nullcontext(sys.stdout) if output is None else whole_text(output) as out:
            count = _write(named, wanted, reading, chosen, out)
    if not quiet and not count:
        say("no event is wanted by --worker, --marker, --since, --until and --last together")
    if not quiet and output is not None:
        say(f"{count} events written to {output}")


def _write(paths: "Sequence[str]", wanted: "Selection", reading: "Reading", form: Form, out: "IO[str]") -> int:
    from recontool.api import table
    from recontool.api.select import select_events
    from recontool.kernel.library import library

    if form is not Form.TABLE and library() is not None:
        from recontool.api.export import export_text

        return export_text(paths, wanted, reading, out, csv=form is Form.CSV)
    write = {Form.CSV: table.write_csv, Form.NDJSON: table.write_ndjson, Form.TABLE: table.write_lines}[form]
    return write(select_events(paths, wanted, reading), out)
