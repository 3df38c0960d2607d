"""Stories that test rules: samples in, the alerts that are expected at given times, and what differs."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from recontool.alerts.backtest import backtest, grid
from recontool.alerts.document import DocumentError, Listing, Node, Problem, Problems, Scalar, Table, read
from recontool.alerts.language.errors import did_you_mean
from recontool.alerts.language.tokens import parse_duration
from recontool.alerts.language.tree import duration_text
from recontool.alerts.rules import Rule
from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Alert
from recontool.model.series import NO_PLACE, Part, SeriesBuilder, SeriesSet
from recontool.model.units import SECOND_US

DEFAULT_STEP_US: Final = 15 * SECOND_US
MOST_SAMPLES: Final = 1_000_000
_STORY: Final = ("name", "interval", "evaluate", "until", "samples", "at", "alerts")
_INTERVAL: Final = ("alert", "worker", "pending", "fired", "resolved")
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|Inf|NaN)"
_RUN: Final = re.compile(rf"(?P<start>{_NUMBER}|_|stale)(?:(?P<step>[+-]\d+\.?\d*(?:[eE][+-]?\d+)?)?x(?P<times>\d+))?")

Sample = float | str | None  # a value, "stale", or no sample


class Story(Struct, frozen=True):
    """Samples by worker and metric, every `interval_us` from 0 on, and what rules must make of them.

    `at` holds (time, state) -> the alerts in that state then, as "alert worker" or "alert" for the fleet; `intervals`
    are all intervals of the story, None when it does not tell them.
    """

    name: str
    line: int
    interval_us: int
    evaluate_us: int
    until_us: int
    samples: Mapping[str, Mapping[str, Sequence[Sample]]]
    at: Mapping[tuple[int, str], frozenset[str]]
    intervals: tuple[str, ...] | None


class StoryFile(Struct, frozen=True):
    """The stories of a file; `rules` is the path of their rules file as written, "" for the built-in rules."""

    rules: str
    stories: tuple[Story, ...]


def load_stories(text: str, name: str) -> StoryFile:
    """The stories in `text`.

    Raises:
        DocumentError: with every problem of the file.
    """
    problems = Problems()
    root = read(text, problems)
    reader = _Reader(problems)
    found = StoryFile("", ())
    if root is not None:
        found = reader.file(root)
    elif not problems.found:
        problems.found.append(Problem(1, 1, "there is nothing in it", "tests: [{name: ..., samples: ..., at: ...}]"))
    if problems.found:
        raise DocumentError(name, problems.found)
    return found


def differences(story: Story, rules: Sequence[Rule]) -> list[str]:
    """What came out otherwise than told, as lines of a diff; empty when the story holds."""
    found = backtest(rules, _series(story), grid(0, story.until_us, story.evaluate_us))
    lines: list[str] = []
    for (at_us, state), expected in sorted(story.at.items()):
        there = frozenset(_key(alert) for alert in found if _state(alert, at_us) == state)
        if there != expected:
            lines.append(f"at {duration_text(at_us)}, {state}:")
            lines += [f"  - expected {key}{_no_rule(key, rules)}" for key in sorted(expected - there)]
            lines += [f"  + found    {key}" for key in sorted(there - expected)]
    if story.intervals is not None:
        shown = sorted(
            _interval_text(_key(alert), alert.pending_us, alert.fired_us, alert.resolved_us) for alert in found
        )
        expected_text = sorted(story.intervals)
        if shown != expected_text:
            lines.append("intervals:")
            lines += [f"  - expected {text}{_no_rule(text, rules)}" for text in expected_text if text not in shown]
            lines += [f"  + found    {text}" for text in shown if text not in expected_text]
    return lines


def _no_rule(expected: str, rules: Sequence[Rule]) -> str:
    """What to say of an alert that no rule could have raised: `expected` begins with none of their names."""
    names = [rule.name for rule in rules]
    if f"{expected} ".startswith(tuple(name + end for name in names for end in (" ", ":"))):
        return ""
    meant = did_you_mean(re.split("[ :]", expected, maxsplit=1)[0], names)
    return f" (no rule has this name{meant and '; ' + meant})"


def _series(story: Story) -> SeriesSet:
    builder = SeriesBuilder()
    for worker, metrics in story.samples.items():
        row = builder.worker(worker)
        for metric, samples in metrics.items():
            there = [(number, value) for number, value in enumerate(samples) if value is not None]
            count = len(there)
            builder.add(
                metric,
                Part(
                    np.full(count, row, dtype=np.int64),
                    np.array([number * story.interval_us for number, _ in there], dtype=np.int64),
                    np.array([0.0 if isinstance(value, str) else value for _, value in there]),
                    np.array([isinstance(value, str) for _, value in there], dtype=bool),
                    np.full(count, NO_PLACE, dtype=np.int64),
                ),
            )
    return builder.build()


def _key(alert: Alert) -> str:
    return alert.alert if alert.worker is None else f"{alert.alert} {alert.worker}"


def _state(alert: Alert, at_us: int) -> str:
    if alert.pending_us > at_us or (alert.resolved_us is not None and alert.resolved_us <= at_us):
        return ""
    return "firing" if alert.fired_us is not None and alert.fired_us <= at_us else "pending"


def _interval_text(key: str, pending_us: int, fired_us: int | None, resolved_us: int | None) -> str:
    fired = "never fired" if fired_us is None else f"fired {duration_text(fired_us)}"
    resolved = "not resolved" if resolved_us is None else f"resolved {duration_text(resolved_us)}"
    return f"{key}: pending {duration_text(pending_us)}, {fired}, {resolved}"


class _Reader:
    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def file(self, root: Node) -> StoryFile:
        top = self._problems.table(root, "a test file", ("rules", "tests"))
        if top is None:
            return StoryFile("", ())
        named, tests = top.get("rules"), top.get("tests")
        rules = (self._problems.text(named, "rules") or "") if named is not None else ""
        if not isinstance(tests, Listing) or not tests.items:
            self._problems.add(tests or top, "tests must be a list of stories")
            return StoryFile(rules, ())
        stories = (self._story(node) for node in tests.items)
        return StoryFile(rules, tuple(story for story in stories if story is not None))

    def _story(self, node: Node) -> Story | None:
        fields = self._problems.table(node, "a story", _STORY)
        if fields is None:
            return None
        interval_us = self._duration(fields.get("interval"), DEFAULT_STEP_US)
        evaluate_us = self._duration(fields.get("evaluate"), DEFAULT_STEP_US)
        samples = self._samples(fields)
        longest = max((len(run) for metrics in samples.values() for run in metrics.values()), default=1)
        until_us = self._duration(fields.get("until"), max(longest - 1, 0) * interval_us, zero=True)
        at, intervals = self._at(fields.get("at"), evaluate_us), self._intervals(fields.get("alerts"))
        if not at and intervals is None:
            self._problems.add(node, "the story expects nothing", "say `at:` times or all `alerts:`")
        name = fields.get("name")
        title = (self._problems.text(name, "name") or "") if name is not None else f"story in line {node.line}"
        return Story(title, node.line, interval_us, evaluate_us, until_us, samples, at, intervals)

    def _duration(self, node: Node | None, default_us: int, *, zero: bool = False) -> int:
        if node is None:
            return default_us
        found = parse_duration(node.value.strip()) if isinstance(node, Scalar) else None
        if found is None or (found == 0 and not zero):
            self._problems.add(node, "this must be a duration", "e.g. 250ms, 30s, 5m, 1h30m")
        return found or (0 if zero else default_us)

    def _samples(self, story: Table) -> dict[str, dict[str, list[Sample]]]:
        node = story.get("samples")
        workers = self._problems.table(node, "samples") if node is not None else None
        if workers is None:
            if node is None:
                self._problems.add(story, "the story has no samples", 'samples: {worker-1: {queue_depth: "0x10 5x10"}}')
            return {}
        found: dict[str, dict[str, list[Sample]]] = {}
        for worker, metrics in workers.entries:
            table = self._problems.table(metrics, f"the samples of {worker.value!r}", tuple(CATALOGUE))
            runs = table.entries if table is not None else ()
            found[worker.value] = {metric.value: self._run(values) for metric, values in runs}
        return found

    def _run(self, node: Node) -> list[Sample]:
        if isinstance(node, Listing):
            parts = [item for item in node.items if isinstance(item, Scalar)]
            if len(parts) != len(node.items):
                self._problems.add(node, "samples are numbers, null, stale, NaN, +Inf or -Inf")
            texts = ["_" if part.value in {"", "null", "~"} else part.value for part in parts]
        elif isinstance(node, Scalar):
            texts = node.value.split()
        else:
            self._problems.add(node, "samples are a list or a text such as '0+1x10 _ stale'")
            return []
        found: list[Sample] = []
        for text in texts:
            match = _RUN.fullmatch(text)
            times = int(match["times"] or 0) if match is not None and len(match["times"] or "") < 8 else MOST_SAMPLES  # noqa: PLR2004
            if match is None or len(found) + times >= MOST_SAMPLES:
                self._problems.add(
                    node, f"{text!r} is no run of samples", "as promtool writes them: 5, 5x3, 0+1x10, _x4, stale"
                )
                return []
            found += _expanded(match["start"], match["step"], times, repeated=match["times"] is not None)
        return found

    def _at(self, node: Node | None, evaluate_us: int) -> dict[tuple[int, str], frozenset[str]]:
        table = self._problems.table(node, "at") if node is not None else None
        found: dict[tuple[int, str], frozenset[str]] = {}
        for key, expected in table.entries if table is not None else ():
            at_us = parse_duration(key.value.strip())
            if at_us is None:
                self._problems.add(key, "this must be a time since the start", "e.g. 0s, 1m30s")
                continue
            if at_us % evaluate_us:
                self._problems.add(
                    key, f"nothing is evaluated at {key.value}; evaluations lie {duration_text(evaluate_us)} apart"
                )
            states = self._problems.table(expected, f"what is expected at {key.value}", ("firing", "pending"))
            for state, alerts in states.entries if states is not None else ():
                found[at_us, state.value] = frozenset(self._texts(alerts))
        return found

    def _intervals(self, node: Node | None) -> tuple[str, ...] | None:
        if node is None:
            return None
        if not isinstance(node, Listing):
            self._problems.add(node, "alerts must be a list of intervals")
            return ()
        found = []
        for item in node.items:
            table = self._problems.table(item, "an interval", _INTERVAL)
            if table is None:
                continue
            alert, worker = (table.get(name) for name in ("alert", "worker"))
            if alert is None or not isinstance(alert, Scalar):
                self._problems.add(item, "an interval names its alert")
                continue
            moments = {name: table.get(name) for name in ("pending", "fired", "resolved")}
            fired = self._moment(moments["fired"])
            pending = self._moment(moments["pending"]) if moments["pending"] is not None else fired
            if pending is None:
                self._problems.add(item, "an interval has `fired`, or `pending` where it never fired")
                continue
            key = f"{alert.value} {worker.value}" if isinstance(worker, Scalar) else alert.value
            found.append(_interval_text(key, pending, fired, self._moment(moments["resolved"])))
        return tuple(found)

    def _moment(self, node: Node | None) -> int | None:
        return None if node is None else self._duration(node, 0, zero=True)

    def _texts(self, node: Node) -> list[str]:
        if isinstance(node, Listing):
            return [item.value for item in node.items if isinstance(item, Scalar)]
        self._problems.add(node, "this must be a list", '["high_message_latency worker-1"]')
        return []


def _expanded(start: str, step: str | None, times: int, *, repeated: bool) -> list[Sample]:
    """The samples of one run, counted as promtool counts them: 5x3 are four, _x3 are three."""
    if start == "_":
        return [None] * (times if repeated else 1)
    if start == "stale":
        return ["stale"] * (times + 1)
    first, more = float(start), float(step or 0)
    return [first + more * number for number in range(times + 1)]
