"""A YAML file that people write, as nodes with positions: every problem is collected, none stops the reading.

Only composed, never constructed: no tag of the file makes an object. Aliases and repeated keys are refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from recontool.alerts.language.errors import did_you_mean
from recontool.model.errors import ReconError

_TAG = "tag:yaml.org,2002:"
_STRING = f"{_TAG}str"
_TAGS = frozenset(f"{_TAG}{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq"))


class Problem(Struct, frozen=True):
    """Something wrong at a place of the file; line and column count from 1."""

    line: int
    column: int
    text: str
    hint: str = ""


class DocumentError(ReconError):
    """A file of rules or stories that cannot be used, with all its problems in the order of the file."""

    slug = "rules"

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        told = []
        for problem in self.problems:
            told.append(f"{name}:{problem.line}:{problem.column}: {problem.text}")
            if problem.hint:
                told.append(f"  help: {problem.hint}")
        many = "" if len(told) == 1 or len(self.problems) == 1 else f"{len(self.problems)} problems\n"
        super().__init__(many + "\n".join(told))


class Scalar(Struct, frozen=True):
    """A single value as it was written; `quoted` tells text that only looks like a number from a number."""

    value: str
    line: int
    column: int
    text_column: int  # of the first character of the value, 0 when it does not stand on one line as it is
    is_text: bool


class Listing(Struct, frozen=True):
    """A sequence."""

    items: tuple["Node", ...]
    line: int
    column: int


class Table(Struct, frozen=True):
    """A mapping, each key once."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    line: int
    column: int

    def get(self, key: str) -> "Node | None":
        """The value under `key`."""
        return next((value for name, value in self.entries if name.value == key), None)


Node = Scalar | Listing | Table


class Problems:
    """Collects what is wrong in one file."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, at: Node, text: str, hint: str = "") -> None:
        """A problem where `at` begins."""
        self.found.append(Problem(at.line, at.column, text, hint))

    def unknown(self, at: Scalar, what: str, known: Sequence[str]) -> None:
        """`at` is none of `known`."""
        hint = did_you_mean(at.value, known) or f"known are {', '.join(known)}"
        self.add(at, f"unknown {what} {at.value!r}", hint)

    def table(self, node: Node, what: str, known: Sequence[str] = ()) -> Table | None:
        """`node` as a mapping whose keys are all among `known` (none given: any)."""
        if not isinstance(node, Table):
            self.add(node, f"{what} must be a mapping of `name: value`")
            return None
        for key, _ in node.entries:
            if known and key.value not in known:
                self.unknown(key, "key", known)
        return node

    def text(self, node: Node, what: str) -> str | None:
        """`node` as text."""
        if isinstance(node, Scalar) and node.is_text and node.value.strip():
            return node.value
        self.add(node, f"{what} must be text")
        return None

    def choice(self, node: Node, what: str, known: Sequence[str]) -> str | None:
        """`node` as one of `known`."""
        if not isinstance(node, Scalar):
            self.add(node, f"{what} must be one of {', '.join(known)}")
        elif node.value not in known:
            self.unknown(node, what, known)
        else:
            return node.value
        return None


def read(text: str, problems: Problems) -> Node | None:
    """The document in `text`; None when it is empty or no YAML."""
    from ruamel.yaml import YAML  # slow to load
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent

    try:
        for event in YAML().parse(text):
            if isinstance(event, AliasEvent):
                mark = event.start_mark
                problems.found.append(
                    Problem(mark.line + 1, mark.column + 1, "aliases are refused", "write the value out")
                )
        if problems.found:
            return None
        root = YAML().compose(text)
        return None if root is None else _node(root, problems)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        problems.found.append(Problem(line, column, f"is no YAML: {reason}"))
    except RecursionError:
        problems.found.append(Problem(1, 1, "is nested too deeply"))
    return None


def _node(found: Any, problems: Problems) -> Node:
    line, column = found.start_mark.line + 1, found.start_mark.column + 1
    if str(found.tag) not in _TAGS:
        problems.found.append(Problem(line, column, f"tags are refused: {found.tag}", "write plain values"))
    if found.id == "scalar":
        quoted = found.style in {"'", '"'}
        # A folded, broken or escaped value cannot be pointed into.
        as_it_is = found.end_mark.line == found.start_mark.line and found.style not in {"|", ">"}
        width = found.end_mark.column - found.start_mark.column
        plain_width = width == len(found.value) + 2 * quoted
        text_column = column + quoted if as_it_is and plain_width else 0
        # ruamel keeps where a folded value was broken, as a bell character before the space that joins its lines.
        value = str(found.value).replace("\a", "") if found.style == ">" else str(found.value)
        return Scalar(value, line, column, text_column, quoted or str(found.tag) == _STRING)
    if found.id == "sequence":
        return Listing(tuple(_node(item, problems) for item in found.value), line, column)
    return Table(tuple(_entries(found.value, problems)), line, column)


def _entries(pairs: Any, problems: Problems) -> Iterator[tuple[Scalar, Node]]:
    seen: dict[str, Scalar] = {}
    for key, value in pairs:
        name, node = _node(key, problems), _node(value, problems)
        if not isinstance(name, Scalar):
            problems.add(name, "a key must be plain text")
        elif name.value in seen:
            problems.add(name, f"key {name.value!r} stands here twice, first in line {seen[name.value].line}")
        else:
            seen[name.value] = name
            yield name, node


def by_key(table: Table) -> Mapping[str, Node]:
    """The values of `table` by key."""
    return {key.value: value for key, value in table.entries}
