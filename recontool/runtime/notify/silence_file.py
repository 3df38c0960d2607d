"""DATA/silences.yaml: silences that a person writes while the coordinator runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from recontool.model.errors import UsageError
from recontool.runtime import config_file
from recontool.runtime.notify import read
from recontool.runtime.notify.faults import FaultsError
from recontool.runtime.notify.silences import Silence

FILE_NAME: Final = "silences.yaml"
_Identity: TypeAlias = tuple[int, int, int]


class SilenceFile:
    """Read again whenever it has changed. A file that is wrong changes nothing: what it said before still holds."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path, self._environment = path, environment
        self._seen: _Identity | None = None
        self._silences: tuple[Silence, ...] = ()

    def silences(self) -> tuple[Silence, ...]:
        """What the file said when it was last right."""
        return self._silences

    def refresh(self) -> str:
        """Look at the file; what is wrong with it, once per change, else ""."""
        identity = self._identity()
        if identity == self._seen:
            return ""
        self._seen = identity
        if identity is None:
            self._silences = ()
            return ""
        try:
            values = config_file.parse(self._path)
            found = read.silences(str(self._path), values or [], self._environment, f"{self._path}:1:1")
        except UsageError as error:
            faults = error.faults if isinstance(error, FaultsError) else (error,)
            told = "; ".join(f"{fault.where}: {fault.problem}" for fault in faults)
            return f"{told}; the silences read before still hold"
        self._silences = found
        return ""

    def _identity(self) -> _Identity | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:  # reading it will say what is wrong
            return -1, error.errno or 0, 0
        return found.st_ino, found.st_mtime_ns, found.st_size
