"""Handles to what the compiled core holds: vocabulary, formats, parsers, and the fleet whose files it folds."""

from __future__ import annotations

import ctypes
import os
import threading

from recontool.kernel.library import library
from recontool.kernel.views import COLUMNS, KINDS, TOTALS

TYPE_CHECKING = False  # see recontool/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo
    from typing import Any, Final

    from recontool.logs.format import Format

RANGE_BYTES: Final = 2**18  # of a file: it and its records have room in a core's own cache
_SIZES: Final = (TOTALS, COLUMNS, KINDS)
_FOLD, _CELLS, _LESS = 0, 1, 2
_TICK_S: Final = 0.1
_FORMATS_KEPT: Final = 15
_OTHER_SOURCES: Final = "the compiled core was built from other sources than this package; install it anew"


def core() -> ctypes.CDLL:
    """The compiled core; `library()` has said that it is there."""
    found = library()
    if found is None:
        raise RuntimeError("no compiled core; ask library() first")
    return found


class Vocabulary:
    """The event vocabulary inside the compiled core, from the table that `tables.vocabulary` makes."""

    def __init__(self, table: bytes) -> None:
        self.handle = core().recon_vocab_new(table)
        if not self.handle or (core().recon_totals(), core().recon_columns(), core().recon_kinds()) != _SIZES:
            raise RuntimeError(_OTHER_SOURCES)
        self._formats: list[tuple[Format | None, CoreFormat]] = []

    @classmethod
    def without_alerts(cls) -> Vocabulary:
        """One that does not know what moves an alert, from the table beside this file.

        It needs none of the modules in which the vocabulary is declared: they take longer to load than a short log to read.
        """
        with open(os.path.join(os.path.dirname(__file__), "vocabulary.tsv"), "rb") as table:  # noqa: PTH118, PTH120, PTH123 - pathlib is one of them
            return cls(table.read())

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            core().recon_vocab_free(self.handle)

    def kind(self, marker: str, name: str) -> int:
        """The number under which the core counts an event."""
        return int(core().recon_kind(self.handle, marker.encode(), name.encode()))

    def format(self, form: Format | None) -> CoreFormat:
        """`form` as the core has it; always the same, since its patterns take longer to compile than a short log to read."""
        found = next((known for other, known in self._formats if other is form), None)
        if found is None:
            found = CoreFormat(self, form)
            self._formats = [*self._formats[-_FORMATS_KEPT:], (form, found)]
        return found


class CoreFormat:
    """A format as the core has it. Parsers of the same one share what they have learnt of its lines.

    Raises:
        UnsupportedPatternError: the core cannot read the format.
    """

    def __init__(self, vocab: Vocabulary, form: Format | None) -> None:
        self.handle = core().recon_format_new(vocab.handle, _table_of(form))
        if form is not None and form.engine == "structured":
            from recontool.kernel.structured import structured_table

            if not core().recon_format_structured(self.handle, vocab.handle, structured_table(form)):
                raise RuntimeError(_OTHER_SOURCES)

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            core().recon_format_free(self.handle)


