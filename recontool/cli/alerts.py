"""`recontool alerts`: check rules, test them on stories, run them over recorded data, hand them to Prometheus."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    Zone,
    say,
)
from recontool.model.instant import zone_named

if TYPE_CHECKING:
    from recontool.alerts.rules import Rule
    from recontool.api.backtest import Backtested


class Form(StrEnum):
    """How a backtest is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


_ONLY = Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; may be repeated.")]
_FILE = Annotated[Path, typer.Argument(metavar="FILE", help="YAML file.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    group.command("check", help="Check a rules file; say everything that is wrong with it.")(_check)
    group.command("test", help="Run the stories of a test file; exit 1 if one ends otherwise than told.")(_test)
    group.command("backtest", help="Show which alerts recorded data would have raised, and what others would.")(
        _backtest
    )
    group.command("export", help="Write rules for Prometheus.")(_export)
    app.add_typer(group, name="alerts", help="Alert rules: check, test, backtest, export.")


def _check(file: _FILE) -> None:
    from recontool.api.rules import rules_of

    found = rules_of(file)
    for rule in found.rules:
        print(f"{rule.name:<28} {rule.severity:<8} {rule.condition}")  # noqa: T201
    for where, warning in found.warnings:
        say(f"{where}: warning: {warning}")


def _test(file: _FILE) -> None:
    from recontool.api.stories import run_stories

    outcome = run_stories(file)
    print(outcome.text)  # noqa: T201
    if not outcome.ok:
        raise typer.Exit(1)


def _export(
    *,
    rules: Rules = None,
    only: _ONLY = None,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="A rule file as promtool accepts it.")] = False,
    output: Output = None,
) -> None:
    from recontool.alerts.export import prometheus_rules
    from recontool.api.rules import rules_of
    from recontool.cli.screen import deliver
    from recontool.model.errors import UsageError

    if not prometheus:
        raise UsageError(
            "say for what; there is one", where="--prometheus", hint="recontool alerts export --prometheus"
        )
    deliver(prometheus_rules(_chosen(rules_of(rules).rules, only or [])).rstrip(), output)


def _backtest(
    *,
    paths: Paths = None,
    rules: Rules = None,
    only: _ONLY = None,
    step: Annotated[str, typer.Option(help="Distance of evaluations.")] = "15s",
    since: Annotated[
        str | None, typer.Option(help="First evaluation (ISO 8601); default: first sample.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last evaluation (ISO 8601); default: last sample.", show_default=False)
    ] = None,
    sweep: Annotated[
        list[str] | None, typer.Option(help="threshold=1..10, for=0s,1m,5m, ...; may be repeated.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="Screen or data.")] = Form.TABLE,
    output: Output = None,
    quiet: Quiet = False,
    tz: Zone = "UTC",
    format_in: FormatIn = "",
    format_file: FormatFile = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    from recontool.alerts.sweep import parse_axis
    from recontool.api import backtest as api
    from recontool.api.formats import own_formats
    from recontool.api.rules import rules_of
    from recontool.api.sources import Reading, paths_or_default
    from recontool.cli.screen import deliver

    reading = Reading(format_in, zone_named(tz, "--tz"), tell=say, forms=own_formats(format_file))
    found = api.run_backtest(
        paths_or_default(paths or [], data_dir, reading),
        _chosen(rules_of(rules).rules, only or []),
        since_us=_instant(since, "--since", tz),
        until_us=_instant(until, "--until", tz),
        step_us=_step(step),
        axes=[parse_axis(text) for text in sweep or []],
        reading=reading,
    )
    deliver(_written(found, form, output), output)
    if not quiet:
        for note in found.notes:
            say(note)


def _written(found: "Backtested", form: Form, output: Path | None) -> str:
    from recontool.report import intervals
    from recontool.report.document import alert_json

    scores = intervals.score_rows(found.scores)
    if form is Form.JSON:
        document: dict[str, object] = {"alerts": [alert_json(alert) for alert in found.alerts]}
        if scores:
            document["sweep"] = scores
        return json.dumps(document, indent=1, allow_nan=False)
    if form is Form.CSV:
        return intervals.score_csv(scores) if scores else intervals.interval_csv(found.alerts, found.evidence)
    if form is Form.MARKDOWN:
        if scores:
            head, *rows = intervals.score_table(scores)
            return intervals.markdown(head, rows)
        return intervals.interval_markdown(found.alerts, found.evidence, found.until_us)
    return _screen(found, output)


def _screen(found: "Backtested", output: Path | None) -> str:
    from recontool.cli.screen import at_hand
    from recontool.report import intervals, quantity

    on = at_hand(output)
    span = (found.since_us, found.until_us)
    head = (
        f"{quantity.counted(len(found.rules), 'rule')} over {quantity.counted(len(found.workers), 'worker')}, "
        f"{quantity.span(*span)} every {quantity.duration(found.step_us)}"
    )
    lines = [*on.wrapped("", head, 2), "", *intervals.interval_screen(on, found.alerts, found.evidence, span)]
    scores = intervals.score_rows(found.scores)
    return "\n".join([*lines, "", *intervals.score_screen(on, scores)] if scores else lines)


def _chosen(rules: Sequence["Rule"], only: Sequence[str]) -> Sequence["Rule"]:
    from recontool.alerts.language.errors import did_you_mean
    from recontool.model.errors import UsageError

    names = [rule.name for rule in rules]
    for name in only:
        if name not in names:
            hint = did_you_mean(name, names) or f"known are {', '.join(names)}"
            raise UsageError(f"unknown rule {name!r}", where="--rule", hint=hint)
    return [rule for rule in rules if not only or rule.name in only]


def _instant(text: str | None, option: str, tz: str) -> int | None:
    from recontool.storage.samples import instant

    return None if text is None else instant(text, option, zone_named(tz, "--tz"))


def _step(text: str) -> int:
    from recontool.alerts.language.tokens import parse_duration
    from recontool.model.errors import UsageError

    step_us = parse_duration(text)
    if not step_us:
        raise UsageError(f"{text!r} is no duration, expected e.g. 500ms, 15s, 1m", where="--step")
    return step_us
