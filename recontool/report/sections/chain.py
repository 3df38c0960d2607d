"""The way back stage by stage, and the waits between tries against the backoff formula."""

from collections import Counter
from collections.abc import Sequence

from recontool.model.detail import Detail, Wait
from recontool.model.findings import Analysis, WorkerResult
from recontool.model.policy import Backoff
from recontool.report import quantity, view
from recontool.report.sections.reconnects import quantile
from recontool.report.stages import Stage, stages
from recontool.report.view import Cell, Figure, Row, Section, Table

_NOTE = (
    "A stage counts the outages whose log tells both of its ends. Detection is known only where the line says how long "
    "the peer had been silent; the first task also waits for work to be there."
)
_ROUNDING_S = 0.002  # delays are logged to the microsecond or to three digits


def section(analysis: Analysis, detail: Detail) -> Section:
    """Drop, detect, dial, established, sync, first task: median and 95 % of each stage."""
    found = stages(detail.steps)
    if not found:
        return Section("chain", "From loss to first task", empty=detail.missing or _nothing(analysis))
    figures = [Figure("Stages of the way back", _finding(found), chart="stages", table=_table(found))]
    if detail.waits:
        figures.append(Figure("Waits against the backoff formula", _waits_finding(analysis, detail), chart="waits"))
    return Section(
        "chain",
        "From loss to first task",
        lead="Where the time between losing a session and working again goes.",
        figures=tuple(figures),
        notes=(_NOTE,),
    )


def policies(analysis: Analysis) -> Counter[Backoff]:
    """The backoff policies the workers logged at their start, with how many workers have each."""
    known = (policy for worker in analysis.workers.values() if (policy := policy_of(worker)) is not None)
    return Counter(known)


def policy_of(worker: WorkerResult) -> Backoff | None:
    """The policy of one worker; None when its log does not tell."""
    config = worker.config
    initial, cap, jitter = (
        config.get(name) for name in ("initial_reconnect_delay", "max_reconnect_delay", "reconnect_jitter")
    )
    if isinstance(initial, float) and isinstance(cap, float) and isinstance(jitter, str):
        return Backoff(initial, cap, jitter)
    return None


def envelope(policy: Backoff, n: int) -> tuple[float, float]:
    """The shortest and the longest wait the formula allows before the `n`-th try, in seconds."""
    if policy.jitter == "decorrelated":
        return policy.initial_s, min(policy.cap_s, policy.initial_s * 3.0**n)
    top = min(policy.cap_s, policy.initial_s * 2.0 ** min(n - 1, 60))
    return {"none": top, "equal": top / 2}.get(policy.jitter, 0.0), top


def _nothing(analysis: Analysis) -> str:
    if not analysis.workers:
        return "No stages: no worker log was among the inputs."
    return "No stages: no outage was followed through these logs."


def _finding(found: Sequence[Stage]) -> str:
    longest = max(found, key=lambda stage: quantile(stage.took_us, 0.5))
    parts = (f"{stage.title.lower()} {quantity.duration(quantile(stage.took_us, 0.5))}" for stage in found)
    return (
        f"{longest.title} takes the most: half of the time more than "
        f"{quantity.duration(quantile(longest.took_us, 0.5))}. Medians: {', '.join(parts)}. "
        "Bars end at the median, the thin lines at 95 %."
    )


def _table(found: Sequence[Stage]) -> Table:
    titles = view.columns("Stage", "#Outages", "#Median", "#95 %", "#Longest", "~From and to")
    return view.table("Stages of the way back", titles, [_row(stage) for stage in found], what="stages")


def _row(stage: Stage) -> Row:
    spots = (quantile(stage.took_us, 0.5), quantile(stage.took_us, 0.95), stage.took_us[-1])
    return Row(
        (
            Cell(stage.title),
            Cell(quantity.count(len(stage.took_us)), sort=len(stage.took_us)),
            *(Cell(quantity.duration(took), sort=took) for took in spots),
            Cell(stage.meaning),
        )
    )


def _waits_finding(analysis: Analysis, detail: Detail) -> str:
    text = f"{quantity.counted(detail.waits_seen, 'wait')} between tries"
    if len(detail.waits) < detail.waits_seen:
        text += f", {quantity.count(len(detail.waits))} of them drawn, evenly thinned"
    known = policies(analysis)
    if not known:
        return f"{text}. No log names its backoff settings, so there is nothing to hold them against."
    judged = [(wait, policy) for wait in detail.waits if (policy := policy_of(analysis.workers[wait.worker]))]
    outside = sum(not _fits(wait, policy) for wait, policy in judged)
    (policy, _), *others = known.most_common()
    formula = f"initial {policy.initial_s:g} s, doubled up to {policy.cap_s:g} s, jitter {policy.jitter}"
    verdict = "all lie" if not outside else f"{len(judged) - outside:,} of {len(judged):,} lie"
    more = f"; {len(others):,} other settings are in use as well" if others else ""
    return f"{text}; {verdict} within what the formula allows ({formula}){more}."


def _fits(wait: Wait, policy: Backoff) -> bool:
    low, high = envelope(policy, wait.n)
    return low - _ROUNDING_S <= wait.delay_s <= high + _ROUNDING_S
