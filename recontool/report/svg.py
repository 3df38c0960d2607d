"""Draws the small pictures that need no script: timeline strips and trend lines, as inline SVG markup.

Nothing a peer wrote goes into the markup: only numbers and words of ours, so it may be marked as safe.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from recontool.model.findings import WorkerResult
from recontool.report import timeline
from recontool.report.timeline import Cell

RESOLUTION: Final = 720  # cells of a strip, unless there would be too many pieces
_FEWEST_CELLS: Final = 90
_STRIP_WIDTH: Final = 1000
_TREND_WIDTH: Final = 120
_TREND_HEIGHT: Final = 28
_EDGE: Final = 3  # room for the line's thickness

# Height and offset of each state as a share of the row: shape says what colour says.
_SHAPES: Final[dict[Cell, tuple[int, int]]] = {
    "up": (100, 0),
    "partly": (65, 35),
    "down": (100, 0),
    "unknown": (100, 0),
    "connecting": (40, 30),
}
PATTERNS: Final = Markup(
    '<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="p-down" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" class="f-down"/><rect width="1.4" height="5" class="f-down-line"/></pattern>'
    '<pattern id="p-unknown" width="4" height="4" patternUnits="userSpaceOnUse">'
    '<rect width="4" height="4" class="f-unknown"/><circle cx="2" cy="2" r="0.9" class="f-unknown-dot"/></pattern>'
    '<pattern id="p-lines" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="1.5" height="6" class="f-over"/></pattern>'
    '<pattern id="p-dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<circle cx="3" cy="3" r="1" class="f-over"/></pattern>'
    "</defs></svg>"
)


def resolution(workers: Sequence[WorkerResult], start_us: int, end_us: int, most_pieces: int) -> int:
    """How many cells a strip of these workers gets, so that the page stays small however much happened."""
    number = RESOLUTION
    while number > _FEWEST_CELLS:
        pieces = sum(len(runs(timeline.cells(worker, start_us, end_us, number))) for worker in workers)
        if pieces <= most_pieces:
            break
        number //= 2
    return number


def strip(worker: WorkerResult, start_us: int, end_us: int, number: int, height: int) -> Markup:
    """One worker's states over time, `height` pixels high and as wide as there is room."""
    shapes: dict[Cell, list[str]] = {}
    for state, first, last in runs(timeline.cells(worker, start_us, end_us, number)):
        if state in _SHAPES:
            left, right = (round(_STRIP_WIDTH * edge / number) for edge in (first, last))
            tall, top = (round(share * height / 100) for share in _SHAPES[state])
            # A thick line needs a third of the characters of a box.
            shapes.setdefault(state, []).append(f"M{left} {_round(top + tall / 2)}h{right - left}")
    paths = "".join(
        f'<path class="s-{state}" stroke-width="{round(_SHAPES[state][0] * height / 100)}" d="{"".join(pieces)}"/>'
        for state, pieces in shapes.items()
    )
    return Markup(  # noqa: S704 - built from numbers and our own words only
        f'<svg class="strip" height="{height}" viewBox="0 0 {_STRIP_WIDTH} {height}" preserveAspectRatio="none"'
        f' aria-hidden="true">{paths}</svg>'
    )


def runs(found: Sequence[Cell]) -> list[tuple[Cell, int, int]]:
    """Neighbouring cells of one state as (state, first, one past the last)."""
    joined: list[tuple[Cell, int, int]] = []
    for i, state in enumerate(found):
        if joined and joined[-1][0] == state:
            joined[-1] = (state, joined[-1][1], i + 1)
        else:
            joined.append((state, i, i + 1))
    return joined


def trend(values: Sequence[float | None], limit: float | None = None, *, bars: bool = False) -> Markup:
    """A small line (or bars, for counts) over time, with a dashed line at `limit` when it is in reach."""
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - one point is no trend
        return Markup("")
    low, high = min(known), max(known)
    if limit is not None and low - (high - low) <= limit <= high + (high - low):
        low, high = min(low, limit), max(high, limit)
    if bars:
        low = 0.0
    drawn = _bars(values, low, high) if bars else _line(values, low, high)
    if limit is not None and low <= limit <= high and high > low:
        y = _height(limit, low, high)
        drawn += f'<line class="t-limit" x1="0" x2="{_TREND_WIDTH}" y1="{y}" y2="{y}"/>'
    return Markup(  # noqa: S704 - built from numbers only
        f'<svg class="trend" viewBox="0 0 {_TREND_WIDTH} {_TREND_HEIGHT}" preserveAspectRatio="none"'
        f' aria-hidden="true">{drawn}</svg>'
    )


def _line(values: Sequence[float | None], low: float, high: float) -> str:
    """One path; it lifts the pen where there is no value."""
    step = _TREND_WIDTH / max(len(values) - 1, 1)
    path, pen = [], "M"
    for i, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{_round(i * step)} {_height(value, low, high)}")
        pen = "L"
    return f'<path class="t-line" d="{"".join(path)}"/>'


def _bars(values: Sequence[float | None], low: float, high: float) -> str:
    step = _TREND_WIDTH / len(values)
    bars = []
    for i, value in enumerate(values):
        if value:
            top = _height(value, low, high)
            size = _round(_TREND_HEIGHT - float(top))
            bars.append(f"M{_round(i * step)} {_TREND_HEIGHT}v-{size}h{_round(max(step - 0.6, 1.0))}v{size}z")
    return f'<path class="t-bars" d="{"".join(bars)}"/>'


def _height(value: float, low: float, high: float) -> str:
    room = _TREND_HEIGHT - 2 * _EDGE
    share = (value - low) / (high - low) if high > low else 0.5
    return _round(_EDGE + room * (1 - share))


def _round(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
