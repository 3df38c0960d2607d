"""The cheapest look at logs: markers, reconnect durations, task outcomes, reconnects per minute; no event is kept.

Of one plain log most of the time would be that of loading modules, so this one loads the others where it needs them.
"""

from __future__ import annotations

import os
import stat
from collections import Counter, namedtuple
from collections.abc import Mapping
from itertools import repeat
from operator import floordiv, sub

from recontool.kernel.library import library
from recontool.model.markers import Marker
from recontool.model.units import MINUTE_US, SECOND_US

TYPE_CHECKING = False  # see recontool/__init__.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from typing import Any, Final, NamedTuple

    from recontool.analysis.fleet import FleetParts
    from recontool.api.sources import Reading, Source
    from recontool.kernel.fleet import NativeFleet, Parser, Vocabulary

OUTCOMES: Final = ("completed", "failed", "cancelled")
_P95: Final = 95
_HEAD_BYTES: Final = 2**16
_HEAD_LINES: Final = 100  # as logs/probe.py, which decides where this many do not


if TYPE_CHECKING:

    class _Summary(NamedTuple):
        markers: Mapping[str, int]
        reconnects: int
        reconnect_mean_s: float | None
        reconnect_max_s: float | None
        reconnect_p95_s: float | None
        tasks: Mapping[str, int]  # completed, failed, cancelled
        reconnects_per_minute: Mapping[str, int]  # max: the busiest minute; minutes: how many had any

else:
    _DURATIONS = "reconnect_mean_s reconnect_max_s reconnect_p95_s"
    _NAMES = f"markers reconnects {_DURATIONS} tasks reconnects_per_minute"
    _Summary = namedtuple("Summary", _NAMES)  # noqa: PYI024 - that one takes longer to load than a short log to read


class Summary(_Summary):
    """Counts over all workers. Durations in seconds, None without a completed outage; minutes are those of UTC.

    A reconnection is a completed outage, its duration that between the two events; p95 is by nearest rank.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data of its own."""
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in self._asdict().items()}


def summary(*paths: str | PathLike[str], reading: Reading | None = None) -> Summary:
    """Summarise logs, folders or patterns; without a path what ./recontool-data or the current folder holds.

    Raises:
        UsageError: a path does not exist or cannot be read.
        NoDataError: nothing in it is a log of a known format.
    """
    named = [os.fspath(path) for path in paths]
    if len(named) == 1 and reading is None and library() is not None and _may_be_a_log(named[0]):
        fleet = _of_one(named[0])
        if fleet is not None:
            return of_fleet(fleet)
    from recontool.api.sources import DEFAULT

    return _of_any(named, reading or DEFAULT)


def _may_be_a_log(path: str) -> bool:
    """Whether it is a file, and its name means no more than that; see logs/inputs.py. A pipe must not be opened twice."""
    return isinstance(path, str) and path != "-" and not path.endswith(".parquet") and os.path.isfile(path)  # noqa: PTH113 - as below


def _of_one(path: str) -> NativeFleet | None:
    """The fleet of a log of the tagged grammar; None where it takes a closer look to say what the path is."""
    from recontool.kernel.fleet import NativeFleet, Parser, Vocabulary

    vocab = Vocabulary.without_alerts()
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib takes longer to load than a short log to read
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or not _is_tagged(file.read(_HEAD_BYTES), about.st_size, vocab):
                return None
            fleet, parser = NativeFleet(light=True), Parser(vocab, light=True)
            fleet.begin(parser, 0, 0)
            _scan(fleet, parser, file.fileno(), 0)
    except (OSError, ValueError):  # ValueError: no path has such bytes
        return None  # the closer look says why
    return fleet


def _is_tagged(head: bytes, size: int, vocab: Vocabulary) -> bool:
    """Whether most lines of a file's head are records; False leaves it to the probe, which knows other formats."""
    from recontool.kernel.fleet import Chunk, NativeFleet, Parser
    from recontool.kernel.views import RECORDS, FileView

    lines = head.split(b"\n")
    if len(lines) <= _HEAD_LINES and len(head) < size:
        return False
    if not lines[-1]:  # behind the last newline
        lines.pop()
    few = lines[:_HEAD_LINES]
    fleet, parser, chunk = NativeFleet(), Parser(vocab), Chunk()
    fleet.begin(parser, 0, 0)
    chunk.give(b"\n".join(few) + b"\n", parser)
    fleet.fold(parser, chunk)
    counts = fleet.view("file", FileView).counts
    return 2 * sum(int(counts[at]) for at in RECORDS) > len(few)


