"""Window functions against a plain restatement of Prometheus' own, sample by sample."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recontool.alerts import backtest as backtest_module
from recontool.alerts import windows
from recontool.alerts.backtest import backtest, grid
from recontool.alerts.evaluate import Terms
from recontool.alerts.rules import Rule
from recontool.model.series import Column, SeriesSet, first_seen
from recontool.model.units import SECOND_US

VALUES = st.floats(-1e6, 1e6) | st.integers(0, 20).map(float) | st.sampled_from([math.nan, math.inf, -math.inf, 1e308])
SERIES = st.lists(
    st.lists(st.tuples(st.integers(1, 300), VALUES), max_size=40, unique_by=lambda sample: sample[0]),
    min_size=1,
    max_size=3,
)
GRID = grid(0, 330 * SECOND_US, 7 * SECOND_US)


def series_of(lists):
    rows = [(worker, second, value) for worker, found in enumerate(lists) for second, value in found]
    column = Column.gather(
        len(lists),
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] * SECOND_US for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64),
    )
    return SeriesSet(
        [str(number) for number in range(len(lists))], {"m": column}, first_seen(len(lists), {"m": column})
    )


def reference(function, samples, now_s, window_s):
    """One window, as Prometheus' functions.go does it; None for no result."""
    inside = [(at, value) for at, value in sorted(samples) if now_s - window_s < at <= now_s]
    if not inside:
        return None
    values = [value for _, value in inside]
    if function in {"rate", "increase", "delta"}:
        return extrapolated(function, inside, now_s, window_s)
    return {
        "count": lambda: float(len(values)),
        "last": lambda: values[-1],
        "min": lambda: pick(min, values),
        "max": lambda: pick(max, values),
        "resets": lambda: float(sum(after < before for before, after in pairwise(values))),
        "sum": lambda: neumaier(values),
        "avg": lambda: mean(values),
    }[function]()


def pick(choose, values):
    return choose((value for value in values if not math.isnan(value)), default=math.nan)


def added(value, total, rest):
    new = total + value
    if math.isinf(new):
        return new, 0.0
    return new, rest + ((total - new) + value if abs(total) >= abs(value) else (value - new) + total)


def neumaier(values):
    total = rest = 0.0
    for value in values:
        total, rest = added(value, total, rest)
    return total if math.isinf(total) else total + rest


def mean(values):
    total, rest, so_far, stepwise = values[0], 0.0, 0.0, False
    for count, value in enumerate(values[1:], start=2):
        if not stepwise:
            new, new_rest = added(value, total, rest)
            if not math.isinf(new):
                total, rest = new, new_rest
                continue
            stepwise, so_far, rest = True, total / (count - 1), rest / (count - 1)
        share = (count - 1) / count
        so_far, rest = added(value / count, share * so_far, share * rest)
    return so_far + rest if stepwise else total / len(values) + rest / len(values)


def extrapolated(function, inside, now_s, window_s):
    if len(inside) < 2:
        return None
    (first_s, first), (last_s, last) = inside[0], inside[-1]
    rise = last - first
    if function != "delta":
        for (_, before), (_, after) in pairwise(inside):
            if after < before:
                rise += before
    to_start, to_end, sampled = first_s - (now_s - window_s), now_s - last_s, float(last_s - first_s)
    distance = sampled / (len(inside) - 1)
    if to_start >= distance * 1.1:
        to_start = distance / 2
    if function != "delta" and rise > 0 and first >= 0:
        to_start = min(to_start, sampled * (first / rise)) if not math.isnan(first / rise) else to_start
    if to_end >= distance * 1.1:
        to_end = distance / 2
    factor = (sampled + to_start + to_end) / sampled
    return rise * (factor / window_s if function == "rate" else factor)


@settings(deadline=None)
@given(
    SERIES,
    st.sampled_from(["rate", "increase", "delta", "avg", "min", "max", "sum", "count", "last", "resets"]),
    st.sampled_from([5, 30, 60, 299]),
)
def test_each_function_is_the_reference_to_the_last_bit(lists, function, window_s):
    with np.errstate(all="ignore"):
        found = Terms(series_of(lists), GRID).window(function, "m", window_s * SECOND_US)
    for row, samples in enumerate(lists):
        for column, at_us in enumerate(GRID.tolist()):
            expected = reference(function, samples, at_us // SECOND_US, window_s)
            assert found.present[row, column] == (expected is not None)
            if expected is not None:
                assert same(float(found.values[row, column]), expected, function), (row, at_us)


def same(found, expected, function):
    if math.isnan(expected) or math.isnan(found):
        return math.isnan(expected) == math.isnan(found)
    if function == "avg" and abs(expected) > 1e300:  # the sum overflows: added in steps from another point on
        return found == pytest.approx(expected, rel=1e-12)
    return found == expected


@pytest.mark.parametrize("count", [511, 513, 2_000])
def test_long_windows_add_block_by_block_to_the_same_sum(count):
    generator = np.random.default_rng(7)
    values = generator.normal(0, 1, count + 300) * 10.0 ** generator.integers(-8, 8, count + 300)
    column = Column(np.array([0, len(values)]), np.arange(len(values), dtype=np.int64), values)
    first = np.arange(300, dtype=np.int64)[None, :]
    found = windows.total(column, first, first + count)[0]
    assert found.tolist() == [math.fsum(values[start : start + count]) for start in range(300)]


@settings(deadline=None, max_examples=50)
@given(SERIES, st.integers(1, 60))
def test_evaluating_in_parts_changes_nothing(lists, cells):
    rules = (
        Rule("a", "queue_depth > 3", for_us=20 * SECOND_US),
        Rule("b", "avg(queue_depth[1m]) > 5", keep_firing_us=30 * SECOND_US),
    )
    series = series_of(lists)
    series.columns = {"queue_depth": series.columns["m"]}
    whole = backtest(rules, series, GRID)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest_module, "_CELLS", cells)
        assert backtest(rules, series, GRID) == whole


def test_instants_too_far_apart_for_one_search_are_found_worker_by_worker():
    far = np.array([-(2**61), 0, 5, 2**61], dtype=np.int64)
    column = Column(np.array([0, 4, 8]), np.tile(far, 2), np.arange(8.0))
    assert column.upto(np.array([-1, 0, 6, 2**61], dtype=np.int64)).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
