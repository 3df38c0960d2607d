"""What an analysis finds: the result types that analysis makes and screens, JSON, report and notebooks read.

Instants are integer microseconds UTC (`_us`), durations are microseconds too; evidence is "file:line".
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct, field

from recontool.model.events import Value
from recontool.model.units import SECOND_US

Status: TypeAlias = Literal["ok", "outside", "no_data"]
Source: TypeAlias = Literal["events", "block", "snapshot", ""]
Severity: TypeAlias = Literal["CRITICAL", "WARNING", "INFO"]
Cause: TypeAlias = Literal["closed", "heartbeat", "forced", "error", "crash"]

LISTED: Final = 1000  # outages, alerts and incidents a JSON or page lists; what is left out is counted
_MOMENT_US: Final = SECOND_US  # two threads log one step in either order
_STOPPING_US: Final = 30 * SECOND_US  # a process that stops waits for its threads
WORKER_CAUSES: Final = frozenset({"heartbeat", "forced"})  # outages the worker started itself


class Outage(Struct, frozen=True):
    """From the moment an UP worker lost its session to the next established one; open when `end_us` is None."""

    worker: str
    start_us: int
    end_us: int | None
    cause: str
    code: int | None
    attempts: int
    evidence: tuple[str, ...]

    @property
    def duration_us(self) -> int | None:
        """Reconnect time; None while the outage is open."""
        return None if self.end_us is None else self.end_us - self.start_us


class Span(Struct, frozen=True):
    """An interval of one worker's time, e.g. a gap in which nothing is known."""

    start_us: int
    end_us: int


class MetricValue(Struct, frozen=True):
    """One metric of one worker or of the fleet; `value` None comes with a `reason`.

    `side` is "low" or "high" when the value leaves the normal range; `note` says so when that is good news.
    """

    value: float | None
    source: Source = ""
    reason: str = ""
    status: Status = "no_data"
    side: Literal["", "low", "high"] = ""
    note: str = ""


class Tasks(Struct, frozen=True):
    """Executions of one worker; `unfinished` were begun and neither completed, failed nor cancelled."""

    executed: int = 0
    succeeded: int = 0
    failed: int = 0
    unfinished: int = 0


class Bucket(Struct, frozen=True):
    """What happened in [start_us, start_us + width_us): counts and sums, keyed as `ACTIVITY`."""

    start_us: int
    width_us: int
    counts: Mapping[str, float]


ACTIVITY: Final = (
    "tasks_started",
    "tasks_completed",
    "tasks_failed",
    "checkpoints_created",
    "checkpoints_restored",
    "messages_sent",
    "messages_received",
    "message_errors",
    "latency_ms_sum",
    "latency_count",
    "raw_bytes",
    "wire_bytes",
    "reconnections",
    "attempts_failed",
)


class SecurityFinding(Struct, frozen=True):
    """All events of one security kind seen by one source."""

    source: str
    event: str
    count: int
    detail: str  # reason or error of the first one
    first_us: int
    last_us: int
    evidence: tuple[str, ...]


class WorkerResult(Struct, frozen=True):
    """All that is known of one worker. `metrics` holds all eighteen names in catalogue order."""

    key: str
    worker: str
    files: tuple[str, ...]
    first_us: int
    last_us: int
    metrics: Mapping[str, MetricValue]
    derived: Mapping[str, float]
    outages: Sequence[Outage]  # in time order
    tasks: Tasks
    markers: Mapping[str, int]
    gaps: tuple[Span, ...] = ()
    flaps: tuple[Span, ...] = ()  # established sessions that ended within 10 s
    starts_us: tuple[int, ...] = ()  # process starts
    stops_us: tuple[int, ...] = ()  # when a process said that it stops
    observed: tuple[Span, ...] = ()  # from first established to last record, minus orderly closed times
    activity: Sequence[Bucket] = ()
    config: Mapping[str, Value] = field(default_factory=dict)
    task_ms: tuple[float, ...] = ()  # a bounded, evenly thinned sample of execution times
    first_error: str = ""  # text of the first failed task
    first_error_evidence: str = ""
    port: int | None = None  # the coordinator's port it dialled first
    totals: Mapping[str, int] = field(default_factory=dict)  # the sums behind its means, as `metrics.totals` names them

    @property
    def still_down(self) -> Outage | None:
        """The outage from which it had not come back when its log ended, unless it had said that it stops."""
        last = self.outages[-1] if self.outages else None
        return None if last is None or last.end_us is not None or self.stopped(last) else last

    def stopped(self, outage: Outage) -> bool:
        """Whether the session ended because its process was told to stop."""
        return any(
            -_MOMENT_US <= outage.start_us - at_us <= _STOPPING_US
            and not any(at_us < start_us <= outage.start_us for start_us in self.starts_us)
            for at_us in self.stops_us
        )


