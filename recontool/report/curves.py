"""Draws how the way back went: distributions with bands, who was still away, recovery, stages, waits."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import plotly.graph_objects as go

from recontool.model.catalogue import CATALOGUE
from recontool.model.detail import Detail
from recontool.model.findings import Analysis, Incident
from recontool.model.instant import seconds
from recontool.report import axes, timeline
from recontool.report.axes import label
from recontool.report.language import say, spoken
from recontool.report.sections.chain import envelope, policies
from recontool.report.sections.reconnects import quantile, spans_by_cause, times_by_cause
from recontool.report.stages import stages
from recontool.report.survival import Step, survival

# Colour, dash and symbol by cause: the lines can be told apart without the colour.
STYLES: Final = (
    ("var(--c1)", "solid", "circle"),
    ("var(--c2)", "dash", "diamond"),
    ("var(--c3)", "dot", "square"),
    ("var(--c4)", "dashdot", "triangle-up"),
    ("var(--c5)", "longdash", "x"),
    ("var(--c6)", "longdashdot", "star"),
)
_CURVE_POINTS: Final = 200
_BAND_POINTS: Final = 50
_FEW: Final = 30  # so few points of a line are marked
_FEWEST_FOR_BAND: Final = 3
_MOST_INCIDENTS: Final = 4
_MOST_WAITS: Final = 1200


def _reconnect_times(analysis: Analysis, _detail: Detail) -> go.Figure:
    """The share back after so many seconds by cause, with the 95 % band; open outages count as not back yet."""
    traces: list[go.Scatter] = []
    for i, (cause, (ended, still)) in enumerate(spans_by_cause(analysis).items()):
        colour, dash, symbol = STYLES[i % len(STYLES)]
        steps = survival(ended, still)
        if not steps:
            continue
        if len(ended) >= _FEWEST_FOR_BAND:
            traces.append(_band(steps, colour, cause, back=True))
        drawn = _thinned(steps, _CURVE_POINTS)
        traces.append(
            go.Scatter(
                x=[seconds(drawn[0].after_us), *(seconds(step.after_us) for step in drawn)],
                y=[0.0, *(100 * (1 - step.share) for step in drawn)],
                mode="lines+markers" if len(drawn) <= _FEW else "lines",
                line={"color": colour, "dash": dash, "width": 2, "shape": "hv"},
                marker={"symbol": symbol, "size": 7, "color": colour},
                name=f"{label(spoken(cause))} ({len(ended) + len(still):,})",
                legendgroup=label(cause),
                hovertemplate=say("{share} within {time}", share="%{y:.0f} %", time="%{x} s")
                + "<extra>%{fullData.name}</extra>",
            )
        )
    figure = axes.figure(traces, x=say("seconds without a session"), y=say("share reconnected, %"), time=False)
    figure.update_xaxes(type="log", **decades(analysis))
    figure.update_yaxes(range=[0, 104])
    limit = say("limit {limit}", limit=f"{longest_allowed():g} s")
    axes.limit_line(figure, longest_allowed(), limit, vertical=True)
    return figure


def _still_away(analysis: Analysis, _detail: Detail) -> go.Figure:
    """The share still away after so many seconds, all causes; a cross where a log ended during an outage."""
    spans = list(spans_by_cause(analysis).values())
    ended = [took for done, _ in spans for took in done]
    still = sorted(took for _, open_us in spans for took in open_us)
    steps = survival(ended, still)
    drawn = [Step(0, 1.0, 1.0, 1.0), *_thinned(steps, _CURVE_POINTS)]
    last = max([*still, *(step.after_us for step in steps)])
    drawn.append(Step(last, drawn[-1].share, drawn[-1].low, drawn[-1].high))
    line = go.Scatter(
        x=[seconds(step.after_us) for step in drawn],
        y=[100 * step.share for step in drawn],
        mode="lines",
        line={"color": "var(--c1)", "width": 2, "shape": "hv"},
        name=say("still away"),
        hovertemplate=say("{share} still away after {time}", share="%{y:.0f} %", time="%{x} s") + "<extra></extra>",
    )
    shown = still[:: max(len(still) // _CURVE_POINTS, 1)]
    crosses = go.Scatter(
        x=[seconds(took) for took in shown],
        y=[100 * _share_at(steps, took) for took in shown],
        mode="markers",
        marker={"symbol": "cross-thin-open", "size": 11, "color": "var(--critical)", "line": {"width": 2}},
        name=say("log ended during the outage"),
        hovertemplate=say("still away after {time}", time="%{x} s") + "<extra></extra>",
    )
    figure = axes.figure(
        [_band(drawn, "var(--c1)", "all", back=False), line, crosses],
        x=say("seconds since the loss"),
        y=say("share still away, %"),
        time=False,
    )
    figure.update_yaxes(range=[0, 104])
    return figure


def _recovery(analysis: Analysis, _detail: Detail) -> go.Figure:
    """For the costliest incidents: which share of the workers was back, counted from the first loss."""
    costly = sorted(analysis.incidents, key=lambda one: (-one.lost_us, one.start_us))[:_MOST_INCIDENTS]
    traces = []
    for i, incident in enumerate(costly):
        colour, dash, symbol = STYLES[i % len(STYLES)]
        after = back_after_us(incident)
        ranks = _evenly(len(after), _CURVE_POINTS)
        last, whole = seconds(after[-1]) if after else 0.0, len(incident.outages)
        traces.append(
            go.Scatter(
                x=[0.0, *(seconds(after[rank]) for rank in ranks), last],
                y=[0.0, *(100 * (rank + 1) / whole for rank in ranks), 100 * len(after) / whole],
                mode="lines+markers" if len(ranks) <= _FEW else "lines",
                line={"color": colour, "dash": dash, "width": 2, "shape": "hv"},
                marker={"symbol": symbol, "size": 7, "color": colour},
                name=f"{timeline.when(analysis, incident.start_us)} {label(spoken(incident.cause.replace('_', ' ')))}",
                hovertemplate=say("{share} back after {time}", share="%{y:.0f} %", time="%{x} s")
                + "<extra>%{fullData.name}</extra>",
            )
        )
    figure = axes.figure(traces, x=say("seconds since the first loss"), y=say("share of sessions back, %"), time=False)
    figure.update_yaxes(range=[0, 104])
    return figure


def back_after_us(incident: Incident) -> list[int]:
    """When each of the incident's outages had ended, counted from the first loss, ascending; open ones are left out."""
    return sorted(outage.end_us - incident.start_us for outage in incident.outages if outage.end_us is not None)


