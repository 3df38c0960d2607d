"""`recontool compare`: what differs between two runs beyond chance; exit 1 when something got worse."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recontool.cli.options import FormatFile, FormatIn, Output, Quiet, Strict, Zone, say
from recontool.cli.screen import at_hand, deliver
from recontool.model.errors import UsageError
from recontool.model.instant import zone_named

if TYPE_CHECKING:
    from recontool.model.comparison import Comparison


class Form(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("compare", help="Set two runs side by side; exit 1 when a measure got worse.")(_compare)


def _compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help="Log, folder, pattern or snapshots of the earlier run.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same of the later run.")],
    *,
    form: Annotated[Form, typer.Option("--format", help="Screen, JSON, markdown or a page (needs -o).")] = Form.TABLE,
    output: Output = None,
    quiet: Quiet = False,
    strict: Strict = False,
    tz: Zone = "UTC",
    format_in: FormatIn = "",
    format_file: FormatFile = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap; the same seed gives the same digits.")] = 7,
) -> None:
    from recontool.api.compare import build_page, compare_paths
    from recontool.api.formats import own_formats
    from recontool.api.sources import Reading

    if form is Form.HTML and output is None:
        raise UsageError("a page needs a file", where="--format", hint="add -o compare.html")
    reading = Reading(format_in, zone_named(tz, "--tz"), strict, say, forms=own_formats(format_file))
    found = compare_paths([base], [new], reading, seed=seed)
    if form is Form.HTML and output is not None:
        print(build_page(found, output))  # noqa: T201
    else:
        _deliver(found, form, output, quiet=quiet)
    if found.worse:
        raise typer.Exit(1)


def _deliver(found: "Comparison", form: Form, output: Path | None, *, quiet: bool) -> None:
    from recontool.report.comparison import document, markdown, text

    if form is Form.JSON:
        shown = json.dumps(document.document(found), indent=1, allow_nan=False)
    elif form is Form.MARKDOWN:
        shown = markdown.markdown(found)
    elif quiet:
        shown = text.verdict_line(found)
    else:
        shown = text.screen(found, at_hand(output))
    deliver(shown, output)
