"""The processes of the demo: started, killed, frozen and, whatever happens, ended."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from recontool.demo.errors import DemoError
from recontool.runtime.keys import ENVIRONMENT

_POLL_S: Final = 0.05
_TOLD: Final = 500  # characters of a child's last words an error repeats


class Children:
    """Child processes by name, each `python -m recontool ...`; what they print goes to FOLDER/NAME.txt."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a process under a name that is free."""
        # A key in the user's environment would stand before the one in the data folder.
        inherited = {key: value for key, value in os.environ.items() if key != ENVIRONMENT}
        with self._printed(name).open("ab") as printed:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "recontool", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                env={**inherited, **(environment or {})},
                start_new_session=True,  # Ctrl-C is for the demo, which then ends them in order
            )

    def kill(self, name: str) -> None:
        """SIGKILL; returns when the process is gone."""
        child = self._running.pop(name)
        child.kill()
        child.wait()

    def freeze(self, name: str) -> None:
        """SIGSTOP."""
        self._running[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self._running[name].send_signal(signal.SIGCONT)

    def check(self) -> None:
        """Nobody may have ended unasked.

        Raises:
            DemoError: somebody has; carries the last words.
        """
        for name, child in self._running.items():
            status = child.poll()
            if status is not None:
                words = self._printed(name).read_text(encoding="utf-8", errors="replace").strip()[-_TOLD:]
                raise DemoError(f"{name} ended with status {status}: {words or 'without a word'}")

    async def stop(self, names: Iterable[str], within_s: float) -> None:
        """SIGTERM to all of `names` that run; who still runs after `within_s` is killed.

        Raises:
            DemoError: somebody had to be killed, or ended with an error.
        """
        leaving = {name: self._running[name] for name in names if name in self._running}
        for child in leaving.values():
            child.send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + within_s
        while any(child.poll() is None for child in leaving.values()) and time.monotonic() < deadline_s:
            await asyncio.sleep(_POLL_S)
        stubborn = [name for name, child in leaving.items() if child.poll() is None]
        for name in stubborn:
            self.kill(name)
        failed = [f"{name} with status {child.returncode}" for name, child in leaving.items() if child.returncode]
        for name in leaving:
            self._running.pop(name, None)
        if stubborn:
            raise DemoError(f"{', '.join(stubborn)} did not end within {within_s:g} s of SIGTERM")
        if failed:
            raise DemoError(f"after SIGTERM ended {', '.join(failed)}, expected 0")

    def end(self) -> None:
        """SIGKILL whoever is left; waits for nothing but the system."""
        for name in list(self._running):
            self.kill(name)

    def _printed(self, name: str) -> Path:
        return self._folder / f"{name}.txt"
