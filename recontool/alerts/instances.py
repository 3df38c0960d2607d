"""One rule for all its instances, over a grid of evaluations; each goes through the state machine of `state`.

An evaluation that repeats the outcome of the one before changes nothing unless a deadline has passed, so long stretches
are skipped; live and offline run through the very same steps.
"""

from typing import Any, Final

import numpy as np
from msgspec import Struct

from recontool.alerts.evaluate import Terms, Truth, numbers, truth
from recontool.alerts.language.parser import parse
from recontool.alerts.language.tree import Logic, Metric, Node, Window, first_comparison, inverted, walk
from recontool.alerts.rules import Rule
from recontool.alerts.state import ENDS, FALSE, NEVER, TRUE, UNKNOWN, Instance, Kind, deadline_us, step
from recontool.model.series import Floats, Ints

_HELD: Final = 3  # outcome of the condition + 3 * outcome of what keeps it firing


class Step(Struct, frozen=True):
    """What changed for instance `worker` at `at_us`; `instance` is a copy as it stands after (at an end: before)."""

    worker: int
    kind: Kind
    at_us: int
    instance: Instance
    value: float


class Plan:
    """A rule made ready to evaluate."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.fleet = rule.scope == "fleet"
        self.condition = parse(rule.condition)
        self.held: Node | None = None
        if rule.clear_when:
            self.held = Logic("or", self.condition, inverted(parse(rule.clear_when)))
        found = first_comparison(self.condition)
        self.watched: Node | None = found[0].left if found else None
        # == and != have no side; their larger values are shown.
        self.smallest = found is not None and (found[0].op in {"<", "<="}) != found[1]

    def reads(self) -> dict[str, int]:
        """The metrics the rule reads, and how long a window of each it needs, in microseconds."""
        nodes = [*walk(self.condition), *(walk(self.held) if self.held is not None else ())]
        found = {node.stored: 0 for node in nodes if isinstance(node, Metric)}
        for node in nodes:
            if isinstance(node, Window):
                found[node.metric.stored] = max(found[node.metric.stored], node.window_us)
        return found


class Instances:
    """All instances of one rule; `advance` them over a grid, in as many parts as one likes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.active: dict[int, Instance] = {}
        self.unknown = True  # whether the latest evaluation told nothing about any instance
        self._codes: Ints = np.zeros(0, dtype=np.int64)  # outcome of each instance's latest evaluation
        self._values: Floats = np.zeros(0)  # and the value its first comparison looked at

    def advance(self, terms: Terms) -> list[Step]:
        """Evaluate at every instant of `terms`; what changed, per instance in the order of time."""
        codes, watched = self._codes_of(terms), self._watched(terms)
        rows, count = codes.shape
        if not count:
            return []
        before = np.zeros(rows, dtype=np.int64)
        before[: len(self._codes)] = self._codes[:rows]
        changed = np.diff(codes, axis=1, prepend=before[:, None]) != 0
        self._codes, self._values = codes[:, -1].copy(), watched[:, -1].copy()
        self.unknown = bool((self._codes % _HELD == UNKNOWN)[terms.known()[:, -1]].all())
        last_us = int(terms.grid_us[-1])
        due = {row for row, instance in self.active.items() if deadline_us(self.plan.rule, instance) <= last_us}
        todo = due.union(np.flatnonzero(changed.any(axis=1)).tolist())
        steps: list[Step] = []
        for row in sorted(todo):
            steps.extend(self._walk(row, terms.grid_us, codes[row], np.flatnonzero(changed[row]), watched[row]))
        self._raise_peaks([row for row in self.active if row not in todo], watched)
        return steps

    def keep(self, rows: Ints) -> None:
        """Forget every instance but those in `rows`, all active ones among them, which take their place in that order."""
        place = {row: at for at, row in enumerate(rows.tolist())}
        self.active = {place[row]: instance for row, instance in self.active.items()}
        rows = rows[rows < len(self._codes)]  # a rule that could not be evaluated has not seen the newest
        self._codes, self._values = self._codes[rows], self._values[rows]

    def restore(self, instances: dict[int, Instance]) -> None:
        """Go on from what an earlier process left; each of them is looked at anew at the next evaluation."""
        self.active = instances
        self._codes = np.zeros(max(instances, default=-1) + 1, dtype=np.int64)
        self._codes[list(instances)] = -1

    def value(self, row: int) -> float | None:
        """The left side of the first comparison at the latest evaluation; None when it is absent or not finite."""
        value = float(self._values[row]) if row < len(self._values) else float("nan")
        return value if np.isfinite(value) else None

    def _codes_of(self, terms: Terms) -> Ints:
        codes = _outcomes(truth(self.plan.condition, terms), terms)
        if self.plan.held is not None:
            codes += _HELD * _outcomes(truth(self.plan.held, terms), terms)
        return codes

    def _watched(self, terms: Terms) -> Floats:
        if self.plan.watched is None:
            return np.broadcast_to(np.float64("nan"), (terms.rows, len(terms.grid_us)))
        found = numbers(self.plan.watched, terms)
        return np.where(found.present, found.values, np.nan)

    def _walk(self, row: int, grid_us: Ints, codes: Ints, changes: Ints, watched: Floats) -> list[Step]:
        steps: list[Step] = []
        instance = self.active.get(row, Instance())
        at, since = 0, 0  # the next evaluation, and from which one on the peak is still to be looked for
        turn = 0
        while True:
            while turn < len(changes) and changes[turn] < at:
                turn += 1
            following = int(changes[turn]) if turn < len(changes) else len(grid_us)
            due_us = deadline_us(self.plan.rule, instance)
            if due_us != NEVER:
                following = min(following, max(at, int(np.searchsorted(grid_us, due_us))))
            if following >= len(grid_us):
                break
            at = following
            code = int(codes[at])
            sustained = instance.state == "firing" and self.plan.held is not None
            kind = step(self.plan.rule, instance, int(grid_us[at]), code // _HELD if sustained else code % _HELD)
            if kind is not None:
                if kind in ENDS:
                    self._raise(instance, watched[since:at])
                elif kind == "pending" or instance.pending_us == int(grid_us[at]):
                    since = at
                copy = Instance(instance.state, instance.pending_us, instance.fired_us, instance.keep_us, instance.peak)
                steps.append(Step(row, kind, int(grid_us[at]), copy, float(watched[at])))
                if kind in ENDS:
                    instance = Instance()
            at += 1
        if instance.state == "inactive":
            self.active.pop(row, None)
        else:
            self._raise(instance, watched[since:])
            self.active[row] = instance
        return steps

    def _raise(self, instance: Instance, values: Floats) -> None:
        if len(values):
            pick = np.fmin if self.plan.smallest else np.fmax
            instance.peak = float(pick(instance.peak, pick.reduce(values)))

    def _raise_peaks(self, rows: list[int], watched: Floats) -> None:
        if not rows:
            return
        pick = np.fmin if self.plan.smallest else np.fmax
        extremes = pick.reduce(watched[rows], axis=1)
        peaks = pick([self.active[row].peak for row in rows], extremes)
        for row, peak in zip(rows, peaks.tolist(), strict=True):
            self.active[row].peak = peak


def _outcomes(found: Truth, terms: Terms) -> Ints:
    codes = np.where(found.true, TRUE, np.where(found.false, FALSE, UNKNOWN))
    return np.where(terms.known(), codes, FALSE)


def as_json(instance: Instance) -> dict[str, Any]:
    """`instance` in plain JSON values."""
    peak = instance.peak
    return {
        "state": instance.state,
        "pending_us": instance.pending_us,
        "fired_us": instance.fired_us,
        "keep_us": instance.keep_us,
        "peak": None if np.isnan(peak) else repr(peak),
    }


def from_json(kept: dict[str, Any]) -> Instance:
    """The instance that `as_json` wrote."""
    peak = float("nan") if kept["peak"] is None else float(kept["peak"])
    return Instance(kept["state"], kept["pending_us"], kept["fired_us"], kept["keep_us"], peak)
