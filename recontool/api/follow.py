"""Analyses logs again whenever they have grown, reading new bytes only."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from recontool.api.analyze import analyze
from recontool.api.sources import Reading
from recontool.logs.inputs import find_inputs
from recontool.model.errors import NoDataError
from recontool.model.findings import Analysis
from recontool.storage.states import HeldStates

EVERY_S: Final = 1.0


def follow(
    paths: Sequence[str], reading: Reading, *, pause: Callable[[float], None] = time.sleep
) -> Iterator[Analysis]:
    """The analysis now and after every change of the files behind `paths`; files that come and go are followed.

    Raises:
        UsageError, NoDataError: as `analyze`, for the first analysis; later an empty moment is waited out.
    """
    reading = replace(reading, states=HeldStates(), progress=None)
    seen: dict[str, tuple[int, int]] | None = None
    while True:
        now = _looks(paths)
        if now != seen:
            try:
                found = analyze(paths, reading)
            except NoDataError:
                if seen is None:
                    raise
            else:
                yield found
            seen = now
        pause(EVERY_S)


def _looks(paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Size and identity of every file, as far as it still stands there."""
    looks = {}
    for path in find_inputs(paths).logs:
        place = Path(path)
        if place.exists():
            stat = place.stat()
            looks[path] = (stat.st_size, stat.st_ino)
    return looks
