"""Puts a text into a file, whole or not at all."""

import os
from pathlib import Path

from recontool.model.errors import UsageError


def write_text(path: Path, text: str) -> Path:
    """Write `text` to `path`; missing folders are made.

    Raises:
        UsageError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(
            f"cannot be written: {error.strerror or error}", where=str(path), hint="name another file with -o"
        ) from error
    return path
