"""Saved states of half-read logs: a file each, whole or not at all, checked before it is believed."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from recontool.storage.files import write_whole

_MAGIC: Final = b"recontool state 1\n"
_DIGEST: Final = 16
_KEPT_FILES: Final = 64
_KEPT_BYTES: Final = 2**28


class States(Protocol):
    """Where saved states are kept, by key."""

    def get(self, key: str) -> tuple[Mapping[str, Any], bytes] | None:
        """What was saved last: a description and the state; None when there is nothing usable."""

    def put(self, key: str, about: Mapping[str, Any], state: bytes) -> None:
        """Keep a state."""


class HeldStates:
    """In memory, for a program that goes on reading the same logs."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Mapping[str, Any], bytes]] = {}

    def get(self, key: str) -> tuple[Mapping[str, Any], bytes] | None:
        """As `States.get`."""
        return self._held.get(key)

    def put(self, key: str, about: Mapping[str, Any], state: bytes) -> None:
        """As `States.put`."""
        self._held[key] = (about, state)


class StateFiles:
    """A folder of them. Whatever is wrong with a file, it counts as absent; several processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> tuple[Mapping[str, Any], bytes] | None:
        """As `States.get`; a file that is damaged or of another version is passed over."""
        try:
            raw = self._path(key).read_bytes()
        except OSError:
            return None
        body, told = raw[:-_DIGEST], raw[-_DIGEST:]
        if not body.startswith(_MAGIC) or digest(body) != told:
            return None
        about, _, state = body[len(_MAGIC) :].partition(b"\n")
        found: Mapping[str, Any] = json.loads(about)
        with suppress(OSError):
            os.utime(self._path(key))
        return found, state

    def put(self, key: str, about: Mapping[str, Any], state: bytes) -> None:
        """As `States.put`; a full or read-only disk costs the next run time, nothing else."""
        body = _MAGIC + json.dumps(about).encode() + b"\n" + state
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(key), body + digest(body))
            self._thin_out()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.state"

    def _thin_out(self) -> None:
        """The states used least recently, which their times tell, go first."""
        files = sorted(self._folder.glob("*.state"), key=lambda path: path.stat().st_mtime, reverse=True)
        held = 0
        for number, path in enumerate(files):
            held += path.stat().st_size
            if number >= _KEPT_FILES or held > _KEPT_BYTES:
                path.unlink(missing_ok=True)


def digest(data: bytes) -> bytes:
    """What tells `data` from other bytes."""
    from hashlib import blake2b  # brings OpenSSL along, and a run that remembers nothing does without

    return blake2b(data, digest_size=_DIGEST).digest()


def default_folder() -> Path:
    """XDG_CACHE_HOME/recontool, else ~/.cache/recontool."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recontool"
