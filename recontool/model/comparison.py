"""What a comparison of two runs and a gate over one run find: the types that screens, JSON, pages and tables read."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Verdict: TypeAlias = Literal["worse", "better", "same", "unclear", "no_data", "neutral"]
Unit: TypeAlias = Literal["worker pair", "worker", "time block", ""]
Scale: TypeAlias = Literal["ratio", "difference"]
Outcome: TypeAlias = Literal["failed", "passed", "no_data"]

VERDICT_TEXT: Final[dict[Verdict, str]] = {
    "worse": "worse",
    "better": "better",
    "same": "same",
    "unclear": "unclear",
    "no_data": "not enough data",
    "neutral": "no better or worse",
}


class Difference(Struct, frozen=True):
    """One measure of two runs.

    `change`, `low` and `high` are new / base - 1 where `scale` is "ratio" (0.2 is 20 % more), else new - base in the
    measure's unit; `low` to `high` is the 95 % interval of this measure alone. `p_adjusted` is Holm's, over all
    measures that were tested. `effect` is Cliff's delta: -1 all new values smaller, 1 all larger.
    """

    measure: str
    title: str
    unit: str  # of base and new, e.g. "s", "share", "/h"
    better: Literal["lower", "higher", ""]
    scale: Scale
    least: float  # smallest change that counts, on the scale of `change`
    base: float | None
    new: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    effect: float | None = None
    resampled: Unit = ""
    units: tuple[int, int] = (0, 0)
    verdict: Verdict = "no_data"
    reason: str = ""  # why there is no verdict


class RunFacts(Struct, frozen=True):
    """What one side of a comparison rests on."""

    name: str
    workers: int
    reconnections: int
    first_us: int | None
    last_us: int | None


class Comparison(Struct, frozen=True):
    """Every measure of two runs in the order of the table, and the sentence that sums them up."""

    base: RunFacts
    new: RunFacts
    differences: tuple[Difference, ...]
    severity: Literal["WORSE", "OK", "UNCLEAR", "NO DATA"]
    sentence: str
    seed: int
    draws: int
    tested: int  # measures in the correction
    version: str

    @property
    def worse(self) -> tuple[Difference, ...]:
        """The regressions."""
        return tuple(one for one in self.differences if one.verdict == "worse")


class Finding(Struct, frozen=True):
    """One place where a condition did not hold. `evidence` is "file:line"; `subject` a worker or "fleet"."""

    subject: str
    message: str
    evidence: tuple[str, ...] = ()


class CheckResult(Struct, frozen=True):
    """One condition of a gate: failed, passed, or nothing to decide it with; `message` says with which numbers.

    `unclear`: passed, but the interval is too wide to rule out what the condition is about.
    """

    condition: str
    outcome: Outcome
    message: str
    findings: tuple[Finding, ...] = ()
    unclear: bool = False

    @property
    def word(self) -> str:
        """The outcome in a word or two."""
        return (
            "unclear" if self.unclear else {"failed": "FAILED", "passed": "passed", "no_data": "no data"}[self.outcome]
        )


class Gate(Struct, frozen=True):
    """All conditions of one gate, in the order they were given."""

    checks: tuple[CheckResult, ...]
    inputs: tuple[tuple[str, str], ...]  # (name as evidence shows it, path)
    baseline: str  # what it was compared with, "" without
    sentence: str
    version: str

    @property
    def severity(self) -> Literal["FAILED", "NO DATA", "UNCLEAR", "PASSED"]:
        """The word that goes with the sentence; PASSED needs at least one condition that is clear."""
        if self.failed:
            return "FAILED"
        if self.undecided:
            return "NO DATA"
        return "PASSED" if any(check.outcome == "passed" and not check.unclear for check in self.checks) else "UNCLEAR"

    @property
    def failed(self) -> bool:
        """Whether some condition did not hold."""
        return any(check.outcome == "failed" for check in self.checks)

    @property
    def undecided(self) -> bool:
        """Whether there was no data for any condition, so that passing would say nothing."""
        return all(check.outcome == "no_data" for check in self.checks)
