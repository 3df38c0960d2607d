"""One line on a terminal that tells how far reading is, how fast it goes, and how long it will take."""

import time
from collections.abc import Callable
from typing import Final, TextIO

_FIRST_S: Final = 0.5  # what takes less needs no line
_EVERY_S: Final = 0.2
_MB: Final = 1e6


class Progress:
    """Shown on a terminal only; `clear` takes the line away."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.wanted = out.isatty()
        self._out, self._clock = out, clock
        self._started = self._shown = clock()
        self._file = ""
        self._from = 0  # bytes of the file that were not read in this run
        self._visible = False

    def tell(self, file: str, done: int, total: int) -> None:
        """`done` of `total` bytes of `file` are read; `total` equal to `done` where nobody knows."""
        now = self._clock()
        if file != self._file:
            self._file, self._started, self._from = file, now, done
        if now - self._started < _FIRST_S or now - self._shown < _EVERY_S:
            return
        rate = (done - self._from) / (now - self._started)
        left = f"  {(total - done) / rate:.0f} s left" if rate > 0 and total > done else ""
        share = f"  {100 * done // total} %" if total > done else ""
        self._out.write(f"\r\x1b[K{file[-40:]}{share}  {done / _MB:,.0f} MB  {rate / _MB:,.0f} MB/s{left}"[:100])
        self._out.flush()
        self._shown, self._visible = now, True

    def clear(self) -> None:
        """Leave no trace on the terminal."""
        if self._visible:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._visible = False
