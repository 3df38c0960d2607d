"""The live metrics of one worker: the same fold that analyses logs, fed while the lines are written."""

from collections.abc import Callable

from recontool.logs.writer import LogWriter
from recontool.metrics.fold import WorkerFold
from recontool.model.catalogue import ALIASES, DOCUMENTED
from recontool.model.events import Value


class EnhancedWorkerReconnectionPlugin:
    """Watches one worker's log and answers what its metrics are now.

    Args:
        log: the worker's log; attach before its first event.
        force: ends the worker's session, to see it come back; returns whether there was one.
        queue_depth: messages waiting to be sent.
    """

    def __init__(
        self,
        log: LogWriter,
        *,
        force: Callable[[], bool] = lambda: False,
        queue_depth: Callable[[], int] = lambda: 0,
    ) -> None:
        self._log, self._force, self._queue_depth = log, force, queue_depth
        self._fold = WorkerFold(log.source, live=True)
        log.listen(self._fold.feed)

    def get_performance_metrics(self) -> dict[str, Value | None]:
        """The eighteen documented metrics at this moment; None where there is nothing to count."""
        values = self.reported(self._log.now_us())
        return {metric.name: values[metric.name] for metric in DOCUMENTED}

    def reported(self, at_us: int) -> dict[str, Value | None]:
        """What the metrics block and the `metrics` record say at `at_us`."""
        return self._fold.reported(at_us)

    def sample(self, at_us: int) -> dict[str, float | int | None]:
        """Every metric of the catalogue at `at_us`, for snapshots; a worker takes it while connected."""
        timeline, totals = self._fold.timeline, self._fold.totals()
        timeline.expire(at_us)
        found: dict[str, float | int | None] = {
            name: value for name, value in self.reported(at_us).items() if not isinstance(value, str)
        }
        found["reconnections_per_minute"] = len(timeline.recent)
        found["failed_reconnections"] = len(timeline.recent_failures)
        found["failed_reconnections_total"] = totals.attempts - totals.established
        found["queue_depth"] = self._queue_depth()
        found.update({alias: found.get(name) for alias, name in ALIASES.items()})
        return found

    def force_reconnect(self) -> bool:
        """Drop the session on purpose (RECONNECT lost cause=forced); False when there is none."""
        return self._force()
