"""What is wrong with a condition and where: column, caret, and what was probably meant."""

from collections.abc import Iterable

from recontool.model.errors import ReconError

_LONGEST_NAME = 64


class ConditionError(ReconError):
    """A condition that does not parse; `column` counts from 1."""

    slug = "condition"

    def __init__(self, reason: str, text: str, column: int, *, hint: str = "") -> None:
        self.reason, self.text, self.column = reason, text, column
        super().__init__(f"{reason}\n{shown(text, column)}", where=f"column {column}", hint=hint)


def shown(text: str, column: int) -> str:
    """The part of `text` around `column`, with a caret under it."""
    start = max(0, column - 60)
    part = "".join(char if char.isprintable() else " " for char in text[start : start + 100])
    return f"    {part}\n    {' ' * (column - 1 - start)}^"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names what is spelt like `name`, empty when nothing is."""
    if len(name) > _LONGEST_NAME:
        return ""
    import difflib  # for those who misspell

    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
