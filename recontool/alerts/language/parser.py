"""A Pratt parser for conditions: typed while it builds, bounded in length, depth and number of nodes."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NoReturn, TypeAlias, TypeVar

from recontool.alerts.language.errors import ConditionError, did_you_mean
from recontool.alerts.language.tokens import Token, tokens
from recontool.alerts.language.tree import (
    FUNCTIONS,
    INVERTED,
    NEGATIVE,
    PRECEDENCE,
    Arithmetic,
    Compare,
    Logic,
    Metric,
    Node,
    Number,
    Unary,
    Window,
    is_condition,
)
from recontool.model.catalogue import CATALOGUE

DEEPEST: Final = 32
MOST_NODES: Final = 200
_Built = TypeVar("_Built", bound=Node)
_WORDS: Final = frozenset({"and", "or", "unless", "not"})
_KNOWN: Final = (*CATALOGUE, *FUNCTIONS, "abs", *sorted(_WORDS))
_Build: TypeAlias = Callable[[Token], Node]


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The condition `text` stands for.

    Raises:
        ConditionError: with column, caret and, where there is one, what was probably meant.
    """
    parser = _Parser(text)
    node = parser.expression(0)
    parser.expect_end()
    if not is_condition(node):
        parser.fail("a condition must be true or false, this is a number", node.column, "compare it, e.g. ... > 3")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._position = 0
        self._depth = 0
        self._nodes = 0

    def expression(self, floor: int) -> Node:
        """Everything that binds more tightly than `floor`."""
        left = self._prefix(floor)
        chain = ""  # the operator that made `left` in this very loop
        while True:
            token = self._peek()
            level = PRECEDENCE.get(token.text, 0) if token.kind in {"op", "name"} and token.text != "not" else 0
            if level <= floor:
                return left
            self._check_chain(token, chain)
            self._take()
            left = self._combine(token, left, self.expression(level))
            chain = token.text

    def expect_end(self) -> None:
        token = self._peek()
        if token.kind == "end":
            return
        if token.text == ")":
            self.fail("this ) closes nothing", token.column)
        hint = did_you_mean(token.text, _WORDS) if token.kind == "name" else ""
        self.fail(f"expected an operator or the end, found {token.text!r}", token.column, hint)

    def fail(self, reason: str, column: int, hint: str = "") -> NoReturn:
        raise ConditionError(reason, self._text, column, hint=hint)

    def _prefix(self, floor: int) -> Node:
        token = self._take()
        if token.kind == "number":
            return self._counted(Number(token.value, token.column))
        if token.text == "(":
            return self._nested(token, self._parenthesis)
        if token.text == "-":
            return self._nested(token, self._negative)
        if token.text == "not":
            if floor > PRECEDENCE["not"]:
                self.fail("`not` stands before a condition, not inside a number", token.column, "put it in parentheses")
            return self._nested(token, self._not)
        if token.kind == "name" and token.text not in _WORDS:
            return self._name(token)
        raise self._no_operand(token)

    def _no_operand(self, token: Token) -> ConditionError:
        if token.kind != "end":
            reason, hint = f"expected a metric, a number or a function, found {token.text!r}", ""
        else:
            reason = "the condition is empty" if len(self._tokens) == 1 else "the condition ends too early"
            hint = "e.g. reconnections_per_minute > 3"
        return ConditionError(reason, self._text, token.column, hint=hint)

    def _name(self, token: Token) -> Node:
        if self._peek().text == "(":
            if token.text == "abs":
                return self._nested(token, self._abs)
            if token.text in FUNCTIONS:
                return self._window(token)
            self.fail(f"unknown function {token.text!r}", token.column, did_you_mean(token.text, (*FUNCTIONS, "abs")))
        if token.text in FUNCTIONS:
            self.fail(f"{token.text} is a function", token.column, f"{token.text}(reconnections[1m])")
        return self._metric(token)

    def _metric(self, token: Token) -> Metric:
        if token.text not in CATALOGUE:
            hint = did_you_mean(token.text, _KNOWN) or did_you_mean(token.text.lower(), _KNOWN)
            self.fail(
                f"unknown metric {token.text!r}", token.column, hint or "docs/metrics.md lists the metrics there are"
            )
        return self._counted(Metric(token.text, token.column))

    def _window(self, function: Token) -> Node:
        self._take()
        name = self._take()
        example = f"{function.text}(reconnections[1m])"
        if name.kind != "name" or name.text in _WORDS or self._peek().text == "(":
            self.fail(f"{function.text} takes one metric and a window", name.column, example)
        metric = self._metric(name)
        window = self._take()
        if window.kind != "duration":
            self.fail(f"{function.text} needs a window after the metric", window.column, example)
        if self._peek().text != ")":
            self.fail("expected )", self._peek().column, example)
        self._take()
        return self._counted(Window(function.text, metric, int(window.value), function.column))

    def _nested(self, token: Token, build: _Build) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            self.fail(f"nested more than {DEEPEST} deep", token.column)
        node = build(token)
        self._depth -= 1
        return node

    def _parenthesis(self, token: Token) -> Node:
        node = self.expression(0)
        if self._peek().text != ")":
            self.fail("this ( is never closed", token.column)
        self._take()
        return node

    def _negative(self, token: Token) -> Node:
        inner = self._number(self.expression(NEGATIVE - 1), "-", token.column)
        return self._counted(Unary("-", inner, token.column))

    def _not(self, token: Token) -> Node:
        inner = self._condition(self.expression(PRECEDENCE["not"]), "not", token.column)
        return self._counted(Unary("not", inner, token.column))

    def _abs(self, token: Token) -> Node:
        opening = self._take()
        inner = self._number(self._parenthesis(opening), "abs", token.column)
        return self._counted(Unary("abs", inner, token.column))

    def _combine(self, token: Token, left: Node, right: Node) -> Node:
        op, column = token.text, token.column
        if op in INVERTED:
            for side in (left, right):
                self._number(side, op, column)
            return self._counted(Compare(op, left, right, column))
        if op in _WORDS:
            for side in (left, right):
                self._condition(side, op, column)
            return self._counted(Logic(op, left, right, column))  # type: ignore[arg-type]
        for side in (left, right):
            self._number(side, op, column)
        return self._counted(Arithmetic(op, left, right, column))  # type: ignore[arg-type]

    def _check_chain(self, token: Token, chain: str) -> None:
        if token.text in INVERTED and chain in INVERTED:
            self.fail("comparisons do not chain", token.column, "write a > 1 and a < 3")
        if {token.text, chain} == {"and", "unless"}:
            self.fail("`and` and `unless` side by side need parentheses", token.column, "e.g. (a and b) unless c")

    def _number(self, node: Node, op: str, column: int) -> Node:
        if is_condition(node):
            self.fail(f"{op} needs numbers, here one side is true or false", column, "write a > 1 and b > 2")
        return node

    def _condition(self, node: Node, op: str, column: int) -> Node:
        if not is_condition(node):
            self.fail(f"`{op}` joins conditions, here one side is a number", column, "compare it, e.g. ... > 3")
        return node

    def _counted(self, node: _Built) -> _Built:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self.fail(f"more than {MOST_NODES} parts", node.column)
        return node

    def _peek(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._tokens[self._position]
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token
