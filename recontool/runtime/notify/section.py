"""A mapping of a YAML file whose values are taken one by one, each checked where it stands."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from recontool.model.errors import UsageError
from recontool.model.instant import SECOND_US, parse_duration
from recontool.runtime.notify.secret import Secret, filled_in

LONGEST_US: Final = 7 * 86400 * SECOND_US
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping: its values, and where each of them stands.

    Args:
        path: the file.
        name: what it is, for messages.
        values: a mapping of ruamel's, which knows the places of its keys.
        environment: where `${NAME}` is looked up.
        place: file:line:column of the mapping itself.
    """

    path: str
    name: str
    values: Any
    environment: Mapping[str, str]
    place: str

    @classmethod
    def of(cls, path: str, name: str, values: Any, environment: Mapping[str, str], where: str) -> "Section":
        """`values` as a section.

        Raises:
            UsageError: it is no mapping.
        """
        if not isinstance(values, dict):
            raise UsageError(f"{name} is {_shown(values)}, expected a mapping `name: value`", where=where)
        return cls(path, name, values, environment, where)

    def where(self, key: str) -> str:
        """file:line:column of `key`; of the whole mapping where it is not there."""
        if key not in self.values:
            return self.place
        line, column = self.values.lc.key(key)
        return f"{self.path}:{line + 1}:{column + 1}"

    def only(self, known: Iterable[str]) -> None:
        """Refuse every other key.

        Raises:
            UsageError: there is one; with a suggestion.
        """
        names = sorted(known)
        for key in self.values:
            if key not in names:
                close = difflib.get_close_matches(str(key), names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
                raise UsageError(f"unknown key {key!r} in {self.name}", where=self.where(key), hint=hint)

    def error(self, key: str, expected: str, hint: str = "") -> UsageError:
        """What to raise about the value of `key`; the value itself may be a secret and is not shown."""
        return UsageError(f"{self.name}: {key} must be {expected}", where=self.where(key), hint=hint)

    def text(self, key: str, default: str | None = None) -> str:
        """One line of text; required where there is no default."""
        if key not in self.values:
            if default is None:
                raise UsageError(f"{self.name} needs {key!r}", where=self.place)
            return default
        return self._line(key, self.values[key])

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them, at least one; required."""
        if key not in self.values:
            raise UsageError(f"{self.name} needs {key!r}", where=self.place)
        found = self.values[key]
        lines = tuple(self._line(key, item) for item in (found if isinstance(found, list) else [found]))
        if not lines or not all(lines):
            raise self.error(key, "a text or a list of texts")
        return lines

    def secret(self, key: str) -> Secret | None:
        """A text nobody may see; None when it is not there."""
        return Secret(self.text(key)) if key in self.values else None

    def choice(self, key: str, choices: Iterable[str], default: str) -> str:
        """One of `choices`."""
        found, known = self.text(key, default), list(choices)
        if found not in known:
            close = difflib.get_close_matches(found, known, n=1)
            raise self.error(key, f"one of {', '.join(known)}", f"did you mean {close[0]!r}?" if close else "")
        return found

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        found = self.values.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            raise self.error(key, f"a whole number from {low} to {high}")
        return int(found)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        found = self.values.get(key, default)
        if not isinstance(found, bool):
            raise self.error(key, "true or false")
        return found

    def duration_us(self, key: str, default_us: int, low_us: int = 0) -> int:
        """A duration such as `30s` or `4h`, in microseconds."""
        if key not in self.values:
            return default_us
        found = self.values[key]
        parsed = parse_duration(found) if isinstance(found, str) else None
        if parsed is None or not low_us <= parsed <= LONGEST_US:
            low = f"from {low_us / SECOND_US:g} s to 7 d" if low_us else "of at most 7 d"
            raise self.error(key, f"a duration {low}", "for example 30s, 5m or 4h")
        return parsed

    def sections(self, key: str, name: Callable[[str], str]) -> Iterable[tuple[str, "Section"]]:
        """The mappings under `key`, by name."""
        if key not in self.values:
            return
        group = Section.of(self.path, f"{self.name}.{key}", self.values[key], self.environment, self.where(key))
        for inner in group.values:
            where = group.where(inner)
            if not isinstance(inner, str):
                raise UsageError(f"{group.name}: {inner!r} is no name, expected a text", where=where)
            yield inner, Section.of(self.path, name(inner), group.values[inner], self.environment, where)

    def _line(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.error(key, "a text", "put it in quotes")
        found = filled_in(value, self.environment, self.where(key))
        if not _ONE_LINE.fullmatch(found):
            raise self.error(key, "one line without control characters")
        return found


def _shown(value: Any) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"
