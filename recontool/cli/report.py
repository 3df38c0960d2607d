"""`recontool report`: one self-contained HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from recontool.cli.options import (
    DATA_DIR,
    DataDir,
    FormatFile,
    FormatIn,
    Output,
    Paths,
    Quiet,
    Rules,
    Strict,
    Zone,
    say,
)
from recontool.model.errors import UsageError
from recontool.model.instant import zone_named
from recontool.model.languages import ENGLISH, LANGUAGES, language_of

_FOLDER = Path("reports")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("report", help="Write a self-contained HTML report that needs no network.")(_report)


def _report(
    *,
    paths: Paths = None,
    html: Annotated[bool, typer.Option("--html", help="Write HTML.")] = False,
    lite: Annotated[
        bool, typer.Option("--lite", help="Leave out the interactive charts; tables and strips stay.")
    ] = False,
    redact: Annotated[
        str, typer.Option(help="Replace names by tokens: workers, hosts, ids, or several of them.", show_default=False)
    ] = "",
    lang: Annotated[str, typer.Option(help=f"Language of the page: {', '.join(LANGUAGES)}.")] = ENGLISH,
    rules: Rules = None,
    output: Output = None,
    quiet: Quiet = False,
    strict: Strict = False,
    tz: Zone = "UTC",
    format_in: FormatIn = "",
    format_file: FormatFile = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    from recontool.api import analyze as api
    from recontool.api.formats import own_formats
    from recontool.api.report import build_report, default_name, kinds_of
    from recontool.api.rules import rules_of
    from recontool.api.sources import Reading, paths_or_default

    if not html:
        raise UsageError("say which kind of report; there is one", where="--html", hint="recontool report PATH --html")
    kinds, spoken = kinds_of(redact), language_of(lang)
    reading = Reading(
        format_in, zone_named(tz, "--tz"), strict, say, forms=own_formats(format_file), rules=rules_of(rules).rules
    )
    found = api.analyze(paths_or_default(paths or [], data_dir, reading), reading)
    written = build_report(
        found,
        output if output is not None else _FOLDER / ("redacted.html" if kinds else default_name(found)),
        reading,
        lite=lite,
        redact=kinds,
        lang=spoken,
    )
    if not quiet:
        say(f"{found.verdict.severity}  {found.verdict.sentence}")
    print(written)  # noqa: T201
