"""The ids that links of the page point to: `w=worker-7` is a worker, `w=worker-7&o=3` its third outage.

Without scripts they are places on the page; with them they open the worker's own view. Both survive a reload.
"""

import hashlib
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from recontool.model.findings import Outage, WorkerResult
from recontool.report.plain import plain

_LONGEST: Final = 300  # of a name in an address; a longer one is cut and told apart by a hash


def worker_anchor(key: str) -> str:
    """The id of a worker; any key gives a valid one."""
    name = quote(plain(key), safe="")
    if len(name) > _LONGEST:
        name = (
            f"{name[:_LONGEST].rpartition('%')[0] or name[:_LONGEST]}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        )
    return f"w={name}"


def outage_anchor(key: str, number: int) -> str:
    """The id of a worker's `number`-th outage, counted from 1 in time order."""
    return f"{worker_anchor(key)}&o={number}"


def numbered(workers: Iterable[WorkerResult]) -> dict[tuple[str, int], int]:
    """The number of every outage among those of its worker, by worker and start."""
    return {
        (worker.key, outage.start_us): number
        for worker in workers
        for number, outage in enumerate(sorted(worker.outages, key=_start), 1)
    }


def _start(outage: Outage) -> int:
    return outage.start_us
