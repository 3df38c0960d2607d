"""A mapping of a YAML file whose values are taken one by one, each checked where it stands.

What is wrong is kept in `faults` and something harmless is given back, so that one look finds everything.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct, field

from recontool.model.errors import UsageError
from recontool.model.instant import parse_duration
from recontool.model.units import SECOND_US
from recontool.runtime.notify.faults import Faults
from recontool.runtime.notify.secret import Secret, filled_in

LONGEST_US: Final = 7 * 86400 * SECOND_US
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


class Source(Struct, frozen=True):
    """The file, where `${NAME}` is looked up, and where its faults are kept."""

    path: str
    environment: Mapping[str, str]
    faults: Faults

    def place(self, line: int, column: int) -> str:
        """file:line:column of what ruamel counts from 0."""
        return f"{self.path}:{line + 1}:{column + 1}"


class Section(Struct, frozen=True):
    """A mapping: its values, and where each of them stands.

    Args:
        source: the file.
        name: what it is, for messages.
        values: a mapping of ruamel's, which knows the places of its keys.
        place: file:line:column of the mapping itself.
    """

    source: Source
    name: str
    values: Any
    place: str
    _blamed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, source: Source, name: str, values: Any, where: str) -> "Section | None":
        """`values` as a section; None when it is no mapping, which is a fault."""
        if isinstance(values, dict):
            return cls(source, name, values, where)
        source.faults.add(UsageError(f"{name} is {_shown(values)}, expected a mapping `name: value`", where=where))
        return None

    def where(self, key: str) -> str:
        """file:line:column of `key`; of the whole mapping where it is not there."""
        return self.source.place(*self.values.lc.key(key)) if key in self.values else self.place

    def fault(self, key: str, problem: str, hint: str = "") -> None:
        """Something is wrong about `key`; what follows from it is not told."""
        if key not in self._blamed:
            self._blamed.add(key)
            self.source.faults.add(UsageError(problem, where=self.where(key), hint=hint))

    def expected(self, key: str, what: str, hint: str = "") -> None:
        """The value of `key` is not `what`; the value itself may be a secret and is not shown."""
        self.fault(key, f"{self.name}: {key} must be {what}", hint)

    def only(self, known: Iterable[str]) -> None:
        """Every other key is a fault; with a suggestion."""
        names = sorted(known)
        for key in self.values:
            if key not in names:
                close = difflib.get_close_matches(str(key), names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
                self.fault(key, f"unknown key {key!r} in {self.name}", hint)

    def text(self, key: str, default: str | None = None) -> str:
        """One line of text; required where there is no default."""
        if key in self.values:
            return self._line(key, self.values[key])
        if default is None:
            self._missing(key)
        return default or ""

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them, at least one; required."""
        if key not in self.values:
            self._missing(key)
            return ()
        found = self.values[key]
        lines = tuple(self._line(key, item) for item in (found if isinstance(found, list) else [found]))
        if not lines or not all(lines):
            self.expected(key, "a text or a list of texts")
        return lines

    def secret(self, key: str) -> Secret | None:
        """A text nobody may see; None when it is not there."""
        return Secret(self.text(key)) if key in self.values else None

    def choice(self, key: str, choices: Iterable[str], default: str) -> str:
        """One of `choices`; "" when it is none."""
        found, known = self.text(key, default), list(choices)
        if found in known:
            return found
        close = difflib.get_close_matches(found, known, n=1)
        self.expected(key, f"one of {', '.join(known)}", f"did you mean {close[0]!r}?" if close else "")
        return ""

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        found = self.values.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            self.expected(key, f"a whole number from {low} to {high}")
            return default
        return int(found)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        found = self.values.get(key, default)
        if not isinstance(found, bool):
            self.expected(key, "true or false")
            return default
        return found

    def duration_us(self, key: str, default_us: int, low_us: int = 0) -> int:
        """A duration such as `30s` or `4h`, in microseconds."""
        if key not in self.values:
            return default_us
        found = self.values[key]
        parsed = parse_duration(found) if isinstance(found, str) else None
        if parsed is None or not low_us <= parsed <= LONGEST_US:
            low = f"from {low_us / SECOND_US:g} s to 7 d" if low_us else "of at most 7 d"
            self.expected(key, f"a duration {low}", "for example 30s, 5m or 4h")
            return default_us
        return parsed

    def inner(self, key: str) -> "Section | None":
        """The mapping under `key`; None where there is none."""
        return (
            Section.of(self.source, f"{self.name}.{key}", self.values[key], self.where(key))
            if key in self.values
            else None
        )

    def sections(self, key: str, name: Callable[[str], str]) -> Iterable[tuple[str, "Section"]]:
        """The mappings under `key`, by name."""
        group = self.inner(key)
        if group is None:
            return
        for inner in group.values:
            where = group.where(inner)
            if not isinstance(inner, str):
                group.fault(inner, f"{group.name}: {inner!r} is no name, expected a text")
                continue
            section = Section.of(self.source, name(inner), group.values[inner], where)
            if section is not None:
                yield inner, section

    def _missing(self, key: str) -> None:
        self.fault(key, f"{self.name} needs {key!r}")

    def _line(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            self.expected(key, "a text", "put it in quotes")
            return ""
        try:
            found = filled_in(value, self.source.environment, self.where(key))
        except UsageError as error:
            self.fault(key, error.problem, error.hint)
            return ""
        if not _ONE_LINE.fullmatch(found):
            self.expected(key, "one line without control characters")
        return found


def _shown(value: Any) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"
