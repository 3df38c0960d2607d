"""Analyses logs again whenever they have grown, reading new bytes only."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from recontool.api.analyze import analyze
from recontool.api.sources import Reading
from recontool.logs.inputs import find_inputs
from recontool.model.errors import NoDataError, UsageError
from recontool.model.findings import Analysis
from recontool.storage.states import HeldStates

EVERY_S: Final = 1.0
_TRIES: Final = 5  # for files that move while they are read


def follow(
    paths: Sequence[str], reading: Reading, *, pause: Callable[[float], None] = time.sleep
) -> Iterator[Analysis]:
    """The analysis now and after every change of the files behind `paths`; files that come and go are followed.

    Raises:
        UsageError, NoDataError: as `analyze`, for the first analysis; later an empty moment is waited out.
        UsageError, OSError: files cannot be read, and not only because they are moving.
    """
    reading = replace(reading, states=HeldStates(), progress=None)
    seen: dict[str, tuple[int, int]] | None = None
    failed = 0
    while True:
        now = _looks(paths)
        if not now and seen is not None:
            seen = now
        elif now != seen:
            try:
                found = analyze(paths, reading)
            except NoDataError:
                if seen is None:
                    raise
                seen = now
            except (UsageError, OSError):
                failed += 1
                if failed == _TRIES or _looks(paths) == now:
                    raise
            else:
                yield found
                seen, failed = now, 0
        pause(EVERY_S)


def _looks(paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Size and identity of every file, as far as it still stands there."""
    looks = {}
    with suppress(UsageError, NoDataError):  # nothing there: `analyze` says so where that is an error
        found = find_inputs(paths)
        for path in (*found.logs, *found.snapshots):
            with suppress(FileNotFoundError):
                stat = Path(path).stat()
                looks[path] = (stat.st_size, stat.st_ino)
    return looks
