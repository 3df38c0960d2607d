"""Parses what a gate may fail on: `critical`, `outside`, an alert's name, `avg_reconnect_time>3`, `avg_reconnect_time>+10%`.

A tiny language with a parser of its own; nothing in it is ever evaluated as code.
"""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from operator import ge, gt, le, lt
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from recontool.analysis.compare.measures import MEASURES
from recontool.model.catalogue import ALIASES, DOCUMENTED
from recontool.model.errors import UsageError

Kind: TypeAlias = Literal["limit", "change", "severity", "alert", "outside", "regression"]
OPERATORS: Final = {">=": ge, "<=": le, ">": gt, "<": lt}
SEVERITIES: Final = ("critical", "warning", "info")  # each stands for itself and what is worse
# Names a limit may carry beside the documented metrics; the trailing minute is judged by its worst moment.
COUNTS: Final = (
    "reconnections",
    "failed_reconnections_total",
    "max_reconnections_per_minute",
    "forced_reconnections",
    "restarts",
    "gave_up",
)
_ALSO: Final = {**ALIASES, "reconnections_per_minute": "max_reconnections_per_minute"}
_WORDS: Final = frozenset({"outside", "regression", *SEVERITIES})
_METRICS: Final = frozenset({metric.name for metric in DOCUMENTED} | set(COUNTS) | set(_ALSO))
_COMPARED: Final = frozenset(measure.metric for measure in MEASURES if measure.better)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[a-z][a-z0-9_]*)|(?P<op>[<>]=?)|(?P<number>[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?%?))\s*"
)
_SHAPE: Final = {"name": "a name", "op": "one of > >= < <=", "number": "a number"}
_LONGEST: Final = 200


class Condition(Struct, frozen=True):
    """One condition; the gate fails where it is true. `limit` of a change is a share: 0.1 is 10 %."""

    text: str
    kind: Kind
    name: str
    operator: str = ""
    limit: float = 0.0


def parse(expressions: Sequence[str], alerts: Collection[str]) -> tuple[Condition, ...]:
    """The conditions in the order given; one expression may hold several, with commas between them.

    Args:
        alerts: names of the rules that were evaluated.

    Raises:
        UsageError: with the place, and what was meant as far as one can guess.
    """
    return tuple(_condition(part, alerts) for text in expressions for part in text.split(","))


def _condition(text: str, alerts: Collection[str]) -> Condition:
    if len(text) > _LONGEST:
        raise UsageError(f"a condition of {len(text)} characters, at most {_LONGEST} are read", where="--fail-on")
    tokens = _tokens(text)
    kinds = [kind for kind, _, _ in tokens]
    if kinds == ["name"]:
        return _word(text, tokens[0], alerts)
    if kinds == ["name", "op", "number"]:
        return _limit(text, *tokens)
    wrong = (i for i, (kind, wanted) in enumerate(zip(kinds, _SHAPE, strict=False)) if kind != wanted)
    i = next(wrong, min(len(kinds), len(_SHAPE)))
    at = tokens[i][2] if i < len(tokens) else len(text.rstrip())
    raise _error(text, at, f"expected {list(_SHAPE.values())[i] if i < len(_SHAPE) else 'nothing more'}")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """(kind, text, column) of each word, comparison and number."""
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _error(text, at, "expected a name, one of > >= < <=, or a number")
        found.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    if not found:
        raise _error(text, 0, "expected a condition")
    return found


def _word(text: str, token: tuple[str, str, int], alerts: Collection[str]) -> Condition:
    _, name, at = token
    if name in SEVERITIES:
        return Condition(text.strip(), "severity", name)
    if name == "outside":
        return Condition(text.strip(), "outside", name)
    if name == "regression":
        return Condition(text.strip(), "regression", name)
    if name in alerts:
        return Condition(text.strip(), "alert", name)
    if name in _METRICS:
        raise _error(text, len(text.rstrip()), f"expected one of > >= < <= and a number, e.g. {name}>3")
    raise _error(text, at, f"{name!r} is no severity, alert or metric", _meant(name, _WORDS | _METRICS | set(alerts)))


def _limit(text: str, name: tuple[str, str, int], op: tuple[str, str, int], number: tuple[str, str, int]) -> Condition:
    digits = number[1]
    if digits.endswith("%"):
        return _change(text, name, op, number)
    if name[1] not in _METRICS:
        raise _error(text, name[2], f"{name[1]!r} is no metric", _meant(name[1], _METRICS))
    if digits.startswith("+"):
        raise _error(text, number[2], "expected a plain number, or a change in percent such as +10%")
    return Condition(text.strip(), "limit", _ALSO.get(name[1], name[1]), op[1], float(digits))


def _change(text: str, name: tuple[str, str, int], op: tuple[str, str, int], number: tuple[str, str, int]) -> Condition:
    metric, digits = ALIASES.get(name[1], name[1]), number[1]
    if metric not in _COMPARED:
        raise _error(text, name[2], f"{name[1]!r} is not compared with a baseline", _meant(metric, _COMPARED))
    if digits[0] != {">": "+", "<": "-"}[op[1][0]]:
        raise _error(text, number[2], "a change carries its sign: more than +10% or less than -10%")
    return Condition(text.strip(), "change", metric, op[1], float(digits[:-1]) / 100)


def _meant(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, sorted(known), 1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"


def _error(text: str, at: int, problem: str, hint: str = "") -> UsageError:
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return UsageError(f"column {at + 1}: {problem}\n    {shown}\n    {' ' * at}^", where="--fail-on", hint=hint)
