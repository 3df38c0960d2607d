"""The seven markers a log line may carry."""

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


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
COORDINATOR = "coordinator"  # the source that coordinator processes write
