"""One worker's events, folded one by one into everything its metrics need.

The live plugin and the analysis run this very fold, so on the same events they agree by construction.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recontool.metrics.activity import Activity
from recontool.metrics.claims import Claim, Said, all_totals, with_messages_of, with_size_of
from recontool.metrics.definitions import FORMULAS
from recontool.metrics.gaps import HEARTBEAT, Gaps
from recontool.metrics.tasks import TaskFold
from recontool.metrics.timeline import Timeline
from recontool.metrics.totals import Totals, nanos
from recontool.model.catalogue import CLAIMABLE, DOCUMENTED
from recontool.model.events import METRICS_BLOCK, STATUS, Event, Value
from recontool.model.findings import Disagreement, Source
from recontool.model.instant import seconds

_Handler: TypeAlias = Callable[[Event, str], None]

_PORT: Final = re.compile(r"//[^/]*:([0-9]{1,5})(?:/|\Z)")
SIZE: Final = "avg_message_size_bytes"
KEPT_PROCESSES: Final = 101  # whose claims are remembered: the running one and the hundred before it
_MESSAGES: Final = frozenset(metric.name for metric in DOCUMENTED if metric.subject == "messages")


class ProcessBooks(Struct, frozen=True):
    """What a fold knows of the processes of its worker: those that ended, and the one that runs."""

    settled: Totals
    current: Totals
    claim: Claim | None
    claimed: frozenset[str]  # metrics that claims of ended processes stood in for
    debug: bool
    marked: int
    start_seen: bool


class WorkerFold:
    """Feed the events of one worker in log order.

    Args:
        worker: id that findings carry.
        live: the events come from the running process, which shows all of them whatever its log level.
        claim_only: metrics of a metrics block that may not stand in for events (the format knows).
    """

    def __init__(self, worker: str, *, live: bool = False, claim_only: frozenset[str] = frozenset()) -> None:
        self.worker = self.source_id = worker
        self.timeline = Timeline(worker)
        self.tasks = TaskFold()
        self.gaps = Gaps()
        self.activity = Activity()
        self.markers: dict[str, int] = {}
        self.config: dict[str, Value] = {}
        self.port: int | None = None  # of the coordinator, as the first try names it
        self.starts_us: list[int] = []
        self.stops_us: list[int] = []  # when a process said that it stops
        self.said: deque[Said] = deque([Said()], maxlen=KEPT_PROCESSES)  # by process, the running one last
        self.first_us = 0
        self.last_us = 0
        self._started = False
        self._live, self._claim_only = live, claim_only
        self._settled = Totals()  # processes that have ended
        self._plain = True  # nothing settled yet
        self._current = Totals()  # events of the running process
        self._claim: Claim | None = None
        self._debug = live
        self._marked = 0
        self._start_seen = False
        self._claimed: set[str] = set()  # metrics that claims of settled processes stood in for
        self._handlers: Mapping[tuple[str, str], _Handler] = {
            ("CONNECT", "attempt"): self._on_attempt,
            ("RECONNECT", "attempt"): self._on_attempt,
            ("CONNECT", "failed"): self._on_attempt_failed,
            ("RECONNECT", "failed"): self._on_attempt_failed,
            ("CONNECT", "established"): self._on_established,
            ("RECONNECT", "established"): self._on_established,
            ("CONNECT", "closed"): self._on_closed,
            ("RECONNECT", "lost"): self._on_lost,
            ("RECONNECT", "gave_up"): self._on_gave_up,
            ("TASK", "started"): self._on_task_started,
            ("TASK", "completed"): self._on_task_ended,
            ("TASK", "failed"): self._on_task_ended,
            ("TASK", "cancelled"): self._on_task_cancelled,
            ("CHECKPOINT", "created"): self._on_created,
            ("CHECKPOINT", "restored"): self._on_restored,
            ("COMPRESS", "compressed"): self._on_compressed,
            ("COMPRESS", "decompressed"): self._on_decompressed,
            ("", "message_sent"): self._on_sent,
            ("", "message_received"): self._on_received,
            ("", "message_acked"): self._on_acked,
            ("", "message_error"): self._on_message_error,
            ("", "config"): self._on_config,
            ("", "process_started"): self._on_process_started,
            ("", "process_stopping"): self._on_process_stopping,
            ("", "metrics"): self._on_claim,
            ("", METRICS_BLOCK): self._on_claim,
            ("", STATUS): self._on_status,
        }

    def feed(self, event: Event, file: str = "") -> None:
        """Fold one record; `file` is how evidence names its file."""
        at_us = event.at_us
        if not self._started:
            self._started = True
            self.first_us = self.last_us = at_us
        if event.marker:
            self._marked += 1
            self.markers[event.marker] = self.markers.get(event.marker, 0) + 1
        elif event.level == "DEBUG":
            self._debug = True
        handler = self._handlers.get((event.marker, event.name))
        if handler is not None:
            handler(event, file)
        self.gaps.record(at_us)
        if event.marker == "CONNECT" and event.name == "closed":
            self.gaps.pause()
        self.last_us = max(self.last_us, at_us)

    def rename(self, key: str) -> None:
        """Findings from now on carry `key`: several overlapping logs share this worker's id."""
        if key != self.worker:
            self.worker = key
            self.timeline.rename(key)

    def restore(self, books: ProcessBooks, *, first_us: int, last_us: int) -> None:
        """Go on from what another fold of the same events has found; the parts are restored one by one."""
        self._started = True
        self.first_us, self.last_us = first_us, last_us
        self._settled, self._current = books.settled, books.current
        self._plain = self._settled == Totals()
        self._claim, self._claimed = books.claim, set(books.claimed)
        self._debug, self._marked, self._start_seen = books.debug, books.marked, books.start_seen

    def disagreements(self) -> list[Disagreement]:
        """Where the last word of a process on a metric differs from what its events showed at that moment."""
        return [one for said in self.said for one in said.disagreements(self.worker)]

    def totals(self) -> Totals:
        """Counts over all processes of the worker, trusted claims standing in where a log shows no events."""
        return self._settled + self._resolved()

    def value(self, metric: str) -> float | None:
        """The metric now, by its formula; None where nothing counts."""
        if self._plain and (self._claim is None or self._debug):
            return FORMULAS[metric](self._current)  # the common case, without adding up
        return FORMULAS[metric](self.totals())

    def shown(self, metric: str) -> float | None:
        """As `value`, None also where the log can show neither events nor a claim of the metric."""
        return self.value(metric) if self.source(metric) else None

    def standing(self) -> tuple[object, ...]:
        """Changes with what claims stand in for."""
        return self._debug, self._marked > 0, self._claim is not None

    def source(self, metric: str) -> Source:
        """Where the value of `metric` comes from; "" when the log can show neither events nor a claim."""
        if self._claim is not None and self._stands_in() and (metric in _MESSAGES or not self._marked):
            claimed = self._claim.get(metric) is not None or metric in self._claimed
            return "block" if claimed else ""
        if metric in self._claimed or (metric == SIZE and self._size_is_claimed()):
            return "block"
        if metric in _MESSAGES and not self._debug:
            return ""
        return "events"

    def reported(self, at_us: int) -> dict[str, Value | None]:
        """The eighteen metrics at `at_us`, plus messages_acked, reconnections and uptime_s; None where nothing counts."""
        totals = self.totals()
        found: dict[str, Value | None] = {metric.name: None for metric in DOCUMENTED}
        for name, formula in FORMULAS.items():
            found[name] = formula(totals)
        found["max_reconnect_time"] = self.max_reconnect_time()
        found["connection_stability"] = self.timeline.stability(at_us)
        if self._claim is not None and self._stands_in() and not self.markers:
            # No event at all: what the process says is everything there is.
            found.update({name: self._claim.get(name) for name in found})
        found["uptime_s"] = seconds(at_us - self.starts_us[-1]) if self.starts_us else None
        return found

    def max_reconnect_time(self) -> float | None:
        """Seconds of the longest completed outage."""
        longest_us = self.timeline.longest_us
        return None if longest_us is None else seconds(longest_us)

    def _resolved(self) -> Totals:
        if self._claim is None:
            return self._current
        if self._debug:
            return with_size_of(self._current, self._claim) if self._size_is_claimed() else self._current
        return with_messages_of(self._current, self._claim) if self._marked else all_totals(self._claim)

    def _size_is_claimed(self) -> bool:
        """The log shows messages but not their sizes, and the process is to be trusted with them."""
        unsized = self._current.sent > 0 and self._current.sized == 0
        return unsized and self._claim is not None and self._claim.get(SIZE) is not None

    def _stands_in(self) -> bool:
        return self._claim is not None and not self._debug

    def _begin_process(self, at_us: int) -> None:
        if self._claim is not None and self._stands_in():
            stood_in = (name for name in self._claim.values if name in _MESSAGES or not self._marked)
            self._claimed.update(name for name in stood_in if self._claim.get(name) is not None)
        self._settled = self.totals()
        self._plain = self._settled == Totals()
        self._current = Totals()
        self._claim = None
        self._debug = self._live
        self._marked = 0
        self.said.append(Said())
        self._start_seen = True
        self.starts_us.append(at_us)

    def _on_config(self, event: Event, file: str) -> None:
        self.timeline.process_started(event.at_us, self.last_us, _place(file, event))
        self._begin_process(event.at_us)
        self.config = event.fields
        self._debug = self._live or event.fields.get("log_level") == "DEBUG"
        interval = event.fields.get("metrics_interval")
        if isinstance(interval, float):
            self.gaps.configured(interval)

    def _on_process_started(self, event: Event, _file: str) -> None:
        """A start in a format whose starts say nothing about the session (untagged logs)."""
        self._begin_process(event.at_us)

    def _on_process_stopping(self, event: Event, _file: str) -> None:
        self.stops_us.append(event.at_us)

    def _on_attempt(self, event: Event, _file: str) -> None:
        if self.port is None and (port := _PORT.search(str(event.fields.get("url", "")))):
            self.port = int(port[1])
        self._current.attempts += 1
        self.timeline.attempt(event.at_us)

    def _on_attempt_failed(self, event: Event, _file: str) -> None:
        if self.timeline.fail_pending(event.at_us):
            self.activity.add(event.at_us, "attempts_failed")

    def _on_established(self, event: Event, file: str) -> None:
        self._current.established += 1
        took_us = self.timeline.established(event.at_us, _place(file, event))
        if took_us is not None:
            # What a process's first session ends, an earlier process lost: the running one cannot report it.
            book = self._settled if self._current.established == 1 else self._current
            book.reconnections += 1
            book.reconnect_us += took_us
            self.activity.add(event.at_us, "reconnections")

    def _on_closed(self, event: Event, _file: str) -> None:
        self.timeline.closed(event.at_us)

    def _on_lost(self, event: Event, file: str) -> None:
        code = event.fields.get("code")
        cause = str(event.fields.get("cause", "closed"))
        self.timeline.lost(event.at_us, cause, code if isinstance(code, int) else None, _place(file, event))

    def _on_gave_up(self, _event: Event, _file: str) -> None:
        self.timeline.gave_up += 1

    def _on_task_started(self, event: Event, _file: str) -> None:
        self._current.executed += 1
        self.tasks.started(str(event.fields.get("task", "")), event.at_us)
        self.activity.add(event.at_us, "tasks_started")

    def _on_task_ended(self, event: Event, file: str) -> None:
        took_ns = self.tasks.ended(event, _place(file, event))
        if took_ns is not None:
            self._current.timed_tasks += 1
            self._current.task_ns += took_ns
        if event.name == "completed":
            self._current.completed += 1
            self.activity.add(event.at_us, "tasks_completed")
        else:
            self._current.failed += 1
            self.activity.add(event.at_us, "tasks_failed")

    def _on_task_cancelled(self, event: Event, _file: str) -> None:
        self.tasks.cancelled(str(event.fields.get("task", "")))

    def _on_created(self, event: Event, _file: str) -> None:
        self._current.created += 1
        self.activity.add(event.at_us, "checkpoints_created")

    def _on_restored(self, event: Event, _file: str) -> None:
        self._current.restored += 1
        self.activity.add(event.at_us, "checkpoints_restored")

    def _on_compressed(self, event: Event, _file: str) -> None:
        raw, wire = _integer(event, "raw_bytes"), _integer(event, "wire_bytes")
        self._current.compressed += 1
        self._current.raw_bytes += raw
        self._current.wire_bytes += wire
        took_ms = event.fields.get("took_ms")
        if isinstance(took_ms, float):
            self._current.timed_compressed += 1
            self._current.compress_ns += nanos(took_ms)
        self.activity.add(event.at_us, "raw_bytes", raw)
        self.activity.add(event.at_us, "wire_bytes", wire)

    def _on_decompressed(self, event: Event, _file: str) -> None:
        took_ms = event.fields.get("took_ms")
        if isinstance(took_ms, float):
            self._current.timed_decompressed += 1
            self._current.decompress_ns += nanos(took_ms)

    def _on_sent(self, event: Event, _file: str) -> None:
        self._current.sent += 1
        size = event.fields.get("size_bytes")
        if isinstance(size, int):
            self._current.sized += 1
            self._current.sent_bytes += size
        self.activity.add(event.at_us, "messages_sent")
        if event.fields.get("type") == HEARTBEAT:
            self.gaps.periodic(HEARTBEAT, event.at_us)

    def _on_received(self, event: Event, _file: str) -> None:
        self._current.received += 1
        self.activity.add(event.at_us, "messages_received")

    def _on_acked(self, event: Event, _file: str) -> None:
        rtt_ms = event.fields.get("rtt_ms")
        if isinstance(rtt_ms, float):
            self._current.acked += 1
            self._current.latency_ns += nanos(rtt_ms)
            self.activity.add(event.at_us, "latency_ms_sum", rtt_ms)
            self.activity.add(event.at_us, "latency_count")

    def _on_message_error(self, event: Event, _file: str) -> None:
        self._current.errors += 1
        self.activity.add(event.at_us, "message_errors")

    def _on_status(self, event: Event, _file: str) -> None:
        self.gaps.periodic("status", event.at_us)

    def _on_claim(self, event: Event, file: str) -> None:
        exact = event.name != METRICS_BLOCK
        if not exact:
            self.gaps.periodic("block", event.at_us)
        values = {
            name: float(value)
            for name, value in event.fields.items()
            if name in CLAIMABLE and not isinstance(value, str)
        }
        untrusted = frozenset() if exact else self._claim_only
        claim = Claim(event.at_us, values, exact, untrusted, _place(file, event))
        if self._claim is None or exact or not self._claim.exact or claim.at_us > self._claim.at_us:
            self._claim = claim
        if self._start_seen:
            self.said[-1].add(claim, replace(self._current), messages_shown=self._debug)


def _place(file: str, event: Event) -> str:
    return f"{file}:{event.line}" if event.line else ""


def _integer(event: Event, name: str) -> int:
    value = event.fields.get(name)
    return value if isinstance(value, int) else 0
