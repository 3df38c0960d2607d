"""`recontool check`: hold a run against limits, alerts or a baseline; exit 1 when a condition fails."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
from recontool.cli.screen import at_hand, deliver
from recontool.model.instant import zone_named

if TYPE_CHECKING:
    from recontool.model.comparison import Gate

_NO_DATA = 3


class Form(StrEnum):
    """How the outcome is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    SARIF = "sarif"


class Scope(StrEnum):
    """What limits are held against."""

    FLEET = "fleet"
    WORKER = "worker"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("check", help="Exit 1 when a run breaks limits, fires alerts or got worse than a baseline.")(_check)


def _check(
    *,
    paths: Paths = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPR",
            help="critical, warning, info; an alert's name; outside; avg_reconnect_time>3; with a baseline also "
            "regression and avg_reconnect_time>+10%. May be repeated. Default: critical, with a baseline regression.",
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="PATH", help="The run to compare with.", show_default=False)
    ] = None,
    scope: Annotated[Scope, typer.Option(help="Hold limits against the fleet or each worker.")] = Scope.FLEET,
    form: Annotated[Form, typer.Option("--format", help="Screen, or a file for scripts and build servers.")] = (
        Form.TABLE
    ),
    rules: Rules = None,
    output: Output = None,
    quiet: Quiet = False,
    strict: Strict = False,
    tz: Zone = "UTC",
    format_in: FormatIn = "",
    format_file: FormatFile = None,
    data_dir: DataDir = DATA_DIR,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 7,
) -> None:
    from recontool.api.check import Demand, check_paths
    from recontool.api.formats import own_formats
    from recontool.api.rules import rules_of
    from recontool.api.sources import Reading, paths_or_default

    reading = Reading(
        format_in, zone_named(tz, "--tz"), strict, say, forms=own_formats(format_file), rules=rules_of(rules).rules
    )
    wanted: Literal["fleet", "worker"] = "worker" if scope is Scope.WORKER else "fleet"
    demand = Demand(fail_on or (), [baseline] if baseline is not None else [], wanted, seed)
    gate = check_paths(paths_or_default(paths or [], data_dir, reading), demand, reading)
    deliver(_shown(gate, form, output, quiet=quiet), output)
    if output is not None and not quiet:
        say(f"{gate.severity}  {gate.sentence}")
    if gate.failed:
        raise typer.Exit(1)
    if gate.undecided:
        say("nothing could be decided; this is no pass")
        raise typer.Exit(_NO_DATA)


def _shown(gate: "Gate", form: Form, output: Path | None, *, quiet: bool) -> str:
    if form is Form.JSON:
        from recontool.report.gate.document import document

        return json.dumps(document(gate), indent=1, allow_nan=False)
    if form is Form.SARIF:
        from recontool.report.gate.sarif import sarif

        return json.dumps(sarif(gate), indent=1, allow_nan=False)
    if form is Form.JUNIT:
        from recontool.report.gate.junit import junit

        return junit(gate)
    if form is Form.MARKDOWN:
        from recontool.report.gate.markdown import markdown

        return markdown(gate)
    from recontool.report.gate import text

    if quiet:
        return text.verdict_line(gate)
    return text.screen(gate, at_hand(output))