class CoordinatorResult(Struct, frozen=True):
    """What one coordinator log tells. Sessions it saw end by worker; starts in time order."""

    file: str
    first_us: int
    last_us: int
    starts_us: tuple[int, ...]
    stops_us: tuple[int, ...]
    counts: Mapping[
        str, int
    ]  # starts, stops, accepted, disconnected, rejected, submitted, assigned, applied, duplicate
    markers: Mapping[str, int]
    start_evidence: tuple[str, ...] = ()
    port: int | None = None  # where it listened
    ended: tuple[tuple[int, str, str], ...] = ()  # when it saw whose session end, on which evidence; the first ones
    silences: tuple[Span, ...] = ()  # a second or more without a line, broken by a session; longest ones, in time order


class Incident(Struct, frozen=True):
    """Outages of several workers with one cause. `lost_us` sums worker time lost, open outages to the last record."""

    cause: str  # coordinator_restart, coordinator_lost, network_cut, bad_key, ...
    title: str
    start_us: int
    end_us: int | None
    workers: tuple[str, ...]
    outages: tuple[Outage, ...]
    lost_us: int
    evidence: tuple[str, ...]


class Alert(Struct, frozen=True):
    """One interval in which a rule held. `peak` is the extreme of the value compared."""

    alert: str
    severity: Severity
    worker: str | None
    pending_us: int
    fired_us: int | None
    resolved_us: int | None
    peak: float | None


class Disagreement(Struct, frozen=True):
    """A process claims one thing, its events show another; `shown` None: its events cannot support the claim."""

    worker: str
    metric: str
    claimed: float
    shown: float | None
    at_us: int
    explanation: str
    evidence: tuple[str, ...]


class Recommendation(Struct, frozen=True):
    """A change the evidence supports: which setting, from what to what, and why."""

    title: str
    setting: str  # tunable's name, "" when the advice is not a setting
    current: str
    proposed: str
    reason: str
    workers: tuple[str, ...]
    evidence: tuple[str, ...]


class LineCount(Struct, frozen=True):
    """Where each line of a file went; the parts add up to `total`."""

    total: int = 0
    parsed: int = 0
    continuation: int = 0
    blank: int = 0
    unmarked: int = 0
    unparsed: int = 0
    duplicate: int = 0


class InputFile(Struct, frozen=True):
    """One file that was read. `role` is worker, coordinator, mixed, snapshot or none."""

    path: str
    name: str  # as evidence shows it
    format: str
    role: str
    bytes: int
    lines: LineCount
    first_us: int | None
    last_us: int | None
    unparsed_examples: tuple[tuple[int, str, str], ...] = ()  # (line, text, why), the first five


class QualityNote(Struct, frozen=True):
    """Something about the input a reader of the numbers should know."""

    subject: str  # file or worker
    text: str
    evidence: tuple[str, ...] = ()


class ClockOffset(Struct, frozen=True):
    """How far a worker's clock is ahead of its coordinator's (negative: behind), at most `error_us` wrong."""

    worker: str
    offset_us: int
    error_us: int
    sessions: int  # logged by both sides


class Verdict(Struct, frozen=True):
    """The one sentence on top of screen and page."""

    severity: Literal["CRITICAL", "WARNING", "OK", "NO DATA"]
    sentence: str


class Analysis(Struct, frozen=True):
    """Everything one analysis found; the one input of every output."""

    verdict: Verdict
    inputs: tuple[InputFile, ...]
    workers: Mapping[str, WorkerResult]  # in natural order of their keys
    coordinators: Mapping[str, CoordinatorResult]
    fleet: Mapping[str, MetricValue]
    fleet_derived: Mapping[str, float]
    incidents: tuple[Incident, ...]
    alerts: tuple[Alert, ...]
    disagreements: tuple[Disagreement, ...]
    recommendations: tuple[Recommendation, ...]
    security: tuple[SecurityFinding, ...]
    quality: tuple[QualityNote, ...]
    first_us: int | None
    last_us: int | None
    version: str
    clocks: tuple[ClockOffset, ...] = ()
