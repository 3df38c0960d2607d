"""One value for the whole fleet out of one per worker: counts add up, means are weighted by what they count."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from recontool.model.catalogue import CATALOGUE
from recontool.model.series import Bools, Floats

# The count that a mean is taken over, as far as the catalogue has it.
WEIGHTS: Final[Mapping[str, str]] = {
    "avg_reconnect_time": "reconnections",
    "connection_stability": "uptime_s",
    "avg_message_latency_ms": "messages_sent",
    "avg_message_size_bytes": "messages_sent",
    "task_success_rate": "tasks_executed",
    "avg_task_execution_time_ms": "tasks_executed",
}
_ADDS_UP: Final = frozenset({"rate", "increase", "delta", "count", "resets"})
_ADDED_UNITS: Final = frozenset({"count", "per_min", "messages"})

if not {*WEIGHTS, *WEIGHTS.values()} <= set(CATALOGUE):
    raise ValueError("a weight names an unknown metric")


def way(function: str, metric: str) -> str:
    """How values of `function` (empty: the metric itself) are combined: sum, min, max or mean."""
    if function in _ADDS_UP:
        return "sum"
    if function in {"min", "max"}:
        return function
    if CATALOGUE[metric].unit in _ADDED_UNITS:
        return "sum"
    return "max" if metric in {"max_reconnect_time", "uptime_s"} else "mean"


def combined(
    function: str,
    metric: str,
    values: Floats,
    present: Bools,
    weights: Callable[[str], tuple[Floats, Bools] | None],
) -> tuple[Floats, Bools]:
    """One row for all workers that have a value; absent where none has."""
    some: Bools = np.any(present, axis=0, keepdims=True)
    chosen = way(function, metric)
    if not len(values):
        return np.full((1, values.shape[1]), np.nan), np.zeros((1, values.shape[1]), dtype=bool)
    found: Floats
    if chosen == "sum":
        found = np.where(present, values, 0.0).sum(axis=0, keepdims=True)
    elif chosen in {"min", "max"}:
        pick = np.fmin if chosen == "min" else np.fmax
        found = pick.reduce(np.where(present, values, np.nan), axis=0, keepdims=True)
    else:
        found = _mean(values, present, weights(WEIGHTS[metric]) if metric in WEIGHTS and not function else None)
    return np.where(some, found, np.nan), some


def of_samples(samples: Sequence[Mapping[str, float | int | None]], metrics: Iterable[str]) -> dict[str, float | None]:
    """`metrics` for the whole fleet, out of each worker's latest sample; None where none has it."""

    def row(metric: str) -> tuple[Floats, Bools]:
        given = [sample.get(metric) for sample in samples]
        values = np.array([[np.nan if value is None else value] for value in given], dtype=np.float64).reshape(-1, 1)
        return values, np.isfinite(values)

    found: dict[str, float | None] = {}
    for metric in metrics:
        with np.errstate(invalid="ignore"):  # a metric nobody has is a mean over nothing, and marked as absent
            value, present = combined("", metric, *row(metric), row)
        found[metric] = float(value[0, 0]) if present[0, 0] else None
    return found


def _mean(values: Floats, present: Bools, weight: tuple[Floats, Bools] | None) -> Floats:
    count = present.sum(axis=0, keepdims=True)
    plain: Floats = np.where(present, values, 0.0).sum(axis=0, keepdims=True) / count
    if weight is None:
        return plain
    weighed = present & weight[1] & (weight[0] > 0)
    share = np.where(weighed, weight[0], 0.0)
    over = share.sum(axis=0, keepdims=True)
    found: Floats = np.where(weighed, values * share, 0.0).sum(axis=0, keepdims=True) / over
    # Where no worker tells how much its mean stands for, every worker counts the same.
    return np.where(over > 0, found, plain)
