"""The log a process writes: events and text records, rendered, filtered by level, rotated.

Every event, written or not, also goes to the listeners; so the live plugin folds exactly what a
DEBUG log would show, with the same microsecond.
"""

import io
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from recontool.logs.grammar import known_fields, render, render_text
from recontool.model.catalogue import BLOCK
from recontool.model.events import Event, Value
from recontool.model.markers import LEVELS, Marker

MAX_BYTES: Final = 100 * 2**20
KEPT_FILES: Final = 10
_RULE: Final = "=" * 45
_RANK: Final = {level: rank for rank, level in enumerate(LEVELS)}


class LogWriter:
    """Appends records of one source to one file and optionally to a terminal.

    A full disk must not stop what the log only tells of: lines it refuses are counted, and told of when there is room.

    Args:
        clock_us: wall clock in microseconds; times written never go backwards.
        max_bytes: size at which FILE becomes FILE.1, FILE.1 becomes FILE.2, ...
    """

    def __init__(
        self,
        source: str,
        path: Path,
        *,
        level: str = "INFO",
        terminal: TextIO | None = None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.source, self.path, self.level = source, path, level
        self._rank = _RANK[level]
        self._terminal, self._clock_us = terminal, clock_us
        self._listeners: list[Callable[[Event], None]] = []
        self._last_us = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._opened()
        self._max_bytes = max_bytes if path.is_file() else None  # nothing may take the place of a device or a pipe
        self._refused, self._why = 0, ""
        self._end_cut_line()

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on, also those below the level."""
        self._listeners.append(listener)

    def event(self, marker: Marker | None, name: str, /, *, level: str | None = None, **fields: Value | None) -> Event:
        """Log one event; fields that are None are left out. Marked events default to INFO, others to DEBUG."""
        chosen = level or ("INFO" if marker else "DEBUG")
        present = {key: value for key, value in fields.items() if value is not None}
        record = Event(self.now_us(), chosen, self.source, marker.value if marker else "", name, known_fields(present))
        self._deliver(record)
        return record

    def metrics(self, values: Callable[[int], dict[str, Value | None]]) -> None:
        """Log the metrics block and the `metrics` record, all stamped with one instant.

        `values` maps that instant to metric values; it is called before anything is written.
        """
        at_us = self.now_us()
        found = values(at_us)
        self._write(
            "INFO", render_text(at_us, "INFO", self.source, f"====== Performance Metrics for {self.source} ======")
        )
        for metric, label in BLOCK:
            value = found.get(metric.name)
            number = "n/a" if value is None else f"{float(value):.{label.decimals}f}{label.suffix}"
            text = f"{label.label}: {number}"
            self._write("INFO", render_text(at_us, "INFO", self.source, text))
        self._write("INFO", render_text(at_us, "INFO", self.source, _RULE))
        self._deliver(
            Event(
                at_us,
                "INFO",
                self.source,
                "",
                "metrics",
                known_fields({k: v for k, v in found.items() if v is not None}),
            )
        )

    def text(self, level: str, message: str) -> None:
        """Log a record that is no event, e.g. a traceback."""
        self._write(level, render_text(self.now_us(), level, self.source, message))

    def now_us(self) -> int:
        """The wall clock, held still while it steps backwards."""
        self._last_us = max(self._last_us, self._clock_us())
        return self._last_us

    def close(self) -> None:
        """Close; listeners stay."""
        self._file.close()

    def _deliver(self, event: Event) -> None:
        self._write(event.level, render(event))
        for listener in self._listeners:
            listener(event)

    def _write(self, level: str, line: str) -> None:
        if _RANK[level] < self._rank:
            return
        if self._refused:
            note = f"{self._refused} line{'s' if self._refused > 1 else ''} could not be written here: {self._why}"
            if self._append(render_text(self.now_us(), "WARNING", self.source, note)):
                self._refused = 0
        if self._refused or not self._append(line):
            self._refused += 1
        if self._terminal is not None:
            print(line, file=self._terminal)
        if self._max_bytes is not None and self._file.tell() >= self._max_bytes:
            with suppress(OSError):  # then the old file goes on, and the next line tries again
                self._rotate()

    def _append(self, line: str) -> bool:
        """Write all of a line at once, for a SIGKILL must not take the lines that explain it; or nothing of it."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        written = 0
        try:
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as error:
            self._why = error.strerror or str(error)
            if written:
                with suppress(OSError):  # it is no file one can cut
                    os.ftruncate(self._file.fileno(), os.fstat(self._file.fileno()).st_size - written)
            return False
        return True

    def _rotate(self) -> None:
        if self.path.exists():
            for number in range(KEPT_FILES - 1, 0, -1):
                older = self.path.with_name(f"{self.path.name}.{number}")
                if older.exists():
                    older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        fresh = self._opened()
        self._file.close()
        self._file = fresh

    def _opened(self) -> io.FileIO:
        return io.FileIO(self.path, "a")

    def _end_cut_line(self) -> None:
        """After a crash the file may end inside a line; the next record must start on its own."""
        size = self.path.stat().st_size
        if not size:
            return
        with self.path.open("rb") as existing:
            existing.seek(size - 1)
            if existing.read(1) != b"\n":
                self._file.write(b"\n")


def terminal_or_none() -> TextIO | None:
    """Stderr when a person looks at it, else None."""
    return sys.stderr if sys.stderr.isatty() else None
