"""The live evaluator: samples go in as they come, `evaluate` says what changed. No clock, no I/O.

It runs the very evaluator and state machine of the backtest on a grid of one instant, so step by step it gives the
intervals that a backtest over the same samples and instants gives.
"""

import math
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from recontool.alerts.buffer import Buffer
from recontool.alerts.evaluate import LOOKBACK_US, Terms
from recontool.alerts.fleet import WEIGHTS
from recontool.alerts.instances import Instances, Plan, Step, as_json, from_json
from recontool.alerts.rules import Rule
from recontool.alerts.state import Instance
from recontool.model.catalogue import ALIASES
from recontool.model.findings import Severity
from recontool.model.series import Ints, SeriesSet

Health: TypeAlias = Literal["ok", "no_data", "broken"]
_VERSION: Final = 1
_ALIAS_OF: Final = {stands_for: alias for alias, stands_for in ALIASES.items()}


class Change(Struct, frozen=True):
    """A rule changed its state for a worker (None: for the fleet).

    `since_us` is when the condition began to hold; `value` is the left side of the first comparison, None when
    there is none or it is not finite. A pending alert that ends without having fired makes no change.
    """

    alert: str
    severity: Severity
    worker: str | None
    state: Literal["pending", "firing", "resolved"]
    at_us: int
    since_us: int
    value: float | None


class Active(Struct, frozen=True):
    """An alert that is pending or firing now; `fired_us` is None while it is pending."""

    alert: str
    severity: Severity
    worker: str | None
    state: Literal["pending", "firing"]
    since_us: int
    fired_us: int | None
    value: float | None
    peak: float | None


class RuleHealth(Struct, frozen=True):
    """Whether a rule could be evaluated, apart from what it says.

    "no_data": its condition was unknown for every instance; "broken": evaluating it failed, `error` says how.
    """

    alert: str
    condition: str
    severity: Severity
    health: Health
    error: str
    evaluated_us: int | None
    took_s: float


class Status(Struct, frozen=True):
    """All rules and all alerts that are pending or firing."""

    rules: tuple[RuleHealth, ...]
    active: tuple[Active, ...]


