"""Decides each condition of a gate on one analysis, and on its comparison with a baseline.

A condition on a change fails only when the change is over its limit and its interval excludes no change in that
direction. Too little data is its own outcome: it is neither a failure nor a silent pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from recontool.analysis.gate.conditions import OPERATORS, SEVERITIES, Condition
from recontool.model.catalogue import CATALOGUE, UNIT_TEXT
from recontool.model.comparison import CheckResult, Comparison, Difference, Finding, Gate
from recontool.model.findings import LISTED, Alert, Analysis, MetricValue, Outage, WorkerResult
from recontool.model.instant import iso

Scope: TypeAlias = Literal["fleet", "worker"]
FLEET: Final = "fleet"
_SHOWN_LINES: Final = 3


def evaluate(
    run: Analysis, conditions: Sequence[Condition], compared: Comparison | None = None, scope: Scope = "fleet"
) -> Gate:
    """Every condition decided; `scope` says whether limits are held against the fleet or each worker."""
    subjects = _subjects(run, scope)
    checks = tuple(check for condition in conditions for check in _checks(condition, run, compared, subjects))
    paths = tuple((one.name, one.path) for one in run.inputs)
    return Gate(checks, paths, compared.base.name if compared is not None else "", _sentence(checks), run.version)


def _checks(
    condition: Condition, run: Analysis, compared: Comparison | None, subjects: Mapping[str, "_Subject"]
) -> Iterator[CheckResult]:
    if condition.kind == "limit":
        yield _limit(condition, subjects)
    elif condition.kind == "outside":
        yield _outside(condition, subjects)
    elif condition.kind in {"severity", "alert"}:
        yield _alerts(condition, run)
    elif compared is not None:
        for one in compared.differences:
            if condition.kind == "change" and one.measure == condition.name:
                yield _change(condition, one)
            elif condition.kind == "regression" and one.better:
                yield _regression(one)


class _Subject:
    """The fleet or one worker, and what its limits are held against."""

    def __init__(
        self, metrics: Mapping[str, MetricValue], counts: Mapping[str, float], workers: Sequence[WorkerResult]
    ) -> None:
        self.metrics, self.counts, self._workers = metrics, counts, workers

    def value(self, name: str) -> float | None:
        """The metric or count; None when there is nothing to count."""
        return self.metrics[name].value if name in self.metrics else self.counts.get(name)

    def evidence(self, name: str) -> tuple[str, ...]:
        """Lines that show why `name` is what it is: the longest outages, the first failed task, else the files."""
        if "reconnect" in name or name in {"connection_stability", "restarts"}:
            worst = sorted((o for w in self._workers for o in w.outages), key=_length_us, reverse=True)
            return tuple(outage.evidence[0] for outage in worst[:_SHOWN_LINES] if outage.evidence)
        if name == "task_success_rate":
            return tuple(w.first_error_evidence for w in self._workers if w.first_error_evidence)[:_SHOWN_LINES]
        return tuple(file for worker in self._workers for file in worker.files[:1])[:_SHOWN_LINES]


def _subjects(run: Analysis, scope: Scope) -> dict[str, _Subject]:
    everyone = list(run.workers.values())
    if scope == "worker":
        return {key: _Subject(worker.metrics, worker.derived, [worker]) for key, worker in run.workers.items()}
    return {FLEET: _Subject(run.fleet, run.fleet_derived, everyone)} if everyone else {}


def _limit(condition: Condition, subjects: Mapping[str, _Subject]) -> CheckResult:
    name, limit = condition.name, condition.limit
    unit = f" {UNIT_TEXT[CATALOGUE[name].unit]}".rstrip() if name in CATALOGUE else ""
    findings, known = [], []
    for key, subject in subjects.items():
        value = subject.value(name)
        if value is None:
            continue
        known.append(value)
        if OPERATORS[condition.operator](value, limit):
            said = f"{name} is {value:.6g}{unit}, fails at {condition.operator} {limit:g}{unit}"
            findings.append(Finding(key, said, subject.evidence(name)))
    if not known:
        reasons = {s.metrics[name].reason for s in subjects.values() if name in s.metrics} - {""}
        return CheckResult(
            condition.text, "no_data", f"{name} has no value: {', '.join(sorted(reasons)) or 'no worker'}"
        )
    worst = max(known) if condition.operator.startswith(">") else min(known)
    return _decided(condition.text, findings, f"{name} is {worst:.6g}{unit}")


def _outside(condition: Condition, subjects: Mapping[str, _Subject]) -> CheckResult:
    findings = [
        Finding(
            key,
            f"{name} is {found.value:.6g}, {'below' if found.side == 'low' else 'above'} its normal range",
            subject.evidence(name),
        )
        for key, subject in subjects.items()
        for name, found in subject.metrics.items()
        if found.status == "outside" and found.value is not None
    ]
    if not any(found.value is not None for subject in subjects.values() for found in subject.metrics.values()):
        return CheckResult(condition.text, "no_data", "no metric has a value")
    return _decided(condition.text, findings, "every metric is within its normal range")


def _alerts(condition: Condition, run: Analysis) -> CheckResult:
    """Alerts that fired; a worker that had not come back when its log ended counts as critical."""
    if not run.workers:
        return CheckResult(condition.text, "no_data", "no worker log, so no rule could be evaluated")
    wanted = SEVERITIES[: SEVERITIES.index(condition.name) + 1] if condition.kind == "severity" else ()
    findings = [
        Finding(alert.worker or FLEET, _fired(alert), _lines_of(alert, run))
        for alert in run.alerts
        if alert.fired_us is not None and (alert.severity.lower() in wanted or alert.alert == condition.name)
    ]
    if condition.kind == "severity":
        findings += [
            Finding(
                worker.key, f"had not come back when its log ended, down since {_second(last.start_us)}", last.evidence
            )
            for worker in run.workers.values()
            if (last := worker.still_down) is not None
        ]
    return _decided(condition.text, findings, "nothing of the kind fired")


def _change(condition: Condition, one: Difference) -> CheckResult:
    """Over the limit, and the interval lies on that side of no change."""
    shown = f"{one.measure} changed"
    if one.change is None or one.low is None or one.high is None:
        return CheckResult(condition.text, "no_data", f"not enough data: {one.reason}")
    change, low, high = (_relative(one, amount) for amount in (one.change, one.low, one.high))
    said = f"{shown} by {change:+.1%}, 95 % interval {low:+.1%} to {high:+.1%}, limit {condition.limit:+.1%}"
    up = condition.operator.startswith(">")
    over = OPERATORS[condition.operator]
    if over(change, condition.limit) and (low > 0 if up else high < 0):
        return CheckResult(condition.text, "failed", said, (Finding(FLEET, said),))
    unclear = over(high if up else low, condition.limit)
    reason = "; the interval does not rule it out" if unclear else ""
    return CheckResult(condition.text, "passed", said + reason, unclear=unclear)


def _relative(one: Difference, amount: float) -> float:
    if one.scale == "ratio":
        return amount
    return amount / one.base if one.base else (float("inf") if amount > 0 else -float("inf") if amount < 0 else 0.0)


def _regression(one: Difference) -> CheckResult:
    name = f"regression: {one.measure}"
    if one.verdict == "no_data" or one.low is None or one.high is None or one.change is None:
        return CheckResult(name, "no_data", f"not enough data: {one.reason}")
    if one.scale == "ratio":
        said = f"{one.change:+.1%}, 95 % interval {one.low:+.1%} to {one.high:+.1%}"
    else:
        said = f"{one.change:+.4g}, 95 % interval {one.low:+.4g} to {one.high:+.4g} ({one.unit})"
    said = f"{one.base:.6g} to {one.new:.6g}: {said}; {one.verdict}"
    if one.verdict == "worse":
        return _decided(name, [Finding(FLEET, f"{one.measure} got worse, {said}")], said)
    return CheckResult(name, "passed", said, unclear=one.verdict == "unclear")


def _decided(text: str, findings: Sequence[Finding], otherwise: str) -> CheckResult:
    if not findings:
        return CheckResult(text, "passed", otherwise)
    more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
    first = findings[0]
    return CheckResult(text, "failed", f"{first.subject}: {first.message}{more}", tuple(findings[:LISTED]))


def _fired(alert: Alert) -> str:
    until = f"to {_second(alert.resolved_us)}" if alert.resolved_us is not None else "and still does"
    peak = f", peak {alert.peak:.6g}" if alert.peak is not None else ""
    return f"{alert.severity} {alert.alert} fired from {_second(alert.fired_us or alert.pending_us)} {until}{peak}"


def _lines_of(alert: Alert, run: Analysis) -> tuple[str, ...]:
    """Where to look: the worker's outages meanwhile, its first failed task, else its file."""
    worker = run.workers.get(alert.worker) if alert.worker is not None else None
    if worker is None:
        return ()
    same = (one for one in run.alerts if (one.alert, one.worker) == (alert.alert, alert.worker))
    first = next((one for one in same if one.fired_us is not None), alert)
    if alert.alert == "task_failures" and worker.first_error_evidence and first is alert:
        return (worker.first_error_evidence,)
    until_us = worker.last_us if alert.resolved_us is None else alert.resolved_us
    meanwhile = [
        outage.evidence[0]
        for outage in worker.outages
        if outage.evidence and outage.start_us <= until_us and (outage.end_us or until_us) >= alert.pending_us
    ]
    return tuple(meanwhile[:_SHOWN_LINES]) or worker.files[:1]


def _second(at_us: int) -> str:
    return f"{iso(at_us)[:19]}Z"


def _length_us(outage: Outage) -> float:
    return float("inf") if outage.duration_us is None else outage.duration_us


def _sentence(checks: Sequence[CheckResult]) -> str:
    failed = sum(check.outcome == "failed" for check in checks)
    passed = sum(check.outcome == "passed" and not check.unclear for check in checks)
    unclear = sum(check.unclear for check in checks)
    undecided = sum(check.outcome == "no_data" for check in checks)
    conditions = "1 condition" if len(checks) == 1 else f"{len(checks)} conditions"
    parts = [f"{failed} of {conditions} failed" if failed else f"{passed} of {conditions} passed"]
    parts += [f"{unclear} too uncertain to rule out a change"] if unclear else []
    parts += [f"not enough data for {undecided}"] if undecided else []
    return "; ".join(parts)
