"""Cuts a run into the units that are drawn again: its workers, and its blocks of time."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from recontool.analysis.compare.bootstrap import Floats, Sums
from recontool.analysis.compare.measures import HOUR_US, Measure, Weights, log_seconds
from recontool.model.findings import ACTIVITY, Analysis, WorkerResult
from recontool.model.units import SECOND_US

BLOCKS: Final = (48, 24, 12)  # load drifts: blocks must be longer than what resembles itself, and nobody knows how long
_FINEST: Final = BLOCKS[0]


class Run:
    """One analysis as units; `keys` are its workers in the order of every per-worker array."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.keys = tuple(analysis.workers)
        self._weights = {
            (outage.worker, outage.start_us): 1 / len(incident.outages)
            for incident in analysis.incidents
            for outage in incident.outages
        }
        self._blocks = _over_time(analysis, self._weights)

    def workers(self, measure: Measure) -> Sums:
        """The measure by worker; a worker that cannot tell has weight 0."""
        pairs = [measure.pair(worker, self._weights) or (0.0, 0.0) for worker in self.analysis.workers.values()]
        return Sums(*np.array(pairs, dtype=np.float64).reshape(len(pairs), 2).T)

    def blocks(self, measure: Measure, number: int = _FINEST) -> Sums | None:
        """The measure by block of time, `number` of them; None where the logs do not spread most of it over time."""
        if not measure.blocks[1]:
            return None
        found = Sums(*(self._blocks[name].reshape(number, -1).sum(axis=1) for name in measure.blocks))
        whole = self.workers(measure)
        covered = _most(found.num, whole.num) and _most(found.den, whole.den)
        return found.present() if covered else None

    def values(self, measure: Measure) -> Floats | None:
        """The single values behind a mean, where the analysis keeps them."""
        workers = self.analysis.workers.values()
        if measure.metric in {"avg_reconnect_time", "typical_reconnect_time"}:
            times = (o.duration_us for w in workers for o in w.outages if o.duration_us is not None)
            return np.array([us / SECOND_US for us in times])
        if measure.metric == "avg_task_execution_time_ms":
            return np.array([ms for worker in workers for ms in worker.task_ms])
        return None


def _most(spread: Floats, whole: Floats) -> bool:
    """Whether what has a time adds up to most of what was counted: some counts are only reported as a total."""
    return bool(abs(spread.sum() - whole.sum()) <= abs(whole.sum()) / 2)


def _over_time(analysis: Analysis, weights: Weights) -> Mapping[str, Floats]:
    """Sums by block of everything that has a time. An outage counts whole in the block it began in."""
    first = analysis.first_us or 0
    length = max((analysis.last_us or 0) - first, 1) / _FINEST
    sums = {
        name: np.zeros(_FINEST)
        for name in (*ACTIVITY, "outage_s", "outages", "log_s", "log_weight", "hours", "lost_hours")
    }

    def block(at_us: float) -> int:
        return min(max(int((at_us - first) / length), 0), _FINEST - 1)

    edges = first + length * np.arange(_FINEST + 1)
    for worker in analysis.workers.values():
        for bucket in worker.activity:
            i = block(bucket.start_us + bucket.width_us / 2)
            for name, amount in bucket.counts.items():
                sums[name][i] += amount
        for outage in worker.outages:
            i, end_us = block(outage.start_us), worker.last_us if outage.end_us is None else outage.end_us
            sums["lost_hours"][i] += (end_us - outage.start_us) / HOUR_US
            if outage.end_us is not None:
                sums["outage_s"][i] += (end_us - outage.start_us) / SECOND_US
                sums["outages"][i] += 1
                weight = weights.get((worker.key, outage.start_us), 1.0)
                sums["log_s"][i] += weight * log_seconds(end_us - outage.start_us)
                sums["log_weight"][i] += weight
        for span in worker.observed:
            inside = np.minimum(span.end_us, edges[1:]) - np.maximum(span.start_us, edges[:-1])
            sums["hours"] += np.maximum(inside, 0) / HOUR_US
    task_ms, tasks = _tasks_over_time(list(analysis.workers.values()))
    return {
        **sums,
        "up_hours": sums["hours"] - sums["lost_hours"],
        "reconnection_attempts": sums["reconnections"] + sums["attempts_failed"],
        "tasks_ended": sums["tasks_completed"] + sums["tasks_failed"],
        "task_ms": task_ms,
        "tasks": tasks,
    }


def _tasks_over_time(workers: list[WorkerResult]) -> tuple[Floats, Floats]:
    """Execution times by block: the sample of each worker is evenly thinned and in order, so its parts are times."""
    total, number = np.zeros(_FINEST), np.zeros(_FINEST)
    for worker in workers:
        sample = worker.task_ms
        if sample:
            stands_for = (worker.tasks.succeeded + worker.tasks.failed) / len(sample)
            where = np.arange(len(sample)) * _FINEST // len(sample)
            total += stands_for * np.bincount(where, sample, _FINEST)
            number += stands_for * np.bincount(where, minlength=_FINEST)
    return total, number
