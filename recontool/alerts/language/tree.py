"""The tree a condition is parsed into, and its way back to text: `parse(render(tree)) == tree`."""

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from recontool.model.catalogue import ALIASES
from recontool.model.units import SECOND_US

Comparison: TypeAlias = Literal[">", "<", ">=", "<=", "==", "!="]
FUNCTIONS: Final = ("rate", "increase", "delta", "avg", "min", "max", "sum", "count", "last", "resets", "absent")
INVERTED: Final[dict[Comparison, Comparison]] = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}

_UNITS_US: Final = (
    (86400 * SECOND_US, "d"),
    (3600 * SECOND_US, "h"),
    (60 * SECOND_US, "m"),
    (SECOND_US, "s"),
    (1000, "ms"),
)


class Placed(Struct, frozen=True, eq=False):
    """A node; its `column`, the last of its fields, is where it stands in the text, which does not tell two apart."""

    def _said(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__[:-1])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Placed):
            return NotImplemented
        return type(other) is type(self) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((type(self), self._said()))


class Number(Placed, frozen=True):
    """A constant, finite and not negative."""

    value: float
    column: int = 0


class Metric(Placed, frozen=True):
    """The latest sample within the lookback."""

    name: str
    column: int = 0

    @property
    def stored(self) -> str:
        """The name under which samples are kept: an alias reads the metric it stands for."""
        return ALIASES.get(self.name, self.name)


class Window(Placed, frozen=True):
    """A function over the samples in (t - window, t]."""

    function: str
    metric: Metric
    window_us: int
    column: int = 0


class Unary(Placed, frozen=True):
    """`-` or `abs` of a number, `not` of a condition."""

    op: Literal["-", "abs", "not"]
    inner: "Node"
    column: int = 0


class Arithmetic(Placed, frozen=True):
    """`+ - * /` of two numbers."""

    op: Literal["+", "-", "*", "/"]
    left: "Node"
    right: "Node"
    column: int = 0


class Compare(Placed, frozen=True):
    """A comparison of two numbers."""

    op: Comparison
    left: "Node"
    right: "Node"
    column: int = 0


class Logic(Placed, frozen=True):
    """`and`, `or`, `unless` of two conditions."""

    op: Literal["and", "or", "unless"]
    left: "Node"
    right: "Node"
    column: int = 0


Node: TypeAlias = Number | Metric | Window | Unary | Arithmetic | Compare | Logic
PRECEDENCE: Final[dict[str, int]] = {
    "or": 1,
    "and": 2,
    "unless": 2,
    "not": 3,
    **{str(op): 4 for op in INVERTED},
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
}
NEGATIVE: Final = 7  # unary minus
_PRIMARY: Final = 8


def is_condition(node: Node) -> bool:
    """Whether `node` is true or false rather than a number."""
    if isinstance(node, Window):
        return node.function == "absent"
    return isinstance(node, (Compare, Logic)) or (isinstance(node, Unary) and node.op == "not")


def walk(node: Node) -> Iterator[Node]:
    """`node` and all below it, in the order of the text."""
    if isinstance(node, Unary):
        yield node
        yield from walk(node.inner)
    elif isinstance(node, (Arithmetic, Compare, Logic)):
        yield from walk(node.left)
        yield node
        yield from walk(node.right)
    elif isinstance(node, Window):
        yield node
        yield node.metric
    else:
        yield node


def first_comparison(node: Node, *, negated: bool = False) -> tuple[Compare, bool] | None:
    """The leftmost comparison, and whether an odd number of `not` stands over it."""
    if isinstance(node, Compare):
        return node, negated
    if isinstance(node, Unary):
        return first_comparison(node.inner, negated=negated != (node.op == "not"))
    if isinstance(node, Logic):
        return first_comparison(node.left, negated=negated) or first_comparison(node.right, negated=negated)
    return None


def inverted(node: Node) -> Node:
    """`node` with its comparisons inverted: what keeps a rule firing while its `clear_when` is not yet met.

    No plain `not`: NaN satisfies no comparison, so it must satisfy the inverted one neither.
    """
    if isinstance(node, Compare):
        return Compare(INVERTED[node.op], node.left, node.right, node.column)
    if isinstance(node, Unary) and node.op == "not":
        return node.inner
    if isinstance(node, Logic) and node.op == "and":
        return Logic("or", inverted(node.left), inverted(node.right), node.column)
    if isinstance(node, Logic) and node.op == "or":
        return Logic("and", inverted(node.left), inverted(node.right), node.column)
    if isinstance(node, Logic):
        return Logic("or", inverted(node.left), node.right, node.column)
    return Unary("not", node)


def render(node: Node) -> str:
    """The text of `node` with as few parentheses as its meaning needs."""
    match node:
        case Number():
            return f"{node.value:.0f}" if node.value.is_integer() and node.value < 1e15 else repr(node.value)  # noqa: PLR2004
        case Metric():
            return node.name
        case Window():
            return f"{node.function}({node.metric.name}[{duration_text(node.window_us)}])"
        case Unary():
            return _render_unary(node)
        case _:
            level = PRECEDENCE[node.op]
            # Left-associative, so an equal level on the right needs parentheses; comparisons on the left too.
            left = _inside(node.left, level + isinstance(node, Compare))
            if isinstance(node.left, Logic) and PRECEDENCE[node.left.op] == level and node.left.op != node.op:
                left = f"({left})"  # mixed `and` and `unless`
            return f"{left} {node.op} {_inside(node.right, level + 1)}"


def duration_text(duration_us: int) -> str:
    """`duration_us` as a condition writes it, e.g. 1h30m; whole milliseconds, 0s when there are none."""
    parts = []
    for unit_us, unit in _UNITS_US:
        count, duration_us = divmod(duration_us, unit_us)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _render_unary(node: Unary) -> str:
    if node.op == "abs":
        return f"abs({render(node.inner)})"
    if node.op == "-":
        return f"-{_inside(node.inner, NEGATIVE)}"
    return f"not {_inside(node.inner, PRECEDENCE['not'])}"


def _inside(node: Node, level: int) -> str:
    text = render(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: Node) -> int:
    if isinstance(node, Unary):
        return PRECEDENCE["not"] if node.op == "not" else NEGATIVE if node.op == "-" else _PRIMARY
    return PRECEDENCE[node.op] if isinstance(node, (Arithmetic, Compare, Logic)) else _PRIMARY
