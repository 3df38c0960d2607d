"""What is legal in a rule but probably not meant."""

from collections.abc import Iterator

from recontool.alerts.language.parser import parse
from recontool.alerts.language.tree import Compare, Metric, Node, Unary, Window, walk
from recontool.alerts.rules import Rule
from recontool.model.catalogue import CATALOGUE

_OF_COUNTERS = frozenset({"rate", "increase", "resets"})


def warnings_of(rule: Rule) -> tuple[str, ...]:
    """One sentence per doubt."""
    found: list[str] = []
    for text in filter(None, (rule.condition, rule.clear_when)):
        tree = parse(text)
        found += [*_raw_counters(tree), *_rates_of_gauges(tree), *_constants(tree)]
        found += _workers_absence(rule, tree)
    return tuple(dict.fromkeys(found))


def _raw_counters(tree: Node) -> Iterator[str]:
    for node in walk(tree):
        if isinstance(node, Compare):
            for side in (node.left, node.right):
                if isinstance(side, Metric) and CATALOGUE[side.name].counter:
                    yield (
                        f"{side.name} is a counter: it only grows, so this stays true until the process starts anew; "
                        f"increase({side.name}[5m]) asks for the last five minutes"
                    )


def _rates_of_gauges(tree: Node) -> Iterator[str]:
    for node in walk(tree):
        if isinstance(node, Window) and node.function in _OF_COUNTERS and not CATALOGUE[node.metric.name].counter:
            yield f"{node.metric.name} is no counter: {node.function} takes every fall for a restart; use delta"


def _constants(tree: Node) -> Iterator[str]:
    for node in walk(tree):
        if isinstance(node, Compare) and not any(isinstance(part, (Metric, Window)) for part in walk(node)):
            yield "a comparison reads no metric: it is always the same"


def _workers_absence(rule: Rule, tree: Node) -> Iterator[str]:
    absent = any(isinstance(node, Window) and node.function == "absent" for node in walk(tree))
    negated = isinstance(tree, Unary)
    if absent and rule.scope == "worker" and not negated:
        yield "absent per worker stays true for every worker that has left for good; scope: fleet asks for all together"
