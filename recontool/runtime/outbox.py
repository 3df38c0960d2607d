"""What a worker must not lose with its process: unacknowledged results and the progress of its tasks.

Files under DATA/outbox/WORKER and DATA/checkpoints/WORKER, each written whole. Called from executing
threads and the event loop alike; every method touches one file of one task.
"""

from pathlib import Path

import msgspec

from recontool.runtime.messages import Checkpoint, Result
from recontool.storage.files import write_whole


class Outbox:
    """The durable side of one worker id."""

    def __init__(self, data_dir: Path, worker: str) -> None:
        self._results = data_dir / "outbox" / worker
        self._checkpoints = data_dir / "checkpoints" / worker

    def results(self) -> list[Result]:
        """Results an earlier process finished and never got acknowledged."""
        found = []
        for path in sorted(self._results.glob("*.json")):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Result))
            except msgspec.DecodeError:
                # Files appear whole, so this was not written by us; out of the way, yet kept for a person.
                path.rename(path.with_suffix(".unreadable"))
        return found

    def saved(self) -> set[str]:
        """Tasks with a checkpoint."""
        return {path.stem for path in self._checkpoints.glob("*.json")}

    def keep_result(self, result: Result) -> None:
        """Make `result` durable; its checkpoint is of no use any more."""
        write_whole(self._results / f"{result.task}.json", msgspec.json.encode(result))
        self._checkpoint_path(result.task).unlink(missing_ok=True)

    def forget(self, task: str) -> None:
        """The coordinator holds the result of `task`."""
        (self._results / f"{task}.json").unlink(missing_ok=True)
        self._checkpoint_path(task).unlink(missing_ok=True)

    def keep_checkpoint(self, checkpoint: Checkpoint) -> int:
        """Make `checkpoint` durable; its size in bytes."""
        data = msgspec.json.encode(checkpoint)
        write_whole(self._checkpoint_path(checkpoint.task), data)
        return len(data)

    def checkpoint(self, task: str) -> Checkpoint | None:
        """The last progress an earlier process of this worker saved for `task`.

        Raises:
            msgspec.DecodeError: the file holds no checkpoint.
        """
        path = self._checkpoint_path(task)
        return msgspec.json.decode(path.read_bytes(), type=Checkpoint) if path.exists() else None

    def _checkpoint_path(self, task: str) -> Path:
        return self._checkpoints / f"{task}.json"
