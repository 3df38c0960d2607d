"""Executions of one worker: which are running, how long each took, what the first failure said."""

from typing import Final

from recontool.metrics.totals import nanos
from recontool.model.events import Event

OUTCOMES: Final = ("completed", "failed", "cancelled")
_SAMPLED: Final = 1_000


class TaskFold:
    """Feed starts and ends in log order; memory grows with the tasks that run, not with those that ran."""

    def __init__(self) -> None:
        self.first_error = ""
        self.first_error_evidence = ""
        self.sample_ms: list[float] = []
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self._running: dict[str, int] = {}
        self._elsewhere = 0  # running tasks that another fold knows by name
        self._stride = 1
        self._ended = 0

    @property
    def unfinished(self) -> int:
        """Tasks begun and not yet completed, failed or cancelled."""
        return len(self._running) + self._elsewhere

    def restore(
        self, unfinished: int, outcomes: dict[str, int], sample_ms: list[float], first_error: str, evidence: str
    ) -> None:
        """What another fold has found."""
        self._elsewhere, self.outcomes, self.sample_ms = unfinished, outcomes, sample_ms
        self.first_error, self.first_error_evidence = first_error, evidence

    def started(self, task: str, at_us: int) -> None:
        """An execution begins; of a task that never ended (its process died) the new start counts."""
        self._running[task] = at_us

    def cancelled(self, task: str) -> None:
        """The execution was called off."""
        self.outcomes["cancelled"] += 1
        self._running.pop(task, None)

    def ended(self, event: Event, evidence: str) -> int | None:
        """A `completed` or `failed` event; returns the execution time in ns, None when the log does not tell."""
        self.outcomes[event.name] += 1
        started_us = self._running.pop(str(event.fields.get("task", "")), None)
        if event.name == "failed" and not self.first_error:
            self.first_error = str(event.fields.get("error", ""))
            self.first_error_evidence = evidence
        took_ms = event.fields.get("took_ms")
        if isinstance(took_ms, float):
            took_ns = nanos(took_ms)
        elif started_us is not None:
            took_ns = max(0, event.at_us - started_us) * 1000
        else:
            return None
        self._sample(took_ns / 1e6)
        return took_ns

    def _sample(self, took_ms: float) -> None:
        if self._ended % self._stride == 0:
            self.sample_ms.append(took_ms)
            if len(self.sample_ms) > _SAMPLED:
                self.sample_ms = self.sample_ms[::2]
                self._stride *= 2
        self._ended += 1
