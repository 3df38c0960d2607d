"""The five documented alert rules. Source: monitoring guide, "Alert Conditions"; SPEC section 7."""

from dataclasses import dataclass
from operator import gt, lt
from typing import Final, Literal

from recontool.model.catalogue import ALIASES, CATALOGUE
from recontool.model.findings import Severity

_COMPARE: Final = {">": gt, "<": lt}


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires while `metric` stands in `comparison` to `threshold`; a metric that is absent never fires."""

    name: str
    title: str
    metric: str
    comparison: Literal[">", "<"]
    threshold: float
    severity: Severity

    def __post_init__(self) -> None:
        if self.metric not in CATALOGUE or self.metric in ALIASES:
            raise ValueError(f"rule {self.name!r} reads unknown metric {self.metric!r}")

    @property
    def condition(self) -> str:
        """The rule as the guide writes it."""
        return f"{self.metric} {self.comparison} {self.threshold:g}"

    def holds(self, value: float | None) -> bool:
        """Whether `value` satisfies the condition; None and NaN never do."""
        return value is not None and bool(_COMPARE[self.comparison](value, self.threshold))

    def worse(self, one: float, other: float) -> float:
        """The more extreme of two values, on the side the rule looks at."""
        return max(one, other) if self.comparison == ">" else min(one, other)


BUILT_IN: Final = (
    Rule("high_reconnection_rate", "High reconnection rate", "reconnections_per_minute", ">", 3.0, "WARNING"),
    Rule("connection_failures", "Connection failures", "failed_reconnections", ">", 0.0, "CRITICAL"),
    Rule("high_message_latency", "High message latency", "avg_message_latency_ms", ">", 200.0, "WARNING"),
    Rule("task_failures", "Task failures", "task_success_rate", "<", 0.95, "CRITICAL"),
    Rule("low_compression", "Low compression", "compression_ratio", "<", 1.5, "INFO"),
)