def _of_any(named: Sequence[str], reading: Reading) -> Summary:
    from pathlib import Path

    from recontool.api.sources import opened
    from recontool.logs.inputs import default_paths, find_inputs
    from recontool.model.errors import NoDataError

    paths = named or default_paths(Path("recontool-data"))[0]
    sources = [source for source in opened(find_inputs(paths).logs, reading) if source.seen is not None]
    if not sources:
        raise NoDataError("no log of a known format among the inputs", hint="recontool analyze says what was found")
    plain = all(source.plain and source.seen is not None and source.seen.form.engine == "tagged" for source in sources)
    if library() is not None and plain:
        return of_fleet(_of_plain(sources, reading))
    from recontool.api.fold import fold

    return of_parts(fold(sources, reading, light=True).parts)


def _of_plain(sources: Sequence[Source], reading: Reading) -> NativeFleet:
    """Plain tagged logs, one after the other."""
    from recontool.api.sources import repeated
    from recontool.kernel.fleet import NativeFleet, Parser, Vocabulary
    from recontool.model.errors import UsageError

    fleet, vocab = NativeFleet(light=True), Vocabulary.without_alerts()
    stems = {stem: number for number, stem in enumerate(dict.fromkeys(source.stem for source in sources))}
    last_of: dict[str, tuple[str, int]] = {}
    for source in sources:
        skip = repeated(source, last_of.get(source.stem))
        # A line that is skipped must have a record of its own.
        parser = Parser(vocab, light=not skip)
        fleet.begin(parser, source.number, stems[source.stem], skip)
        try:
            with open(source.path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                _scan(fleet, parser, file.fileno(), reading.threads)
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror or error}", where=source.path) from error
        # The probe knows when the next part begins, and that decides whether the two can overlap.
        last_of[source.stem] = (source.path, 2**62)
    return fleet


def _scan(fleet: NativeFleet, parser: Parser, fd: int, threads: int) -> None:
    from recontool.kernel.fleet import threads_to_use

    fleet.scan(parser, fd, 0, os.fstat(fd).st_size, threads=threads or threads_to_use())


def of_fleet(fleet: NativeFleet) -> Summary:
    """What a light fleet has seen; it may have seen more than a summary needs."""
    from recontool.kernel.raw import raw
    from recontool.kernel.views import OUTAGE_WORDS, CoordinatorView, WorkerView

    workers = [fleet.view("worker", WorkerView, number) for number in range(fleet.count("workers"))]
    others = [fleet.view("coordinator", CoordinatorView, number) for number in range(fleet.count("coordinators"))]
    markers = Counter[str]()
    for view in (*workers, *others):
        markers.update({marker.value: view.markers[at] for at, marker in enumerate(Marker, 1)})
    starts: list[int] = []
    ends: list[int] = []
    for view in workers:
        if view.outages_n:
            words = memoryview(raw(view.outages, 8 * OUTAGE_WORDS * view.outages_n)).cast("q")
            starts += words[::OUTAGE_WORDS].tolist()
            ends += words[1::OUTAGE_WORDS].tolist()
    return _summed(markers, starts, ends, [sum(view.outcomes[at] for view in workers) for at in range(len(OUTCOMES))])


def of_parts(parts: FleetParts) -> Summary:
    """The same of a fold by whoever read the logs."""
    from recontool.model.outages import completed_spans

    chains = [chain for found in parts.chains.values() for chain in found]
    markers = Counter[str]()
    for counted in (*(chain.fold.markers for chain in chains), *(one.markers for one in parts.coordinators.values())):
        markers.update(counted)
    starts: list[int] = []
    ends: list[int] = []
    for chain in chains:
        began, ended = completed_spans(chain.fold.timeline.all_outages())
        starts += began
        ends += ended
    outcomes = [sum(chain.fold.tasks.outcomes[name] for chain in chains) for name in OUTCOMES]
    return _summed(markers, starts, ends, outcomes)


def _summed(
    markers: Mapping[str, int], starts_us: Sequence[int], ends_us: Sequence[int], outcomes: Sequence[int]
) -> Summary:
    """`starts_us` and `ends_us` are those of each completed outage."""
    took_us = sorted(map(sub, ends_us, starts_us))
    minutes = Counter(map(floordiv, ends_us, repeat(MINUTE_US)))
    count = len(took_us)
    return Summary(
        markers={marker.value: markers.get(marker.value, 0) for marker in Marker},
        reconnects=count,
        reconnect_mean_s=sum(took_us) / count / SECOND_US if count else None,
        reconnect_max_s=took_us[-1] / SECOND_US if count else None,
        reconnect_p95_s=took_us[-(-_P95 * count // 100) - 1] / SECOND_US if count else None,
        tasks=dict(zip(OUTCOMES, outcomes, strict=True)),
        reconnects_per_minute={"max": max(minutes.values(), default=0), "minutes": len(minutes)},
    )
