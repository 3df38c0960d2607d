"""Window functions as Prometheus 3 defines them, for all workers and evaluations at once.

A window holds the samples with index in [first, end) of a column: those in (t - w, t]. Sums add in the order of time
with Neumaier's compensation, as Prometheus does, so that a threshold is met by the same last bit.
"""

import math
from typing import Final, TypeAlias

import numpy as np

from recontool.model.series import Bools, Column, Floats, Ints
from recontool.model.units import SECOND_US

Sum: TypeAlias = tuple[Floats, Floats]  # the sum so far and what rounding has lost of it
_BLOCK: Final = 256
_THRESHOLD: Final = 1.1  # of the mean distance of samples: a gap at the edge longer than this is no sampling gap


def extreme(column: Column, first: Ints, end: Ints, *, largest: bool) -> Floats:
    """The largest or smallest sample of each window; NaN only where every sample is NaN. No window may be empty."""
    pick = np.fmax if largest else np.fmin
    size = end - first
    level = np.frexp(size.astype(np.float64))[1] - 1  # floor(log2(size))
    found = np.empty(first.shape)
    table = column.values  # table[i] is the extreme of 2**k samples from i on
    for k in range(int(level.max(initial=0)) + 1):
        if k:
            half = 1 << (k - 1)
            table = pick(table[:-half], table[half:])
        here = level == k
        found[here] = pick(table[first[here]], table[end[here] - (1 << k)])
    return found


def total(column: Column, first: Ints, end: Ints) -> Floats:
    """The sum of each window."""
    high, low = _sums(column.values, first, end)
    return _with_special(column.values, first, end, np.where(np.isinf(high), high, high + low))


def mean(column: Column, first: Ints, end: Ints) -> Floats:
    """The mean of each window."""
    count = (end - first).astype(np.float64)
    high, low = _sums(column.values, first, end)
    found = high / count + low / count
    for window in np.argwhere(np.isinf(high)):  # the sum of finite values overflows: rare
        at = tuple(window)
        found[at] = _mean_by_steps(_finite(column.values[first[at] : end[at]]))
    return _with_special(column.values, first, end, found)


def resets(column: Column, first: Ints, end: Ints) -> Floats:
    """How often the value fell within each window."""
    before = _resets_before(column)
    return (before[end - 1] - before[first]).astype(np.float64)


def slope(
    column: Column, first: Ints, end: Ints, at_us: Ints, window_us: int, *, counter: bool, per_second: bool
) -> Floats:
    """`rate`, `increase` or `delta`, extrapolated to the edges of the window; no window may hold fewer than 2 samples."""
    start_us = at_us[None, :] - window_us
    first_us, last_us = column.at_us[first], column.at_us[end - 1]
    rise = column.values[end - 1] - column.values[first]
    if counter:
        rise = _without_resets(column, first, end, rise)
    to_start = (first_us - start_us) / SECOND_US
    to_end = (at_us[None, :] - last_us) / SECOND_US
    sampled = (last_us - first_us) / SECOND_US
    distance = sampled / (end - first - 1)
    limit = distance * _THRESHOLD
    to_start = np.where(to_start >= limit, distance / 2, to_start)
    if counter:
        # A counter starts at zero: never extrapolate to before that.
        lowest = column.values[first]
        to_zero = np.where((rise > 0) & (lowest >= 0), sampled * (lowest / rise), to_start)
        to_start = np.minimum(to_start, to_zero, where=to_zero < to_start, out=to_start.copy())
    to_end = np.where(to_end >= limit, distance / 2, to_end)
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor = factor / (window_us / SECOND_US)
    return rise * factor


def exact_slope(column: Column, first: Ints, end: Ints, window_us: int, *, counter: bool, per_second: bool) -> Floats:
    """As `slope` for samples that show every change: what changed in the window, nothing extrapolated.

    The sample before the window is the value at its start; without one the series begins in the window. An empty window
    has no change.
    """
    last = np.maximum(end - 1, 0)
    base = np.minimum(np.maximum(first - 1, column.offsets[:-1, None]), last)
    rise = column.values[last] - column.values[base]
    if counter:
        rise = _without_resets(column, base, last + 1, rise)
    return rise / (window_us / SECOND_US) if per_second else rise