def _stages(_analysis: Analysis, detail: Detail) -> go.Figure:
    """A waterfall: each stage begins where the medians before it end; a thin line reaches to its 95 %."""
    found = stages(detail.steps)
    titles = [say(stage.title) for stage in found]
    medians = [seconds(quantile(stage.took_us, 0.5)) for stage in found]
    tops = [seconds(quantile(stage.took_us, 0.95)) for stage in found]
    begins = [sum(medians[:i]) for i in range(len(found))]
    median = go.Bar(
        base=begins,
        x=medians,
        y=titles,
        orientation="h",
        marker={"color": "var(--c1)"},
        name=say("median"),
        hovertemplate=say("{stage}: median {time}", stage="%{y}", time="%{x:.3g} s") + "<extra></extra>",
    )
    top = go.Bar(
        base=begins,
        x=tops,
        y=titles,
        orientation="h",
        width=0.14,
        marker={"color": "var(--c2)"},
        name="95 %",
        hovertemplate=say("{stage}: 95 % within {time}", stage="%{y}", time="%{x:.3g} s") + "<extra></extra>",
    )
    figure = axes.figure([median, top], x=say("seconds since the last sign of life"), y="", time=False, height=290)
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(autorange="reversed")
    axes.name_room(figure, titles)
    return figure


