"""Turns the states of the compiled core into the folds the rest of the program knows."""

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any, Final

from recontool.kernel.fleet import NativeFleet, core
from recontool.kernel.raw import doubles, longs, moment, raw, text
from recontool.kernel.views import COLUMNS, METRICS, OUTAGE_WORDS, TOTALS, Spoken, WorkerView
from recontool.metrics.claims import Claim, Said
from recontool.metrics.fold import ProcessBooks, WorkerFold
from recontool.metrics.gaps import HEARTBEAT
from recontool.metrics.tasks import OUTCOMES
from recontool.metrics.timeline import TimelineBooks
from recontool.metrics.totals import Totals
from recontool.model.catalogue import CLAIMABLE
from recontool.model.findings import WORKER_CAUSES, Span
from recontool.model.markers import Marker
from recontool.model.outages import OutageColumns

_PERIODIC: Final = ("block", "status", HEARTBEAT)
_ROW_BYTES: Final = 8 * OUTAGE_WORDS


def worker_fold(fleet: NativeFleet, number: int, files: Sequence[str]) -> tuple[WorkerFold, Any]:
    """The fold of worker `number` and its view; `files` are the names evidence shows."""
    view = fleet.view("worker", WorkerView, number)
    fold = WorkerFold(text(view.id, view.id_n))
    if not view.started:
        return fold, view
    names = dict(zip(range(1, len(Marker) + 1), Marker, strict=True))
    fold.markers = {names[at].value: int(count) for at, count in enumerate(view.markers) if count}
    fold.port = moment(view.port)
    fold.starts_us = longs(view.starts, view.starts_n)
    fold.stops_us = longs(view.stops, view.stops_n)
    books = ProcessBooks(
        settled=_totals(view.settled),
        current=_totals(view.current),
        claim=_claim(view.claim.contents, files) if view.has_claim else None,
        claimed=_names(view.claimed),
        debug=bool(view.debug),
        marked=view.marked,
        start_seen=bool(view.start_seen),
    )
    fold.restore(books, first_us=view.first, last_us=view.last)
    fold.timeline.restore(_timeline(fleet, view, fold.worker, files))
    place = f"{files[view.first_error_file]}:{view.first_error_line}" if view.first_error_line else ""
    sample = doubles(raw(view.sample, 8 * view.sample_n))
    outcomes = dict(zip(OUTCOMES, view.outcomes, strict=True))
    fold.tasks.restore(view.running, outcomes, sample, text(view.first_error, view.first_error_n), place)
    fold.gaps.restore(
        moment(view.gaps_configured),
        {
            kind: longs(view.distances[at], view.distances_n[at])
            for at, kind in enumerate(_PERIODIC)
            if view.distances_n[at]
        },
        list(_pairs(view.silences, view.silences_n)),
    )
    fold.activity.restore(view.width, raw(view.buckets, 8 * (1 + COLUMNS) * view.buckets_n))
    fold.said.clear()
    fold.said.extend(_said(fleet, number, process, files) for process in range(view.processes))
    return fold, view


def _totals(words: Any) -> Totals:
    return Totals(*(_wide(words[2 * at], words[2 * at + 1]) for at in range(TOTALS)))


def _wide(low: int, high: int) -> int:
    return (high << 64) | (low & (2**64 - 1))


def _names(bits: int) -> frozenset[str]:
    return frozenset(name for at, name in enumerate(CLAIMABLE) if bits >> at & 1)


def _claim(view: Any, files: Sequence[str]) -> Claim:
    values = {CLAIMABLE[at]: view.value[at] for at in range(METRICS) if view.claimed >> at & 1}
    evidence = f"{files[view.place.file]}:{view.place.line}" if view.place.line else ""
    return Claim(view.at, values, bool(view.exact), _names(view.untrusted), evidence)


def _said(fleet: NativeFleet, worker: int, process: int, files: Sequence[str]) -> Said:
    said = Said()
    places = (ctypes.c_void_p * METRICS)()
    core().recon_said(fleet.handle, worker, process, places)
    known: dict[int, tuple[Claim, Totals, bool]] = {}
    for name, place in zip(CLAIMABLE, places, strict=True):
        if place is None:
            continue
        if place not in known:
            spoken = Spoken.from_address(place)
            known[place] = (_claim(spoken.claim, files), _totals(spoken.shown), bool(spoken.debug))
        claim, shown, debug = known[place]
        said.restore(name, claim, shown, messages_shown=debug)
    return said


def cause_names(fleet: NativeFleet) -> list[str]:
    """Causes of outages by the numbers the core gives them."""
    place = ctypes.c_void_p()
    return [
        text(place.value, size)
        for number in range(fleet.count("causes"))
        if (size := core().recon_cause(fleet.handle, number, ctypes.byref(place))) >= 0
    ]


def _timeline(fleet: NativeFleet, view: Any, worker: str, files: Sequence[str]) -> TimelineBooks:
    rows = raw(view.outages, _ROW_BYTES * view.outages_n) + raw(view.open, _ROW_BYTES if view.has_open else 0)
    outages = OutageColumns(worker, memoryview(rows).cast("q"), cause_names(fleet), files)
    return TimelineBooks(
        outages=outages,
        forced=outages.count_of(WORKER_CAUSES),
        open_since_us=outages[-1].start_us if view.has_open else None,
        flaps=_spans(view.flaps, view.flaps_n),
        absences=_spans(view.absences, view.absences_n),
        first_established_us=moment(view.first_established),
        longest_us=moment(view.longest),
        restarts=view.restarts,
        gave_up=view.gave_up,
        most_per_minute=view.most_per_minute,
        outage_us=_wide(view.outage_us_low, view.outage_us_high),
        absent_us=view.absent_us,
        absent_since_us=moment(view.absent_since),
    )


def _spans(place: int | None, count: int) -> list[Span]:
    return [Span(start, end) for start, end in _pairs(place, count)]


def _pairs(place: int | None, count: int) -> Iterator[tuple[int, int]]:
    words = longs(place, 2 * count)
    return zip(words[::2], words[1::2], strict=True)
