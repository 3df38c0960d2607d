"""Options of a process: command line over `--config` over defaults, checked before anything starts."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from recontool.alerts.rules import BUILT_IN, Rule
from recontool.model.errors import UsageError
from recontool.model.markers import COORDINATOR
from recontool.model.settings import Role, SettingValue, for_role, resolve
from recontool.runtime import config_file
from recontool.runtime.notify.settings import DASHBOARD, KINDS, Notifications

DEFAULT_DATA_DIR: Final = Path("recontool-data")
WORKER_ID: Final = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}")


class Options(Struct, frozen=True):
    """Everything one process was told. `tunables` holds every setting of its role."""

    role: Role
    tunables: Mapping[str, SettingValue]
    data_dir: Path
    log_file: Path
    worker_id: str = ""
    api_key: str | None = None
    executor: str | None = None
    demo_tasks: int = 0
    keys: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[Rule] = BUILT_IN
    warnings: Sequence[str] = ()
    notifications: Notifications = field(default_factory=Notifications)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """All but the secrets, which belong in no log and no traceback."""
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in {"api_key", "keys"}]

    def __repr__(self) -> str:
        return f"Options({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

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
    file = config_file.load(config) if config is not None else config_file.ConfigFile()
    values, keys = file.values, file.keys
    values.update({name: value for name, value in given.items() if value is not None})
    tunables = resolve(role, {setting.name: values.get(setting.name) for setting in for_role(role)})
    data_dir = Path(values.get("data_dir") or DEFAULT_DATA_DIR)
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
        demo_tasks=int(values.get("demo_tasks") or 0),
        keys=keys,
        **(_alerts(file, config) if role == "coordinator" and config is not None else {}),
    )


def _alerts(file: config_file.ConfigFile, path: Path) -> dict[str, Any]:
    """Rules and channels; a worker that shares the file needs neither the secrets nor what reads them."""
    notifications = Notifications()
    if "notifications" in file.sections:
        from recontool.runtime.notify import read as notify

        section, where = file.sections["notifications"]
        notifications = notify.notifications(str(path), section, os.environ, where)
    names = [channel.name for channel in notifications.channels]
    if "alerts" not in file.sections:
        # Nobody chose who hears of the built-in rules, so whoever is there does.
        rules = [replace(rule, notification=(DASHBOARD, *names)) for rule in BUILT_IN]
        return {"notifications": notifications, "rules": rules}
    from recontool.alerts.rules_file import load_rules

    known = (DASHBOARD, *dict.fromkeys((*names, *KINDS)))
    found = load_rules(path.read_text("utf-8"), str(path), channels=known, others=True)
    warnings = [f"{place}: {warning}" for place, warning in found.warnings]
    for rule in found.rules:
        warnings += [
            f"{path}: rule {rule.name} notifies {name}, but no such channel is configured"
            for name in sorted({*rule.notification} - {DASHBOARD, *names})
        ]
    return {"notifications": notifications, "rules": found.rules, "warnings": warnings}


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
