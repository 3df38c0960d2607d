"""Sentences that remember how they were made, so that a page can say them in another language.

A `Said` is its English text and can be used as such everywhere; beside it stand the message and the values it was
filled with. Its values are names and numbers, or sentences of their own.
"""

from collections.abc import Callable, Mapping
from typing import Self


class Said(str):
    """An English text, its message with named places, the plural of that message if a number decides, and its values."""

    __slots__ = ("clauses", "many", "message", "number", "values")
    message: str
    many: str
    number: int
    values: Mapping[str, str]
    clauses: tuple[str, ...]  # of a text that is nothing but these in a row

    def __new__(cls, text: str, message: str = "", many: str = "", number: int = 1) -> Self:
        """`text` as it reads in English."""
        made = super().__new__(cls, text)
        made.message, made.many, made.number, made.values, made.clauses = message, many, number, {}, ()
        return made

    def again(self, change: Callable[[str], str]) -> "Said":
        """The same with every value changed, e.g. with names taken out."""
        if self.clauses:
            return clauses(*(_changed(clause, change) for clause in self.clauses))
        values = {name: _changed(value, change) for name, value in self.values.items()}
        return _filled(self.message, self.many, self.number, values)


def said(message: str, /, **values: str) -> Said:
    """`message` with its named places filled."""
    return _filled(message, "", 1, values)


def said_of(number: int, one: str, many: str, /, **values: str) -> Said:
    """`one` if `number` is 1, else `many`; both may have the place `n`, which is the number unless `values` has it."""
    return _filled(one, many, number, {"n": f"{number:,}", **values})


def clauses(*parts: str) -> Said:
    """The parts in a row with semicolons between them; empty ones are left out."""
    kept = tuple(part for part in parts if part)
    made = Said("; ".join(kept))
    made.clauses = kept
    return made


def first_clause(text: str) -> str:
    """What stands before the first semicolon of ours."""
    return text.clauses[0] if isinstance(text, Said) and text.clauses else text


def other_clauses(text: str) -> tuple[str, ...]:
    """What follows the first clause."""
    return text.clauses[1:] if isinstance(text, Said) else ()


def _filled(message: str, many: str, number: int, values: Mapping[str, str]) -> Said:
    chosen = many if many and number != 1 else message
    made = Said(chosen.format(**values), message, many, number)
    made.values = values
    return made


def _changed(text: str, change: Callable[[str], str]) -> str:
    return text.again(change) if isinstance(text, Said) else change(text)
