"""The way back stage by stage, and the waits between tries against the backoff formula."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from recontool.model.detail import Detail, Wait
from recontool.model.findings import Analysis, WorkerResult
from recontool.model.policy import Backoff
from recontool.report import quantity, view
from recontool.report.language import inside, say, several, spoken
from recontool.report.sections.reconnects import quantile
from recontool.report.stages import Stage, stages
from recontool.report.view import Cell, Figure, Row, Section, Table

NOTE: Final = (
    "A stage counts the outages whose log tells both of its ends. Detection is known only where the line says how long "
    "the peer had been silent; the first task also waits for work to be there."
)
_ROUNDING_S = 0.002  # delays are logged to the microsecond or to three digits


def section(analysis: Analysis, detail: Detail) -> Section:
    """Drop, detect, dial, established, sync, first task: median and 95 % of each stage."""
    found = stages(detail.steps)
    if not found:
        return Section("chain", say("From loss to first task"), empty=spoken(detail.missing) or _nothing(analysis))
    figures = [Figure(say("Stages of the way back"), _finding(found), chart="stages", table=_table(found))]
    if detail.waits:
        title = say("Waits against the backoff formula")
        figures.append(Figure(title, _waits_finding(analysis, detail), chart="waits"))
    return Section(
        "chain",
        say("From loss to first task"),
        lead=say("Where the time between losing a session and working again goes."),
        figures=tuple(figures),
        notes=(say(NOTE),),
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
        return say("No stages: no worker log was among the inputs.")
    return say("No stages: no outage was followed through these logs.")


def _finding(found: Sequence[Stage]) -> str:
    longest = max(found, key=lambda stage: quantile(stage.took_us, 0.5))
    parts = (f"{inside(say(stage.title))} {quantity.duration(quantile(stage.took_us, 0.5))}" for stage in found)
    return say(
        "{stage} takes the most: half of the time more than {half}. Medians: {medians}. "
        "Bars end at the median, the thin lines at 95 %.",
        stage=say(longest.title),
        half=quantity.duration(quantile(longest.took_us, 0.5)),
        medians=", ".join(parts),
    )


def _table(found: Sequence[Stage]) -> Table:
    titles = view.columns("Stage", "#Outages", "#Median", "#95 %", "#Longest", "~From and to")
    return view.table(say("Stages of the way back"), titles, [_row(stage) for stage in found], what="stages")


def _row(stage: Stage) -> Row:
    spots = (quantile(stage.took_us, 0.5), quantile(stage.took_us, 0.95), stage.took_us[-1])
    return Row(
        (
            Cell(say(stage.title)),
            Cell(quantity.count(len(stage.took_us)), sort=len(stage.took_us)),
            *(Cell(quantity.duration(took), sort=took) for took in spots),
            Cell(say(stage.meaning)),
        )
    )


def _waits_finding(analysis: Analysis, detail: Detail) -> str:
    text = several(detail.waits_seen, "{n} wait between tries", "{n} waits between tries")
    if len(detail.waits) < detail.waits_seen:
        drawn = quantity.count(len(detail.waits))
        text = say("{waits}, {n} of them drawn, evenly thinned", waits=text, n=drawn)
    known = policies(analysis)
    if not known:
        return say("{waits}. No log names its backoff settings, so there is nothing to hold them against.", waits=text)
    judged = [(wait, policy) for wait in detail.waits if (policy := policy_of(analysis.workers[wait.worker]))]
    outside = sum(not _fits(wait, policy) for wait, policy in judged)
    (policy, _), *others = known.most_common()
    formula = say(
        "initial {initial} s, doubled up to {cap} s, jitter {jitter}",
        initial=f"{policy.initial_s:g}",
        cap=f"{policy.cap_s:g}",
        jitter=policy.jitter,
    )
    verdict = say("{waits}; all lie within what the formula allows ({formula})", waits=text, formula=formula)
    if outside:
        verdict = say(
            "{waits}; {fitting} of {all} lie within what the formula allows ({formula})",
            waits=text,
            fitting=f"{len(judged) - outside:,}",
            all=f"{len(judged):,}",
            formula=formula,
        )
    if others:
        verdict = say("{verdict}; {n} other settings are in use as well", verdict=verdict, n=f"{len(others):,}")
    return say("{text}.", text=verdict)


def _fits(wait: Wait, policy: Backoff) -> bool:
    low, high = envelope(policy, wait.n)
    return low - _ROUNDING_S <= wait.delay_s <= high + _ROUNDING_S
