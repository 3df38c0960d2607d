"""Finds and describes the compiled library; says why when there is none."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char_p, c_double, c_int, c_int64, c_uint32, c_uint64, c_void_p
from functools import cache

TYPE_CHECKING = False  # see recontool/__init__.py
if TYPE_CHECKING:
    from typing import Final

ABI: Final = 6
_OFF: Final = "RECONTOOL_REFERENCE"  # set to anything: use the reference reader
_Args = tuple[type, ...]
_SIGNATURES: Final[dict[str, tuple[type | None, _Args]]] = {
    "recon_abi": (c_int, ()),
    "recon_totals": (c_int, ()),
    "recon_columns": (c_int, ()),
    "recon_kinds": (c_int, ()),
    "recon_vocab_new": (c_void_p, (c_char_p,)),
    "recon_vocab_free": (None, (c_void_p,)),
    "recon_format_new": (c_void_p, (c_void_p, c_char_p)),
    "recon_format_free": (None, (c_void_p,)),
    "recon_format_structured": (c_int, (c_void_p, c_void_p, c_char_p)),
    "recon_match": (c_int, (c_void_p, c_int64, c_char_p, c_int64, POINTER(c_int64))),
    "recon_parser_new": (c_void_p, (c_void_p, c_void_p, c_char_p, c_uint32, c_int)),
    "recon_parser_free": (None, (c_void_p,)),
    "recon_width": (c_int, (c_int,)),
    "recon_parser_zone": (None, (c_void_p, POINTER(c_int64), c_int64)),
    "recon_chunk_new": (c_void_p, ()),
    "recon_chunk_free": (None, (c_void_p,)),
    "recon_chunk_read": (c_int64, (c_void_p, c_int, c_int64, c_int64, c_int64)),
    "recon_chunk_give": (None, (c_void_p, c_char_p, c_int64)),
    "recon_chunk_parse": (c_int64, (c_void_p, c_void_p)),
    "recon_fleet_new": (c_void_p, (POINTER(c_double), c_int64)),
    "recon_fleet_free": (None, (c_void_p,)),
    "recon_fleet_lighten": (None, (c_void_p,)),
    "recon_fleet_begin": (None, (c_void_p, c_uint32, c_uint32, c_int64, c_uint64)),
    "recon_fleet_chunk": (None, (c_void_p, c_void_p, c_void_p)),
    "recon_scan": (
        c_int64,
        (
            c_void_p,
            c_void_p,
            c_int,
            c_int64,
            c_int64,
            c_int64,
            c_int64,
            POINTER(c_int64),
            POINTER(c_int),
        ),
    ),
    "recon_kind": (c_int, (c_void_p, c_char_p, c_char_p)),
    "recon_fleet_end_file": (None, (c_void_p, c_void_p)),
    "recon_fleet_finish": (None, (c_void_p,)),
    "recon_fleet_save": (c_void_p, (c_void_p, POINTER(c_int64))),
    "recon_fleet_load": (c_int, (c_void_p, c_char_p, c_int64)),
    "recon_rows_new": (c_void_p, ()),
    "recon_rows_free": (None, (c_void_p,)),
    "recon_rows_take": (None, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "recon_rows_rest": (None, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "recon_table_new": (c_void_p, (c_void_p,)),
    "recon_table_free": (None, (c_void_p,)),
    "recon_table_fill": (c_int64, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "recon_table_view": (None, (c_void_p, c_void_p)),
    "recon_table_text": (c_int64, (c_void_p, c_int, c_int64, POINTER(c_void_p))),
    "recon_column_view": (None, (c_void_p, c_int64, c_void_p)),
    "recon_time_at": (c_int64, (c_void_p, c_void_p, c_int, c_int64, c_int64, POINTER(c_int64))),
    "recon_count_lines": (c_int64, (c_void_p, c_int, c_int64)),
    "recon_fleet_count_from": (None, (c_void_p, c_int64)),
    "recon_unwrapper_new": (c_void_p, (c_void_p, c_int, c_int, c_int)),
    "recon_unwrapper_free": (None, (c_void_p,)),
    "recon_unwrap": (c_int64, (c_void_p, c_char_p, c_int64, c_int, POINTER(c_void_p))),
    "recon_writer_new": (c_void_p, (c_int, c_char_p, c_int64)),
    "recon_writer_column": (None, (c_void_p, c_int, c_char_p)),
    "recon_writer_free": (None, (c_void_p,)),
    "recon_write": (c_int64, (c_void_p, c_void_p, c_void_p, POINTER(c_void_p))),
    "recon_free": (None, (c_void_p,)),
    "recon_file_view": (None, (c_void_p, c_void_p)),
    "recon_workers": (c_int64, (c_void_p,)),
    "recon_worker_view": (None, (c_void_p, c_int64, c_void_p)),
    "recon_samples": (c_int64, (c_void_p, c_int64, c_int64, POINTER(c_void_p))),
    "recon_said": (None, (c_void_p, c_int64, c_int64, POINTER(c_void_p))),
    "recon_causes": (c_int64, (c_void_p,)),
    "recon_cause": (c_int64, (c_void_p, c_int64, POINTER(c_void_p))),
    "recon_coordinators": (c_int64, (c_void_p,)),
    "recon_coordinator_view": (None, (c_void_p, c_int64, c_void_p)),
    "recon_steps": (c_int64, (c_void_p,)),
    "recon_kept": (
        c_int64,
        (c_void_p, c_int64, c_int64, POINTER(c_int64), POINTER(c_int64), POINTER(c_void_p)),
    ),
    "recon_securities": (c_int64, (c_void_p,)),
    "recon_security_view": (None, (c_void_p, c_int64, c_void_p)),
}


@cache
def library() -> ctypes.CDLL | None:
    """The loaded library, None when it was not built, is of another version, or `RECONTOOL_REFERENCE` is set."""
    if os.environ.get(_OFF):
        return None
    for path in _built():
        loaded = ctypes.CDLL(path)
        if loaded.recon_abi() != ABI:
            continue
        for symbol, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, symbol)
            function.restype, function.argtypes = result, arguments
        return loaded
    return None


def built() -> list[tuple[int, int]]:
    """What tells the libraries of one build from those of another: their sizes and times."""
    return [(found.st_size, found.st_mtime_ns) for found in map(os.stat, _built())]


def _built() -> list[str]:
    folder = os.path.dirname(__file__)  # noqa: PTH120 - pathlib takes longer to load than all this
    names = sorted(name for name in os.listdir(folder) if name.startswith("_core") and name.endswith(".so"))  # noqa: PTH208
    return [os.path.join(folder, name) for name in names]  # noqa: PTH118


def why_not() -> str:
    """A sentence for people whose installation has no compiled core, "" when it has one or they switched it off."""
    if library() is not None or os.environ.get(_OFF):
        return ""
    return (
        "reading with the reference reader: this installation has no compiled core "
        "(install a C compiler and recontool again to read about a hundred times faster)"
    )
