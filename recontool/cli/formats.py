"""`recontool formats`: list the log formats; `recontool formats check FILE`: try a format file of one's own."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Form(StrEnum):
    """How the list is written."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    group = typer.Typer(help="List the log formats, or check a format file.", rich_markup_mode=None)
    group.callback(invoke_without_command=True)(_formats)
    group.command("check", help="Load a format file and run its sample lines.")(_check)
    app.add_typer(group, name="formats")


def _formats(
    context: typer.Context,
    form: Annotated[Form, typer.Option("--format", help="How to write the list.")] = Form.TABLE,
) -> None:
    if context.invoked_subcommand is not None:
        return
    import json

    from msgspec.structs import asdict

    from recontool.api.formats import list_formats

    rows = list_formats()
    if form is Form.JSON:
        print(json.dumps([asdict(row) for row in rows], indent=2))  # noqa: T201
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        told = f"{row.templates} templates" if row.templates else "its grammar"
        print(f"{row.name:<{width}}  {row.title}, told by {told}")  # noqa: T201


def _check(file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]) -> None:
    from recontool.api.formats import check_format

    row = check_format(file)
    templates = "1 template" if row.templates == 1 else f"{row.templates} templates"
    samples = "its sample parses" if row.samples == 1 else f"all {row.samples} samples parse"
    print(f"{file}: format {row.name}, {templates}, {samples}")  # noqa: T201
