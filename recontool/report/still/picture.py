"""Draws a chart as a picture that needs no script and fits any width: marks in SVG, texts around them in HTML.

The drawing is stretched, lines and dots are not: a dot is a line of no length with a round end. Nothing a peer wrote
becomes markup: names are escaped, everything else is numbers and words of ours.
"""

from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any, Final, TypeAlias

from markupsafe import Markup, escape

from recontool.report.axes import Chart
from recontool.report.still.marks import Axis, Mark, axis_of, marks
from recontool.report.still.scale import Scale, scale

Placed: TypeAlias = tuple[int, int | None]  # a point in units of the drawing

FINE: Final = 8
COARSE: Final = 30
_WIDTH: Final = 1000
_AROUND: Final = 96  # pixels of a chart's height that its texts take
_EDGE: Final = 5  # room for half a dot
_NEAR: Final = 0.05  # of the width: a text so near an edge would be cut there
_DASHES: Final = {"dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 4", "longdashdot": "11 3 2 3"}
_PATTERNS: Final = {"/": "p-lines", ".": "p-dots", "-": "p-dots", "x": "p-lines"}


def picture(name: str, chart: Chart, grain: int = FINE) -> Markup:
    """The chart called `name` without scripts, to `grain` thousandths of its width; the figure around it holds its title, its sentence and its table."""
    axes = axis_of(chart, "x"), axis_of(chart, "y")
    drawn = marks(chart, *axes, _WIDTH // grain)
    x, y = scale(axes[0], drawn, "x"), scale(axes[1], drawn, "y")
    height = chart["layout"]["height"] - _AROUND
    place = _Place(x, y, height, grain)
    shapes = [*_grid(place), *_limits(chart["layout"], axes, place)]
    shapes += [shape for number, mark in enumerate(drawn) for shape in _drawn(mark, place, f"{name}-{number}")]
    named = [mark for mark in drawn if mark.title]
    keys = [*(_key(mark) for mark in named if len(named) > 1), *_limit_keys(chart["layout"])]
    return Markup(
        '<div class="still">{keys}<div class="plot" aria-hidden="true"><p class="over">{over}</p><div class="y">{left}</div>'
        '<svg height="{height}" viewBox="0 0 1000 {height}" preserveAspectRatio="none">{shapes}</svg>'
        '<div class="x">{below}</div><p class="under">{under}</p></div></div>'
    ).format(
        keys=Markup(f'<p class="keys">{"".join(keys)}</p>') if keys else "",  # noqa: S704 - each key is escaped
        over=_title(axes[1]),
        left=Markup("").join(_beside(y, height)),
        height=height,
        shapes=Markup("".join(shapes)),  # noqa: S704 - numbers and words of ours
        below=Markup("").join(_below(x)),
        under=_title(axes[0]),
    )


class _Place:
    """From the numbers of two scales to units of the drawing."""

    def __init__(self, x: Scale, y: Scale, height: int, grain: int) -> None:
        self.x, self.y, self.height, self.grain = x, y, height, grain

    def across(self, value: float) -> int:
        return round(_WIDTH * self.x.share(value))

    def down(self, value: float) -> int:
        return _down(self.y.share(value), self.height)


def _down(share: float, height: int) -> int:
    return round(height - _EDGE - (height - 2 * _EDGE) * share)


def _grid(place: _Place) -> Iterable[str]:
    lines = "".join(f"M0 {_down(share, place.height)}h{_WIDTH}" for share, _ in place.y.ticks)
    lines += "".join(f"M{round(_WIDTH * share)} 0v{place.height}" for share, _ in place.x.ticks)
    yield f'<path class="grid" d="{lines}"/>'


def _limits(layout: Mapping[str, Any], axes: tuple[Axis, Axis], place: _Place) -> Iterable[str]:
    """Dashed lines at documented limits and the shaded normal range."""
    for shape in layout.get("shapes", ()):
        if shape["type"] == "rect":
            low, high = (place.down(float(shape[edge])) for edge in ("y0", "y1"))
            colour = f"fill:{shape['fillcolor']};opacity:{shape['opacity']}"
            yield f'<path style="{colour}" d="M0 {high}h{_WIDTH}V{low}H0z"/>'
        elif shape.get("yref") == "paper":
            yield f'<path class="limit" d="M{place.across(axes[0].number(shape["x0"]) or 0.0)} 0v{place.height}"/>'
        else:
            yield f'<path class="limit" d="M0 {place.down(axes[1].number(shape["y0"]) or 0.0)}h{_WIDTH}"/>'


def _drawn(mark: Mark, place: _Place, known: str) -> Iterable[str]:
    """The shapes of a mark; one that is drawn twice, in its colour and in its pattern, is `known` by an id."""
    if mark.form == "boxes":
        path = "".join(_boxes(mark, place))
    elif mark.form == "dots":
        yield from _dots(mark, place)
        return
    else:
        path = _line(mark, place) + ("z" if mark.form == "area" else "")
    if not path.rstrip("z"):
        return
    if mark.form == "line":
        dash = f";stroke-dasharray:{_DASHES[mark.dash]}" if mark.dash in _DASHES else ""
        yield f'<path class="line" style="stroke:{mark.colour}{dash}" d="{path}"/>'
        return
    faint = f";opacity:{mark.opacity:g}" if mark.opacity < 1 else ""
    if mark.pattern:
        yield f'<g style="fill:{mark.colour}{faint}"><path id="{known}" d="{path}"/></g>'
        yield f'<use href="#{known}" style="fill:url(#{_PATTERNS[mark.pattern]})"/>'
    else:
        yield f'<path style="fill:{mark.colour}{faint}" d="{path}"/>'


def _boxes(mark: Mark, place: _Place) -> Iterable[str]:
    held: list[tuple[int, int, int, int]] = []
    for box in mark.boxes:
        left, right, bottom, top = (*map(place.across, box[:2]), *map(place.down, box[2:]))
        if mark.lying and held and held[-1][2:] == (bottom, top) and left - held[-1][1] <= place.grain // 4:
            held[-1] = held[-1][0], max(held[-1][1], right), bottom, top
        else:
            held.append((left, max(right, left + 1), bottom, top))
    for left, right, bottom, top in held:
        yield f"M{left} {top}h{right - left}v{bottom - top}h{left - right}z"


def _dots(mark: Mark, place: _Place) -> Iterable[str]:
    at = sorted({(place.across(x), place.down(y)) for x, y in mark.points if y is not None})
    if not at:
        return
    if "cross" in mark.symbol:  # a short stroke across the line
        path = "".join(f"M{x} {y - 5}v10" for x, y in at)
        yield f'<path class="line" style="stroke:{mark.colour}" d="{path}"/>'
        return
    path = "".join(f"M{x} {y}h0" for x, y in at)
    end = "round" if "circle" in mark.symbol or mark.symbol == "diamond" else "square"
    yield f'<path class="dots {end}" style="stroke:{mark.colour};stroke-width:{mark.size:g}" d="{path}"/>'
    if "open" in mark.symbol:
        yield f'<path class="dots {end}" style="stroke:var(--surface);stroke-width:{mark.size - 3:g}" d="{path}"/>'


def _line(mark: Mark, place: _Place) -> str:
    """One path from point to point, each told by its distance; it lifts the pen where there is no value."""
    pieces: list[str] = []
    before: tuple[int, int] | None = None
    for x, y in _thinned(mark, place):
        if y is None:
            before = None
            continue
        if before is None:
            pieces.append(f"M{x} {y}")
        elif (x, y) != before:
            pieces.append(_step(x - before[0], y - before[1], stepped=mark.stepped))
        before = x, y
    return "".join(pieces)


def _step(right: int, down: int, *, stepped: bool) -> str:
    if stepped or not right or not down:
        return (f"h{right}" if right else "") + (f"v{down}" if down else "")
    return f"l{right} {down}" if down > 0 else f"l{right}{down}"


def _thinned(mark: Mark, place: _Place) -> list[Placed]:
    placed: list[Placed] = [(place.across(x), None if y is None else place.down(y)) for x, y in mark.points]
    if mark.form != "line" or len(placed) <= _WIDTH // place.grain:
        return placed
    kept: list[Placed] = []
    for group in _grouped(placed, place.grain):
        known = [i for i, (_, y) in enumerate(group) if y is not None]
        telling = {0, len(group) - 1, *(pick(known, key=lambda i: group[i][1] or 0) for pick in (min, max) if known)}
        kept += [group[i] for i in sorted(telling)]
    return kept


def _grouped(placed: list[Placed], grain: int) -> Iterable[list[Placed]]:
    """Points that share a grain; of each group the first, the least, the most and the last are drawn."""
    group: list[Placed] = []
    for point in placed:
        if group and point[0] // grain != group[0][0] // grain:
            yield group
            group = []
        group.append(point)
    if group:
        yield group


def _limit_keys(layout: Mapping[str, Any]) -> Iterable[str]:
    for note in layout.get("annotations", ()):
        yield _named('<path class="limit" d="M0 6h22"/>', str(note["text"]))


def _key(mark: Mark) -> str:
    """A sample of the mark and its name."""
    if mark.form == "line":
        dash = f";stroke-dasharray:{_DASHES[mark.dash]}" if mark.dash in _DASHES else ""
        sample = f'<path class="line" style="stroke:{mark.colour}{dash}" d="M0 6h22"/>'
    elif mark.form == "dots":
        style = f"stroke:{mark.colour};stroke-width:8"
        sample = f'<path class="dots round" style="{style}" d="M11 6h0"/>'
    else:
        sample = f'<path style="fill:{mark.colour};opacity:{mark.opacity:g}" d="M3 1h16v10h-16z"/>'
        if mark.pattern:
            sample += f'<path style="fill:url(#{_PATTERNS[mark.pattern]})" d="M3 1h16v10h-16z"/>'
    return _named(sample, mark.title)


def _named(sample: str, title: str) -> str:
    return f'<span><svg width="22" height="12" aria-hidden="true">{sample}</svg> {_text(title)}</span>'


def _beside(y: Scale, height: int) -> Iterable[Markup]:
    for share, text in y.ticks:
        yield Markup('<span style="margin-top:{}px">{}</span>').format(round(_down(share, height)), _text(text))


def _below(x: Scale) -> Iterable[Markup]:
    """Texts under their places; every second one stands aside where there is little room."""
    for i, (share, text) in enumerate(x.ticks):
        kind = "inner" if i % 2 else "first" if share < _NEAR else "last" if share > 1 - _NEAR else ""
        named = Markup(' class="{}"').format(kind) if kind else ""
        yield Markup('<span{} style="left:{}%">{}</span>').format(named, round(100 * share, 1), _text(text))


def _title(axis: Axis) -> str:
    return str(axis.settings.get("title", {}).get("text", ""))


def _text(name: str) -> Markup:
    """A name as markup: charts hold names escaped for Plotly, which reads a little markup of its own."""
    return escape(unescape(name))
