"""The command line: options, one call into the api, print, exit status. Nothing slow is imported here."""

import os
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Final, NoReturn

import typer

# numpy's threads would spin at its start, and nothing here multiplies matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from recontool.model.errors import ReconError, UsageError
from recontool.model.version import VERSION

# Commands, with the modules that register them.
COMMANDS: Final = {
    "analyze": "analyze",
    "events": "events",
    "report": "report",
    "alerts": "alerts",
    "compare": "compare",
    "check": "check",
    "formats": "formats",
    "demo": "demo",
    "run-coordinator": "run",
    "run-worker": "run",
}


def command_line(named: str = "") -> typer.Typer:
    """All commands, or the module of the one `named`: making the options of all takes longer than reading a small log."""
    app = typer.Typer(
        name="recontool",
        help="Turns the logs a reconnecting worker fleet leaves behind into answers.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for module in dict.fromkeys([COMMANDS[named]] if named in COMMANDS else COMMANDS.values()):
        import_module(f"recontool.cli.{module}").register(app)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        print(f"recontool {VERSION}")  # noqa: T201
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of no command."""


def main() -> NoReturn:
    """Run the command line; every error a user can act on ends in its message and status, not in a traceback."""
    _prepare_streams()
    try:
        try:
            command_line(sys.argv[1] if sys.argv[1:] else "")(standalone_mode=True)
        finally:
            sys.stdout.flush()
    except ReconError as error:
        _fail(error)
    except BrokenPipeError:  # the reader (head, less) has gone
        _drop_output()
        sys.exit(0)
    except OSError as error:  # that nobody nearer expected: a full disk behind stdout, a log that vanished meanwhile
        _drop_output()
        _fail(UsageError(f"cannot go on: {error.strerror or error}", where=str(error.filename or "")))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _prepare_streams() -> None:
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by who started us
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for as long as we run
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr does: what it cannot show is spelled


def _fail(error: ReconError) -> NoReturn:
    with suppress(OSError):  # the status tells those who cannot be told in words
        print(f"recontool: {error}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(error.exit_status)


def _drop_output() -> None:
    """What is left of stdout; Python would complain again when it flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
