"""Follows the logs a running fleet writes, so that the demo can wait for what it needs instead of sleeping."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from recontool.demo.errors import DemoError
from recontool.logs.grammar import parse_record
from recontool.model.errors import BadFieldError
from recontool.model.events import Event, Value

PATIENCE_S: Final = 25.0
_POLL_S: Final = 0.05


class LogWatch:
    """Events of every *.log in `folder` as they appear.

    Args:
        check: called at each look; raises when waiting has become pointless.
    """

    def __init__(self, folder: Path, check: Callable[[], None]) -> None:
        self._folder, self._check = folder, check
        self._read: dict[Path, int] = {}
        self._events: dict[tuple[str, str], list[Event]] = {}

    def seen(self, source: str, name: str, since_us: int = 0, **fields: Value) -> list[Event]:
        """Events `name` of `source` at or after `since_us` that carry `fields`, among what has been read."""
        return [
            event
            for event in self._events.get((source, name), ())
            if event.at_us >= since_us and all(event.fields.get(key) == value for key, value in fields.items())
        ]

    async def until(self, what: str, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until `condition`, which looks at `seen`, holds.

        Raises:
            DemoError: it did not within `patience_s`; `what` says what was awaited.
        """
        deadline_s = time.monotonic() + patience_s
        while True:
            self._look()
            if condition():
                return
            self._check()
            if time.monotonic() > deadline_s:
                raise DemoError(
                    f"waited {patience_s:g} s in vain: {what}",
                    where=str(self._folder),
                    hint="the logs there tell why; a machine this busy may need a second try",
                )
            await asyncio.sleep(_POLL_S)

    def _look(self) -> None:
        for path in sorted(self._folder.glob("*.log")):
            with path.open("rb") as log:
                log.seek(self._read.get(path, 0))
                data = log.read()
            whole = data.rfind(b"\n") + 1
            self._read[path] = self._read.get(path, 0) + whole
            for line in data[:whole].decode(errors="replace").splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        try:
            event = parse_record(line)
        except BadFieldError:
            return  # the analysis counts such lines; here they are no event to wait for
        if event is not None and event.name:
            self._events.setdefault((event.source, event.name), []).append(event)
