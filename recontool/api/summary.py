"""The cheapest look at logs: markers, reconnect durations, task outcomes, reconnects per minute; no event is kept."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

from recontool.analysis.fleet import FleetParts
from recontool.api.fold import fold
from recontool.api.sources import DEFAULT, Reading, opened
from recontool.logs.inputs import default_paths, find_inputs
from recontool.metrics.tasks import OUTCOMES
from recontool.model.errors import NoDataError
from recontool.model.instant import MINUTE_US, SECOND_US
from recontool.model.markers import Marker
from recontool.model.outages import completed_spans

_P95: Final = 95


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over all workers. Durations in seconds, None without a completed outage; minutes are those of UTC.

    A reconnection is a completed outage, its duration that between the two events; p95 is by nearest rank.
    """

    markers: Mapping[str, int]
    reconnects: int
    reconnect_mean_s: float | None
    reconnect_max_s: float | None
    reconnect_p95_s: float | None
    tasks: Mapping[str, int]  # completed, failed, cancelled
    reconnects_per_minute: Mapping[str, int]  # max: the busiest minute; minutes: how many had any

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def summary(*paths: str | PathLike[str], reading: Reading = DEFAULT) -> Summary:
    """Summarise logs, folders or patterns; without a path what ./recontool-data or the current folder holds.

    Raises:
        UsageError: a path does not exist or cannot be read.
        NoDataError: nothing in it is a log of a known format.
    """
    named = [fspath(path) for path in paths] or default_paths(Path("recontool-data"))[0]
    sources = [source for source in opened(find_inputs(named).logs, reading) if source.seen is not None]
    if not sources:
        raise NoDataError("no log of a known format among the inputs", hint="recontool analyze says what was found")
    return _of(fold(sources, reading, light=True).parts)


def _of(parts: FleetParts) -> Summary:
    markers: Counter[str] = Counter()
    tasks = Counter(dict.fromkeys(OUTCOMES, 0))
    took_us: list[int] = []
    minutes: Counter[int] = Counter()
    for chain in (chain for chains in parts.chains.values() for chain in chains):
        markers.update(chain.fold.markers)
        tasks.update(chain.fold.tasks.outcomes)
        starts, ends = completed_spans(chain.fold.timeline.all_outages())
        took_us += [end - start for start, end in zip(starts, ends, strict=True)]
        minutes.update(end // MINUTE_US for end in ends)
    for coordinator in parts.coordinators.values():
        markers.update(coordinator.markers)
    took_us.sort()
    count = len(took_us)
    return Summary(
        {marker.value: markers[marker.value] for marker in Marker},
        count,
        sum(took_us) / count / SECOND_US if count else None,
        took_us[-1] / SECOND_US if count else None,
        took_us[-(-_P95 * count // 100) - 1] / SECOND_US if count else None,
        dict(tasks),
        {"max": max(minutes.values(), default=0), "minutes": len(minutes)},
    )