def _waits(analysis: Analysis, detail: Detail) -> go.Figure:
    """Every wait by the number of the try, over the range the most common policy allows."""
    most = max(wait.n for wait in detail.waits)
    shown = detail.waits[:: -(-len(detail.waits) // _MOST_WAITS)]
    traces: list[go.Scatter] = []
    for policy, _ in policies(analysis).most_common(1):
        tries = _evenly(most, _BAND_POINTS)
        allowed = [envelope(policy, i + 1) for i in tries]
        traces.append(
            go.Scatter(
                x=[i + 1 for i in tries] + [i + 1 for i in reversed(tries)],
                y=[high for _, high in allowed] + [low for low, _ in reversed(allowed)],
                fill="toself",
                mode="lines",
                line={"color": "var(--c1)", "width": 1},
                fillcolor="var(--c1-soft)",
                name=say("what the formula allows"),
                hoverinfo="skip",
            )
        )
    traces.append(
        go.Scatter(
            x=[wait.n for wait in shown],
            y=[wait.delay_s for wait in shown],
            mode="markers",
            marker={"symbol": "circle-open", "size": 8, "color": "var(--c2)", "line": {"width": 1.5}},
            name=say("waits"),
            hovertemplate=say("try {n}: {time}", n="%{x}", time="%{y} s") + "<extra></extra>",
        )
    )
    figure = axes.figure(traces, x=say("number of the try"), y=say("seconds waited before it"), time=False)
    figure.update_xaxes(range=[0.5, most + 0.5])
    if most <= _FEW:
        figure.update_xaxes(dtick=max(most // 12, 1))
    return figure


CURVES: Final[Mapping[str, Callable[[Analysis, Detail], go.Figure]]] = {
    "reconnect_times": _reconnect_times,
    "still_away": _still_away,
    "recovery": _recovery,
    "stages": _stages,
    "waits": _waits,
}


def decades(analysis: Analysis) -> dict[str, object]:
    """Range and ticks of a logarithmic axis of seconds that holds every reconnect time and the limit."""
    times = [took for found in times_by_cause(analysis).values() for took in found]
    low = min(math.log10(max(seconds(min(times)), 0.001)), 0.0) - 0.1
    high = max(math.log10(max(seconds(max(times)), 0.001)), 1.0) + 0.15
    ticks = [0.001, 0.01, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600, 10_000, 86_400]
    return {"range": [low, high], "tickvals": ticks, "ticktext": [f"{tick:,g}" for tick in ticks]}


def longest_allowed() -> float:
    """The documented limit of a reconnect time, in seconds."""
    return CATALOGUE["max_reconnect_time"].normal.high or 0.0


def _band(steps: Sequence[Step], colour: str, cause: str, *, back: bool) -> go.Scatter:
    """The 95 % band around a step line, as one shape."""
    upper: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    for step in _thinned(steps, _BAND_POINTS):
        at = seconds(step.after_us)
        for edge, value in ((upper, step.high), (lower, step.low)):
            share = 100 * (1 - value if back else value)
            edge.extend([(at, edge[-1][1]), (at, share)] if edge else [(at, share)])
    outline = [*upper, *reversed(lower)]
    return go.Scatter(
        x=[x for x, _ in outline],
        y=[y for _, y in outline],
        fill="toself",
        mode="lines",
        line={"width": 0, "color": colour},
        fillcolor=colour,
        opacity=0.16,
        legendgroup=label(cause),
        showlegend=False,
        hoverinfo="skip",
    )


def _share_at(steps: Sequence[Step], after_us: int) -> float:
    share = 1.0
    for step in steps:
        if step.after_us > after_us:
            break
        share = step.share
    return share


def _thinned(steps: Sequence[Step], most: int) -> list[Step]:
    return [steps[i] for i in _evenly(len(steps), most)]


def _evenly(number: int, most: int) -> list[int]:
    """At most `most` ranks of `number`, the first and the last among them."""
    if number <= most:
        return list(range(number))
    return sorted({round(i * (number - 1) / (most - 1)) for i in range(most)})
