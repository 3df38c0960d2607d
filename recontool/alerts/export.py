"""Rules as Prometheus writes them: names and base units as on /metrics, thresholds converted. What cannot be said is refused."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from recontool.alerts.evaluate import LOOKBACK_US
from recontool.alerts.fleet import WEIGHTS, way
from recontool.alerts.language.parser import parse
from recontool.alerts.language.tree import (
    Arithmetic,
    Compare,
    Logic,
    Metric,
    Node,
    Number,
    Unary,
    Window,
    duration_text,
    inverted,
    walk,
)
from recontool.alerts.rules import Rule
from recontool.model.errors import UsageError
from recontool.model.prometheus import EXPORTED

_OVER_TIME: Final = frozenset({"avg", "min", "max", "sum", "count", "last"})
_UNITLESS: Final = frozenset({"count", "resets"})


class _CannotSayError(Exception):
    """Prometheus has no way to say this; the text says why."""


def prometheus_rules(rules: Sequence[Rule]) -> str:
    """A rule file that promtool accepts, one group per group of rules.

    Raises:
        UsageError: some rule cannot be said in Prometheus; names each, and why.
    """
    groups: dict[str, list[str]] = {}
    refused: list[str] = []
    for rule in rules:
        try:
            groups.setdefault(rule.group, []).append(_entry(rule))
        except _CannotSayError as reason:
            refused.append(f"{rule.name}: {reason}")
    if refused:
        raise UsageError(
            "cannot be said in Prometheus:\n" + "\n".join(f"  {reason}" for reason in refused),
            where="alerts export",
            hint="choose the other rules with --rule",
        )
    blocks = [f"  - name: {_quoted(group)}\n    rules:\n" + "".join(entries) for group, entries in groups.items()]
    return "groups:\n" + "".join(blocks)


def expression(rule: Rule) -> str:
    """The PromQL of `rule`, its `clear_when` included."""
    says = _Prometheus(fleet=rule.scope == "fleet")
    text = says.condition(parse(rule.condition))
    if not rule.clear_when:
        return text
    firing = f'ALERTS{{alertname={_quoted(rule.name)},alertstate="firing"}}'
    on = "on ()" if rule.scope == "fleet" else "on (worker)"
    return f"({text}) or (({says.condition(inverted(parse(rule.clear_when)))}) and {on} {firing})"


def _entry(rule: Rule) -> str:
    if rule.no_data != "ok":
        raise _CannotSayError(f"no_data: {rule.no_data}; a series that is not there raises nothing in Prometheus")
    lines = [f"alert: {_quoted(rule.name)}", f"expr: {_quoted(expression(rule))}"]
    if rule.for_us:
        lines.append(f"for: {duration_text(rule.for_us)}")
    if rule.keep_firing_us:
        lines.append(f"keep_firing_for: {duration_text(rule.keep_firing_us)}")
    lines += ["labels:", f"  severity: {_quoted(rule.severity)}", "annotations:"]
    lines += [f"  {name}: {_quoted(_literal(text))}" for name, text in _annotations(rule)]
    return f"      - {lines[0]}\n" + "".join(f"        {line}\n" for line in lines[1:])


def _annotations(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "summary", rule.title or rule.name
    if rule.description:
        yield "description", rule.description
    yield "condition", rule.condition


def _quoted(text: str) -> str:
    return json.dumps(text)  # a JSON string is a YAML and a PromQL string too


def _literal(text: str) -> str:
    """`text` in a Go template, which annotations are."""
    return text.replace("{{", '{{ "{{" }}')


class _Prometheus:
    """Conditions and numbers of one rule as PromQL."""

    def __init__(self, *, fleet: bool) -> None:
        self._fleet = fleet

    def condition(self, node: Node) -> str:
        """A vector that holds an element where `node` is definitely true."""
        match node:
            case Compare():
                return self._comparison(node)
            case Logic():
                return f"({self.condition(node.left)}) {node.op} ({self.condition(node.right)})"
            case Unary():
                return self._negated(node.inner)
            case Window():
                return self._absent(node)
        raise TypeError(f"{node!r} is no condition")

    def _negated(self, node: Node) -> str:
        """Where `node` is definitely false."""
        match node:
            case Compare():
                # Where both sides are there and yet the comparison does not hold: NaN included.
                return f"({self._number(node.left)} + {self._number(node.right)}) unless ({self._comparison(node)})"
            case Logic(op="and"):
                return f"({self._negated(node.left)}) or ({self._negated(node.right)})"
            case Logic(op="or"):
                return f"({self._negated(node.left)}) and ({self._negated(node.right)})"
            case Logic():
                return f"({self._negated(node.left)}) or ({self.condition(node.right)})"
            case Unary():
                return self.condition(node.inner)
            case Window():
                self._absent(node)
                return f"count({EXPORTED[node.metric.stored].name})"
        raise TypeError(f"{node!r} is no condition")

    def _comparison(self, node: Compare) -> str:
        if not any(isinstance(part, (Metric, Window)) for part in walk(node)):
            raise _CannotSayError("a comparison reads no metric, and Prometheus' scalars raise no alert")
        left, right = self._sides(node)
        if node.op == "!=":  # which NaN would satisfy in Prometheus
            return f"{left} < {right} or {left} > {right}"
        return f"{left} {node.op} {right}"

    def _sides(self, node: Compare) -> tuple[str, str]:
        """Both sides in base units where that can be: a lone metric against a number or a metric of the same unit."""
        left, right = _factor(node.left), _factor(node.right)
        if left is not None and isinstance(node.right, Number):
            return self._term(node.left), _scaled(node.right, left)
        if right is not None and isinstance(node.left, Number):
            return _scaled(node.left, right), self._term(node.right)
        if left is not None and left == right:
            return self._term(node.left), self._term(node.right)
        return self._number(node.left), self._number(node.right)

    def _number(self, node: Node) -> str:
        """`node` in the units of the catalogue, safe as an operand."""
        match node:
            case Number():
                return _scaled(node, Decimal(1))
            case Unary(op="abs"):
                return f"abs({self._number(node.inner)})"
            case Unary():
                return f"(-{self._number(node.inner)})"
            case Arithmetic():
                return f"({self._number(node.left)} {node.op} {self._number(node.right)})"
        factor = _factor(node)
        if factor is None:
            raise TypeError(f"{node!r} is no number")
        term = self._term(node)
        return term if factor == 1 else f"({term} * {_text(1 / factor)})"

    def _term(self, node: Node) -> str:
        """A metric or a window of one, in base units."""
        if isinstance(node, Window):
            function, metric = node.function, node.metric.stored
            name = f"{function}_over_time" if function in _OVER_TIME else function
            text = f"{name}({EXPORTED[metric].name}[{duration_text(node.window_us)}])"
        elif isinstance(node, Metric):
            function, metric = "", node.stored
            text = EXPORTED[metric].name
        else:
            raise TypeError(f"{node!r} is no term")
        return self._of_fleet(function, metric, text) if self._fleet else text

    def _of_fleet(self, function: str, metric: str, text: str) -> str:
        chosen = way(function, metric)
        if chosen != "mean":
            return f"{chosen}({text})"
        if function or metric not in WEIGHTS:
            return f"avg({text})"
        weight = f"({EXPORTED[WEIGHTS[metric]].name} > 0)"
        return f"(sum({text} * {weight}) / sum({weight} and {text}) or avg({text}))"

    def _absent(self, node: Window) -> str:
        if not self._fleet:
            raise _CannotSayError("absent per worker; Prometheus' absent() knows no worker that is not there")
        if node.window_us != LOOKBACK_US:
            raise _CannotSayError(
                f"absent over {duration_text(node.window_us)}; Prometheus' lookback is {duration_text(LOOKBACK_US)}, "
                "a setting of the server"
            )
        return f"absent({EXPORTED[node.metric.stored].name})"


def _factor(node: Node) -> Decimal | None:
    """What a lone metric or window is multiplied by in Prometheus; None for anything else."""
    if isinstance(node, Metric):
        return Decimal(repr(EXPORTED[node.stored].factor)).normalize()
    if isinstance(node, Window):
        return Decimal(1) if node.function in _UNITLESS else _factor(node.metric)
    return None


def _scaled(number: Number, factor: Decimal) -> str:
    # Decimals: 200 ms are 0.2 s, not 0.2 and a last bit.
    return _text(Decimal(repr(number.value)) * factor)


def _text(number: Decimal) -> str:
    text = repr(float(number))
    return text.removesuffix(".0")
