"""The statistics of a comparison: studentised cluster bootstrap, Holm's correction, Cliff's delta. numpy only.

A measure of a run is sum(num) / sum(den) over units that may be taken as independent: workers, or blocks of time.
Whole units are drawn again, never single outages: outages of one worker, or of one bad minute, resemble each other
and would make chance look smaller than it is. Each draw is divided by its own standard error (bootstrap-t), which
holds its level with a dozen units where plain percentiles do not.
Source: Cameron, Gelbach and Miller, "Bootstrap-based improvements for inference with clustered errors" (2008).
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from recontool.model.comparison import Scale

Floats: TypeAlias = NDArray[np.float64]

LEVEL: Final = 0.95
DRAWS: Final = 4000
_TINY: Final = 1e-12  # below this share of what it was computed from a number is rounding


class Sums(Struct, frozen=True):
    """A measure by unit: `num[i] / den[i]` is unit i's own value, `den[i]` its weight."""

    num: Floats
    den: Floats

    @property
    def value(self) -> float:
        """The measure over all units; NaN without weight."""
        total = float(self.den.sum())
        return float(self.num.sum()) / total if total else float("nan")

    @property
    def effective(self) -> float:
        """How many units of equal weight this is worth: 20 units of which one holds everything are worth 1."""
        square = float((self.den**2).sum())
        return float(self.den.sum()) ** 2 / square if square else 0.0

    def present(self) -> "Sums":
        """Without the units that carry nothing."""
        kept = self.den > 0
        return Sums(self.num[kept], self.den[kept])


class Estimate(Struct, frozen=True):
    """A change with its interval and the two-sided probability of one as large by chance."""

    low: float
    high: float
    p: float

    @property
    def width(self) -> float:
        """How much is left open."""
        return self.high - self.low


class Draws:
    """Seeded redraws: how often each of k units was drawn; the same for every measure of one comparison."""

    def __init__(self, seed: int, number: int = DRAWS) -> None:
        self.seed, self.number = seed, number
        self._made: dict[tuple[int, int], Floats] = {}

    def counts(self, units: int, side: int) -> Floats:
        """One row per draw, one column per unit; `side` keeps the two runs independent."""
        key = (units, side)
        if key not in self._made:
            source = np.random.default_rng([self.seed, units, side])
            self._made[key] = source.multinomial(units, np.full(units, 1 / units), self.number).astype(np.float64)
        return self._made[key]


def unpaired(base: Sums, new: Sums, change: float, scale: Scale, draws: Draws, *, in_time: bool = False) -> Estimate:
    """The interval around `change` when the units of the two runs have nothing to do with each other.

    With `in_time` the units of a run follow each other, and the interval is widened by what neighbours share.
    """
    sides = [_side(one, np.ones((1, len(one.num))), scale) for one in (base, new)]
    again = [_side(one, draws.counts(len(one.num), i), scale) for i, one in enumerate((base, new))]
    shared = [_shared_by_neighbours(one) if in_time else 1.0 for one in (base, new)]
    error = float(np.sqrt(shared[0] * sides[0][1] + shared[1] * sides[1][1])[0])
    redrawn = np.sqrt(again[0][1] + again[1][1])
    centre = float((sides[1][0] - sides[0][0])[0])
    return _studentised(change, error, again[1][0] - again[0][0] - centre, redrawn)


