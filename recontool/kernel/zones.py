"""Writes a time zone as the steps of its clocks, so that the compiled core needs no zone data of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Final

from recontool.model.instant import EPOCH

# Zones had one offset each before 1800; from 2100 on they follow rules, which the calendar repeats every 400 years.
_FIRST_YEAR: Final = 1800
_RULED: Final = 2110
_CYCLE: Final = 28  # years that hold every kind of year: of each weekday it begins with, leap or not
_END_YEAR: Final = _RULED + 400
_STRIDE: Final = timedelta(days=3)  # no zone has changed its clocks forth and back within it
_SECOND: Final = timedelta(seconds=1)


@cache
def steps(zone: tzinfo) -> list[int]:
    """Pairs of words: wall clock seconds since 1970, and how many seconds ahead of UTC clocks are from then on.

    The last pair says where the table ends. A time that clocks show twice is the first of the two; one that they skip
    is read as if they had not been set yet, as `datetime` does.
    """
    first = _new_year(_FIRST_YEAR)
    found = [_wall(first), _ahead(zone, first)]
    ruled: dict[tuple[int, int], dict[timedelta, int]] = {}  # changes of a kind of year, by time since new year
    for at in _changes(zone, first, _new_year(_RULED + _CYCLE)):
        found += (_wall(at), _ahead(zone, at))
        if at.year >= _RULED:
            ruled.setdefault(_kind(at.year), {})[at - _new_year(at.year)] = found[-1]
    for year in range(_RULED + _CYCLE, _END_YEAR):
        new_year, changes = _new_year(year), ruled.get(_kind(year), {})
        found += [word for after, ahead in changes.items() for word in (_wall(new_year + after), ahead)]
    return [*found, _wall(_new_year(_END_YEAR)), 0]


def _changes(zone: tzinfo, before: datetime, end: datetime) -> Iterator[datetime]:
    """The wall clock times in between at which the offset is another one than a second ago."""
    ahead = _ahead(zone, before)
    while before < end:
        at = min(before + _STRIDE, end)
        later = _ahead(zone, at)
        if later != ahead:
            low, high = before, at
            while high - low > _SECOND:
                middle = low + (high - low) // _SECOND // 2 * _SECOND
                low, high = (middle, high) if _ahead(zone, middle) == ahead else (low, middle)
            yield high
        before, ahead = at, later


def _ahead(zone: tzinfo, wall: datetime) -> int:
    offset = wall.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else offset // _SECOND


def _wall(at: datetime) -> int:
    return (at - EPOCH) // _SECOND


def _new_year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _kind(year: int) -> tuple[int, int]:
    """Weekday of its first day, and its length: years of one kind have the same calendar."""
    return _new_year(year).weekday(), (_new_year(year + 1) - _new_year(year)).days
