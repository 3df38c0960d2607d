"""The `--config` file: YAML to option values, each checked where it stands.

Any option by its name (dashes or underscores), and `keys:` with `operator` and `worker`. One file may
serve coordinator and workers; each takes what is its own.
"""

import difflib
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
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


def load(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The options in the file at `path`, and the keys under `keys:`.

    Raises:
        UsageError: with file:line:column, what stands there and what was expected.
    """
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
    positions: Any = getattr(document, "lc")  # noqa: B009 - ruamel's mapping knows where its keys stand
    values: dict[str, Any] = {}
    for name, value in document.items():
        line, column = positions.key(name)
        where = f"{path}:{line + 1}:{column + 1}"
        if name != _KEYS:
            known = _known(str(name), where)
            values[known] = _checked(known, value, where)
    return values, _keys(document.get(_KEYS), path)


def _known(name: str, where: str) -> str:
    plain = name.replace("-", "_")
    if plain in BY_NAME or plain in OTHERS:
        return plain
    names = sorted({*BY_NAME, *OTHERS, _KEYS})
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
