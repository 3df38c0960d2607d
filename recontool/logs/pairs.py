"""Takes one line of JSON or logfmt apart into its keys and values, as they stand; what they mean is in logs/structured.py."""

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from recontool.model.errors import BadFieldError

SPACES: Final = " \t\n\r\v\f"  # what is white space must not depend on Unicode tables
MOST_DEPTH: Final = 100  # objects and lists inside one another, the record itself not counted
_JSON_SPACE: Final = re.compile(r"[ \t\n\r]*")
_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PAIR: Final = re.compile(r'\s*([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?(?=\s|$)', re.ASCII | re.DOTALL)
_PAIR_OF_HALVES: Final = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE: Final = re.compile(
    rf"\\({_PAIR_OF_HALVES}|x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|[0-7]{{3}}|.)", re.DOTALL
)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


class Kind(Enum):
    """What a value is in JSON; logfmt has text only."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    NESTED = "nested"


class Word(NamedTuple):
    """A value: text with its escapes undone, everything else as it stands on the line."""

    text: str
    kind: Kind = Kind.TEXT


Pairs = Mapping[str, Word | None]  # None is JSON's null; of a key that repeats the last value counts


class _Number(str):
    __slots__ = ()


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no JSON number")


_JSON: Final = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_no_number)


def json_pairs(line: str) -> Pairs | None:
    """The pairs of one JSON object; None when the line does not begin and end like one.

    Raises:
        BadFieldError: it does, but is none.
    """
    text = line.strip(SPACES)
    if not (text.startswith("{") and text.endswith("}") and len(text) > len("{}")):
        return None
    try:
        return _object(text)
    except ValueError as error:
        raise BadFieldError(f"line begins as a JSON object but is none ({error})") from None


def logfmt_pairs(line: str, needed: tuple[str, ...]) -> Pairs | None:
    """The pairs of one line of `key=value`; None when it is no such line.

    Raises:
        BadFieldError: it has one of the `needed` keys and then goes on as no such line may.
    """
    text = line.strip(SPACES)
    first = _PAIR.match(text)
    if first is None or first[2] is None:
        return None
    values: dict[str, Word] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            if any(key in values for key in needed):
                raise BadFieldError(f"line goes on with {text[at : at + 80]!r}, expected key=value")
            return None
        key, value = pair.groups()
        values[key] = Word("true" if value is None else _unquoted(value))
        at = pair.end()
    return values


def _object(text: str) -> Pairs:
    if _depth(text) > MOST_DEPTH + 1:
        raise ValueError(f"more than {MOST_DEPTH} levels deep")
    values: dict[str, Any] = _JSON.decode(text)
    if any(isinstance(value, (dict, list)) for value in values.values()):
        return _members(text)  # to know what stands on the line
    return {_whole(key): _word(value, value) for key, value in values.items()}


def _members(text: str) -> Pairs:
    """As `_object`, member by member; `text` is a JSON object."""
    found: dict[str, Word | None] = {}
    at = _after_space(text, 1)
    while text[at] != "}":
        key, at = _JSON.raw_decode(text, at)
        start = _after_space(text, _after_space(text, at) + 1)  # behind the colon
        value, end = _JSON.raw_decode(text, start)
        found[_whole(key)] = _word(value, text[start:end])
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def _after_space(text: str, at: int) -> int:
    match = _JSON_SPACE.match(text, at)
    return match.end() if match is not None else at


def _depth(text: str) -> int:
    """How deep brackets stand inside one another, of a text that is JSON."""
    if text.count("{") + text.count("[") <= MOST_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", _JSON_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _word(value: Any, raw: str) -> Word | None:
    if value is None:
        return None
    if isinstance(value, _Number):
        return Word(str(value), Kind.NUMBER)
    if isinstance(value, str):
        return Word(_whole(value))
    return Word("true" if value else "false", Kind.TRUTH) if isinstance(value, bool) else Word(raw, Kind.NESTED)


def _whole(text: str) -> str:
    """Half a surrogate pair is no text: no table or terminal could show it."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unquoted(text: str) -> str:
    """A logfmt value; in quotes it may hold JSON's or Go's escapes."""
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _ESCAPED.get(code, code)
    if "\\" in code:
        return chr(0x10000 + ((int(code[1:5], 16) - 0xD800) << 10) + int(code[7:], 16) - 0xDC00)
    number = int(code, 8) if code[0].isdigit() else int(code[1:], 16)
    is_character = number < 0x110000 and not 0xD800 <= number < 0xE000  # noqa: PLR2004
    return chr(number) if is_character else "\ufffd"
