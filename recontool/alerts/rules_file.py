"""Rules files: the guide's YAML into rules. Unknown keys and values are refused with their place, all at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from recontool.alerts.document import DocumentError, Listing, Node, Problem, Problems, Scalar, Table, by_key, read
from recontool.alerts.language.errors import ConditionError, shown
from recontool.alerts.language.parser import parse
from recontool.alerts.language.tokens import LONGEST_WINDOW_US, parse_duration
from recontool.alerts.lint import warnings_of
from recontool.alerts.rules import NO_DATA, SCOPES, SEVERITIES, Rule

CHANNELS: Final = ("dashboard", "email", "slack", "webhook", "apprise")
_EXAMPLE: Final = 'worker_reconnection: {high_reconnection_rate: {condition: "reconnections_per_minute > 3"}}'


class RulesFile(Struct, frozen=True):
    """The rules of a file, and what is legal but probably not meant: (place, sentence)."""

    rules: tuple[Rule, ...]
    warnings: tuple[tuple[str, str], ...]


def load_rules(text: str, name: str, *, channels: Sequence[str] = CHANNELS, others: bool = False) -> RulesFile:
    """The rules in `text`.

    Args:
        text: YAML with `alerts:`, groups under it, rules under those.
        name: what messages call the file.
        channels: what `notification` may name.
        others: the file may hold other keys beside `alerts`, as a coordinator's configuration does. With
            `notifications` it is one, and its channels may be named, too.

    Raises:
        DocumentError: with every problem of the file, each as file:line:column.
    """
    problems = Problems()
    root = read(text, problems)
    if isinstance(root, Table) and root.get("notifications") is not None:
        others, channels = True, tuple(dict.fromkeys((*channels, *_configured(root))))
    reader = _Reader(problems, channels)
    if root is not None:
        top = problems.table(root, "a rules file", () if others else ("alerts",))
        if top is not None:
            reader.groups(top)
    elif not problems.found:
        problems.found.append(Problem(1, 1, "there is nothing in it", f"alerts: {{{_EXAMPLE}}}"))
    if problems.found:
        raise DocumentError(name, problems.found)
    warnings = [
        (f"{name}:{line}:{column}", warning) for rule, line, column in reader.rules for warning in warnings_of(rule)
    ]
    return RulesFile(tuple(rule for rule, _, _ in reader.rules), tuple(warnings))


def _configured(root: Table) -> list[str]:
    section = root.get("notifications")
    channels = section.get("channels") if isinstance(section, Table) else None
    return [key.value for key, _ in channels.entries] if isinstance(channels, Table) else []


class _Reader:
    def __init__(self, problems: Problems, channels: Sequence[str]) -> None:
        self.rules: list[tuple[Rule, int, int]] = []
        self._problems = problems
        self._channels = channels
        self._seen: dict[str, int] = {}

    def groups(self, top: Table) -> None:
        alerts = top.get("alerts")
        if alerts is None:
            self._problems.add(top, "there is no `alerts:`", f"alerts: {{{_EXAMPLE}}}")
            return
        groups = self._problems.table(alerts, "alerts")
        if groups is not None and not groups.entries:
            self._problems.add(alerts, "there is no rule", f"alerts: {{{_EXAMPLE}}}")
        for group, node in groups.entries if groups is not None else ():
            rules = self._problems.table(node, f"group {group.value!r}")
            if rules is not None and rules.get("condition") is not None:
                self._problems.add(group, "a rule stands inside a group", f"alerts: {{{_EXAMPLE}}}")
            elif rules is not None:
                for rule, fields in rules.entries:
                    self._rule(group.value, rule, fields)

    def _rule(self, group: str, name: Scalar, node: Node) -> None:
        if name.value in self._seen:
            self._problems.add(name, f"rule {name.value!r} stands here twice, first in line {self._seen[name.value]}")
        self._seen.setdefault(name.value, name.line)
        before = len(self._problems.found)
        fields = self._problems.table(node, f"rule {name.value!r}", tuple(_FIELDS))
        if fields is None:
            return
        values: dict[str, Any] = {}
        for key, value in by_key(fields).items():
            if key in _FIELDS:
                field, take = _FIELDS[key]
                values[field] = take(self, value, key)
        condition = fields.get("condition")
        if condition is None:
            self._problems.add(
                name, f"rule {name.value!r} has no condition", 'condition: "reconnections_per_minute > 3"'
            )
        if len(self._problems.found) == before and condition is not None:
            self.rules.append((Rule(name.value, group=group, **values), condition.line, condition.column))

    def condition(self, node: Node, what: str) -> str | None:
        text = self._problems.text(node, what)
        if text is None or not isinstance(node, Scalar):
            return None
        try:
            parse(text)
        except ConditionError as error:
            column = node.text_column + error.column - 1 if node.text_column else node.column
            self._problems.found.append(
                Problem(node.line, column, f"{error.reason}\n{shown(text, error.column)}", error.hint)
            )
        return text

    def duration(self, node: Node, what: str) -> int | None:
        duration_us = parse_duration(node.value.strip()) if isinstance(node, Scalar) else None
        if duration_us is None:
            self._problems.add(node, f"{what} must be a duration", "e.g. 250ms, 30s, 5m, 1h30m")
        elif duration_us > LONGEST_WINDOW_US:
            self._problems.add(node, f"{what} is longer than 7d")
        return duration_us

    def severity(self, node: Node, what: str) -> str | None:
        return self._problems.choice(node, what, SEVERITIES)

    def no_data(self, node: Node, what: str) -> str | None:
        return self._problems.choice(node, what, NO_DATA)

    def scope(self, node: Node, what: str) -> str | None:
        return self._problems.choice(node, what, SCOPES)

    def text(self, node: Node, what: str) -> str | None:
        return self._problems.text(node, what)

    def channels(self, node: Node, what: str) -> tuple[str, ...]:
        if not isinstance(node, Listing):
            self._problems.add(node, f"{what} must be a list", 'notification: ["dashboard", "email"]')
            return ()
        return tuple(
            name for item in node.items if (name := self._problems.choice(item, "channel", self._channels)) is not None
        )


_Take = Callable[[_Reader, Node, str], Any]
_FIELDS: Final[Mapping[str, tuple[str, _Take]]] = {
    "condition": ("condition", _Reader.condition),
    "severity": ("severity", _Reader.severity),
    "notification": ("notification", _Reader.channels),
    "for": ("for_us", _Reader.duration),
    "keep_firing_for": ("keep_firing_us", _Reader.duration),
    "clear_when": ("clear_when", _Reader.condition),
    "no_data": ("no_data", _Reader.no_data),
    "scope": ("scope", _Reader.scope),
    "description": ("description", _Reader.text),
}
