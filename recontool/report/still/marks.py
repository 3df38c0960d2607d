"""Turns the traces of a chart into marks in numbers: lines, dots, areas and boxes, no more of them than a picture shows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct, field

from recontool.report.axes import Chart

Form: TypeAlias = Literal["line", "dots", "area", "boxes"]
Point: TypeAlias = tuple[float, float | None]
Box: TypeAlias = tuple[float, float, float, float]  # left, right, bottom, top

_BAR_GAP: Final = 0.15


class Mark(Struct, frozen=True):
    """What one trace puts into the picture; colours are CSS values of ours, `title` is "" without a key."""

    form: Form
    title: str
    colour: str
    points: Sequence[Point] = ()
    boxes: Sequence[Box] = ()
    lying: bool = False  # boxes of a row stand in time order, and those closer than can be seen may be one
    stepped: bool = False
    dash: str = "solid"
    width: float = 2
    symbol: str = "circle"
    size: float = 6
    pattern: str = ""
    opacity: float = 1


class Axis(Struct, frozen=True):
    """How the values of one axis become numbers: instants to milliseconds, names to their rank."""

    settings: Mapping[str, Any]
    names: Mapping[str, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """date, log, category or linear."""
        return "category" if self.names else str(self.settings.get("type", "linear"))

    def number(self, value: Any) -> float | None:
        """The number of a value; None for none."""
        if value is None:
            return None
        if self.names:
            return float(self.names[value])
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() * 1000
        return float(value)


def axis_of(chart: Chart, letter: str) -> Axis:
    """The x or y axis of a chart."""
    settings = chart["layout"][f"{letter}axis"]
    values = [value for trace in chart["data"] for value in trace.get(letter, ())]
    if settings.get("type") == "date" or not any(isinstance(value, str) for value in values):
        return Axis(settings)
    named = settings.get("categoryarray") or dict.fromkeys(values)
    return Axis(settings, {name: rank for rank, name in enumerate(named)})


def marks(chart: Chart, x: Axis, y: Axis, most: int) -> list[Mark]:
    """The marks in the order in which they cover each other, each of about `most` points; lines have all of theirs."""
    traces, layout = chart["data"], chart["layout"]
    found: list[Mark] = []
    stacked = [trace for trace in traces if trace.get("stackgroup")]
    if stacked:
        found += _stack(stacked, x, y, most)
    upright = [t for t in traces if t["type"] == "bar" and t.get("orientation") != "h"]
    found += _bars(upright, x, y, str(layout.get("barmode", "group")))
    for trace in traces:
        if trace["type"] == "bar" and trace.get("orientation") == "h":
            found.append(_lying(trace, x, y, float(layout.get("bargap", _BAR_GAP))))
        elif trace["type"] == "scatter" and not trace.get("stackgroup"):
            found += _scatter(trace, x, y, most)
    return found


def _scatter(trace: Mapping[str, Any], x: Axis, y: Axis, most: int) -> Iterable[Mark]:
    line, marker = trace.get("line", {}), trace.get("marker", {})
    points = [
        (at, y.number(value))
        for value_x, value in zip(trace["x"], trace["y"], strict=True)
        if (at := x.number(value_x)) is not None
    ]
    title = str(trace.get("name", "")) if trace.get("showlegend", True) else ""
    if trace.get("fill") == "toself":
        fill, opacity = str(trace["fillcolor"]), float(trace.get("opacity", 1))
        yield Mark("area", title, fill, points, opacity=opacity)
        return
    if "lines" in trace["mode"]:
        colour, dash = str(line["color"]), str(line.get("dash", "solid"))
        yield Mark("line", title, colour, points, stepped=line.get("shape") == "hv", dash=dash)
        title = ""
    if "markers" in trace["mode"] and ("lines" not in trace["mode"] or len(points) <= most):
        shown = points[:: -(-len(points) // most) or 1]
        symbol, size = str(marker.get("symbol", "circle")), float(marker.get("size", 6))
        yield Mark("dots", title, str(marker["color"]), shown, symbol=symbol, size=size)


def _stack(traces: Sequence[Mapping[str, Any]], x: Axis, y: Axis, most: int) -> list[Mark]:
    """Areas on top of each other; of each group of neighbours the least and the most of the lowest is kept."""
    lowest = traces[0]["y"]
    kept = _telling(lowest, most)
    at = [x.number(traces[0]["x"][i]) or 0.0 for i in kept]
    below = [0.0] * len(kept)
    found = []
    for trace in traces:
        above = [low + (y.number(trace["y"][i]) or 0.0) for low, i in zip(below, kept, strict=True)]
        outline = [*_steps(at, above), *reversed(_steps(at, below))]
        pattern = str(trace.get("fillpattern", {}).get("shape", ""))
        found.append(Mark("area", str(trace["name"]), str(trace["fillcolor"]), outline, pattern=pattern))
        below = above
    return found


def _telling(values: Sequence[float], most: int) -> list[int]:
    group = -(-2 * len(values) // most)
    if group <= 2:  # noqa: PLR2004 - two of each group are kept anyway
        return list(range(len(values)))
    kept = {0, len(values) - 1}
    for start in range(0, len(values), group):
        part = range(start, min(start + group, len(values)))
        kept |= {min(part, key=lambda i: values[i]), max(part, key=lambda i: values[i])}
    return sorted(kept)


def _steps(at: Sequence[float], values: Sequence[float]) -> list[Point]:
    """The corners of a line of steps."""
    points: list[Point] = [(at[0], values[0])] if at else []
    for place, before, value in zip(at[1:], values, values[1:], strict=False):
        if value != before:
            points += [(place, before), (place, value)]
    return [*points, (at[-1], values[-1])] if at else points


def _bars(traces: Sequence[Mapping[str, Any]], x: Axis, y: Axis, mode: str) -> list[Mark]:
    """Upright bars: on top of each other or side by side."""
    found = []
    below: dict[float, float] = {}
    for order, trace in enumerate(traces):
        at = [x.number(value) or 0.0 for value in trace["x"]]
        gaps = [later - earlier for earlier, later in pairwise(at)]
        wide = float(trace.get("width") or min(gaps, default=1.0) * (1 - _BAR_GAP))
        share = wide / len(traces) if mode == "group" else wide
        boxes = []
        for place, value in zip(at, trace["y"], strict=True):
            height = y.number(value)
            if not height:
                continue
            left = place - wide / 2 + (share * order if mode == "group" else 0)
            low = below.get(place, 0.0) if mode == "stack" else 0.0
            below[place] = low + height
            boxes.append((left, left + share, low, low + height))
        found.append(_boxes(trace, boxes))
    return found


def _lying(trace: Mapping[str, Any], x: Axis, y: Axis, gap: float) -> Mark:
    half = float(trace.get("width") or 1 - gap) / 2
    boxes = []
    for base, length, name in zip(trace["base"], trace["x"], trace["y"], strict=True):
        start, middle = x.number(base) or 0.0, y.number(name) or 0.0
        boxes.append((start, start + float(length), middle - half, middle + half))
    return _boxes(trace, boxes, lying=True)


def _boxes(trace: Mapping[str, Any], boxes: Sequence[Box], *, lying: bool = False) -> Mark:
    marker = trace["marker"]
    title = str(trace.get("name", "")) if trace.get("showlegend", True) else ""
    pattern = str(marker.get("pattern", {}).get("shape", ""))
    return Mark("boxes", title, str(marker["color"]), boxes=boxes, lying=lying, pattern=pattern)
