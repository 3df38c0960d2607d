"""The pieces a page is made of: sections, figures, tables and cells. Plain data; the template only lays it out.

Text in here is as the logs have it; hidden characters and markup are made harmless when it is rendered.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, TypeAlias

from markupsafe import Markup
from msgspec import Struct

from recontool.report.language import say

Tone: TypeAlias = Literal["", "critical", "warning", "ok", "muted"]
Kind: TypeAlias = Literal["text", "number", "code", "time", "prose"]

ROWS: Final = 200  # rows a table of the page shows; what is left out is counted
LITE_ROWS: Final = 5  # likewise of a small page
CHOICE: Final = 100  # rows of a list that is too long to be whole: a choice, worst first, that need not be long
_rows: ContextVar[int] = ContextVar("rows", default=ROWS)
TONES: Final[dict[str, Tone]] = {
    "CRITICAL": "critical",
    "WARNING": "warning",
    "INFO": "muted",
    "OK": "ok",
    "NO DATA": "muted",
    "outside": "warning",
    "ok": "ok",
    "no_data": "muted",
}


class Cell(Struct, frozen=True):
    """One cell of a table: text or an inline picture, with a link, a tone and what to sort it by."""

    text: str
    tone: Tone = ""
    href: str = ""
    sort: float | None = None
    picture: Markup | None = None


class Column(Struct, frozen=True):
    """A heading; numbers stand to the right, code in a fixed-width face."""

    title: str
    kind: Kind = "text"


class Row(Struct, frozen=True):
    """Cells in column order; `anchor` is the id other parts of the page link to.

    `span` is when it happened, first and last microsecond, for the choice of a stretch of time; `worker` is the
    anchor of the worker it is about.
    """

    cells: tuple[Cell, ...]
    anchor: str = ""
    span: tuple[int, int] | None = None
    worker: str = ""


class Table(Struct, frozen=True):
    """A table with a caption; `omitted` says in a sentence which rows are not shown."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    omitted: str = ""


class Lane(Struct, frozen=True):
    """One labelled row of a timeline picture; `anchor` is that of the worker it shows."""

    label: str
    picture: Markup
    anchor: str


class Strip(Struct, frozen=True):
    """Lanes over one time axis, with the ticks below them (position in percent, text) and a legend."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    states: tuple[tuple[str, str], ...]  # (state, its name) as they occur
    note: str


class Figure(Struct, frozen=True):
    """A picture with the sentence that states its finding, and its numbers as a table."""

    title: str
    caption: str
    chart: str = ""  # id of a Plotly figure in `charts`
    strip: Strip | None = None
    table: Table | None = None


class Section(Struct, frozen=True):
    """A part of the page. `empty` says why there is nothing to show and what to do about it."""

    anchor: str
    title: str
    lead: str = ""
    badge: str = ""
    tone: Tone = ""
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = ""
    folded: bool = False


class KeyNumber(Struct, frozen=True):
    """One of the six numbers of the first screen."""

    label: str
    value: str
    verdict: str
    tone: Tone
    limit: str
    detail: str
    trend: Markup
    href: str


class Headline(Struct, frozen=True):
    """One of the findings of the first screen, with the place that proves it."""

    severity: str
    sentence: str
    href: str
    where: str


class Page(Struct, frozen=True):
    """All that the page says. `sentence` and `rest` are the verdict: its first part and what follows it."""

    title: str
    severity: str
    tone: Tone
    sentence: str
    rest: str
    basis: tuple[tuple[str, str], ...]
    numbers: tuple[KeyNumber, ...]
    strip: Figure | None
    headlines: tuple[Headline, ...]
    no_headlines: str
    sections: tuple[Section, ...]
    version: str
    extent: tuple[int, int] = (0, 1)  # first and last microsecond of the timeline


@contextmanager
def at_most(rows: int) -> Iterator[None]:
    """Tables and timelines made inside show at most `rows` rows."""
    before = _rows.set(rows)
    try:
        yield
    finally:
        _rows.reset(before)


def most_rows(of: int = 0) -> int:
    """How many rows a table shows; of a list of `of` rows that cannot be whole anyway, the first `CHOICE` at most."""
    most = _rows.get()
    return min(most, CHOICE) if of > most else most


def cells(*texts: str) -> tuple[Cell, ...]:
    """Plain cells."""
    return tuple(Cell(text) for text in texts)


def columns(*titles: str) -> tuple[Column, ...]:
    """Headings in the language in force: `#` in front makes a column of numbers, a backquote one of code, `~` one of sentences."""
    kinds: dict[str, Kind] = {"#": "number", "`": "code", "~": "prose"}
    return tuple(
        Column(say(title.lstrip("#`~")), "time" if title.endswith("(UTC)") else kinds.get(title[0], "text"))
        for title in titles
    )


def table(
    caption: str,
    titles: Sequence[Column],
    rows: Sequence[Row],
    *,
    of: int = 0,
    what: str = "rows",
    whole: bool = False,
    where: str = "the JSON output lists them",
) -> Table:
    """A table of at most `most_rows(of)` rows unless it must be `whole`; `of` is how many there are if `rows` is a choice.

    What is left out is counted, called `what`, and stands `where`.
    """
    total = max(of, len(rows))
    shown = tuple(rows if whole else rows[: most_rows(total)])
    left = total - len(shown)
    omitted = ""
    if left:
        omitted = say("{n} more {what} are not shown here; {where}.", n=f"{left:,}", what=say(what), where=say(where))
    return Table(caption, tuple(titles), shown, omitted)


def evidence(lines: Sequence[str], most: int = 3) -> str:
    """The first few evidence lines; the rest as a number."""
    if not lines:
        return "-"
    rest = len(lines) - most
    named = ", ".join(lines[:most])
    return say("{named} and {n} more", named=named, n=f"{rest:,}") if rest > 0 else named
