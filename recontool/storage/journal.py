"""The coordinator's durable memory: tasks, results and checkpoints in one SQLite file.

Changes gather in a transaction until `commit`; what is committed survives SIGKILL and power loss.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from recontool.model.errors import UsageError

SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tasks (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, spec TEXT NOT NULL, submitted_us INTEGER NOT NULL,
    worker TEXT, lease INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS results (
    task TEXT PRIMARY KEY, worker TEXT NOT NULL, ok INTEGER NOT NULL, value TEXT NOT NULL, error TEXT NOT NULL,
    applied_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (
    task TEXT PRIMARY KEY, number INTEGER NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID;
"""
_LOAD: Final = """
SELECT t.id, t.spec, coalesce(r.worker, t.worker), t.lease, r.ok, r.applied_us, c.number, c.state
FROM tasks t LEFT JOIN results r ON r.task = t.id LEFT JOIN checkpoints c ON c.task = t.id ORDER BY t.position
"""


class StoredTask(Struct, frozen=True):
    """One task as it was last committed; `ok` and `applied_us` are None until it has a result."""

    id: str
    spec: dict[str, Any]
    worker: str | None
    lease: int
    ok: bool | None
    applied_us: int | None
    number: int
    state: Any


class Journal:
    """Opens or creates the file at `path`; one process at a time.

    Raises:
        UsageError: the file was written by a newer recontool, is no database, or another process has it open; of a
            change or `commit`: the disk refuses it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"cannot be used as the coordinator's journal: {error}",
                where=str(path),
                hint="another coordinator may be running on this --data-dir",
            ) from None
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, SCHEMA_VERSION}:
            raise UsageError(f"journal has schema {version}, expected {SCHEMA_VERSION}", where=str(path))
        self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def load(self) -> Iterator[StoredTask]:
        """Every task in order of submission."""
        for task, spec, worker, lease, ok, applied_us, number, state in self._db.execute(_LOAD):
            known = None if ok is None else bool(ok)
            progress = None if state is None else json.loads(state)
            yield StoredTask(task, json.loads(spec), worker, lease, known, applied_us, number or 0, progress)

    def result(self, task: str) -> tuple[bool, Any, str] | None:
        """Whether `task` succeeded, its value and its error; None while it has no result."""
        row = self._db.execute("SELECT ok, value, error FROM results WHERE task = ?", (task,)).fetchone()
        return None if row is None else (bool(row[0]), json.loads(row[1]), row[2])

    def add_task(self, task: str, spec: dict[str, Any], at_us: int) -> None:
        """Keep a submitted task."""
        self._change("INSERT INTO tasks (id, spec, submitted_us) VALUES (?, ?, ?)", task, json.dumps(spec), at_us)

    def assign(self, task: str, worker: str, lease: int) -> None:
        """Keep who runs `task`."""
        self._change("UPDATE tasks SET worker = ?, lease = ? WHERE id = ?", worker, lease, task)

    def checkpoint(self, task: str, number: int, state: Any) -> None:
        """Keep the progress of `task`, in place of earlier progress."""
        self._change(
            "INSERT INTO checkpoints VALUES (?, ?, ?)"
            " ON CONFLICT (task) DO UPDATE SET number = excluded.number, state = excluded.state",
            task,
            number,
            json.dumps(state),
        )

    def apply(self, task: str, worker: str, *, ok: bool, value: Any, error: str, at_us: int) -> bool:
        """Keep the result of `task`; False when it already has one, which then stays."""
        cursor = self._change(
            "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            task,
            worker,
            ok,
            json.dumps(value),
            error,
            at_us,
        )
        if cursor.rowcount == 1:
            self._change("DELETE FROM checkpoints WHERE task = ?", task)
        return cursor.rowcount == 1

    def commit(self) -> None:
        """Make every change so far durable."""
        if self._db.in_transaction:
            with self._refusal():
                self._db.execute("COMMIT")

    def close(self) -> None:
        """Commit and close."""
        try:
            self.commit()
        finally:
            self._db.close()

    def _prepare(self) -> None:
        # EXCLUSIVE: a second coordinator on the same folder would hand out the same tasks again.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def _change(self, statement: str, *values: str | float | bool | None) -> sqlite3.Cursor:
        with self._refusal():
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            return self._db.execute(statement, values)

    @contextmanager
    def _refusal(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise UsageError(
                f"cannot go on: {error}",
                where=str(self._path),
                hint="what was acknowledged is in it; make room, then start the coordinator again",
            ) from error
