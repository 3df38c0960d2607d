"""A coordinator or worker as a process: log, signals, event loop, exit."""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from recontool.logs.writer import LogWriter, terminal_or_none
from recontool.model.errors import ReconError
from recontool.model.markers import COORDINATOR
from recontool.runtime import executor, keys
from recontool.runtime.config import Options

Run: TypeAlias = Callable[[asyncio.Event], Awaitable[None]]


def run_coordinator(options: Options) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        UsageError: keys, journal or address cannot be used.
    """
    from recontool.runtime.coordinator import Coordinator

    held = keys.load_or_create(options.data_dir)
    held = keys.Keys(options.keys.get("operator", held.operator), options.keys.get("worker", held.worker))
    log = _open_log(COORDINATOR, options)

    def announce(host: str, port: int) -> None:
        print(f"listening on {host}:{port}", file=sys.stderr, flush=True)  # noqa: T201 - who waits for it reads stderr

    try:
        _until_signal(Coordinator(options, held, log, announce).run, log)
    finally:
        log.close()


def run_worker(options: Options) -> None:
    """Work until SIGTERM or SIGINT.

    Raises:
        UsageError: the executor or the keys cannot be used.
    """
    from recontool.runtime.worker import Worker

    own = executor.load(options.executor) if options.executor else None
    key = keys.client_key("worker", options.api_key, os.environ, options.data_dir)
    log = _open_log(options.worker_id, options)
    try:
        _until_signal(Worker(options, key, log, own).run, log)
    finally:
        log.close()


def _open_log(source: str, options: Options) -> LogWriter:
    return LogWriter(source, options.log_file, level=options.text("log_level"), terminal=terminal_or_none())


def _until_signal(run: Run, log: LogWriter) -> None:
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
