"""Paths and conditions in, the outcome of a gate out."""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from recontool.analysis.compare.runs import SEED, compare_runs
from recontool.analysis.gate.conditions import Condition, parse
from recontool.analysis.gate.evaluate import evaluate
from recontool.api.analyze import analyze
from recontool.api.sources import DEFAULT, Reading
from recontool.model.comparison import Comparison, Gate
from recontool.model.errors import UsageError
from recontool.model.findings import Analysis

ALONE: Final = ("critical",)
AGAINST_BASELINE: Final = ("regression",)


class Demand(Struct, frozen=True):
    """What a gate asks for; without conditions `critical`, with a baseline `regression`."""

    fail_on: Sequence[str] = ()
    baseline: Sequence[str] = ()
    scope: Literal["fleet", "worker"] = "fleet"
    seed: int = SEED


def check_paths(paths: Sequence[str], demand: Demand, reading: Reading = DEFAULT) -> Gate:
    """Analyse `paths` and hold them against the conditions; the baseline is read only where one is needed.

    Raises:
        UsageError: a condition does not parse, or asks for a baseline and there is none.
        NoDataError, PartlyUnreadableError: as `analyze`.
    """
    conditions = parse(
        demand.fail_on or (AGAINST_BASELINE if demand.baseline else ALONE), {rule.name for rule in reading.alert_rules}
    )
    compares = [one for one in conditions if one.kind in {"change", "regression"}]
    if compares and not demand.baseline:
        raise UsageError(
            f"{compares[0].text!r} compares with another run, and none was given",
            where="--fail-on",
            hint="add --baseline PATH",
        )
    run = analyze(paths, reading)
    return evaluate(run, conditions, _compared(run, compares, demand, reading), demand.scope)


def _compared(run: Analysis, compares: Sequence[Condition], demand: Demand, reading: Reading) -> Comparison | None:
    if not compares:
        return None
    return compare_runs(analyze(demand.baseline, reading), run, (demand.baseline[0], "this run"), demand.seed)
