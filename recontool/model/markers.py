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
COORDINATOR = "coordinator"  # the source that coordinator processes write
