"""What coordinator and worker share as processes: the log they open, the signals they heed, how they end."""

import asyncio
import os
import signal
import traceback
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from recontool.logs.writer import LogWriter, terminal_or_none
from recontool.model.errors import ReconError
from recontool.model.version import VERSION
from recontool.runtime.config import Options
from recontool.runtime.instructions import Fields

Run: TypeAlias = Callable[[asyncio.Event], Awaitable[None]]


def open_log(source: str, options: Options) -> LogWriter:
    """The log of a process; on a terminal a person sees it, too."""
    return LogWriter(source, options.log_file, level=options.text("log_level"), terminal=terminal_or_none())


def log_start(log: LogWriter, options: Options) -> None:
    """Write the `config` line every process begins with."""
    log.event(None, "config", level="INFO", role=options.role, version=VERSION, pid=os.getpid(), **options.tunables)


def tidy(fields: Fields) -> Fields:
    """Durations to the microsecond: the digits behind are noise that nobody wants to read."""
    return {key: round(value, _digits(key)) if isinstance(value, float) else value for key, value in fields.items()}


def _digits(key: str) -> int:
    return 3 if key.endswith("_ms") else 6


def until_signal(run: Run, log: LogWriter) -> None:
    """Run until it ends or SIGTERM or SIGINT sets the event it is given; what it raises stands in the log, too."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await run(stop)

    try:
        asyncio.run(main())
    except ReconError as error:
        log.text("CRITICAL", error.problem)
        raise
    except Exception:
        log.text("CRITICAL", traceback.format_exc())
        raise