def paired(base: Sums, new: Sums, change: float, scale: Scale, draws: Draws) -> Estimate:
    """The same when unit i of both runs is one worker: what is peculiar to it cancels out."""
    error, centre = _pair(base, new, np.ones((1, len(base.num))), scale)
    redrawn, shifted = _pair(base, new, draws.counts(len(base.num), 0), scale)
    return _studentised(change, float(error[0]), shifted - centre[0], redrawn)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted values: below 0.05 they keep the chance of any false alarm below 5 %, whatever depends on what."""
    adjusted = [1.0] * len(p_values)
    worst = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = worst
    return adjusted


def cliffs_delta(base: Floats, new: Floats) -> float | None:
    """P(new > base) - P(new < base), the Mann-Whitney statistic between -1 and 1; None without values."""
    if not len(base) or not len(new):
        return None
    ascending = np.sort(base)
    below = np.searchsorted(ascending, new, "left").sum()
    above = len(base) * len(new) - np.searchsorted(ascending, new, "right").sum()
    return float(below - above) / (len(base) * len(new))


def _shared_by_neighbours(one: Sums) -> float:
    """How many times larger the variance is than that of independent units, at least 1 (Newey and West, 1987).

    A twelfth of the run is taken to be how far load reaches; 1 / k undoes the bias of correlations around a mean.
    """
    own, units = one.num - one.value * one.den, len(one.num)
    square, reach = float(own @ own), round(units / 12)
    if not square:
        return 1.0
    lags = range(1, reach + 1)
    return max(
        1.0, 1 + 2 * sum((1 - lag / (reach + 1)) * (float(own[:-lag] @ own[lag:]) / square + 1 / units) for lag in lags)
    )


def _side(one: Sums, counts: Floats, scale: Scale) -> tuple[Floats, Floats]:
    """(level, variance of the level) for each row of `counts`, the level being log(num / den) or num / den."""
    with np.errstate(divide="ignore", invalid="ignore"):
        num, den = counts @ one.num, counts @ one.den
        ratio = num / den
        terms = (
            counts @ one.num**2,
            -2 * ratio * (counts @ (one.num * one.den)),
            ratio**2 * (counts @ one.den**2),
        )
        variance = _inflated(len(one.num)) * _summed(terms) / den**2
        return (np.log(ratio), variance / ratio**2) if scale == "ratio" else (ratio, variance)


def _pair(base: Sums, new: Sums, counts: Floats, scale: Scale) -> tuple[Floats, Floats]:
    """(standard error, change) for each row of `counts`, from each unit's own change."""
    with np.errstate(divide="ignore", invalid="ignore"):
        totals = [(counts @ one.num, counts @ one.den) for one in (base, new)]
        ratios = [num / den for num, den in totals]
        widths = [den * (ratio if scale == "ratio" else 1) for ratio, (_, den) in zip(ratios, totals, strict=True)]
        # Influence of unit i on either side: (num_i - ratio * den_i) / width; its square, summed, is the variance.
        columns = (new.num, new.den, base.num, base.den)
        factors = (1 / widths[1], -ratios[1] / widths[1], -1 / widths[0], ratios[0] / widths[0])
        terms = [factors[i] * factors[j] * (counts @ (columns[i] * columns[j])) for i in range(4) for j in range(4)]
        error = np.sqrt(_inflated(len(base.num)) * _summed(terms))
        change = np.log(ratios[1] / ratios[0]) if scale == "ratio" else ratios[1] - ratios[0]
        return error, change


def _summed(terms: Sequence[Floats]) -> Floats:
    """The sum of squares that `terms` expand to; what is left after they cancel to rounding is 0."""
    total = np.sum(terms, axis=0)
    return np.where(total < _TINY * np.sum(np.abs(terms), axis=0), 0.0, total)


def _inflated(units: int) -> float:
    return units / (units - 1) if units > 1 else float("inf")


def _studentised(change: float, error: float, shifts: Floats, errors: Floats) -> Estimate:
    """The symmetric bootstrap-t interval; a draw without spread of its own counts as extreme."""
    fewest = 1 / (len(shifts) + 1)
    if not error:  # every unit says exactly the same
        return Estimate(change, change, fewest if abs(change) > _TINY else 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.abs(shifts / errors)
    sizes[np.isnan(sizes)] = np.inf
    reach = float(np.quantile(sizes, LEVEL, method="higher")) * error
    extreme = int((sizes >= abs(change) / error).sum())
    return Estimate(change - reach, change + reach, (1 + extreme) * fewest)
