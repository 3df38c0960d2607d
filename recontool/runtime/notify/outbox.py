"""What the alerts must not lose with the process: their state and every message not yet delivered, in one SQLite file.

A round's new state and its new messages are one transaction: after a crash either both are there or neither, so a
message is decided once. It leaves the file after its delivery; a crash between the two sends a copy with the same key.
Any thread may call; every call is one short transaction.
"""

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from recontool.model.errors import UsageError
from recontool.runtime.notify.message import Notification

SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS states (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, next_us INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_channel ON messages (channel, position);
"""


class Queued(Struct, frozen=True):
    """A message that waits: how often it was tried, and not before when it is to be tried again."""

    position: int
    message: Notification
    tries: int
    next_us: int


class Outbox:
    """Opens or creates the file at `path`; one process at a time.

    Raises:
        UsageError: the file is no such database, or another process has it open.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        # The lock makes one connection safe for all threads.
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in {0, SCHEMA_VERSION}:
                raise UsageError(f"alert file has schema {version}, expected {SCHEMA_VERSION}", where=str(path))
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"cannot be used for the state of alerts: {error}",
                where=str(path),
                hint="another coordinator may run on this --data-dir; without the file, alerts are notified anew",
            ) from None

    def state(self, name: str) -> bytes | None:
        """What was last saved under `name`."""
        with self._lock:
            row = self._db.execute("SELECT value FROM states WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def save(self, states: Mapping[str, bytes], messages: Iterable[Notification]) -> None:
        """Keep `states` and append `messages`, all or nothing."""
        rows = [(message.channel, message.key, msgspec.json.encode(message)) for message in messages]
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO states VALUES (?, ?)", states.items())
            self._db.executemany("INSERT OR IGNORE INTO messages (channel, key, body) VALUES (?, ?, ?)", rows)

    def head(self, channel: str) -> Queued | None:
        """The oldest message that waits for `channel`."""
        with self._lock:
            row = self._db.execute(
                "SELECT position, body, tries, next_us FROM messages WHERE channel = ? ORDER BY position LIMIT 1",
                (channel,),
            ).fetchone()
        return None if row is None else Queued(row[0], msgspec.json.decode(row[1], type=Notification), row[2], row[3])

    def later(self, position: int, tries: int, next_us: int) -> None:
        """The message at `position` was tried that often and waits until `next_us`."""
        with self._lock:
            self._db.execute(
                "UPDATE messages SET tries = ?, next_us = ? WHERE position = ?", (tries, next_us, position)
            )

    def remove(self, position: int) -> None:
        """The message at `position` was delivered or given up."""
        with self._lock:
            self._db.execute("DELETE FROM messages WHERE position = ?", (position,))

    def backlog(self) -> dict[str, int]:
        """Messages that wait, by channel."""
        with self._lock:
            return dict(self._db.execute("SELECT channel, count(*) FROM messages GROUP BY channel"))

    def forget_others(self, channels: Iterable[str]) -> int:
        """Drop the messages of channels that are no more; how many there were."""
        kept = list(channels)
        marks = ", ".join("?" * len(kept))
        with self._lock:
            return self._db.execute(f"DELETE FROM messages WHERE channel NOT IN ({marks})", kept).rowcount  # noqa: S608 - question marks only

    def close(self) -> None:
        """Close; a call after it fails."""
        with self._lock:
            self._db.close()
