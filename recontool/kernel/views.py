"""The compiled core's states as ctypes see them; each class mirrors the struct of the same name in src/api.c."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_double, c_int64, c_uint32, c_uint64, c_void_p

TYPE_CHECKING = False  # see recontool/__init__.py
if TYPE_CHECKING:
    from typing import Any, Final

MARKERS: Final = 8
METRICS: Final = 26
TOTALS: Final = 25
COLUMNS: Final = 14
KINDS: Final = 33
NO_TIME: Final = -(2**63)
OUTAGE_WORDS: Final = 9  # of 64 bits each, as model/outages.py reads them
RECORDS: Final = (0, 3)  # of a file's counts: its events, and its records that are none
_COUNTS, _EXAMPLES, _PERIODICS, _EVIDENCE, _OUTCOMES = 6, 5, 3, 3, 3
_longs = POINTER(c_int64)


def _structure(name: str, fields: list[tuple[str, Any]]) -> type[Structure]:
    return type(name, (Structure,), {"_fields_": fields})


def _all(kind: Any, names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names.split()]


FileView = _structure(
    "FileView",
    [
        *_all(c_int64, "lines"),
        ("counts", c_int64 * _COUNTS),
        *_all(c_int64, "first last examples_n"),
        ("example_line", c_int64 * _EXAMPLES),
        ("example", c_void_p * _EXAMPLES),
        ("example_n", c_int64 * _EXAMPLES),
    ],
)

Place = _structure("Place", [*_all(c_uint32, "file pad"), ("line", c_int64)])

Claim = _structure(
    "Claim",
    [
        ("at", c_int64),
        ("claimed", c_uint64),
        ("value", c_double * METRICS),
        ("untrusted", c_uint64),
        ("place", Place),
        ("exact", c_int64),
    ],
)

_AlignedTotals = _structure("_AlignedTotals", [("words", c_int64 * (2 * TOTALS))])

# A 128-bit integer stands on a multiple of 16 bytes.
_CLAIM_PAD: Final = -ctypes.sizeof(Claim) % 16
Spoken = _structure(
    "Spoken",
    [
        ("claim", Claim),
        *([("pad", ctypes.c_uint8 * _CLAIM_PAD)] if _CLAIM_PAD else []),
        ("shown", c_int64 * (2 * TOTALS)),
        *_all(c_int64, "debug used"),
    ],
)

WorkerView = _structure(
    "WorkerView",
    [
        *_all(c_void_p, "id"),
        *_all(c_int64, "id_n known in_file"),
        *_all(c_void_p, "files"),
        *_all(c_int64, "files_n started first last marked debug plain start_seen has_claim port"),
        ("markers", c_int64 * MARKERS),
        ("claimed", c_uint64),
        ("claim", POINTER(Claim)),
        *_all(_longs, "settled current"),
        *_all(c_void_p, "starts stops"),
        *_all(c_int64, "starts_n stops_n"),
        *_all(c_void_p, "config"),
        *_all(c_int64, "config_n config_file running"),
        *_all(c_void_p, "first_error"),
        *_all(c_int64, "first_error_n first_error_file first_error_line"),
        *_all(c_void_p, "sample"),
        *_all(c_int64, "sample_n gaps_configured"),
        *_all(c_void_p, "silences"),
        *_all(c_int64, "silences_n"),
        ("distances", c_void_p * _PERIODICS),
        ("distances_n", c_int64 * _PERIODICS),
        *_all(c_int64, "width"),
        *_all(c_void_p, "buckets"),
        *_all(c_int64, "buckets_n"),
        *_all(c_void_p, "outages"),
        *_all(c_int64, "outages_n has_open"),
        *_all(c_void_p, "open flaps absences"),
        *_all(c_int64, "flaps_n absences_n state pending first_established longest restarts gave_up"),
        *_all(c_int64, "most_per_minute absent_us absent_since outage_us_low outage_us_high processes"),
        ("outcomes", c_int64 * _OUTCOMES),
    ],
)

CoordinatorView = _structure(
    "CoordinatorView",
    [
        *_all(c_int64, "rotation file first last port"),
        ("markers", c_int64 * MARKERS),
        ("counts", c_int64 * KINDS),
        *_all(c_void_p, "starts stops"),
        *_all(c_int64, "starts_n stops_n"),
        *_all(c_void_p, "evidence silences"),
        *_all(c_int64, "silences_n ended_n"),
    ],
)

SecurityView = _structure(
    "SecurityView",
    [
        *_all(c_void_p, "source name line"),
        *_all(c_int64, "source_n name_n line_n by_file file count first last evidence_n"),
        ("evidence", Place * _EVIDENCE),
    ],
)
