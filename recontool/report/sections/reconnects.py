"""How long reconnecting took: by cause, as quantiles and as a distribution."""

from collections.abc import Sequence
from typing import Final

from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Analysis
from recontool.model.instant import seconds
from recontool.report import quantity, ranking, view
from recontool.report.language import say, several, spoken
from recontool.report.survival import quantile_us, survival
from recontool.report.view import Cell, Figure, Row, Section

NOTE: Final = (
    "Quantiles are nearest-rank: each is a duration that really occurred. The curves are Kaplan-Meier estimates: an outage "
    "that is still open counts as not back yet, for as long as it was seen. Bands are 95 % (Greenwood, log-log)."
)
MOST_CAUSES = 8  # a chart of more lines than this says nothing


def section(analysis: Analysis) -> Section:
    """Reconnect times by cause; needs at least one completed outage."""
    by_cause = times_by_cause(analysis)
    if not by_cause:
        empty = say(
            "No reconnect times: no outage was completed."
            if analysis.workers
            else "No reconnect times: no worker log was among the inputs."
        )
        return Section("reconnects", say("Time to reconnect"), empty=empty)
    everything = sorted(took for times in by_cause.values() for took in times)
    figures = [Figure(say("How long workers were away"), _finding(everything), chart="reconnect_times")]
    if any(still for _, still in spans_by_cause(analysis).values()):
        figures.append(Figure(say("Who was still away"), _away_finding(analysis), chart="still_away"))
    if len(everything) > 1:
        figures.append(Figure(say("When, and for how long"), _worst_finding(analysis), chart="outages"))
    rows = [_row(cause, times) for cause, times in by_cause.items()]
    if len(by_cause) > 1:
        rows.append(_row("all causes", everything))
    titles = view.columns("Cause", "#Reconnections", "#Shortest", "#Median", "#95 %", "#Longest", "#Over 10 s")
    return Section(
        "reconnects",
        say("Time to reconnect"),
        figures=tuple(figures),
        tables=(view.table(say("Reconnect time by cause"), titles, rows, what="causes"),),
        notes=(say(NOTE),),
    )


def times_by_cause(analysis: Analysis) -> dict[str, list[int]]:
    """Durations of completed outages in microseconds, ascending, the most frequent cause first; rare ones together."""
    causes: dict[str, list[int]] = {}
    for worker in analysis.workers.values():
        for outage in worker.outages:
            if outage.duration_us is not None:
                causes.setdefault(outage.cause, []).append(outage.duration_us)
    ranked = sorted(causes.items(), key=lambda item: (-len(item[1]), item[0]))
    common = {cause: sorted(times) for cause, times in ranked[:MOST_CAUSES]}
    rare = sorted(took for _, times in ranked[MOST_CAUSES:] for took in times)
    return {**common, "other causes": rare} if rare else common


def spans_by_cause(analysis: Analysis) -> dict[str, tuple[list[int], list[int]]]:
    """By cause as in `times_by_cause`: durations of completed outages, and how long open ones had lasted."""
    found = {cause: (times, list[int]()) for cause, times in times_by_cause(analysis).items()}
    for worker in analysis.workers.values():
        for outage in worker.outages:
            if outage.end_us is None:
                cause = outage.cause if outage.cause in found or len(found) < MOST_CAUSES else "other causes"
                found.setdefault(cause, ([], []))[1].append(ranking.length_us(outage, worker.last_us))
    return found


def quantile(ascending: Sequence[int], share: float) -> int:
    """Nearest-rank quantile of a non-empty ascending sequence."""
    rank = -(-len(ascending) * round(share * 1000) // 1000)
    return ascending[max(rank, 1) - 1]


def _finding(times: Sequence[int]) -> str:
    limit = CATALOGUE["max_reconnect_time"].normal.high or 0.0
    over = sum(seconds(took) > limit for took in times)
    if len(times) == 1:
        text = say("The one reconnection took {length}.", length=quantity.duration(times[0]))
    else:
        text = say(
            "Half of the {n} reconnections took at most {half}, 95 % at most {most}; the longest took {longest}.",
            n=quantity.count(len(times)),
            half=quantity.duration(quantile(times, 0.5)),
            most=quantity.duration(quantile(times, 0.95)),
            longest=quantity.duration(times[-1]),
        )
    bound = f"{limit:g} s"
    if not over:
        return f"{text} {say('None was over the limit of {limit}.', limit=bound)}"
    beyond = several(over, "One was over the limit of {limit}.", "{n} were over the limit of {limit}.", limit=bound)
    return f"{text} {beyond}"


def _away_finding(analysis: Analysis) -> str:
    spans = list(spans_by_cause(analysis).values())
    ended, still = ([took for pair in spans for took in pair[i]] for i in (0, 1))
    half = quantile_us(survival(ended, still), 0.5)
    never = several(
        len(still),
        "{n} outage of {all} had not ended when the log did",
        "{n} outages of {all} had not ended when the log did",
        all=f"{len(ended) + len(still):,}",
    )
    if half is None:
        return say("{never}; fewer than half are known to have ended.", never=never)
    return say(
        "{never}. Counting those too, half were back within {half}; a plain median would leave them out.",
        never=never,
        half=quantity.duration(half),
    )


def _worst_finding(analysis: Analysis) -> str:
    completed = [o for worker in analysis.workers.values() for o in worker.outages if o.duration_us is not None]
    longest = max(completed, key=lambda outage: (outage.duration_us or 0, -outage.start_us))
    return say(
        "Each point is one reconnection; the longest began at {time} UTC on {worker} (cause: {cause}).",
        time=quantity.moment(longest.start_us),
        worker=longest.worker,
        cause=spoken(longest.cause),
    )


def _row(cause: str, times: Sequence[int]) -> Row:
    limit = CATALOGUE["max_reconnect_time"].normal.high or 0.0
    over = sum(seconds(took) > limit for took in times)
    spots = (times[0], quantile(times, 0.5), quantile(times, 0.95), times[-1])
    return Row(
        (
            Cell(spoken(cause)),
            Cell(quantity.count(len(times)), sort=len(times)),
            *(Cell(quantity.duration(took), sort=took) for took in spots),
            Cell(quantity.count(over), "warning" if over else "", sort=over),
        )
    )
