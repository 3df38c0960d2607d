"""The command line: options, one call into the api, print, exit status. Nothing slow is imported here."""

import os
import sys
from importlib import import_module
from typing import Annotated, Final, NoReturn

import typer

# numpy's threads would spin at its start, and nothing here multiplies matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from recontool.model.errors import ReconError
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
    try:
        command_line(sys.argv[1] if sys.argv[1:] else "")(standalone_mode=True)
    except ReconError as error:
        print(f"recontool: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)
