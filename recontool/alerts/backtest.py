"""Rules over recorded series: the intervals in which each would have been pending or firing."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from recontool.alerts.evaluate import Terms
from recontool.alerts.instances import Instances, Plan
from recontool.alerts.rules import Rule
from recontool.alerts.state import ENDS, Instance
from recontool.model.findings import Alert
from recontool.model.series import Ints, SeriesSet

_CELLS: Final = 200_000  # workers x instants evaluated at once: bounds memory


def grid(since_us: int, until_us: int, step_us: int) -> Ints:
    """since, since + step, ... up to and including until."""
    return np.arange(since_us, until_us + 1, step_us, dtype=np.int64)


def backtest(rules: Sequence[Rule], series: SeriesSet, grid_us: Ints) -> list[Alert]:
    """One entry per interval, in order of its start, then of the rules, then of the workers."""
    machines = [Instances(Plan(rule)) for rule in rules]
    found: list[tuple[int, int, Alert]] = []
    for part in _parts(grid_us, max(1, len(series.workers))):
        shared = {fleet: Terms(series, part, fleet=fleet) for fleet in (False, True)}
        for number, machine in enumerate(machines):
            ended = (step for step in machine.advance(shared[machine.plan.fleet]) if step.kind in ENDS)
            found.extend(
                (number, step.worker, _alert(machine.plan, series, step.worker, step.instance, step.at_us))
                for step in ended
            )
    for number, machine in enumerate(machines):
        found.extend(
            (number, row, _alert(machine.plan, series, row, instance, None)) for row, instance in machine.active.items()
        )
    found.sort(key=lambda entry: (entry[2].pending_us, *entry[:2]))
    return [alert for *_, alert in found]


def _parts(grid_us: Ints, workers: int) -> Iterator[Ints]:
    width = max(1, _CELLS // workers)
    for start in range(0, len(grid_us), width):
        yield grid_us[start : start + width]


def _alert(plan: Plan, series: SeriesSet, row: int, instance: Instance, resolved_us: int | None) -> Alert:
    return instance.interval(plan.rule, None if plan.fleet else series.workers[row], resolved_us)
