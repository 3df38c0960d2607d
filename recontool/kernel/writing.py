"""Events of a log as the lines of a CSV or NDJSON file, written by the compiled core as `api.table` writes them."""

import ctypes
import json
from collections.abc import Sequence
from typing import Final

from recontool.kernel.fleet import Vocabulary, core
from recontool.kernel.raw import raw
from recontool.kernel.table import Desk, Wanted
from recontool.model.events import FIELD_TYPES

_FIXED: Final = ("at", "level", "source", "marker", "event", "file", "line")  # the core's numbers begin at -7


class TextDesk(Desk[tuple[int, str]]):
    """Makes (number of lines, lines). `columns`: names of fields or of what every event has; "values" is allowed too."""

    def __init__(self, vocab: Vocabulary, wanted: Wanted, columns: Sequence[str], file: str, *, csv: bool) -> None:
        super().__init__(vocab, wanted)
        name = file.encode("utf-8", "replace")
        self._writer = core().recon_writer_new(int(csv), name, len(name))
        numbers = {name: number for number, name in enumerate((*FIELD_TYPES, "values"))}
        numbers |= {name: number for number, name in enumerate(_FIXED, -len(_FIXED))}
        for column in columns:
            core().recon_writer_column(self._writer, numbers[column], f"{json.dumps(column)}: ".encode())

    def __del__(self) -> None:
        if getattr(self, "_writer", None):
            core().recon_writer_free(self._writer)
        super().__del__()

    def batch(self) -> tuple[int, str]:
        """The lines of the wanted rows."""
        (filled, count), place = self.fill(), ctypes.c_void_p()
        size = core().recon_write(self._writer, filled.table, self._vocab.handle, ctypes.byref(place))
        return count, raw(place.value, size).decode()
