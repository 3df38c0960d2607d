"""Which events are wanted: a window of time, workers, markers."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from recontool.api.events import iter_events
from recontool.api.sources import DEFAULT, Reading
from recontool.model.errors import UsageError
from recontool.model.events import Event
from recontool.model.instant import from_datetime, parse_duration
from recontool.model.markers import Marker


class Selection(Struct, frozen=True):
    """Wanted events: `since_us` <= time <= `until_us`; empty sets want all."""

    since_us: int | None = None
    until_us: int | None = None
    last_us: int | None = None  # trailing window before the last event
    workers: frozenset[str] = frozenset()
    markers: frozenset[str] = frozenset()

    def wants(self, event: Event) -> bool:
        """Whether `event` is wanted; the trailing window must have been turned into `since_us` before."""
        if (self.since_us is not None and event.at_us < self.since_us) or (
            self.until_us is not None and event.at_us > self.until_us
        ):
            return False
        return (not self.workers or event.source in self.workers) and (not self.markers or event.marker in self.markers)


def selection(
    *,
    since: str | None = None,
    until: str | None = None,
    last: str | None = None,
    workers: Sequence[str] = (),
    markers: Sequence[str] = (),
    zone: tzinfo = UTC,
) -> Selection:
    """A selection from what a user typed.

    Raises:
        UsageError: a time, duration or marker does not parse.
    """
    last_us = parse_duration(last) if last is not None else None
    if last is not None and last_us is None:
        raise UsageError(f"{last!r} is no duration, expected e.g. 30s, 15m, 1h30m", where="--last")
    wanted = frozenset(marker.upper() for marker in markers)
    unknown = sorted(wanted - {marker.value for marker in Marker})
    if unknown:
        raise UsageError(f"unknown marker {unknown[0]!r}; known: {', '.join(Marker)}", where="--marker")
    return Selection(
        _instant(since, "--since", zone), _instant(until, "--until", zone), last_us, frozenset(workers), wanted
    )


def select_events(paths: Sequence[str], wanted: Selection, reading: Reading = DEFAULT) -> Iterator[tuple[str, Event]]:
    """(file, event) of the wanted events, file by file.

    Raises:
        UsageError, NoDataError: as `iter_events`; stdin cannot be read twice for a trailing window.
    """
    wanted = resolved(paths, wanted, reading)
    return ((file, event) for file, event in iter_events(paths, reading) if wanted.wants(event))


def resolved(paths: Sequence[str], wanted: Selection, reading: Reading = DEFAULT) -> Selection:
    """`wanted` with its trailing window turned into a time, seen from the last event of all inputs.

    Raises:
        UsageError: stdin cannot be read twice.
    """
    if wanted.last_us is None:
        return wanted
    if "-" in paths:
        raise UsageError("--last needs to read the input twice, stdin can be read once", where="--last")
    ends = max((event.at_us for _, event in iter_events(paths, reading)), default=0)
    return replace(wanted, since_us=ends - wanted.last_us, last_us=None)


def _instant(text: str | None, option: str, zone: tzinfo) -> int | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time, expected ISO 8601 such as 2026-11-24T10:15:00Z", where=option) from None
    return from_datetime(at if at.tzinfo is not None else at.replace(tzinfo=zone))
