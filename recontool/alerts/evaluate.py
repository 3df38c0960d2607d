"""One evaluator: a condition over series at the instants of a grid; offline the grid is every step, live it is `[now]`.

Three-valued: what an absent value decides is unknown. NaN satisfies no comparison. Source: SPEC section 7.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct

from recontool.alerts import windows
from recontool.alerts.fleet import combined
from recontool.alerts.language.tree import Arithmetic, Compare, Logic, Metric, Node, Number, Unary, Window
from recontool.model.series import Bools, Column, Floats, Ints, SeriesSet
from recontool.model.units import MINUTE_US

LOOKBACK_US: Final = 5 * MINUTE_US

_COMPARE: Final[dict[str, Callable[[Floats, Floats], Bools]]] = {
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
    "==": np.equal,
    # Not np.not_equal, which NaN satisfies.
    "!=": lambda left, right: (left < right) | (left > right),
}
_COMPUTE: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


class Numbers(Struct, frozen=True):
    """Values of shape (workers or 1, instants or 1), and where there are any."""

    values: Floats
    present: Bools


class Truth(Struct, frozen=True):
    """Where a condition is definitely true and where it is definitely false; unknown where neither."""

    true: Bools
    false: Bools


Result: TypeAlias = Numbers | Truth


class Terms:
    """The metrics and window functions of conditions over `series` at the instants `grid_us`, each computed once.

    With `fleet` each is taken per worker and then combined over the workers that have it.
    """

    def __init__(self, series: SeriesSet, grid_us: Ints, *, fleet: bool = False) -> None:
        self.series, self.grid_us, self.fleet = series, grid_us, fleet
        self.rows = 1 if fleet else len(series.workers)
        self._values: dict[tuple[str, str, int], Numbers] = {}
        self._counts: dict[tuple[str, int, bool], Ints] = {}

    def known(self) -> Bools:
        """Which instances exist: workers from their first sample on, the fleet always."""
        if self.fleet:
            return np.ones((1, len(self.grid_us)), dtype=bool)
        return self.series.known_us[:, None] <= self.grid_us[None, :]

    def latest(self, metric: str, lookback_us: int = LOOKBACK_US) -> Numbers:
        """The last sample in (t - lookback, t], unless the series ended there."""
        return self._cached(("", metric, lookback_us))

    def window(self, function: str, metric: str, window_us: int) -> Numbers:
        """`function` over the samples in (t - window, t]; absent where they are too few."""
        return self._cached((function, metric, window_us))

    def _cached(self, key: tuple[str, str, int]) -> Numbers:
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = self._compute(*key)
        return found

    def _compute(self, function: str, metric: str, window_us: int) -> Numbers:
        column = self.series.columns.get(metric)
        if column is None or not len(column):
            shape = (self.rows, len(self.grid_us))
            return Numbers(np.full(shape, np.nan), np.zeros(shape, dtype=bool))
        found = (
            self._of_window(function, column, metric, window_us) if function else self._at(column, metric, window_us)
        )
        if self.fleet:
            return Numbers(*combined(function, metric, found.values, found.present, self._weight))
        return found

    def _at(self, column: Column, metric: str, lookback_us: int) -> Numbers:
        end = self._count(column, metric, 0, lasting=False)
        start = column.offsets[:-1, None]
        last = np.maximum(end - 1, 0)
        present = (end > start) & (column.at_us[last] > self.grid_us[None, :] - lookback_us)
        if column.stale is not None:
            present &= ~column.stale[last]
        return Numbers(np.where(present, column.values[last], np.nan), present)

    def _of_window(self, function: str, column: Column, metric: str, window_us: int) -> Numbers:
        first = self._count(column, metric, window_us, lasting=True)
        end = self._count(column, metric, 0, lasting=True)
        whole, column = column, column.lasting
        size = end - first
        exact = column.exact
        sloped = function in {"rate", "increase", "delta"}
        least = 2 if sloped else 1
        present = size >= least
        if sloped and exact is not None:
            # What shows every change tells of none as long as it is not out of sight.
            present |= exact[:, None] & ((size >= 1) | self._at(whole, metric, LOOKBACK_US).present)
        found = np.full(size.shape, np.nan)
        if not present.any():
            return Numbers(found, present)
        # Rows and columns are kept; windows that hold too little get a harmless one in their place.
        return Numbers(np.where(present, self._applied(function, column, first, end, window_us), np.nan), present)

    def _applied(self, function: str, column: Column, first: Ints, end: Ints, window_us: int) -> Floats:
        if function in {"rate", "increase", "delta"}:
            return self._sloped(function, column, first, end, window_us)
        if function == "count":
            return (end - first).astype(np.float64)
        last = np.maximum(end - 1, 0)
        if function == "last":
            return column.values[last]
        if function == "resets":
            return windows.resets(column, np.minimum(first, last), last + 1)
        safe_first, safe_end = (
            np.minimum(first, len(column) - 1),
            np.maximum(end, np.minimum(first, len(column) - 1) + 1),
        )
        if function in {"min", "max"}:
            return windows.extreme(column, safe_first, safe_end, largest=function == "max")
        return (windows.mean if function == "avg" else windows.total)(column, safe_first, safe_end)

    def _sloped(self, function: str, column: Column, first: Ints, end: Ints, window_us: int) -> Floats:
        counter, per_second = function != "delta", function == "rate"
        found = np.full(first.shape, np.nan)
        enough = end - first > 1
        if column.exact is not None and column.exact.any():
            exact = windows.exact_slope(column, first, end, window_us, counter=counter, per_second=per_second)
            found = np.where(column.exact[:, None], exact, found)
            enough &= ~column.exact[:, None]
        if len(column) > 1 and enough.any():
            safe_first = np.where(enough, first, 0)
            safe_end = np.where(enough, end, 2)
            plain = windows.slope(
                column, safe_first, safe_end, self.grid_us, window_us, counter=counter, per_second=per_second
            )
            found = np.where(enough, plain, found)
        return found

    def _count(self, column: Column, metric: str, back_us: int, *, lasting: bool) -> Ints:
        key = (metric, back_us, lasting or column.stale is None)
        found = self._counts.get(key)
        if found is None:
            found = self._counts[key] = (column.lasting if lasting else column).upto(self.grid_us - back_us)
        return found

    def _weight(self, metric: str) -> tuple[Floats, Bools] | None:
        column = self.series.columns.get(metric)
        if column is None or not len(column):
            return None
        found = self._at(column, metric, LOOKBACK_US)
        return found.values, found.present


def evaluate(condition: Node, series: SeriesSet, grid_us: Ints, *, fleet: bool = False) -> Truth:
    """Where `condition` is true and where it is false: shape (workers, instants), one row for the fleet."""
    return truth(condition, Terms(series, grid_us, fleet=fleet))


def truth(condition: Node, terms: Terms) -> Truth:
    """As `evaluate`, sharing what other conditions over the same grid have computed."""
    with np.errstate(all="ignore"):
        found = _condition(condition, terms)
    shape = (terms.rows, len(terms.grid_us))
    return Truth(np.broadcast_to(found.true, shape), np.broadcast_to(found.false, shape))


def numbers(node: Node, terms: Terms) -> Numbers:
    """The values of a numeric expression."""
    with np.errstate(all="ignore"):
        found = _number(node, terms)
    shape = (terms.rows, len(terms.grid_us))
    return Numbers(np.broadcast_to(found.values, shape), np.broadcast_to(found.present, shape))


def _condition(node: Node, terms: Terms) -> Truth:
    match node:
        case Compare():
            left, right = _number(node.left, terms), _number(node.right, terms)
            present = left.present & right.present
            holds = _COMPARE[node.op](left.values, right.values)
            return Truth(holds & present, ~holds & present)
        case Logic():
            return _joined(node.op, _condition(node.left, terms), _condition(node.right, terms))
        case Unary():
            inner = _condition(node.inner, terms)
            return Truth(inner.false, inner.true)
        case Window():
            present = terms.latest(node.metric.stored, node.window_us).present
            return Truth(~present, present)
    raise TypeError(f"{node!r} is no condition")


def _joined(op: str, left: Truth, right: Truth) -> Truth:
    if op == "and":
        return Truth(left.true & right.true, left.false | right.false)
    if op == "or":
        return Truth(left.true | right.true, left.false & right.false)
    # `unless` asks whether the right side holds, as Prometheus does: where that is unknown, it does not.
    return Truth(left.true & ~right.true, left.false | right.true)


def _number(node: Node, terms: Terms) -> Numbers:
    match node:
        case Number():
            return Numbers(np.full((1, 1), node.value), np.ones((1, 1), dtype=bool))
        case Metric():
            return terms.latest(node.stored)
        case Window():
            return terms.window(node.function, node.metric.stored, node.window_us)
        case Unary():
            inner = _number(node.inner, terms)
            return Numbers(np.abs(inner.values) if node.op == "abs" else -inner.values, inner.present)
        case Arithmetic():
            left, right = _number(node.left, terms), _number(node.right, terms)
            return Numbers(_COMPUTE[node.op](left.values, right.values), left.present & right.present)
    raise TypeError(f"{node!r} is no number")
