"""The log formats there are, and whether a user's format file is one."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from recontool.logs.format import Format, builtin


class FormatRow(Struct, frozen=True):
    """One format as it is listed."""

    name: str
    title: str
    templates: int
    samples: int


def list_formats() -> list[FormatRow]:
    """The formats that ship with recontool, in order of preference."""
    return [FormatRow(form.name, form.title, len(form.templates), len(form.samples)) for form in builtin().values()]


def own_formats(paths: Sequence[Path] | None) -> tuple[Format, ...]:
    """The formats in a user's format files.

    Raises:
        UsageError: as `check_format`.
    """
    if not paths:
        return ()
    from recontool.logs.format_file import read_format_file  # loads a TOML parser

    return tuple(read_format_file(path) for path in paths)


def check_format(path: Path) -> FormatRow:
    """Load a format file and run its samples.

    Raises:
        UsageError: it is no usable format, or a sample does not become its event; with the lines.
    """
    from recontool.logs.format_file import read_format_file

    form = read_format_file(path)
    return FormatRow(form.name, form.title, len(form.templates), len(form.samples))
