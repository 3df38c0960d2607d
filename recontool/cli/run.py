"""`run-coordinator` and `run-worker`: options made from the table of tunables, handed to the runtime."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from recontool.model.settings import Role, Setting, for_role

_DATA_DIR = Annotated[Path | None, typer.Option(help="Folder for everything kept; default recontool-data.")]
_LOG_FILE = Annotated[Path | None, typer.Option(help="Log file; default DATA/logs/ID.log.")]
_CONFIG = Annotated[Path | None, typer.Option(help="YAML file with options by name; the command line wins.")]
_DEMO = Annotated[int | None, typer.Option(min=0, help="Submit this many mixed trial tasks at this start.")]
_WORKER_ID = Annotated[str | None, typer.Option(help="Name of this worker; its log and files carry it.")]
_API_KEY = Annotated[
    str | None, typer.Option(help="Worker key; default RECONTOOL_API_KEY, else DATA/keys.json.", show_default=False)
]
_EXECUTOR = Annotated[str | None, typer.Option(help="module:function that runs tasks of other types.")]

_FIRST: Final[dict[Role, dict[str, Any]]] = {
    "coordinator": {},
    "worker": {"worker_id": _WORKER_ID},
}
_LAST: Final[dict[Role, dict[str, Any]]] = {
    "coordinator": {"demo_tasks": _DEMO, "config": _CONFIG, "data_dir": _DATA_DIR, "log_file": _LOG_FILE},
    "worker": {
        "api_key": _API_KEY,
        "executor": _EXECUTOR,
        "config": _CONFIG,
        "data_dir": _DATA_DIR,
        "log_file": _LOG_FILE,
    },
}


def register(app: typer.Typer) -> None:
    """Add both commands to `app`."""
    app.command("run-coordinator", help="Run a coordinator until SIGTERM or Ctrl-C.")(
        _command("coordinator", _run_coordinator)
    )
    app.command("run-worker", help="Run a worker until SIGTERM or Ctrl-C.")(_command("worker", _run_worker))


def _run_coordinator(given: dict[str, Any], config: Path | None) -> None:
    from recontool.api.serve import run_coordinator
    from recontool.runtime.config import read

    run_coordinator(read("coordinator", given, config))


def _run_worker(given: dict[str, Any], config: Path | None) -> None:
    from recontool.runtime import worker
    from recontool.runtime.config import read

    worker.main(read("worker", given, config))


def _command(role: Role, run: Callable[[dict[str, Any], Path | None], None]) -> Callable[..., None]:
    """A function whose signature has one option per setting of `role`; typer reads nothing else of it."""

    def command(**given: Any) -> None:
        config = given.pop("config")
        run({name: str(value) if isinstance(value, Path) else value for name, value in given.items()}, config)

    annotations = {
        **_FIRST[role],
        **{setting.name: _option(setting) for setting in for_role(role)},
        **_LAST[role],
    }
    # None means "not given": the configuration file and the table's default come after the command line.
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in annotations.items()
    ]
    vars(command)["__signature__"] = inspect.Signature(parameters)
    command.__annotations__ = annotations
    return command


def _option(setting: Setting) -> Any:
    default = f"default {setting.default} {setting.unit}".strip() if setting.default is not None else setting.unit
    if isinstance(setting.default, bool):
        default = "default on" if setting.default else "default off"
    if setting.choices:
        bounds = ", ".join(setting.choices)
    else:
        bounds = f"{setting.low} to {setting.high}" if setting.low is not None and setting.high is not None else ""
    facts = "; ".join(fact for fact in (default, bounds) if fact)
    return Annotated[setting.kind | None, typer.Option(setting.flag, help=f"{setting.help} ({facts})")]