class Parser:
    """Reads lines of one format, of the tagged grammar without one; `source` names the process of a file whose lines do not.

    `zone` is that of times without one, UTC where it is None. `cells`: keep all fields, for a table; `light`: skip what a
    summary does not need.

    Raises:
        UnsupportedPatternError: the core cannot read the format.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        form: Format | None = None,
        source: str = "",
        zone: tzinfo | None = None,
        *,
        cells: bool = False,
        light: bool = False,
    ) -> None:
        self._vocab = vocab
        self._format = vocab.format(form)
        self.untrusted = _untrusted(form)
        name = source.encode()
        wants = _CELLS if cells else _LESS if light else _FOLD
        self.handle = core().recon_parser_new(vocab.handle, self._format.handle, name, len(name), wants)
        if form is None or form.engine == "tagged":
            return
        if zone is not None and str(zone) != "UTC":
            from recontool.kernel.zones import steps

            words = steps(zone)
            core().recon_parser_zone(self.handle, (ctypes.c_int64 * len(words))(*words), len(words) // 2)

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            core().recon_parser_free(self.handle)


def _table_of(form: Format | None) -> bytes:
    if form is None or form.engine == "tagged":
        return b""
    from recontool.kernel.formats import format_table  # needs the parser of regular expressions

    return format_table(form)


def _untrusted(form: Format | None) -> int:
    """The metrics that a process of the format only claims, one bit each."""
    if form is None or not form.claim_only:
        return 0
    from recontool.model.catalogue import CLAIMABLE

    return sum(1 << CLAIMABLE.index(name) for name in form.claim_only)


class Chunk:
    """Room for some lines and what they parse to; used by one thread at a time."""

    def __init__(self) -> None:
        self.handle = core().recon_chunk_new()

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            core().recon_chunk_free(self.handle)

    def give(self, lines: bytes, parser: Parser) -> None:
        """Parse whole lines."""
        core().recon_chunk_give(self.handle, lines, len(lines))
        core().recon_chunk_parse(self.handle, parser.handle)

    def read(self, fd: int, offset: int, size: int, limit: int, parser: Parser) -> int:
        """Parse the lines that start in `size` bytes from `offset` on; returns the bytes they have.

        Raises:
            OSError: the file cannot be read.
        """
        found = int(core().recon_chunk_read(self.handle, fd, offset, size, limit))
        if found < 0:
            raise OSError(-found, os.strerror(-found))
        core().recon_chunk_parse(self.handle, parser.handle)
        return found


class NativeFleet:
    """Files folded in order. `rules`: (number of the alert metric, above its threshold, threshold, for_us, keep_us).

    A `light` one folds sessions, task outcomes and markers only.
    """

    def __init__(self, rules: Sequence[tuple[int, bool, float, int, int]] = (), *, light: bool = False) -> None:
        flat = [float(word) for rule in rules for word in rule]
        self.light = light
        self.handle = core().recon_fleet_new((ctypes.c_double * len(flat))(*flat), len(rules))
        if light:
            core().recon_fleet_lighten(self.handle)

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            core().recon_fleet_free(self.handle)

    def begin(self, parser: Parser, file: int, rotation: int, skip: int = 0) -> None:
        """What follows is of file number `file`, whose rotated siblings share `rotation`; skip its first lines."""
        core().recon_fleet_begin(self.handle, file, rotation, skip, parser.untrusted)

    def fold(self, parser: Parser, chunk: Chunk) -> None:
        """Fold the next lines of the file."""
        core().recon_fleet_chunk(self.handle, parser.handle, chunk.handle)

    def scan(
        self,
        parser: Parser,
        fd: int,
        start: int,
        end: int,
        *,
        threads: int,
        range_bytes: int = RANGE_BYTES,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Fold the lines that start in [start, end) of an open file, which is at least `end` bytes long.

        Raises:
            OSError: the file cannot be read; KeyboardInterrupt ends all threads first.
        """
        done, stop = ctypes.c_int64(0), ctypes.c_int(0)
        outcome: list[int] = []

        def run() -> None:
            arguments = (self.handle, parser.handle, fd, start, end, range_bytes, threads)
            outcome.append(core().recon_scan(*arguments, ctypes.byref(done), ctypes.byref(stop)))

        if end - start <= range_bytes:
            run()
        else:
            # Another thread, so that this one can be interrupted and tell how far it is.
            worker = threading.Thread(target=run, daemon=True)
            worker.start()
            try:
                while worker.is_alive():
                    worker.join(_TICK_S)
                    if progress is not None:
                        progress(done.value)
            except KeyboardInterrupt:
                stop.value = 1
                worker.join()
                raise
        if outcome[0] < 0:
            raise OSError(-outcome[0], os.strerror(-outcome[0]))

    def end_file(self, parser: Parser) -> None:
        """The file ends here: what its unfinished blocks hold is still good."""
        core().recon_fleet_end_file(self.handle, parser.handle)

    def finish(self) -> None:
        """Evaluate the rules up to the last record of each worker."""
        core().recon_fleet_finish(self.handle)

    def save(self) -> bytes:
        """The state, to go on from with `load`."""
        size = ctypes.c_int64()
        place = core().recon_fleet_save(self.handle, ctypes.byref(size))
        try:
            return ctypes.string_at(place, size.value)
        finally:
            core().recon_free(place)

    def load(self, state: bytes) -> bool:
        """Go on from a saved state; False when it makes no sense, and this fleet is of no use then."""
        return bool(core().recon_fleet_load(self.handle, state, len(state)))

    def view(self, name: str, structure: type[Any], *numbers: int) -> Any:
        """One of the core's views, e.g. `view("worker", WorkerView, 0)`; good until the fleet is fed again."""
        found = structure()
        getattr(core(), f"recon_{name}_view")(self.handle, *numbers, ctypes.byref(found))
        return found

    def count(self, name: str) -> int:
        """How many workers, coordinators, securities or causes there are."""
        return int(getattr(core(), f"recon_{name}")(self.handle))


def threads_to_use() -> int:
    """One per processor this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
