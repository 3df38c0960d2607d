"""The tunables of coordinator and worker: one row each for flag, config key, default, range, unit and help.

The command line, `--config`, the `config` log line, the runtime and docs/settings.md read this table.
Source: SPEC section 5.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from recontool.model.errors import UsageError

Role: TypeAlias = Literal["coordinator", "worker"]
SettingValue: TypeAlias = str | int | float | bool
_BOTH: Final[tuple[Role, ...]] = ("coordinator", "worker")
_COORDINATOR: Final[tuple[Role, ...]] = ("coordinator",)
_WORKER: Final[tuple[Role, ...]] = ("worker",)


class Setting(Struct, frozen=True):
    """One tunable. `default` None means: derived from others, as `help` says."""

    name: str
    kind: type[str] | type[int] | type[float] | type[bool]
    default: SettingValue | None
    unit: str
    roles: tuple[Role, ...]
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The option on the command line."""
        name = self.name.replace("_", "-")
        return f"--{name}/--no-{name}" if self.kind is bool else f"--{name}"


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("host", str, "localhost", "", _COORDINATOR, "Address to listen on."),
    Setting("port", int, 8765, "", _COORDINATOR, "Port to listen on; 0 picks a free one.", 0, 65535),
    Setting("coordinator_host", str, "localhost", "", _WORKER, "Where the coordinator listens."),
    Setting("coordinator_port", int, 8765, "", _WORKER, "The coordinator's port.", 1, 65535),
    Setting("initial_reconnect_delay", float, 1.0, "s", _WORKER, "Wait before the first reconnect try.", 0.001, 3600),
    Setting("max_reconnect_delay", float, 60.0, "s", _WORKER, "The longest wait between tries.", 0.001, 86400),
    Setting(
        "reconnect_jitter",
        str,
        "equal",
        "",
        _WORKER,
        "How waits are spread, applied after the cap.",
        choices=("none", "equal", "full", "decorrelated"),
    ),
    Setting("heartbeat_interval", float, 5.0, "s", _BOTH, "Time between heartbeats.", 0.01, 3600),
    Setting(
        "heartbeat_timeout",
        float,
        None,
        "s",
        _BOTH,
        "Silence after which a session counts as dead; 3 heartbeat intervals unless given.",
        0.02,
        86400,
    ),
    Setting("compression_level", int, 6, "", _BOTH, "zlib level of large messages; 0 sends them raw.", 0, 9),
    Setting("min_compress_size", int, 1024, "bytes", _BOTH, "Messages below this size go uncompressed.", 0, 2**31 - 1),
    Setting("enable_priority_queue", bool, True, "", _BOTH, "Send urgent messages before bulk ones."),
    Setting(
        "queue_high_watermark",
        int,
        1000,
        "messages",
        _BOTH,
        "Queued messages above which bulk producers wait.",
        1,
        10_000_000,
    ),
    Setting(
        "log_level",
        str,
        "INFO",
        "",
        _BOTH,
        "Least severe level that is written.",
        choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    ),
    Setting("metrics_interval", float, 10.0, "s", _BOTH, "Time between metrics blocks in the log.", 0.05, 86400),
    Setting("snapshot_interval", float, 10.0, "s", _BOTH, "Time between metric snapshots.", 0.05, 86400),
)

BY_NAME: Final[Mapping[str, Setting]] = {setting.name: setting for setting in SETTINGS}
HEARTBEATS_PER_TIMEOUT: Final = 3


def for_role(role: Role) -> tuple[Setting, ...]:
    """The rows that apply to `role`, in table order."""
    return tuple(setting for setting in SETTINGS if role in setting.roles)


def resolve(role: Role, given: Mapping[str, SettingValue | None]) -> dict[str, SettingValue]:
    """Every tunable of `role`: the given value checked, else its default.

    Raises:
        UsageError: a name is unknown to `role`, or a value is out of its range.
    """
    rows = {setting.name: setting for setting in for_role(role)}
    unknown = sorted(set(given) - set(rows))
    if unknown:
        raise UsageError(
            f"unknown setting {unknown[0]!r}; a {role} knows: {', '.join(rows)}",
            hint="docs/settings.md lists every setting",
        )
    values: dict[str, SettingValue] = {}
    for name, setting in rows.items():
        value = given.get(name)
        if value is None:
            value = setting.default
        if value is not None:
            values[name] = checked(setting, value)
    interval_s = float(values["heartbeat_interval"])
    timeout_s = float(values.setdefault("heartbeat_timeout", HEARTBEATS_PER_TIMEOUT * interval_s))
    if timeout_s <= interval_s:
        raise UsageError(
            f"heartbeat_timeout is {timeout_s:g} s, expected more than the heartbeat_interval of {interval_s:g} s",
            where=rows["heartbeat_timeout"].flag,
            hint="a peer would be taken for dead before its next heartbeat is due",
        )
    return values


def checked(setting: Setting, value: SettingValue) -> SettingValue:
    """`value` as the setting's type, inside its range or among its choices.

    Raises:
        UsageError: it is not.
    """
    if setting.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, setting.kind) or (isinstance(value, bool) and setting.kind is not bool):
        raise UsageError(
            f"{setting.name} is {value!r}, expected {setting.kind.__name__}",
            where=setting.flag,
            hint=setting.help,
        )
    if setting.choices and value not in setting.choices:
        raise UsageError(
            f"{setting.name} is {value!r}, expected one of {', '.join(setting.choices)}",
            where=setting.flag,
            hint=setting.help,
        )
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = setting.low, setting.high
        if (low is not None and value < low) or (high is not None and value > high) or value != value:  # noqa: PLR0124
            raise UsageError(
                f"{setting.name} is {value}, expected {low} to {high} {setting.unit}".rstrip(),
                where=setting.flag,
                hint=setting.help,
            )
    return value
