"""The alert rule, and the five documented ones. Source: monitoring guide, "Alert Conditions"; SPEC section 7."""

from functools import lru_cache
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from recontool.alerts.language.parser import parse
from recontool.alerts.language.tree import Compare, Metric, Number
from recontool.model.findings import Severity

NoData: TypeAlias = Literal["ok", "alert", "keep"]
Scope: TypeAlias = Literal["worker", "fleet"]

SEVERITIES: Final[tuple[Severity, ...]] = ("INFO", "WARNING", "CRITICAL")
NO_DATA: Final[tuple[NoData, ...]] = ("ok", "alert", "keep")
SCOPES: Final[tuple[Scope, ...]] = ("worker", "fleet")
_COMPARISONS: Final = (">", "<")


class Threshold(Struct, frozen=True):
    """The simple view of a rule whose condition only compares one metric with one number."""

    metric: str
    comparison: str
    value: float

    def holds(self, value: float | None) -> bool:
        """Whether `value` satisfies the comparison; None and NaN never do."""
        return value is not None and (value > self.value if self.comparison == ">" else value < self.value)

    def worse(self, one: float, other: float) -> float:
        """The more extreme of two values, on the side the comparison looks at."""
        return max(one, other) if self.comparison == ">" else min(one, other)


class Rule(Struct, frozen=True):
    """Fires while its condition is definitely true, for each worker or for the fleet.

    `for_us` is how long it must be true before it fires, `keep_firing_us` how long it goes on firing afterwards;
    once firing, `clear_when` must be met before it ends; `no_data` says what an unknown condition counts as.
    """

    name: str
    condition: str
    severity: Severity = "WARNING"
    title: str = ""
    notification: tuple[str, ...] = ("dashboard",)
    for_us: int = 0
    keep_firing_us: int = 0
    clear_when: str = ""
    no_data: NoData = "ok"
    scope: Scope = "worker"
    description: str = ""
    group: str = "worker_reconnection"

    def __post_init__(self) -> None:
        parse(self.condition)
        if self.clear_when:
            parse(self.clear_when)

    @property
    def simple(self) -> Threshold | None:
        """The rule as one metric against one number, None when its condition is anything else."""
        return _simple(self.condition)

    @property
    def limit(self) -> Threshold:
        """The simple view of a rule that has one; ValueError for any other."""
        found = self.simple
        if found is None:
            raise ValueError(f"rule {self.name!r} is no simple threshold: {self.condition}")
        return found

    @property
    def metric(self) -> str:
        """What a simple rule looks at."""
        return self.limit.metric

    @property
    def comparison(self) -> str:
        """Which side of its threshold a simple rule looks at: < or >."""
        return self.limit.comparison

    @property
    def threshold(self) -> float:
        """The limit of a simple rule."""
        return self.limit.value


@lru_cache(maxsize=256)
def _simple(condition: str) -> Threshold | None:
    node = parse(condition)
    if isinstance(node, Compare) and node.op in _COMPARISONS:
        left, right = node.left, node.right
        if isinstance(left, Metric) and isinstance(right, Number):
            return Threshold(left.stored, node.op, right.value)
    return None


BUILT_IN: Final = (
    Rule("high_reconnection_rate", "reconnections_per_minute > 3", "WARNING", "High reconnection rate"),
    Rule("connection_failures", "failed_reconnections > 0", "CRITICAL", "Connection failures"),
    Rule("high_message_latency", "avg_message_latency_ms > 200", "WARNING", "High message latency"),
    Rule("task_failures", "task_success_rate < 0.95", "CRITICAL", "Task failures"),
    Rule("low_compression", "compression_ratio < 1.5", "INFO", "Low compression"),
)
