"""A comparison as markdown, e.g. for a change request: the verdict, one table, what it rests on."""

from collections.abc import Sequence
from typing import Final

from recontool.model.comparison import Comparison
from recontool.report.comparison import wording
from recontool.report.plain import plain

_QUOTE: Final = "\N{MODIFIER LETTER APOSTROPHE}"  # stands for a backquote


def markdown(comparison: Comparison) -> str:
    """The text, ending without a newline."""
    rows = [
        (
            code(one.measure),
            wording.value(one, one.base),
            wording.value(one, one.new),
            wording.change(one),
            wording.interval(one),
            wording.effect(one),
            f"**{wording.verdict(one)}**" if one.verdict == "worse" else wording.verdict(one),
            one.reason,
        )
        for one in wording.ranked(comparison)
    ]
    head = ("measure", "base", "new", "change", "95 % interval", "effect", "verdict", "note")
    return "\n".join(
        [
            f"### {comparison.severity}: {comparison.sentence}",
            "",
            *table(head, rows),
            "",
            f"- base {code(comparison.base.name)}: {wording.side(comparison.base)}",
            f"- new {code(comparison.new.name)}: {wording.side(comparison.new)}",
            f"- {wording.method(comparison)}",
        ]
    )


class Code(str):
    """Markdown that is safe in a cell already: code spans of ours."""

    __slots__ = ()


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The lines of a markdown table."""
    lines = [head, tuple("---" for _ in head), *(tuple(_cell(text) for text in row) for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def code(*texts: str) -> Code:
    """What peers or file names may hold, as code that cannot end early, with commas between."""
    return Code(", ".join(f"`{plain(text).replace('`', _QUOTE)}`" for text in texts))


def _cell(text: str) -> str:
    """`text` so that it stays in its cell and carries no markup of its own."""
    if not isinstance(text, Code):
        text = plain(text).replace("\\", "\\\\").replace("<", "&lt;").replace("`", _QUOTE)
    return text.replace("|", "\\|")
