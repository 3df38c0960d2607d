"""The scale of an axis: where a number stands between 0 and 1, and the ticks with their texts."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from recontool.report.still.marks import Axis, Mark

_SECOND: Final = 1000.0
_MINUTE: Final = 60 * _SECOND
_DAY: Final = 86_400 * _SECOND
_TIME_STEPS: Final = tuple(
    _SECOND * step for step in (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200)
) + tuple(_DAY * step for step in (1, 2, 7, 14, 28, 91, 182, 364))
_MOST_TICKS: Final = 6
_ROOM: Final = 1.04  # above the highest value


class Scale(Struct, frozen=True):
    """`low` stands at 0, `high` at 1; of a logarithmic scale both are powers of ten."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def share(self, value: float) -> float:
        """Where `value` stands; what is out of reach stands at the edge."""
        if self.log:
            value = math.log10(value) if value > 0 else self.low
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def scale(axis: Axis, marks: Sequence[Mark], letter: str) -> Scale:
    """The scale of an axis that shows all `marks`, or the range its settings ask for."""
    values = [value for mark in marks for value in _values(mark, letter)]
    given = axis.settings.get("range")
    if axis.kind == "category":
        return _of_names(axis)
    if axis.kind == "log" and given:
        low, high = float(given[0]), float(given[1])
        return Scale(low, high, _asked(axis.settings, low, high), log=True)
    if given:
        low, high = (axis.number(edge) or 0.0 for edge in given)
    else:
        low, high = min(values, default=0.0), max(values, default=1.0)
        if axis.kind != "date" and letter == "y":
            low, high = min(low, 0.0), high * _ROOM
    if high <= low:
        high = low + 1
    ticks = _times(low, high) if axis.kind == "date" else _numbers(low, high, whole=_is_whole(axis.settings))
    return Scale(low, high, tuple(((at - low) / (high - low), text) for at, text in ticks))


def _values(mark: Mark, letter: str) -> list[float]:
    if letter == "x":
        return [edge for box in mark.boxes for edge in box[:2]] + [at for at, _ in mark.points]
    return [edge for box in mark.boxes for edge in box[2:]] + [high for _, high in mark.points if high is not None]


def _of_names(axis: Axis) -> Scale:
    """Names from the bottom up; reversed ones from the top down, which a scale that falls does as well."""
    low, high = -0.5, len(axis.names) - 0.5
    if axis.settings.get("autorange") == "reversed":
        low, high = high, low
    ticks = tuple(((rank - low) / (high - low), name) for name, rank in axis.names.items())
    return Scale(low, high, ticks)


def _asked(settings: Mapping[str, Any], low: float, high: float) -> tuple[tuple[float, str], ...]:
    pairs = zip(settings["tickvals"], settings["ticktext"], strict=True)
    placed = [((math.log10(value) - low) / (high - low), str(text)) for value, text in pairs]
    return tuple((share, text) for share, text in placed if 0 <= share <= 1)


def _is_whole(settings: Mapping[str, Any]) -> bool:
    return settings.get("dtick") == 1 or settings.get("tickformat") == ",d"


def _numbers(low: float, high: float, *, whole: bool) -> list[tuple[float, str]]:
    rough = (high - low) / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    step = max(step, 1.0) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [(number * step, f"{round(number * step, 9):,g}") for number in range(first, math.floor(high / step) + 1)]


def _times(low: float, high: float) -> list[tuple[float, str]]:
    """Instants in UTC; days where the days are what differs."""
    step = next((step for step in _TIME_STEPS if (high - low) / step <= _MOST_TICKS), (high - low) / _MOST_TICKS)
    if step > _DAY * 182:
        pattern = "%Y-%m-%d"
    elif step >= _DAY:
        pattern = "%m-%d"
    elif high - low > _DAY:
        pattern = "%m-%d %H:%M"
    else:
        pattern = "%H:%M:%S" if step < _MINUTE else "%H:%M"
    first = math.ceil(low / step)
    return [
        (number * step, f"{datetime.fromtimestamp(number * step / 1000, UTC):{pattern}}")
        for number in range(first, math.floor(high / step) + 1)
    ]
