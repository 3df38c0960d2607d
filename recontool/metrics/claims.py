"""What a process says about itself, kept apart from what its events show.

A metrics block or `metrics` record counts since the start of its process. Where a log holds no events of a
kind (an INFO log has no message lines), trusted claims stand in; everywhere they are compared.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from recontool.metrics.definitions import FORMULAS
from recontool.metrics.totals import MESSAGE_TOTALS, Totals, nanos
from recontool.model.catalogue import BLOCK, CATALOGUE, CLAIMABLE
from recontool.model.findings import Disagreement
from recontool.model.said import said
from recontool.model.units import SECOND_US

_DECIMALS: Final[Mapping[str, int]] = {metric.name: label.decimals for metric, label in BLOCK}


class Claim(Struct, frozen=True):
    """One metrics block or record: values by metric name, in catalogue units.

    `exact` claims carry full precision, others are rounded as printed; `trusted` names the metrics
    whose claim may stand in for missing events (empty: all of them).
    """

    at_us: int
    values: Mapping[str, float]
    exact: bool
    untrusted: frozenset[str]
    evidence: str

    def get(self, name: str) -> float | None:
        """The claimed value, None when the claim is absent or not to be trusted."""
        return None if name in self.untrusted else self.values.get(name)


def message_totals(claim: Claim) -> Totals:
    """The message counts and sums that `claim` stands for; means are turned back into sums."""
    sent, received = _count(claim.get("messages_sent")), _count(claim.get("messages_received"))
    size, latency = claim.get("avg_message_size_bytes"), claim.get("avg_message_latency_ms")
    # A foreign record does not say how many acknowledgements its mean stands for; the sent ones come closest.
    acked = _count(claim.values.get("messages_acked", sent)) if latency is not None else 0
    return Totals(
        sent=sent,
        sized=sent if size is not None else 0,
        sent_bytes=round((size or 0.0) * sent),
        received=received,
        acked=acked,
        latency_ns=nanos((latency or 0.0) * acked),
        errors=_count(claim.get("message_errors")),
    )


def all_totals(claim: Claim) -> Totals:
    """As `message_totals`, for every subject; used where a log holds no events at all."""
    executed, rate = _count(claim.get("tasks_executed")), claim.get("task_success_rate")
    reconnections = _count(claim.get("reconnections"))
    took, duration = claim.get("avg_task_execution_time_ms"), claim.get("avg_reconnect_time")
    ratio = claim.get("compression_ratio")
    # A ratio alone does not tell sizes; scaled to a fixed wire size it keeps its value to nine digits.
    wire_bytes = 10**9 if ratio is not None else 0
    totals = replace(
        message_totals(claim),
        attempts=_count(claim.get("connection_attempts")),
        established=_count(claim.get("successful_connections")),
        reconnections=reconnections,
        reconnect_us=round((duration or 0.0) * reconnections * SECOND_US),
        executed=executed,
        completed=round((rate or 0.0) * executed),
        failed=executed - round(rate * executed) if rate is not None else 0,
        timed_tasks=executed if took is not None else 0,
        task_ns=nanos((took or 0.0) * executed),
        created=_count(claim.get("checkpoints_created")),
        restored=_count(claim.get("checkpoints_restored")),
        raw_bytes=round((ratio or 0.0) * wire_bytes),
        wire_bytes=wire_bytes,
    )
    for name, prefix in (("compression_time_ms", "compress"), ("decompression_time_ms", "decompress")):
        value = claim.get(name)
        if value is not None:
            setattr(totals, f"timed_{prefix}ed", 1)
            setattr(totals, f"{prefix}_ns", nanos(value))
    return totals


def with_messages_of(events: Totals, claim: Claim) -> Totals:
    """`events` with its message counts replaced by the claimed ones."""
    claimed = message_totals(claim)
    return replace(events, **{name: getattr(claimed, name) for name in MESSAGE_TOTALS})


def with_size_of(events: Totals, claim: Claim) -> Totals:
    """`events` with the claimed mean size: its message lines tell no size."""
    size = claim.get("avg_message_size_bytes") or 0.0
    return replace(events, sized=events.sent, sent_bytes=round(size * events.sent))


class Said:
    """The last word of one process on each metric, beside what its events showed at that moment.

    The last word counts: a counter may run ahead of its log line for a moment.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[Claim, Totals, bool]] = {}

    def add(self, claim: Claim, shown: Totals, *, messages_shown: bool) -> None:
        """Remember `claim`; `shown` are the counts of the process's events up to here."""
        self._last.update(dict.fromkeys(claim.values, (claim, shown, messages_shown)))

    def restore(self, name: str, claim: Claim, shown: Totals, *, messages_shown: bool) -> None:
        """The last word on one metric, as another fold has found it."""
        self._last[name] = (claim, shown, messages_shown)

    def disagreements(self, worker: str) -> Iterator[Disagreement]:
        """One per metric whose claim its events contradict or cannot support."""
        for name in CLAIMABLE:
            if name in self._last:
                claim, shown, messages_shown = self._last[name]
                found = _disagreement(worker, name, claim, shown, messages_shown=messages_shown)
                if found is not None:
                    yield found


def _disagreement(worker: str, name: str, claim: Claim, shown: Totals, *, messages_shown: bool) -> Disagreement | None:
    """A claim without any event to support it counts only when it is not to be trusted: its metric stays empty.

    Rounded claims agree when they are the shown value to the printed precision.
    """
    claimed, formula = claim.values[name], FORMULAS.get(name)
    if formula is None or name == "messages_acked":
        return None
    unseen = CATALOGUE[name].subject == "messages" and not messages_shown
    value = None if unseen else formula(shown)
    evidence = (claim.evidence,) if claim.evidence else ()
    if value is None:
        if name not in claim.untrusted:
            return None
        why = said("the process reports {claimed}, no event supports it", claimed=_plain(claimed))
        return Disagreement(worker, name, claimed, None, claim.at_us, why, evidence)
    if _agree(name, claimed, value, exact=claim.exact):
        return None
    why = said(
        "the process reports {claimed}, its own events show {shown}", claimed=_plain(claimed), shown=_plain(value)
    )
    return Disagreement(worker, name, claimed, float(value), claim.at_us, why, evidence)


def _agree(name: str, claimed: float, shown: float, *, exact: bool) -> bool:
    if exact:
        return abs(claimed - shown) <= 1e-6 * max(1.0, abs(shown))
    decimals = _DECIMALS.get(name, 1)
    unit = 10.0**-decimals
    if name == "avg_task_execution_time_ms":  # printed in s by some processes, so one decimal is 100 ms
        unit = 100.0 if claimed % 100 < 1e-6 else unit  # noqa: PLR2004
    return abs(claimed - shown) <= unit / 2 + 1e-9 * abs(shown)


def _count(value: float | None) -> int:
    return round(value or 0)


def _plain(value: float) -> str:
    return f"{value:.6g}"
