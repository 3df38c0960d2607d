"""Workers and outages as small as a story needs them."""

from recontool.model.findings import Outage, Tasks, WorkerResult


def outage(worker: str, start_us: int, end_us: int | None, cause: str = "closed", evidence=()) -> Outage:
    return Outage(worker, start_us, end_us, cause, None, 1, tuple(evidence))


def worker(key: str, outages: list[Outage], *, files=("w.log",), last_us: int = 0) -> WorkerResult:
    return WorkerResult(key, key, tuple(files), 0, last_us, {}, {}, tuple(outages), Tasks(), {})
