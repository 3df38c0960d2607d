"""`recontool analyze`: what broke, when, for whom, at what cost - as a screen or as JSON."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recontool.cli.options import (
    DATA_DIR,
    DataDir,
    FormatFile,
    FormatIn,
    NoCache,
    Output,
    Paths,
    Quiet,
    Rules,
    Strict,
    Zone,
    say,
)
from recontool.cli.progress import Progress
from recontool.cli.screen import at_hand, deliver
from recontool.model.errors import UsageError
from recontool.model.instant import zone_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recontool.api.sources import Reading
    from recontool.model.findings import Analysis
    from recontool.storage.states import States

_UNPARSED_SHOWN: Final = 5


class Form(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("analyze", help="Analyse logs: outages, metrics, alerts, incidents, advice.")(_analyze)


def _analyze(
    *,
    paths: Paths = None,
    form: Annotated[Form, typer.Option("--format", help="Screen or JSON.")] = Form.TABLE,
    output: Output = None,
    quiet: Quiet = False,
    strict: Strict = False,
    tz: Zone = "UTC",
    format_in: FormatIn = "",
    format_file: FormatFile = None,
    data_dir: DataDir = DATA_DIR,
    rules: Rules = None,
    no_cache: NoCache = False,
    follow: Annotated[bool, typer.Option("--follow", help="Keep the screen current while the logs grow.")] = False,
) -> None:
    from recontool.api import analyze as api
    from recontool.api.formats import own_formats
    from recontool.api.rules import rules_of
    from recontool.api.sources import Reading, paths_or_default

    if follow and (form is Form.JSON or output is not None or "-" in (paths or [])):
        raise UsageError("it redraws the screen, so it needs files to read and no -o or JSON", where="--follow")
    progress = Progress(sys.stderr)
    reading = Reading(
        format_in,
        zone_named(tz, "--tz"),
        strict,
        say,
        progress=progress.tell if progress.wanted else None,
        states=None if no_cache else _states(),
        forms=own_formats(format_file),
        rules=None if rules is None else rules_of(rules).rules,
    )
    named = paths_or_default(paths or [], data_dir, reading)
    if follow:
        _follow(named, reading, quiet=quiet)
        return
    found = api.analyze(named, reading)
    progress.clear()
    if form is Form.JSON:
        import msgspec

        from recontool.report.document import document

        # json.dumps indents in Python and takes five times as long.
        text = msgspec.json.format(json.dumps(document(found), allow_nan=False), indent=1)
    else:
        text = _screen(found, output, quiet=quiet)
    deliver(text, output)
    if not quiet:
        _show_unparsed(found)


def _states() -> "States":
    from recontool.storage.states import StateFiles, default_folder

    return StateFiles(default_folder())


def _screen(found: "Analysis", output: Path | None, *, quiet: bool) -> str:
    from recontool.report.text import screen, verdict_line

    if quiet:
        return verdict_line(found)
    on = at_hand(output)
    return screen(found, width=on.width, color=on.color, ascii_only=on.ascii_only)


def _follow(paths: "Sequence[str]", reading: "Reading", *, quiet: bool) -> None:
    """Show the analysis again whenever it has changed, until interrupted."""
    from recontool.api.follow import follow

    shown = ""
    for found in follow(paths, reading):
        text = _screen(found, None, quiet=quiet)
        if text != shown:
            # Home, the new screen, then whatever of the old one was longer.
            print(f"\x1b[H\x1b[2J{text}" if sys.stdout.isatty() and not quiet else text, flush=True)  # noqa: T201
        shown = text


def _show_unparsed(found: "Analysis") -> None:
    """The first unparsed lines with their places, beside the data: the screen has room for one."""
    places = [
        (one.name, *example) for one in found.inputs if one.format != "unknown" for example in one.unparsed_examples
    ]
    for name, line, text, why in places[:_UNPARSED_SHOWN]:
        say(f"unparsed {name}:{line}: {why}: {text[:60]!a}")
