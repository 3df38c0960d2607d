"""Collects security events by source and kind."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from recontool.model.events import Event
from recontool.model.findings import SecurityFinding, WorkerResult

_EVIDENCE: Final = 3
_GOOD: Final = "auth_ok"
_REFUSED: Final = "auth_failed"


class _Seen(Struct):
    place: tuple[int, int]
    detail: str
    first_us: int
    last_us: int
    count: int = 0
    evidence: list[str] = field(default_factory=list)


class SecurityFold:
    """Feed every event; successful logins are no finding."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], _Seen] = {}

    def feed(self, source: str, event: Event, number: int, file: str) -> None:
        """Fold one event of `source` (a worker's id or a coordinator's file), read from file `number` called `file`."""
        if event.marker != "SECURITY" or event.name == _GOOD:
            return
        seen = self._seen.get((source, event.name))
        if seen is None:
            seen = self._seen[source, event.name] = _Seen((number, event.line), detail(event), event.at_us, event.at_us)
        seen.count += 1
        seen.last_us = max(seen.last_us, event.at_us)
        if len(seen.evidence) < _EVIDENCE:
            seen.evidence.append(f"{file}:{event.line}")

    def findings(self) -> list[tuple[tuple[int, int], SecurityFinding]]:
        """One finding per source and kind, each with the place (number of file, line) of its first event."""
        return [
            (
                seen.place,
                SecurityFinding(
                    source, name, seen.count, seen.detail, seen.first_us, seen.last_us, tuple(seen.evidence)
                ),
            )
            for (source, name), seen in self._seen.items()
        ]


def refused_workers(security: Sequence[SecurityFinding], workers: Mapping[str, WorkerResult]) -> list[SecurityFinding]:
    """Refused logins as the logs of `workers` tell of them."""
    ids = {worker.worker for worker in workers.values()}  # keys may carry a file, sources do not
    return [finding for finding in security if finding.event == _REFUSED and finding.source in ids]


def refusals(security: Sequence[SecurityFinding], workers: Mapping[str, WorkerResult]) -> list[SecurityFinding]:
    """Refused logins, each once: as coordinators saw them, or as workers did where no coordinator's log tells."""
    own = refused_workers(security, workers)
    return [finding for finding in security if finding.event == _REFUSED and finding not in own] or own


def detail(event: Event) -> str:
    """What a security event says beside its kind."""
    said = [str(event.fields[name]) for name in ("worker", "reason", "error", "size_bytes") if name in event.fields]
    return ": ".join(said)
