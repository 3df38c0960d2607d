"""Turns the paths a user names into files to read: globs, directories, data folders, rotated siblings, stdin."""

import glob
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from recontool.logs.lines import STDIN
from recontool.model.errors import NoDataError, UsageError

_LOG_NAME: Final = re.compile(r".+\.(?:log|out)(?:\.\d+)?(?:\.gz|\.zst)?|.+\.log-\d{8}(?:\.gz|\.zst)?")
_ROTATION: Final = re.compile(r"(?P<stem>.+?)(?:\.(?P<number>\d+)|-(?P<date>\d{8}))?(?:\.gz|\.zst)?")
_SNAPSHOT: Final = ".parquet"


class Inputs(Struct, frozen=True):
    """What there is to read, each file once, in the order it was named."""

    logs: tuple[str, ...]
    snapshots: tuple[str, ...]


def find_inputs(paths: Sequence[str]) -> Inputs:
    """The files behind `paths`.

    Raises:
        UsageError: a named path does not exist.
        NoDataError: a directory or pattern holds no log and no snapshot.
    """
    files: dict[str, None] = {}
    for path in paths:
        for found in _expand(path):
            files[found] = None
    unique: dict[str, str] = {}
    for path in files:
        unique.setdefault(path if path == STDIN else str(Path(path).resolve()), path)
    chosen = list(unique.values())
    return Inputs(
        logs=tuple(path for path in chosen if not path.endswith(_SNAPSHOT)),
        snapshots=tuple(path for path in chosen if path.endswith(_SNAPSHOT)),
    )


def default_paths(data_dir: Path) -> tuple[list[str], str]:
    """What to read when no path is named, and a sentence that says so: DATA/logs and DATA/snapshots, else *.log here.

    Raises:
        NoDataError: there is neither.
    """
    held = [data_dir / "logs", data_dir / "snapshots"]
    present = [str(folder) for folder in held if folder.is_dir() and any(folder.rglob("*.*"))]
    if present:
        return present, f"reading {' and '.join(present)}"
    here = sorted(str(path) for path in Path().glob("*.log"))
    if here:
        return here, f"reading {len(here)} *.log of the current folder"
    demo = data_dir / "demo"
    known = f"the demo's are in {demo}" if demo.is_dir() else "run `recontool demo` first"
    raise NoDataError(
        f"no PATH was given, {data_dir} holds no logs and the current folder no *.log",
        hint=f"name a log or a folder, e.g. recontool analyze worker-1.log, or {known}",
    )


def rotation(path: str) -> tuple[str, int]:
    """(what rotated siblings have in common, age): worker.log.2.gz -> (folder/worker.log, 2); larger is older."""
    place = Path(path)
    match = _ROTATION.fullmatch(place.name)
    if match is None:
        return path, 0
    number = match["number"]
    # Dated parts (worker.log-20261124) sort by content time; they only need to be recognised as siblings.
    return str(place.with_name(match["stem"])), int(number) if number else 0


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """The shortest name per path that is unique among `paths`: the file name, or the path where two share one."""
    listed = list(paths)
    names = [as_text(Path(path).name) if path != STDIN else "stdin" for path in listed]
    return {path: name if names.count(name) == 1 else as_text(path) for path, name in zip(listed, names, strict=True)}


def as_text(path: str) -> str:
    """A path as any text can hold it: bytes that are no UTF-8 are spelled as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _expand(path: str) -> list[str]:
    if path == STDIN:
        return [path]
    place = Path(path)
    if place.is_dir():
        return _in_directory(place)
    if place.exists():
        return [path]
    if glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - Path.glob refuses absolute patterns
        if not matches:
            raise NoDataError("no file matches the pattern", where=path, hint="quote the pattern once, or name a file")
        return [found for match in matches for found in _expand(match)]
    raise UsageError(
        "no such file or directory", where=path, hint="name a log file, a directory, a pattern, or - for stdin"
    )


def _in_directory(folder: Path) -> list[str]:
    found = sorted(
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and (_LOG_NAME.fullmatch(path.name) or path.suffix == _SNAPSHOT)
    )
    if not found:
        raise NoDataError(
            "the directory holds no *.log file (also .log.1, .gz, .zst) and no snapshot",
            where=str(folder),
            hint="name the log files themselves if they are called something else",
        )
    return found