class AlertEngine:
    """Rules over the live samples of a fleet. Feed rounds in time order.

    A worker without a sample in any window of the rules, and without a pending or firing alert, is forgotten: nothing can
    come of it until it sends one. A rule about what is missing (`no_data: alert`, `absent`) goes on asking for those it
    fires on.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._machines = [Instances(Plan(rule)) for rule in rules]
        self._index: dict[str, int] = {}
        self._workers: list[str] = []
        self._known_us: list[int] = []
        self._buffers = {metric: Buffer(keep_us) for metric, keep_us in self._lookbacks().items()}
        self._longest_us = max(self._lookbacks().values(), default=LOOKBACK_US)
        self._health = [_unasked(rule) for rule in rules]

    def step(self, at_us: int, samples: Mapping[str, Mapping[str, float | None]]) -> list[Change]:
        """One round: `samples` by worker and metric, all taken at `at_us`, then an evaluation at that instant."""
        self.add(at_us, samples)
        return self.evaluate(at_us)

    def add(self, at_us: int, samples: Mapping[str, Mapping[str, float | None]]) -> None:
        """Take samples in; a metric that is missing or None has none. Unknown metrics are ignored.

        A worker counts as known from its first sample on.
        """
        for worker, given in samples.items():
            if worker not in self._index and any(value is not None for value in given.values()):
                self._index[worker] = len(self._workers)
                self._workers.append(worker)
                self._known_us.append(at_us)
        rows = [self._index[worker] for worker in samples if worker in self._index]
        told = [given for worker, given in samples.items() if worker in self._index]
        for metric, buffer in self._buffers.items():
            alias = _ALIAS_OF.get(metric)
            values = [given.get(metric) for given in told]
            if alias is not None:
                values = [
                    given.get(alias) if value is None else value for value, given in zip(values, told, strict=True)
                ]
            buffer.add(rows, at_us, values)

    def leave(self, at_us: int, workers: Iterable[str]) -> None:
        """These workers left in an orderly way: their series end here instead of five minutes later."""
        rows = [self._index[worker] for worker in workers if worker in self._index]
        for buffer in self._buffers.values():
            buffer.add(rows, at_us, [0.0] * len(rows), stale=True)

    def end_series(self, at_us: int, worker: str, metric: str) -> None:
        """This one metric of a worker ends here."""
        if worker in self._index and metric in self._buffers:
            self._buffers[metric].add([self._index[worker]], at_us, [0.0], stale=True)

    def evaluate(self, at_us: int) -> list[Change]:
        """Evaluate every rule at `at_us`; what changed, rule by rule."""
        workers = self._workers
        columns = {metric: buffer.column(len(workers)) for metric, buffer in self._buffers.items()}
        series = SeriesSet(workers, columns, np.array(self._known_us, dtype=np.int64))
        now = np.array([at_us], dtype=np.int64)
        shared = {fleet: Terms(series, now, fleet=fleet) for fleet in (False, True)}
        changes: list[Change] = []
        for number, machine in enumerate(self._machines):
            rule, began = machine.plan.rule, time.perf_counter()
            health: Health = "ok"
            error = ""
            try:
                steps = machine.advance(shared[machine.plan.fleet])
            except Exception as problem:  # noqa: BLE001 - shown as the rule's health; other rules must go on
                health, error = "broken", f"{type(problem).__name__}: {problem}"
            else:
                changes += [self._change(machine, step) for step in steps if step.kind != "dropped"]
                health = "no_data" if machine.unknown else "ok"
            took_s = time.perf_counter() - began
            self._health[number] = RuleHealth(rule.name, rule.condition, rule.severity, health, error, at_us, took_s)
        self._forget(at_us)
        return changes

    def status(self) -> Status:
        """Rule health and active alerts, as of the latest evaluation."""
        active = tuple(
            self._active(machine, row, instance)
            for machine in self._machines
            for row, instance in sorted(machine.active.items())
        )
        return Status(tuple(self._health), active)

    def dump(self) -> dict[str, Any]:
        """The whole state in plain JSON values; `load` goes on from it as if nothing had happened."""
        return {
            "version": _VERSION,
            "workers": list(self._workers),
            "known_us": list(self._known_us),
            "samples": {metric: buffer.dump() for metric, buffer in self._buffers.items()},
            "alerts": {
                machine.plan.rule.name: {
                    "scope": machine.plan.rule.scope,
                    "instances": [[row, as_json(instance)] for row, instance in sorted(machine.active.items())],
                }
                for machine in self._machines
            },
        }

    @classmethod
    def load(cls, rules: Sequence[Rule], kept: Mapping[str, Any]) -> "AlertEngine":
        """An engine for `rules` that goes on from `dump`; rules it does not know start afresh, others are dropped.

        Raises:
            ValueError: another version of recontool wrote it, or it is damaged.
        """
        if kept.get("version") != _VERSION:
            raise ValueError(f"alert state has version {kept.get('version')!r}, expected {_VERSION}")
        engine = cls(rules)
        try:
            engine._restore(kept)
        except (KeyError, TypeError, IndexError, zlib.error) as error:
            raise ValueError(f"alert state is damaged: {type(error).__name__}: {error}") from error
        return engine

    def _restore(self, kept: Mapping[str, Any]) -> None:
        self._workers = list(kept["workers"])
        self._index = {worker: row for row, worker in enumerate(self._workers)}
        self._known_us = [int(at_us) for at_us in kept["known_us"]]
        for metric, keep_us in self._lookbacks().items():
            if metric in kept["samples"]:
                self._buffers[metric] = Buffer.load(keep_us, kept["samples"][metric])
        for machine in self._machines:
            known = kept["alerts"].get(machine.plan.rule.name)
            if known is not None and known["scope"] == machine.plan.rule.scope:
                machine.restore({int(row): from_json(instance) for row, instance in known["instances"]})

    def _forget(self, at_us: int) -> None:
        """Let go of workers that are gone, once they are a quarter of all."""
        count = len(self._workers)
        last_us = np.array(self._known_us, dtype=np.int64)
        for buffer in self._buffers.values():
            last_us = np.maximum(last_us, buffer.last_us(count))
        gone = last_us <= at_us - self._longest_us
        alone = [machine for machine in self._machines if not machine.plan.fleet]
        for machine in alone:
            gone[list(machine.active)] = False
        if not count or 4 * int(gone.sum()) < count:
            return
        rows: Ints = np.flatnonzero(~gone)
        for buffer in self._buffers.values():
            buffer.keep(rows)
        for machine in alone:
            machine.keep(rows)
        self._workers = [self._workers[row] for row in rows]
        self._known_us = [self._known_us[row] for row in rows]
        self._index = {worker: row for row, worker in enumerate(self._workers)}

    def _lookbacks(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for machine in self._machines:
            for metric, window_us in machine.plan.reads().items():
                needed = [metric, WEIGHTS[metric]] if machine.plan.fleet and metric in WEIGHTS else [metric]
                for name in needed:
                    found[name] = max(found.get(name, LOOKBACK_US), window_us)
        return found

    def _change(self, machine: Instances, step: Step) -> Change:
        rule = machine.plan.rule
        state: Literal["pending", "firing", "resolved"] = "resolved" if step.kind == "dropped" else step.kind
        return Change(
            rule.name,
            rule.severity,
            self._name(machine, step.worker),
            state,
            step.at_us,
            step.instance.pending_us,
            _finite(step.value),
        )

    def _active(self, machine: Instances, row: int, instance: Instance) -> Active:
        rule = machine.plan.rule
        return Active(
            rule.name,
            rule.severity,
            self._name(machine, row),
            "firing" if instance.state == "firing" else "pending",
            instance.pending_us,
            instance.fired_us,
            machine.value(row),
            _finite(instance.peak),
        )

    def _name(self, machine: Instances, row: int) -> str | None:
        return None if machine.plan.fleet else self._workers[row]


def _unasked(rule: Rule) -> RuleHealth:
    return RuleHealth(rule.name, rule.condition, rule.severity, "no_data", "", None, 0.0)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
