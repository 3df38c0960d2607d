"""Compares two analyses measure by measure and says which differences are more than chance.

Where a measure can be spread over workers and over time, both are tried and the wider interval answers: outages of
one worker resemble each other, and so do the outages of one coordinator restart.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec.structs import replace

from recontool.analysis.compare.bootstrap import DRAWS, Draws, Estimate, Sums, cliffs_delta, holm, paired, unpaired
from recontool.analysis.compare.measures import MEASURES, Measure
from recontool.analysis.compare.units import BLOCKS, Run
from recontool.model.catalogue import CATALOGUE, UNIT_TEXT
from recontool.model.comparison import Comparison, Difference, RunFacts, Scale, Unit, Verdict
from recontool.model.findings import Analysis

ALPHA: Final = 0.05
FEWEST: Final = 8  # units of a run, each counted by its weight
SEED: Final = 7

_Answer: TypeAlias = tuple[Estimate, Unit, Sums, Sums]


def compare_runs(
    base: Analysis, new: Analysis, names: tuple[str, str] = ("base", "new"), seed: int = SEED
) -> Comparison:
    """Every measure of both runs, corrected for their number by Holm; the same seed gives the same digits."""
    runs = Run(base), Run(new)
    draws = Draws(seed)
    found = _judged([_difference(measure, *runs, draws) for measure in MEASURES])
    longest = _longest(base, new)
    severity, sentence = _summary(found)
    return Comparison(
        _facts(base, names[0]),
        _facts(new, names[1]),
        (found[0], longest, *found[1:]),
        severity,
        sentence,
        seed,
        DRAWS,
        sum(one.p_adjusted is not None for one in found),
        new.version,
    )


def _difference(measure: Measure, base: Run, new: Run, draws: Draws) -> Difference:
    by_worker = base.workers(measure), new.workers(measure)
    values = [_level(one, measure) for one in by_worker]
    found = Difference(
        measure.metric,
        measure.title,
        measure.unit,
        measure.better,
        measure.scale,
        measure.least(values[0] or 0.0),
        values[0],
        values[1],
        verdict="no_data" if measure.better else "neutral",
    )
    if values[0] is None or values[1] is None:
        return replace(found, reason=_nothing(values))
    if measure.scale == "ratio" and (values[0] <= 0 or values[1] <= 0):
        return replace(found, reason="a value of 0 has no ratio")
    scale = measure.scale
    change = float(np.log(values[1] / values[0])) if scale == "ratio" else values[1] - values[0]
    found = replace(found, change=_shown(change, scale))
    answers = list(_answers(measure, base, new, change, draws))
    if not answers:
        return replace(found, reason=_too_few(measure, base, new))
    estimate, unit, one, other = max(answers, key=lambda answer: answer[0].width)
    if not np.isfinite(estimate.width):
        return replace(found, reason="what differs happened in too few places")
    single = base.values(measure), new.values(measure)
    own = [sums.num / sums.den for sums in (one, other)] if single[0] is None or single[1] is None else single
    return replace(
        found,
        low=_shown(estimate.low, scale),
        high=_shown(estimate.high, scale),
        p=estimate.p,
        effect=cliffs_delta(np.asarray(own[0]), np.asarray(own[1])),
        resampled=unit,
        units=(len(one.num), len(other.num)),
    )


def _answers(measure: Measure, base: Run, new: Run, change: float, draws: Draws) -> Iterator[_Answer]:
    """One interval for each kind of unit there is enough of."""
    one, other = base.workers(measure), new.workers(measure)
    scale: Scale = "difference" if measure.logs else measure.scale  # a difference of logarithms is a ratio
    if base.keys == new.keys:
        kept = (one.den > 0) & (other.den > 0)
        one, other = Sums(one.num[kept], one.den[kept]), Sums(other.num[kept], other.den[kept])
        if _enough(one, other):
            yield paired(one, other, change, scale, draws), "worker pair", one, other
    else:
        one, other = one.present(), other.present()
        if _enough(one, other):
            yield unpaired(one, other, change, scale, draws), "worker", one, other
    for number in BLOCKS:
        early, late = base.blocks(measure, number), new.blocks(measure, number)
        if early is not None and late is not None and _enough(early, late):
            yield unpaired(early, late, change, scale, draws, in_time=True), "time block", early, late


def _level(sums: Sums, measure: Measure) -> float | None:
    if not sums.den.sum():
        return None
    return float(np.exp(sums.value)) if measure.logs else sums.value


def _enough(*sides: Sums) -> bool:
    return all(one.effective >= FEWEST for one in sides)


def _judged(found: Sequence[Difference]) -> list[Difference]:
    """Adjusts the tested measures for their number and gives each its verdict."""
    tested = [one for one in found if one.p is not None and one.better]
    adjusted = dict(zip((one.measure for one in tested), holm([one.p or 0.0 for one in tested]), strict=True))
    return [
        replace(one, p_adjusted=adjusted[one.measure], verdict=_verdict(one, adjusted[one.measure]))
        if one.measure in adjusted
        else one
        for one in found
    ]


def _verdict(one: Difference, p_adjusted: float) -> Verdict:
    if one.change is None or one.low is None or one.high is None:
        return "no_data"
    if p_adjusted < ALPHA and abs(one.change) >= one.least and one.change:
        return "worse" if (one.change > 0) is (one.better == "lower") else "better"
    return "same" if max(abs(one.low), abs(one.high)) <= one.least else "unclear"


def _longest(base: Analysis, new: Analysis) -> Difference:
    """The longest reconnect is shown, never judged: one outage more or less decides it."""
    metric = CATALOGUE["max_reconnect_time"]
    values = [run.fleet[metric.name].value for run in (base, new)]
    ratio = values[1] / values[0] - 1 if values[0] and values[1] is not None else None
    return Difference(
        metric.name,
        metric.title,
        UNIT_TEXT[metric.unit],
        "",
        "ratio",
        0.0,
        values[0],
        values[1],
        change=ratio,
        verdict="neutral",
        reason="a single longest outage has no interval",
    )


def _shown(change: float, scale: Scale) -> float:
    return float(np.expm1(change)) if scale == "ratio" else change


def _nothing(values: Sequence[float | None]) -> str:
    sides = [name for name, value in zip(("base", "new"), values, strict=True) if value is None]
    return f"nothing to count in {' and '.join(sides)}"


def _too_few(measure: Measure, base: Run, new: Run) -> str:
    texts = []
    for name, run in (("base", base), ("new", new)):
        blocks = run.blocks(measure)
        spread = f", {blocks.effective:.0f} time blocks" if blocks is not None else ""
        workers = round(run.workers(measure).effective)
        texts.append(f"{name} {workers} worker{'' if workers == 1 else 's'}{spread}")
    return f"needs {FEWEST} units that carry weight: {'; '.join(texts)}"


def _summary(found: Sequence[Difference]) -> tuple[Literal["WORSE", "OK", "UNCLEAR", "NO DATA"], str]:
    def named(verdict: Verdict) -> list[str]:
        return [one.measure for one in found if one.verdict == verdict]

    tested = [one for one in found if one.p_adjusted is not None]
    if not tested:
        return "NO DATA", "not enough data in these runs to compare any measure"
    worse, better = named("worse"), named("better")
    parts = [f"worse: {', '.join(worse)}"] if worse else []
    parts += [f"better: {', '.join(better)}"] if better else []
    parts = parts or [f"no difference beyond chance in {len(tested)} measure{'s' if len(tested) > 1 else ''}"]
    unclear, missing = named("unclear"), named("no_data")
    lacking = [f"{len(missing)} without enough data"] if missing else []
    if len(unclear) == len(tested):
        none_of_them = f"none of {len(tested)} measures" if len(tested) > 1 else "not one measure"
        return "UNCLEAR", "; ".join([f"{none_of_them} could be decided: longer runs would tell more", *lacking])
    parts += [f"{len(unclear)} unclear"] if unclear else []
    return ("WORSE" if worse else "OK"), "; ".join([*parts, *lacking])


def _facts(run: Analysis, name: str) -> RunFacts:
    reconnections = round(run.fleet_derived.get("reconnections", 0))
    return RunFacts(name, len(run.workers), reconnections, run.first_us, run.last_us)
