"""The seven markers a log line may carry."""

from collections.abc import Mapping
from enum import StrEnum


class Marker(StrEnum):
    """What part of a worker's life a line tells about; written as `[MARKER]`."""

    CONNECT = "CONNECT"
    RECONNECT = "RECONNECT"
    SYNC = "SYNC"
    CHECKPOINT = "CHECKPOINT"
    TASK = "TASK"
    SECURITY = "SECURITY"
    COMPRESS = "COMPRESS"


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by marker, in the order of the markers, without those that were not seen."""
    return {marker.value: counts[marker.value] for marker in Marker if counts.get(marker.value)}


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LEVEL_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("trace", "debug", "dbg", "verbose"), "DEBUG"),
    **dict.fromkeys(("info", "information", "informational", "notice", "success"), "INFO"),
    **dict.fromkeys(("warn", "warning"), "WARNING"),
    **dict.fromkeys(("error", "err"), "ERROR"),
    **dict.fromkeys(("critical", "crit", "fatal", "panic", "dpanic", "alert", "emerg", "emergency"), "CRITICAL"),
}  # what other programs call them
NO_LEVEL = "INFO"  # of a record that has none, or one that nobody knows


def level_named(word: str) -> str:
    """One of `LEVELS`, whatever the case of `word`."""
    return LEVEL_NAMES.get(word.lower(), NO_LEVEL) if word.isascii() else NO_LEVEL


COORDINATOR = "coordinator"  # the source that coordinator processes write