def _without_resets(column: Column, first: Ints, end: Ints, rise: Floats) -> Floats:
    """`rise` plus the value before each fall within the window, added one by one in the order of time."""
    before = _resets_before(column)
    low, high = before[first], before[end - 1]
    if not (high > low).any():
        return rise
    at_reset = np.flatnonzero(np.diff(before)) + 1
    lost = column.values[at_reset - 1]
    found = rise.copy()
    for k in range(int((high - low).max())):
        here = low + k < high
        found[here] += lost[low[here] + k]
    return found


def _resets_before(column: Column) -> Ints:
    """Per sample, how many of the samples up to it are smaller than their predecessor; worker edges do no harm."""
    fell = np.zeros(len(column), dtype=np.int64)
    fell[1:] = column.values[1:] < column.values[:-1]
    return np.cumsum(fell)


def _sums(values: Floats, first: Ints, end: Ints) -> Sum:
    """Sum and compensation of the finite values of each window."""
    finite = _finite(values)
    if not first.size or int((end - first).max()) <= 2 * _BLOCK:
        return _add(finite, None, first, end, _zeros(first))
    blocks, rest = _blocks(finite)
    inner = -(-first // _BLOCK)
    inner_end = np.maximum(end // _BLOCK, inner)
    high, low = _add(finite, None, first, np.minimum(end, inner * _BLOCK), _zeros(first))
    high, low = _add(blocks, rest, inner, inner_end, (high, low))
    return _add(finite, None, np.maximum(first, inner_end * _BLOCK), end, (high, low))


def _add(values: Floats, rests: Floats | None, first: Ints, end: Ints, so_far: Sum) -> Sum:
    high, low = so_far
    for k in range(int((end - first).max(initial=0))):
        index = first + k
        inside = index < end
        index = np.where(inside, index, 0)
        value = np.where(inside, values[index], 0.0)
        added = high + value
        low = low + np.where(np.abs(high) >= np.abs(value), (high - added) + value, (value - added) + high)
        if rests is not None:
            low = low + np.where(inside, rests[index], 0.0)
        high = added
    return high, low


def _blocks(values: Floats) -> Sum:
    """Sum and compensation of every full block of samples, aligned to the column's start."""
    first = np.arange(0, len(values) // _BLOCK * _BLOCK, _BLOCK, dtype=np.int64)
    return _add(values, None, first, first + _BLOCK, _zeros(first))


def _zeros(like: Ints) -> Sum:
    return np.zeros(like.shape), np.zeros(like.shape)


def _finite(values: Floats) -> Floats:
    return values if np.isfinite(values).all() else np.where(np.isfinite(values), values, 0.0)


def _with_special(values: Floats, first: Ints, end: Ints, found: Floats) -> Floats:
    """NaN and the infinities decide the sum and the mean of their windows, whatever else is in there."""
    if np.isfinite(values).all():
        return found

    def within(mask: Bools) -> Bools:
        before = np.concatenate(([0], np.cumsum(mask)))
        return before[end] > before[first]

    positive, negative = within(values == np.inf), within(values == -np.inf)
    found = np.where(positive, np.inf, np.where(negative, -np.inf, found))
    return np.where(within(np.isnan(values)) | (positive & negative), np.nan, found)


def _mean_by_steps(values: Floats) -> float:
    """The mean of values whose sum is too large for a float."""
    mean_so_far, rest = 0.0, 0.0
    for count, value in enumerate(values.tolist(), start=1):
        share = (count - 1) / count
        old, part = share * mean_so_far, value / count
        added = old + part
        rest = share * rest + ((part - added) + old if abs(part) >= abs(old) else (old - added) + part)
        mean_so_far = added
    return mean_so_far + rest if math.isfinite(mean_so_far) else mean_so_far
