"""Brings the report's catalogues in line with what the page says: `python docs/languages.py`, or `--check` to compare.

A message new to a catalogue gets an empty translation, which the check refuses; one nobody says any more goes. Messages
are found where they are said: in calls of Python code, templates and scripts, and in the tables whose words a page shows.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Final

from recontool.logs.reader import shown_example
from recontool.metrics.definitions import NOTHING_TO_COUNT
from recontool.metrics.judgement import BETTER, NEVER_SEEN, UNSEEN
from recontool.model.catalogue import CATALOGUE
from recontool.model.languages import ENGLISH, LANGUAGES
from recontool.report.drill import STEPS
from recontool.report.markup import SAYS
from recontool.report.pofile import Entry, parsed, written
from recontool.report.sections import chain, reconnects
from recontool.report.sections.connection import STATES
from recontool.report.sections.glossary import WORDS
from recontool.report.stages import STAGES
from recontool.report.timeline import STATE_TEXT

PACKAGE: Final = Path(__file__).parents[1] / "recontool"
FOLDER: Final = PACKAGE / "report" / "languages"
# Screens, comparison, gate files and the live page speak English.
_ENGLISH_ONLY: Final = ("report/comparison", "report/dashboard", "report/gate", "report/text", "report/terminal",
                        "report/notices", "report/tables", "report/document", "report/intervals", "report/notebook")  # fmt: skip
_LAYERS: Final = ("report", "analysis", "metrics", "api")
_TEMPLATES: Final = ("page.html.j2", "pieces.html.j2", "core.js", "theme.js", "charts.js", "tables.js", "time.js",
                     "drill.js", "start.js")  # fmt: skip
_SINGULAR: Final = frozenset({"say", "said", "spoken"})
_PLURAL: Final = frozenset({"several", "said_of"})
# Words of logs and of our tables that a page shows in its language; their keys stay as they are.
_VOCABULARY: Final = (
    "CRITICAL", "WARNING", "INFO", "OK", "NO DATA",
    "closed", "heartbeat", "forced", "error", "crash", "other causes", "all causes",
    "coordinator restart", "coordinator stopped", "coordinator lost", "coordinator frozen", "connections cut",
    "network cut", "workers restarted",
    "auth failed", "bad signature", "replayed", "oversized", "malformed",
    "events", "block", "snapshot", "worker", "coordinator", "mixed", "none",
    "Starts", "Stops", "Accepted", "Disconnected", "Rejected", "Submitted", "Assigned", "Applied", "Duplicate",
    "monitoring guide, key metrics", "monitoring guide, alert conditions",
    "Connection stability", "Mean reconnect time", "Task success rate", "Message latency",
)  # fmt: skip


def main() -> int:
    """Exit status: 1 when `--check` finds something wrong."""
    parser = argparse.ArgumentParser(description="Bring the report's catalogues in line with the page.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a catalogue is not complete")
    check = parser.parse_args().check
    if not check:
        for path in catalogues():
            renew(path)
    wrong = unfinished()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong and check else 0


def catalogues() -> list[Path]:
    """The file of every language but English."""
    return [FOLDER / f"{code}.po" for code in LANGUAGES if code != ENGLISH]


def unfinished() -> list[str]:
    """What is wrong with any catalogue."""
    return [f"{path.name}: {problem}" for path in catalogues() for problem in problems(path)]


def messages() -> dict[str, Entry]:
    """Every message of the page by its English text, in the order of the files that say it."""
    found: dict[str, Entry] = {}
    for one, many, where in [*_of_code(), *_of_templates(), *_of_tables()]:
        if one and (one not in found or (many and not found[one].many)):
            found[one] = Entry(one, many, (), where)
    return found


def renew(path: Path) -> None:
    """Write the catalogue anew with every message and no other; translations are kept."""
    text = path.read_text(encoding="utf-8")
    entries, _ = parsed(text)
    known = {entry.one: entry.forms for entry in entries}
    header = re.sub(r"\\n", "\n", re.findall(r'msgstr "(.*)"', text)[0])
    number = int(re.findall(r"nplurals=(\d)", header)[0])
    kept = []
    for entry in messages().values():
        forms = known.get(entry.one, ())
        wanted = number if entry.many else 1
        kept.append(Entry(entry.one, entry.many, (*forms, *[""] * number)[:wanted], entry.where))
    path.write_text(written(header, kept), encoding="utf-8")


def problems(path: Path) -> Iterator[str]:
    """What is wrong with a catalogue: missing, empty or unused messages, other places than in English, markup."""
    text = path.read_text(encoding="utf-8")
    entries, _ = parsed(text)
    number = int(re.findall(r"nplurals=(\d)", text)[0])
    known, wanted = {entry.one: entry for entry in entries}, messages()
    yield from (f"{one!r} is missing; python docs/languages.py puts it in" for one in wanted.keys() - known.keys())
    yield from (f"{one!r} is said nowhere" for one in known.keys() - wanted.keys())
    for one in wanted.keys() & known.keys():
        entry, many = known[one], wanted[one].many
        if entry.many != many or len(entry.forms) != (number if many else 1):
            yield f"{one!r} has {len(entry.forms)} forms"
        for form in entry.forms:
            if not form.strip():
                yield f"{one!r} has no translation"
            elif not _fits(form, one, many):
                yield f"{form!r} has other places than {one!r}"
            elif form.count("<") != one.count("<") or re.search(r"&|%\{", form):
                yield f"{form!r} holds markup"


def _fits(form: str, one: str, many: str) -> bool:
    """Whether the places are those of English; a form for one may leave out the number."""
    places = _places(many or one)
    return _places(form) == places or bool(many and _places(form) | {"n"} == places)


def _places(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


def _of_code() -> Iterator[tuple[str, str, str]]:
    for layer in _LAYERS:
        for path in sorted((PACKAGE / layer).rglob("*.py")):
            where = path.relative_to(PACKAGE).as_posix()
            if where.startswith(_ENGLISH_ONLY):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from ((one, many, where) for one, many in _of_call(node))


def _of_call(call: ast.Call) -> Iterator[tuple[str, str]]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    texts = [list(_literals(argument)) for argument in call.args]
    if name in _SINGULAR and texts:
        yield from ((text, "") for text in texts[0])
    elif name in _PLURAL:
        yield from zip(texts[1], texts[2], strict=True)
    elif name == "counted" and len(texts) > 1:
        many = texts[2] if len(texts) > 2 else [f"{one}s" for one in texts[1]]  # noqa: PLR2004 - one, many
        yield from ((f"{{n}} {one}", f"{{n}} {more}") for one, more in zip(texts[1], many, strict=True))
    elif name == "columns":
        yield from ((text.lstrip("#`~"), "") for found in texts for text in found)
    elif name == "table":
        for keyword in call.keywords:
            if keyword.arg in {"what", "where"}:
                yield from ((text, "") for text in _literals(keyword.value))


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _literals(value)


def _of_templates() -> Iterator[tuple[str, str, str]]:
    for name in _TEMPLATES:
        where = f"report/templates/{name}"
        for text in SAYS.findall((PACKAGE / where).read_text(encoding="utf-8")):
            yield text, "", where


def _of_tables() -> Iterator[tuple[str, str, str]]:
    for metric in CATALOGUE.values():
        yield metric.title, "", "model/catalogue.py"
        yield metric.definition, "", "model/catalogue.py"
    for reason in (*NOTHING_TO_COUNT.values(), UNSEEN, NEVER_SEEN, BETTER):
        yield reason, "", "metrics"
    yield shown_example(1, b"")[2], "", "logs/reader.py"
    for text in (*STATES.values(), *STATE_TEXT.values()):
        yield text, "", "report"
    for word in WORDS:
        yield from ((text, "", "report/sections/glossary.py") for text in word)
    for title, _, _, meaning in STAGES:
        yield from ((text, "", "report/stages.py") for text in (title, meaning))
    for _, title in STEPS:
        yield title, "", "report/drill.py"
    for text in (chain.NOTE, reconnects.NOTE, "rows", "the JSON output lists them", "bytes"):
        yield text, "", "report"
    for text in _VOCABULARY:
        yield text, "", "words of logs"


if __name__ == "__main__":
    sys.exit(main())
