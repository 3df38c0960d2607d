"""Turns a user's format file into a format: every problem is told with its line, and the file's samples must parse.

`format.load` trusts the shipped files; this module is for files that people write.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from recontool.logs.decoder import decoder_for
from recontool.logs.format import SESSION, Format, Sample, builtin, load
from recontool.model.errors import BadFieldError, UsageError
from recontool.model.events import EVENT_SCHEMA, FIELD_TYPES, PROCESS_STARTED, PROCESS_STOPPING, STATUS
from recontool.model.markers import Marker

_KEYS: Final[Mapping[str, Mapping[str, type]]] = {
    "": {
        **dict.fromkeys(("name", "title", "engine"), str),
        **dict.fromkeys(("shapes", "worker_loggers", "coordinator_loggers", "claim_only", "template", "sample"), list),
    },
    "template": {
        **dict.fromkeys(("logger", "starts", "match", "marker", "event", "then", "cause_hint", "even"), str),
        **dict.fromkeys(("fields", "also"), dict),
        **dict.fromkeys(("unless_debug", "after_start", "while_down"), bool),
    },
    "sample": dict.fromkeys(("line", "marker", "event"), str),
}
_NEEDED: Final = {
    "": ("name", "title", "engine", "shapes", "template", "sample"),
    "template": ("logger", "starts", "match"),
    "sample": ("line",),
}
_TYPE_NAMES: Final = {str: "text", list: "a list", dict: "a table", bool: "true or false"}
_SHAPE_GROUPS: Final = ("second", "milli", "level", "logger", "text")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_HEADER: Final = re.compile(r"\s*\[\[\s*(template|sample)\s*\]\]")
_TOML_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)")
_SOURCE: Final = "worker-1"  # whose file the samples are taken from
_MANY: Final = 20  # problems told at once

Problem = tuple[int, str]  # (line, what is wrong)


def read_format_file(path: Path) -> Format:
    """The format in `path`; its engine is always "templates".

    Raises:
        UsageError: it cannot be read or is no usable format; up to 20 problems, each with its line.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path)) from error
    data = _toml(text, path)
    places = _places(text)
    _refuse(sorted(_problems(data, text, places)), path)
    form = load(text, where=str(path))
    _refuse([(places["sample"][order], why) for order, why in failed_samples(form)], path)
    return form


def failed_samples(form: Format) -> Iterator[tuple[int, str]]:
    """(number of the sample from 0, what it became instead of its event), for each sample that fails."""
    for order, sample in enumerate(form.samples):
        expected = _shown(sample.marker, sample.event)
        found = _become(form, sample)
        if found != expected:
            yield order, f"the sample becomes {found}, expected {expected}: {sample.line[:80]!r}"


def _become(form: Format, sample: Sample) -> str:
    # A fresh decoder for each: a sample stands alone, whatever lines came before.
    decoder = decoder_for(form, source=_SOURCE)
    try:
        header = decoder.header(sample.line.encode())
        events = () if header is None else decoder.events(header)
    except BadFieldError as error:
        return f"a damaged line ({error.problem})"
    if header is None:
        return "a line that fits no shape"
    return _shown(events[0].marker, events[0].name) if events else _shown("", "")


def _shown(marker: str, event: str) -> str:
    return f"{f'[{marker}] ' if marker else ''}{event}" if event else "a record without event"


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        where = f"{path}:{place[1]}:{place[2]}" if place else f"{path}:{text.count(chr(10)) + 1}"
        raise UsageError(f"is no TOML: {_TOML_PLACE.sub('', str(error))}", where=where) from None


def _places(text: str) -> dict[str, list[int]]:
    """The lines on which templates and samples begin."""
    places: dict[str, list[int]] = {"template": [], "sample": []}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            places[header[1]].append(number)
    return places


