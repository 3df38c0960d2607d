"""Says the words of a page in its language; English unless a page is made inside `speaking`.

A message is its English text with named places. Names, evidence and raw lines are values, never messages.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import c2py
from importlib import resources
from typing import Final

from msgspec import Struct

from recontool.model.languages import ENGLISH
from recontool.model.said import Said
from recontool.report.pofile import parsed

Plural = Callable[[int], int]


class Language(Struct, frozen=True):
    """The forms of each message, by its English text, and which form goes with a number."""

    code: str
    messages: Mapping[str, tuple[str, ...]]
    form: Plural

    def chosen(self, one: str, many: str, number: int) -> str:
        """The message in this language, its places still open; what has no translation stays as it is."""
        forms = self.messages.get(one)
        if forms is None:
            return many if many and number != 1 else one
        return forms[min(self.form(number), len(forms) - 1)] if many else forms[0]


_ENGLISH: Final = Language(ENGLISH, {}, lambda number: int(number != 1))
_language: ContextVar[Language] = ContextVar("language", default=_ENGLISH)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """What is said inside is said in `language`."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


@cache
def language(code: str) -> Language:
    """The language of that code, its catalogue read once."""
    if code == ENGLISH:
        return _ENGLISH
    text = resources.files("recontool.report.languages").joinpath(f"{code}.po").read_text(encoding="utf-8")
    entries, plural = parsed(text)
    return Language(code, {entry.one: entry.forms for entry in entries}, c2py(plural))


def code() -> str:
    """The language in force as HTML names it, e.g. pt-BR."""
    return _language.get().code.replace("_", "-")


def say(message: str, /, **values: str) -> str:
    """`message` in the language in force, its named places filled."""
    told = _language.get().chosen(message, "", 1)
    return told.format(**values) if values else told


def several(number: float, one: str, many: str, /, **values: str) -> str:
    """`one` or `many`, as the language has it for `number`; the place `n` is the number unless `values` has it."""
    whole = round(number)
    return _language.get().chosen(one, many, whole).format(**{"n": f"{whole:,}", **values})


def inside(title: str) -> str:
    """A title as it stands inside a sentence: with a small letter, but for German, whose nouns keep their capital."""
    if _language.get() is _ENGLISH:
        return title.lower()
    return title if code() == "de" else title[:1].lower() + title[1:]


def spoken(text: str) -> str:
    """A sentence of the analysis, or a word of one of its tables, in the language in force."""
    if not isinstance(text, Said):
        return say(text)
    if text.clauses:
        return "; ".join(spoken(clause) for clause in text.clauses)
    if not text.message:
        return text
    values = {name: spoken(value) if isinstance(value, Said) else value for name, value in text.values.items()}
    return _language.get().chosen(text.message, text.many, text.number).format(**values)
