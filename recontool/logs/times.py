"""Times as structured logs write them, ISO 8601 or a number since 1970, into microseconds; and numbers as JSON writes them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from recontool.model.errors import BadFieldError
from recontool.model.instant import from_datetime
from recontool.model.units import SECOND_US

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(?:[Zz]|([+-])(\d\d):?(\d\d))?", re.ASCII
)
_ZONED: Final = frozenset("Zz")
_SINCE_1970: Final = re.compile(r"-?\d{1,19}(?:\.\d{1,18})?", re.ASCII)
_NUMBER: Final = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?)(\d+))?", re.ASCII)
_FIRST_US: Final = -62_135_596_800 * SECOND_US  # year 1
_END_US: Final = 253_402_300_800 * SECOND_US  # year 10000
# (digits before the point up to which a number is in the unit, digits to move the point by for microseconds):
# seconds until 5138, then ms, us, ns.
_UNITS: Final = ((11, 6), (14, 3), (17, 0))
_NANOSECONDS: Final = -3
_MOST_DIGITS: Final = 18  # of microseconds that a year below 10000 has
_INT64: Final = range(-(2**63), 2**63)
_INT64_DIGITS: Final = 19
_ENDLESS: Final = 10**9  # more digits than any line has
_ENDLESS_DIGITS: Final = 9


def micros(text: str, zone: tzinfo = UTC, *, number: bool = False) -> int:
    """Microseconds of a time: ISO 8601 text, or a number since 1970 in s, ms, us or ns, told by its size.

    Args:
        text: as it stands on the line; zone: that of times without one; number: it is a JSON number.

    Raises:
        BadFieldError: it is neither, or no such time exists.
    """
    at_us = _since_1970(text) if number or _SINCE_1970.fullmatch(text) else _iso(text, zone)
    if at_us is None or not _FIRST_US <= at_us < _END_US:
        raise BadFieldError(f"time is {text[:80]!r}, expected ISO 8601 or a number of s, ms, us or ns since 1970")
    return at_us


def whole_number(text: str) -> int | None:
    """The integer a JSON number such as `7`, `7.0` or `7e2` is; None when it is none or has more than 64 bits."""
    negative, digits, point = _decimal(text)
    if not digits:
        return 0
    if len(digits) > point or point > _INT64_DIGITS:
        return None
    value = int(digits.ljust(point, "0"))
    value = -value if negative else value
    return value if value in _INT64 else None


def _iso(text: str, zone: tzinfo) -> int | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    try:
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    except ValueError:  # no such day or hour
        return None
    part_us = int((fraction or "").ljust(6, "0")[:6])
    if sign:
        if int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004
            return None
        ahead = timedelta(hours=int(hours), minutes=int(minutes)) // timedelta(microseconds=1)
        return from_datetime(at) + part_us + (ahead if sign == "-" else -ahead)
    return from_datetime(at if text[-1] in _ZONED else at.replace(tzinfo=zone)) + part_us


def _since_1970(text: str) -> int | None:
    negative, digits, point = _decimal(text)
    if not digits:
        return 0
    kept = point + next((shift for most, shift in _UNITS if point <= most), _NANOSECONDS)
    if negative or kept > _MOST_DIGITS:
        return None
    return int(digits[:kept].ljust(kept, "0")) if kept > 0 else 0


def _decimal(text: str) -> tuple[bool, str, int]:
    """(negative, digits, point): the number is 0.DIGITS times ten to the power of `point`; no digits is zero.

    Digits and not a Decimal: those are rounded, and 1e999999999 would fill the memory.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no number")
    minus, whole, fraction, down, exponent = match.groups()
    exponent = (exponent or "").lstrip("0")
    power = int(exponent or "0") if len(exponent) <= _ENDLESS_DIGITS else _ENDLESS
    digits = (whole + (fraction or "")).lstrip("0")
    point = len(digits) - len(fraction or "") + (-power if down == "-" else power)
    return bool(minus), digits.rstrip("0"), point