def _problems(data: Mapping[str, Any], text: str, places: dict[str, list[int]]) -> Iterator[Problem]:
    lines = text.splitlines()
    yield from ((_line_of(lines, key), why) for key, why in _keys("", data))
    name = data.get("name", "")
    if isinstance(name, str) and name and (not _NAME.fullmatch(name) or name in builtin()):
        yield _line_of(lines, "name"), f"name is {name!r}, expected a-z 0-9 - and none of {', '.join(builtin())}"
    if data.get("engine", "templates") != "templates":
        yield _line_of(lines, "engine"), f'engine is {data["engine"]!r}, expected "templates"'
    for shape in _listed(data, "shapes"):
        yield from ((_line_of(lines, "shapes"), why) for why in _shape(shape))
    for kind in ("template", "sample"):
        rows = [row for row in _listed(data, kind) if isinstance(row, dict)]
        if len(rows) != len(places[kind]):
            yield _line_of(lines, kind), f"write each {kind} under a line [[{kind}]] of its own"
            places[kind] = [1] * len(rows)
        for row, line in zip(rows, places[kind], strict=True):
            yield from ((line, why) for _, why in _keys(kind, row))
            if kind == "template":
                yield from ((line, why) for why in _template(row))


def _keys(kind: str, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in row.items():
        expected = _KEYS[kind].get(key)
        if expected is None:
            yield key, f"unknown key {key!r}{_suggestion(key, _KEYS[kind])}"
        elif not isinstance(value, expected):
            yield key, f"{key} is {value!r}, expected {_TYPE_NAMES[expected]}"
    for key in _NEEDED[kind]:
        if not row.get(key):
            yield "", f"{f'[[{kind}]]' if kind else 'the file'} needs the key {key!r}"


def _shape(shape: object) -> Iterator[str]:
    pattern, why = _compiled(shape)
    if pattern is None:
        yield f"shape {why}"
        return
    missing = [group for group in _SHAPE_GROUPS if group not in pattern.groupindex]
    if missing:
        yield f"a shape needs the named groups {', '.join(_SHAPE_GROUPS)}; this one lacks {', '.join(missing)}"


def _template(row: Mapping[str, Any]) -> Iterator[str]:
    pattern, why = _compiled(row.get("match", ""))
    if pattern is None:
        yield f"match {why}"
    else:
        yield from (_unknown_field(name) for name in pattern.groupindex if name not in FIELD_TYPES)
        if row.get("even", "") not in {"", *pattern.groupindex}:
            yield f"even is {row['even']!r}, which is no group of match"
    also = row.get("also")
    for emit in (row, also) if isinstance(also, dict) else (row,):
        event, marker = emit.get("event", ""), emit.get("marker", "")
        if event and not _in_vocabulary(marker, event):
            yield f"event {_shown(marker, event)} is not in the vocabulary (docs/log-format.md)"
        yield from _fields(emit.get("fields"))


def _in_vocabulary(marker: object, event: object) -> bool:
    if marker == SESSION:
        return all((one, event) in EVENT_SCHEMA for one in (Marker.CONNECT, Marker.RECONNECT))
    return (marker, event) in EVENT_SCHEMA or (not marker and event in {STATUS, PROCESS_STARTED, PROCESS_STOPPING})


def _fields(fields: object) -> Iterator[str]:
    for name, value in fields.items() if isinstance(fields, dict) else ():
        if name not in FIELD_TYPES:
            yield _unknown_field(name)
        elif type(value) is not FIELD_TYPES[name]:
            yield f"field {name} is {value!r}, expected {FIELD_TYPES[name].__name__}"


def _unknown_field(name: str) -> str:
    return f"unknown field {name!r}{_suggestion(name, FIELD_TYPES)}"


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _compiled(pattern: object) -> tuple[re.Pattern[str] | None, str]:
    if not isinstance(pattern, str):
        return None, f"is {pattern!r}, expected text"
    try:
        return re.compile(pattern), ""
    except re.error as error:
        return None, f"{pattern!r} is no regular expression: {error}"


def _listed(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    return value if isinstance(value, list) else []  # another type is told by _keys


def _line_of(lines: list[str], key: str) -> int:
    """The line that begins with `key =`; 1 when none does."""
    begins = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    return next((number for number, line in enumerate(lines, 1) if key and begins.match(line)), 1)


def _refuse(problems: list[Problem], path: Path) -> None:
    """Raise all of them as one error; the first line says where to begin.

    Raises:
        UsageError: there is one.
    """
    if not problems:
        return
    (line, first), *others = problems
    told = "".join(f"\n{path}:{number}: {why}" for number, why in others[: _MANY - 1])
    more = f"\n  and {len(others) - _MANY + 1} more" if len(others) >= _MANY else ""
    raise UsageError(f"{first}{told}{more}", where=f"{path}:{line}", hint="docs/formats.md has a whole example")
