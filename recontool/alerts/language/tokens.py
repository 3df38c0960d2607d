"""Cuts a condition into tokens."""

import re
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from recontool.alerts.language.errors import ConditionError
from recontool.model.units import SECOND_US

LONGEST: Final = 1_000
SHORTEST_WINDOW_US: Final = 1_000
LONGEST_WINDOW_US: Final = 7 * 86400 * SECOND_US

Kind: TypeAlias = Literal["number", "name", "duration", "op", "end"]

_TOKEN: Final = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<op>>=|<=|==|!=|[-+*/<>()])",
    re.ASCII,
)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_PARTS_US: Final = (86400 * SECOND_US, 3600 * SECOND_US, 60 * SECOND_US, SECOND_US, 1_000)
_MEANT: Final = {
    "=": "equality is ==",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or != to compare",
    "[": "a window stands in a function: rate(reconnections[1m])",
    "]": "a window stands in a function: rate(reconnections[1m])",
    "%": "write percentages as fractions: 0.95",
    '"': "conditions hold no text; a rule has one instance per worker without saying so",
    "'": "conditions hold no text; a rule has one instance per worker without saying so",
    "{": "conditions select no labels; a rule has one instance per worker without saying so",
}


class Token(Struct, frozen=True):
    """A piece of the text; `column` counts from 1, `value` is the number or the duration in microseconds."""

    kind: Kind
    text: str
    column: int
    value: float = 0


def tokens(text: str) -> list[Token]:
    """The tokens of `text`, the last of kind "end".

    Raises:
        ConditionError: a character, number or duration that no condition holds.
    """
    _check(text)
    found: list[Token] = []
    position = _SPACE.match(text).end()  # type: ignore[union-attr]
    while position < len(text):
        token, position = _next(text, position, found)
        found.append(token)
        position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
    found.append(Token("end", "", len(text) + 1))
    return found


def parse_duration(text: str) -> int | None:
    """Microseconds of `250ms`, `30s`, `1h30m`: whole numbers, larger units first; None when `text` is none."""
    match = _DURATION.fullmatch(text)
    if not text or match is None or len(text) > _LONGEST_DURATION:
        return None
    return sum(int(count) * unit_us for count, unit_us in zip(match.groups(), _PARTS_US, strict=True) if count)


_LONGEST_DURATION: Final = 40


def _check(text: str) -> None:
    if len(text) > LONGEST:
        raise ConditionError(f"a condition has at most {LONGEST:,} characters, this one {len(text):,}", text, 1)
    for position, char in enumerate(text):
        if not char.isascii():
            raise ConditionError(f"conditions are plain ASCII, this is {char!a}", text, position + 1)


def _next(text: str, position: int, before: list[Token]) -> tuple[Token, int]:
    if text[position] == "[" and len(before) > 1 and before[-1].kind == "name" and before[-2].text == "(":
        return _window(text, position)
    match = _TOKEN.match(text, position)
    column = position + 1
    if match is None:
        raise ConditionError(f"unexpected {text[position]!r}", text, column, hint=_MEANT.get(text[position], ""))
    kind, part = match.lastgroup, match.group()
    if kind == "name":
        return Token("name", part, column), match.end()
    if kind == "op":
        return Token("op", part, column), match.end()
    if text[match.end() : match.end() + 1].isalpha():
        hint = "durations stand in windows only: rate(reconnections[1m])"
        raise ConditionError(f"{part!r} runs into the letters after it", text, column, hint=hint)
    value = float(part)
    if value == float("inf"):
        raise ConditionError("the number is too large", text, column)
    return Token("number", part, column, value), match.end()


def _window(text: str, position: int) -> tuple[Token, int]:
    end = text.find("]", position)
    if end < 0:
        raise ConditionError("the window has no closing ]", text, position + 1, hint="e.g. rate(reconnections[1m])")
    part = text[position + 1 : end].strip(" \t\r\n")
    window_us = parse_duration(part)
    if window_us is None:
        raise ConditionError(f"{part!r} is no duration", text, position + 2, hint="e.g. 250ms, 30s, 5m, 1h30m")
    if not SHORTEST_WINDOW_US <= window_us <= LONGEST_WINDOW_US:
        raise ConditionError(f"a window is 1ms to 7d long, this is {part}", text, position + 2)
    return Token("duration", part, position + 2, window_us), end + 1
