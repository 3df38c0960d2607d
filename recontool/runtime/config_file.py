"""The `--config` file: YAML to option values, each checked where it stands.

Any option by its name (dashes or underscores), and `keys:` with `operator` and `worker`. One file may
serve coordinator and workers; each takes what is its own. `alerts:` and `notifications:` are the coordinator's alone
and handed on as they stand.
"""

import difflib
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import YAMLError

from recontool.model.errors import UsageError
from recontool.model.settings import BY_NAME, checked

OTHERS: Final[dict[str, type]] = {
    "data_dir": str,
    "log_file": str,
    "demo_tasks": int,
    "worker_id": str,
    "api_key": str,
    "executor": str,
}
_KEYS: Final = "keys"
SECTIONS: Final = ("alerts", "notifications")


class ConfigFile(Struct, frozen=True):
    """What a file says: options, keys, and the sections that others read, each with its place `file:line:column`."""

    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    sections: dict[str, tuple[Any, str]] = field(default_factory=dict)


class _Constructor(RoundTripConstructor):
    """Leaves times as the text they are: ruamel would make them naive, and a naive time is no instant."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


def load(path: Path) -> ConfigFile:
    """The file at `path`.

    Raises:
        UsageError: with file:line:column, what stands there and what was expected.
    """
    document = parse(path)
    if document is None:
        return ConfigFile()
    if not isinstance(document, dict):
        raise UsageError("expected options as `name: value`", where=f"{path}:1")
    positions: Any = getattr(document, "lc")  # noqa: B009 - ruamel's mapping knows where its keys stand
    found = ConfigFile(keys=_keys(document.get(_KEYS), path))
    for name, value in document.items():
        line, column = positions.key(name)
        where = f"{path}:{line + 1}:{column + 1}"
        if name in SECTIONS:
            found.sections[name] = (value, where)
        elif name != _KEYS:
            known = _known(str(name), where)
            found.values[known] = _checked(known, value, where)
    return found


def parse(path: Path) -> Any:
    """The YAML document in the file at `path`, its mappings knowing where their keys stand.

    Raises:
        UsageError: the file cannot be read or is no YAML.
    """
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    try:
        return yaml.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path)) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        # Of a key that stands there twice ruamel repeats the values, and those may be secrets.
        problem = str(getattr(error, "problem", None) or error).partition(" with value ")[0]
        raise UsageError(f"is no YAML: {problem}", where=where) from None


def _known(name: str, where: str) -> str:
    plain = name.replace("-", "_")
    if plain in BY_NAME or plain in OTHERS:
        return plain
    names = sorted({*BY_NAME, *OTHERS, *SECTIONS, _KEYS})
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
    kind = OTHERS[name]
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
