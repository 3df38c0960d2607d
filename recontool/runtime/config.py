"""Options of a process: command line over `--config` over defaults, checked before anything starts.

The file is YAML: any option by its name (dashes or underscores), and `keys:` with `operator` and
`worker`. One file may serve coordinator and workers; each takes what is its own.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from recontool.logs.writer import LogWriter
from recontool.model.errors import UsageError
from recontool.model.markers import COORDINATOR
from recontool.model.settings import BY_NAME, Role, SettingValue, checked, for_role, resolve

DEFAULT_DATA_DIR: Final = Path("recontool-data")
COMMON: Final[dict[str, type]] = {"data_dir": str, "log_file": str, "config": str}
OTHERS: Final[dict[Role, dict[str, type]]] = {
    "coordinator": {"demo_tasks": int},
    "worker": {"worker_id": str, "api_key": str, "executor": str},
}
WORKER_ID: Final = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}")
_KEYS: Final = "keys"


@dataclass(frozen=True, slots=True)
class Options:
    """Everything one process was told. `tunables` holds every setting of its role."""

    role: Role
    tunables: Mapping[str, SettingValue]
    data_dir: Path
    log_file: Path
    worker_id: str = ""
    api_key: str | None = field(default=None, repr=False)
    executor: str | None = None
    demo_tasks: int = 0
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    def seconds(self, name: str) -> float:
        """A tunable that is a duration."""
        return float(self.tunables[name])

    def count(self, name: str) -> int:
        """A tunable that is a whole number."""
        return int(self.tunables[name])

    def text(self, name: str) -> str:
        """A tunable that is a text."""
        return str(self.tunables[name])


def read(role: Role, given: Mapping[str, Any], config: Path | None = None) -> Options:
    """The options of a process; `given` is the command line, None where an option was not given.

    Raises:
        UsageError: an option is unknown, of the wrong type or out of range, or the file cannot be read.
    """
    values, keys = _from_file(config) if config is not None else ({}, {})
    values.update({name: value for name, value in given.items() if value is not None})
    tunables = resolve(role, {setting.name: values.get(setting.name) for setting in for_role(role)})
    data_dir = Path(values.get("data_dir", DEFAULT_DATA_DIR))
    worker_id = _worker_id(values.get("worker_id")) if role == "worker" else ""
    log_file = values.get("log_file") or data_dir / "logs" / f"{worker_id or COORDINATOR}.log"
    return Options(
        role=role,
        tunables=tunables,
        data_dir=data_dir,
        log_file=Path(log_file),
        worker_id=worker_id,
        api_key=values.get("api_key") or keys.get(role),
        executor=values.get("executor"),
        demo_tasks=int(values.get("demo_tasks", 0)),
        keys=keys,
    )


def log_start(log: LogWriter, options: Options) -> None:
    """Write the `config` line every process begins with."""
    version = metadata.version("recontool")
    log.event(None, "config", level="INFO", role=options.role, version=version, pid=os.getpid(), **options.tunables)


def _worker_id(value: str | None) -> str:
    if value is None:
        raise UsageError("a worker needs an id", where="--worker-id", hint="for example --worker-id worker-1")
    if not WORKER_ID.fullmatch(value) or value == COORDINATOR:
        raise UsageError(
            f"{value!r} is no worker id, expected 1 to 128 of A-Z a-z 0-9 . _ : - that do not begin with a dot",
            where="--worker-id",
            hint=f"{COORDINATOR!r} is the coordinator's own name",
        )
    return value


def _from_file(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path)) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise UsageError(f"is no YAML: {getattr(error, 'problem', None) or error}", where=where) from None
    if document is None:
        return {}, {}
    if not isinstance(document, dict):
        raise UsageError("expected options as `name: value`", where=f"{path}:1")
    values: dict[str, Any] = {}
    for name, value in document.items():
        line, column = document.lc.key(name)
        where = f"{path}:{line + 1}:{column + 1}"
        if name != _KEYS:
            values[_known(str(name), where)] = _checked(str(name).replace("-", "_"), value, where)
    return values, _keys(document.get(_KEYS), path)


def _known(name: str, where: str) -> str:
    plain = name.replace("-", "_")
    others = {other for options in OTHERS.values() for other in options}
    if plain in BY_NAME or plain in others or (plain in COMMON and plain != "config"):
        return plain
    import difflib

    names = sorted({*BY_NAME, *others, *COMMON, _KEYS} - {"config"})
    close = difflib.get_close_matches(plain, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
    raise UsageError(f"unknown option {name!r}", where=where, hint=hint)


def _checked(name: str, value: Any, where: str) -> Any:
    if value is None:
        return None
    setting = BY_NAME.get(name)
    if setting is not None:
        try:
            return checked(setting, value)
        except UsageError as error:
            raise UsageError(error.problem, where=where, hint=error.hint) from None
    kind = {**COMMON, **OTHERS["coordinator"], **OTHERS["worker"]}[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}, expected {kind.__name__}", where=where)
    return value


def _keys(found: Any, path: Path) -> dict[str, str]:
    if found is None:
        return {}
    if not isinstance(found, dict) or not set(found) <= {"operator", "worker"}:
        raise UsageError("keys: holds `operator` and `worker`, nothing else", where=str(path))
    if not all(isinstance(key, str) and key for key in found.values()):
        raise UsageError("keys: every key is a text", where=str(path))
    return {str(role): str(key) for role, key in found.items()}
