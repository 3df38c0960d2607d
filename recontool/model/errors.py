"""Errors whose cause lies outside recontool: what is wrong, where, what was expected, what to do."""

from typing import ClassVar


class ReconError(Exception):
    """Base of every error a user can act on.

    Args:
        problem: what is wrong and what was expected, one sentence.
        where: file, file:line or option the problem stands in.
        hint: what to do about it.
    """

    slug: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 2

    def __init__(self, problem: str, *, where: str = "", hint: str = "") -> None:
        self.problem, self.where, self.hint = problem, where, hint
        parts = [f"{where}: {problem}" if where else problem]
        if hint:
            parts.append(f"  help: {hint}")
        parts.append(f"  docs: docs/messages.md#{self.slug}")
        super().__init__("\n".join(parts))


class UsageError(ReconError):
    """An option, a configuration file or a path that cannot be used."""

    slug = "usage"


class NoDataError(ReconError):
    """Inputs were given, yet nothing in them can be analysed."""

    slug = "no-data"
    exit_status = 3


class PartlyUnreadableError(ReconError):
    """Some lines fit no format, and `--strict` asked that none may."""

    slug = "partly-unreadable"
    exit_status = 4


class BadFieldError(ReconError):
    """A line of a known shape carries a value its field cannot hold."""

    slug = "bad-field"
