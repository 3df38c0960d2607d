"""Turns instants into text and back: integer microseconds since the Unix epoch, always UTC.

Integers, because a float second cannot hold every microsecond of this century.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from recontool.model.errors import UsageError
from recontool.model.units import DAY_US, MINUTE_US, SECOND_US

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY, _LAST_DAY = (datetime.min.replace(tzinfo=UTC) - EPOCH).days, (datetime.max.replace(tzinfo=UTC) - EPOCH).days
_TWO = [f"{number:02d}" for number in range(60)]

_FEW_HOURS_MIN = 120
_FEW_DAYS_H = 48
_MICROSECOND = timedelta(microseconds=1)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION_US = {"ms": 1_000, "s": SECOND_US, "m": MINUTE_US, "h": 60 * MINUTE_US, "d": DAY_US}


def zone_named(name: str, where: str) -> tzinfo:
    """The IANA zone of that name.

    Raises:
        UsageError: there is none; `where` is the option that named it.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # reads how Python was built

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        problem = f"unknown time zone {name!r}, expected an IANA name such as Europe/Berlin"
        raise UsageError(problem, where=where) from None


def from_datetime(at: datetime) -> int:
    """Microseconds of a zone-aware `at`; TypeError when it carries no zone."""
    return (at - EPOCH) // _MICROSECOND


def to_datetime(at_us: int) -> datetime:
    """The zone-aware UTC datetime of `at_us`; the nearest there is where that lies outside the years 1 to 9999."""
    return EPOCH + timedelta(microseconds=min(max(at_us, _FIRST_DAY * DAY_US), (_LAST_DAY + 1) * DAY_US - 1))


def iso(at_us: int) -> str:
    """`at_us` as RFC 3339 with microseconds and `Z`: 2026-11-24T10:15:32.123456Z."""
    day, rest_us = divmod(at_us, DAY_US)
    second, micro = divmod(rest_us, SECOND_US)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{_day(day)}{_TWO[hour]}:{_TWO[minute]}:{_TWO[second]}.{micro:06d}Z"


@lru_cache(maxsize=64)
def _day(day: int) -> str:
    """A day since the epoch, up to the T; answers hold thousands of instants of few days."""
    return (EPOCH + timedelta(days=min(max(day, _FIRST_DAY), _LAST_DAY))).isoformat()[:11]


def spelled(duration_us: int) -> str:
    """A duration in the unit that reads best: 67.6 s, 12.5 min, 9 h 17 min, 3 d 04 h."""
    if duration_us < 2 * MINUTE_US:
        return f"{seconds(duration_us):.3g} s"
    minutes = duration_us // MINUTE_US
    if minutes < _FEW_HOURS_MIN:
        return f"{seconds(duration_us) / 60:.1f} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60:02d} min" if hours < _FEW_DAYS_H else f"{hours // 24} d {hours % 24:02d} h"


def seconds(duration_us: int) -> float:
    """A duration in seconds, exact to the microsecond when printed."""
    return duration_us / SECOND_US


def parse_duration(text: str) -> int | None:
    """Microseconds of `250ms`, `30s`, `5m`, `1h30m`; None when `text` is no duration."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return round(sum(float(number) * _DURATION_US[unit] for number, unit in parts))
