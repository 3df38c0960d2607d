"""The terminal at hand: how wide it is, whether it has colours and more than ASCII, and how lines are fitted to it."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from recontool.report.plain import columns, plain, shortened

LABEL: Final = 10  # columns of the label in front of a line
_COLOURS: Final = {
    "CRITICAL": "1;31",
    "WARNING": "1;33",
    "OK": "1;32",
    "NO DATA": "1;35",
    "outside": "31",
    "dim": "2",
    "bold": "1",
}
_ASCII: Final = str.maketrans({"≥": ">=", "≤": "<=", "…": "~"})
_UNITS: Final = re.compile(r"(?<=\d) (?=(?:ms|s|min|h|d|bytes|%)\b)")
_BOUND: Final = "\N{NO-BREAK SPACE}"  # a number and its unit stay on one line
_NAME_ROOM: Final = 8  # a column of names keeps at least this


class Screen(Struct, frozen=True):
    """How text may be put on the screen at hand."""

    width: int
    color: bool
    ascii_only: bool

    def show(self, text: str) -> str:
        """`text` without anything hidden in it, in the characters this screen has."""
        return plain(text.translate(_ASCII) if self.ascii_only else text, ascii_only=self.ascii_only)

    def paint(self, text: str, tone: str) -> str:
        """`text` in the colour of `tone`, where colours are wanted."""
        return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m" if self.color and tone in _COLOURS else text

    def wrapped(self, label: str, text: str, most: int) -> list[str]:
        """`label` and `text` on at most `most` lines; what does not fit ends in an ellipsis after a whole word."""
        lines = textwrap.wrap(
            _UNITS.sub(_BOUND, self.show(text)),
            self.width,
            initial_indent=label.ljust(LABEL) if label else "",
            subsequent_indent=" " * (LABEL if label else 0),
            max_lines=most,
            placeholder=" ..." if self.ascii_only else " …",
            break_on_hyphens=False,
        )
        return [line.replace(_BOUND, " ") for line in lines]

    def rows(self, table: Sequence[Sequence[str]], right: frozenset[int], tones: Sequence[str]) -> list[str]:
        """`table` in aligned columns; those in `right` are numbers and keep their width, names give way."""
        shown = [[self.show(cell) for cell in row] for row in table]
        widths = self._widths(shown, right)
        return [
            self.paint("  ".join(self._cells(row, widths, right)).rstrip(), tone)
            for row, tone in zip(shown, tones, strict=True)
        ]

    def short(self, text: str, room: int) -> str:
        """A name in at most `room` columns, safe to show."""
        return shortened(self.show(text), room, ellipsis="~" if self.ascii_only else "…")

    def _widths(self, table: list[list[str]], right: frozenset[int]) -> list[int]:
        widths = [max(columns(row[i]) for row in table) for i in range(len(table[0]))]
        excess = sum(widths) + 2 * (len(widths) - 1) - self.width
        for flexible in reversed(range(len(widths))):
            if excess > 0 and flexible not in right:
                given = min(excess, max(widths[flexible] - _NAME_ROOM, 0))
                widths[flexible] -= given
                excess -= given
        return widths

    def _cells(self, row: list[str], widths: list[int], right: frozenset[int]) -> Iterator[str]:
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            fitted = cell if i in right else self.short(cell, width)
            padding = " " * (width - columns(fitted))
            yield padding + fitted if i in right else fitted + padding
