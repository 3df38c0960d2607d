"""Puts output into a file, whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recontool.model.errors import UsageError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; it becomes `path` when the block ends well. Missing folders are made.

    A link stays a link to what is written; a device or a pipe is written to as it is, since nothing may take its place.

    Raises:
        UsageError: the file cannot be written.
    """
    there = Path(os.path.realpath(path))  # resolve() refuses a link to itself
    part = there.with_name(f".{there.name}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            yield path
            return
        there.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(there)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise UsageError(
            f"cannot be written: {error.strerror or error}", where=str(path), hint="name another file with -o"
        ) from error
    finally:
        with suppress(OSError):  # it became `path`, or there is no folder it could stand in
            part.unlink()


def write_text(path: Path, text: str) -> Path:
    """Write `text` to `path`.

    Raises:
        UsageError: the file cannot be written.
    """
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")
    return path
