"""Turns numbers into text with their unit: durations, instants, metric values and limits, the same everywhere."""

import math
from collections.abc import Mapping
from typing import Final

from recontool.model.catalogue import CATALOGUE, UNIT_TEXT, Metric
from recontool.model.findings import MetricValue
from recontool.model.instant import to_datetime
from recontool.model.units import SECOND_US
from recontool.report.language import inside, say, several

NOTHING: Final = "-"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
_KIBI: Final = 1024
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_TEN: Final = 10
_HUNDRED: Final = 100
_ALMOST_ONE: Final = 0.99995  # from here on four decimals would read 1.0000


def count(value: float) -> str:
    """A count with thousands separators."""
    return f"{round(value):,}"


def counted(value: float, one: str, many: str = "") -> str:
    """A count and its noun: `1 outage`, `2 outages`."""
    return several(value, f"{{n}} {one}", f"{{n}} {many or one + 's'}", n=count(value))


def sentence(text: str) -> str:
    """`text` with a capital first letter and no full stop, ready to be continued."""
    return (text[:1].upper() + text[1:]).removesuffix(".")


def lasted(duration_us: int | None, *, in_order: bool) -> str:
    """How long an outage took; of one that no log ends, whether its process had been told to stop."""
    if duration_us is not None:
        return duration(duration_us)
    return say("stopped in order") if in_order else say("still open")


def duration(duration_us: int) -> str:
    """A duration in the two units that matter: 350 ms, 27.4 s, 2 min 13 s, 1 h 05 min, 2 d 03 h."""
    total_s = duration_us / SECOND_US
    if total_s < 1:
        return f"{duration_us / 1000:.0f} ms"
    if total_s < _TEN:
        return f"{total_s:.2f} s"
    if total_s < _MINUTE:
        return f"{total_s:.1f} s"
    whole = round(total_s)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02d} h"


def size(size_bytes: float) -> str:
    """A size in bytes, KiB, MiB or GiB."""
    if size_bytes < _KIBI:
        return f"{size_bytes:,.0f} {say('bytes')}"
    for unit in ("KiB", "MiB"):
        size_bytes /= _KIBI
        if size_bytes < _KIBI:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / _KIBI:,.1f} GiB"


def clock(at_us: int) -> str:
    """Time of day in UTC, to the second."""
    return f"{to_datetime(at_us):%H:%M:%S}"


def moment(at_us: int) -> str:
    """Date and time in UTC, to the second."""
    return to_datetime(at_us).isoformat(" ", "seconds")[:19]


def span(first_us: int, last_us: int) -> str:
    """Two instants in UTC; the date is not repeated when it stays the same."""
    first, last = to_datetime(first_us), to_datetime(last_us)
    end = clock(last_us) if first.date() == last.date() else moment(last_us)
    return say("{start} to {end} UTC", start=moment(first_us), end=end)


def percent(part: float, whole: float) -> str:
    """The share of `part`; a part that exists never reads 0 %."""
    share = 100.0 * part / whole if whole else 0.0
    if not share:
        return "0 %"
    if 0 < share < 0.01:  # noqa: PLR2004 - below what two decimals can show
        return "<0.01 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %"


def value(metric: Metric, amount: float | None) -> str:
    """A metric's value with its unit; `-` when there is none."""
    if amount is None or not math.isfinite(amount):
        return NOTHING
    unit = unit_of(metric)
    if metric.unit in ("count", "messages"):
        return count(amount)
    if metric.unit == "ratio":
        return _ratio(amount)
    if metric.unit == "bytes":
        return f"{amount:,.0f} {unit}" if amount >= _HUNDRED or amount == int(amount) else f"{amount:.1f} {unit}"
    text = _significant(amount)
    return f"{text}{unit}" if metric.unit in ("x", "per_min") else f"{text} {unit}".rstrip()


def bounds(metric: Metric, metrics: Mapping[str, MetricValue]) -> tuple[float | None, float | None]:
    """The normal range in the metric's own unit; relative ends need the base metric's value, else None."""
    low, high = metric.normal.low, metric.normal.high
    if not metric.normal.relative_to:
        return low, high
    base = metrics.get(metric.normal.relative_to)
    if base is None or base.value is None:
        return None, None
    return (None if low is None else low * base.value), (None if high is None else high * base.value)


def limit(metric: Metric, metrics: Mapping[str, MetricValue]) -> str:
    """The normal range as text: `0.5 to 3 s`, `≥ 0.95`, `≤ 10 s`; `-` when there is none."""
    low, high = bounds(metric, metrics)
    if metric.unit == "count":  # whole numbers inside the range, which are what a count is compared with
        low, high = (None if low is None else math.ceil(low)), (None if high is None else math.floor(high))
    unit = unit_of(metric)
    if low is not None and high is not None:
        text = say("{low} to {high}", low=_short(low), high=_short(high))
    elif low is not None:
        text = f"≥ {_short(low)}"
    elif high is not None:
        text = f"≤ {_short(high)}"
    else:
        return NOTHING
    return f"{text}{unit}" if metric.unit == "x" else f"{text} {unit}".rstrip()


def limit_rule(metric: Metric) -> str:
    """The documented range, with factors where it is relative, e.g. to the messages sent."""
    normal = metric.normal
    if not normal.relative_to:
        return limit(metric, {})
    base = inside(say(CATALOGUE[normal.relative_to].title))
    ends = [f"{end:g}" for end in (normal.low, normal.high) if end is not None]
    sign = "" if len(ends) > 1 else "≥ " if normal.low is not None else "≤ "
    reach = say("{low} to {high}", low=ends[0], high=ends[1]) if len(ends) > 1 else ends[0]
    return f"{sign}{reach} {TIMES} {base}"


def standing(found: MetricValue) -> str:
    """The verdict word of one metric."""
    if found.status == "outside":
        return {"low": say("too low"), "high": say("too high"), "": say("outside")}[found.side]
    if found.status == "no_data":
        return say("no data")
    return say("better") if found.side else say("ok")


def unit_of(metric: Metric) -> str:
    """The unit behind a value; "" for none."""
    unit = UNIT_TEXT[metric.unit]
    return say(unit) if unit == "bytes" else unit


def _ratio(amount: float) -> str:
    # 0.99998 must not read as 1.0000: "never lost anything" is a different statement.
    return "0.9999" if _ALMOST_ONE <= amount < 1 else f"{amount:.4f}"


def _significant(amount: float) -> str:
    size = abs(amount)
    if size >= _HUNDRED:
        return f"{amount:,.1f}"
    if size >= 1:
        return f"{amount:.2f}"
    return f"{amount:.3f}"


def _short(end: float) -> str:
    return f"{end:,.4f}".rstrip("0").rstrip(".")
