"""Draws the Plotly figures of the page, one function each, with a bounded number of points."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import plotly.graph_objects as go

from recontool.model.catalogue import CATALOGUE
from recontool.model.detail import NO_DETAIL, Detail
from recontool.model.findings import Alert, Analysis
from recontool.model.instant import seconds
from recontool.report import activity, axes, ranking, timeline
from recontool.report.activity import Series, Standing
from recontool.report.axes import Chart, label, spelled, stamp
from recontool.report.curves import CURVES, STYLES, decades, longest_allowed
from recontool.report.language import say, spoken
from recontool.report.sections.reconnects import times_by_cause

MOST_POINTS: Final = 1500
_BINS: Final = 30
_ROW_HEIGHT: Final = 44
_MOST_RULES: Final = 20
_MOST_LANES: Final = 50
_LANE_HEIGHT: Final = 26
_STATE_STYLES: Final[Mapping[timeline.State, tuple[str, str]]] = {
    "up": ("var(--up)", ""),
    "connecting": ("var(--connecting)", "-"),
    "unknown": ("var(--unknown)", "."),
    "down": ("var(--down)", "/"),
}
_SEVERITY_STYLES: Final = {
    "CRITICAL": ("var(--critical)", "/"),
    "WARNING": ("var(--warning)", "."),
    "INFO": ("var(--accent)", ""),
}


def charts(analysis: Analysis, wanted: Sequence[str], detail: Detail = NO_DETAIL) -> dict[str, Chart]:
    """The figures named in `wanted`, each as Plotly's data and layout."""
    course = activity.series(analysis)
    return {name: axes.bare(_drawn(analysis, detail, course, name)) for name in wanted}


def figure(analysis: Analysis, name: str) -> go.Figure:
    """One chart as a figure that stands alone, e.g. in a notebook.

    Raises:
        KeyError: there is no chart of that name, or no activity it could show.
    """
    return axes.standing_alone(_drawn(analysis, NO_DETAIL, activity.series(analysis), name))


def thinned(course: Sequence[Standing], most: int) -> list[Standing]:
    """At most about `most` steps: of each group of neighbours the one with fewest and the one with most connected."""
    group = -(-2 * len(course) // most)
    if group <= 2:  # noqa: PLR2004 - two steps per group are kept anyway
        return list(course)
    kept = {0, len(course) - 1}
    for i in range(0, len(course), group):
        part = range(i, min(i + group, len(course)))
        connected = [course[k].workers["up"] for k in part]
        kept |= {part[connected.index(min(connected))], part[connected.index(max(connected))]}
    return [course[k] for k in sorted(kept)]


def _drawn(analysis: Analysis, detail: Detail, course: Series | None, name: str) -> go.Figure:
    if name in CURVES:
        return CURVES[name](analysis, detail)
    if name in _OF_ANALYSIS:
        return _OF_ANALYSIS[name](analysis)
    if course is None:
        raise KeyError(f"no activity over time to draw {name!r} from")
    drawn = _OVER_TIME[name](course)
    _whole_time(drawn, analysis)
    return drawn


def _connected(analysis: Analysis) -> go.Figure:
    """Workers by state, stacked: what is down or unknown stands on top of what is connected."""
    extent = timeline.extent(analysis) or (0, 1)
    course = thinned(activity.standing(list(analysis.workers.values()), *extent), MOST_POINTS)
    traces = [
        go.Scatter(
            x=[stamp(step.at_us) for step in course],
            y=[step.workers[state] for step in course],
            mode="lines",
            stackgroup="workers",
            line={"color": colour, "width": 0, "shape": "hv"},
            fillcolor=colour,
            fillpattern=_pattern(pattern),
            name=say(timeline.STATE_TEXT[state]),
            hovertemplate=f"%{{x}}<br>%{{y}} {say(timeline.STATE_TEXT[state])}<extra></extra>",
        )
        for state, (colour, pattern) in _STATE_STYLES.items()
        if any(step.workers[state] for step in course)
    ]
    drawn = axes.figure(traces, y=say("workers"))
    _whole_time(drawn, analysis)
    axes.whole_numbers(drawn, len(analysis.workers))
    return drawn


def _outages(analysis: Analysis) -> go.Figure:
    """One point per completed outage: when it began, and how long it took."""
    completed = [o for worker in analysis.workers.values() for o in worker.outages if o.duration_us is not None]
    shown, _ = ranking.bounded(completed, MOST_POINTS, lambda o: o.duration_us or 0, lambda o: o.start_us)
    names = list(times_by_cause(analysis))
    traces = []
    for i, cause in enumerate(names):
        colour, _, symbol = STYLES[i % len(STYLES)]
        mine = [o for o in shown if o.cause == cause or (cause == "other causes" and o.cause not in names)]
        traces.append(
            go.Scatter(
                x=[stamp(o.start_us) for o in mine],
                y=[seconds(o.duration_us or 0) for o in mine],
                mode="markers",
                marker={"symbol": symbol, "size": 9, "color": colour, "line": {"color": "var(--surface)", "width": 1}},
                text=[spelled(o.worker) for o in mine],
                name=label(spoken(cause)),
                hovertemplate="%{text}<br>%{x}<br>%{y} s<extra>%{fullData.name}</extra>",
            )
        )
    drawn = axes.figure(traces, y=say("seconds without a session"))
    drawn.update_yaxes(type="log", **decades(analysis))
    axes.limit_line(drawn, longest_allowed(), say("limit {limit}", limit=f"{longest_allowed():g} s"))
    _whole_time(drawn, analysis)
    return drawn


def _tasks(course: Series) -> go.Figure:
    bars = [
        _bars(course, "tasks_completed", say("completed"), "var(--c1)"),
        _bars(course, "tasks_failed", say("failed"), "var(--critical)", pattern="/"),
    ]
    drawn = axes.figure(bars, y=say("executions"))
    drawn.update_layout(barmode="stack")
    pairs = zip(course.counts["tasks_completed"], course.counts["tasks_failed"], strict=True)
    axes.whole_numbers(drawn, max(done + lost for done, lost in pairs))
    return drawn


def _checkpoints(course: Series) -> go.Figure:
    bars = [
        _bars(course, "checkpoints_created", say("created"), "var(--c1)"),
        _bars(course, "checkpoints_restored", say("restored"), "var(--c2)", pattern="x"),
    ]
    drawn = axes.figure(bars, y=say("checkpoints"), height=260)
    drawn.update_layout(barmode="group")
    axes.whole_numbers(drawn, max(course.counts["checkpoints_created"] + course.counts["checkpoints_restored"]))
    return drawn


def _task_times(analysis: Analysis) -> go.Figure:
    """A histogram with bins of equal width, counted here so that the page carries no samples."""
    sample = [took for worker in analysis.workers.values() for took in worker.task_ms]
    low, high = min(sample), max(sample)
    width = max((high - low) / _BINS, 0.001)
    counts = [0] * _BINS
    for took in sample:
        counts[min(int((took - low) / width), _BINS - 1)] += 1
    bars = go.Bar(
        x=[low + (i + 0.5) * width for i in range(_BINS)],
        y=counts,
        width=width * 0.92,
        marker={"color": "var(--c1)"},
        hovertemplate=say("about {length}: {n}", length="%{x:,.0f} ms", n="%{y}") + "<extra></extra>",
        name=say("executions"),
    )
    drawn = axes.figure([bars], x=say("execution time, ms"), y=say("executions"), time=False, height=260)
    axes.whole_numbers(drawn, max(counts))
    return drawn


def _messages(course: Series) -> go.Figure:
    traces = [
        _line(course, course.counts["messages_sent"], say("sent"), "var(--c1)", "solid"),
        _line(course, course.counts["messages_received"], say("received"), "var(--c2)", "dash"),
    ]
    if course.total("message_errors"):
        traces.append(_bars(course, "message_errors", say("errors"), "var(--critical)", pattern="/"))
    return axes.figure(traces, y=say("messages"))


def _latency(course: Series) -> go.Figure:
    values = course.ratio("latency_ms_sum", "latency_count")
    drawn = axes.figure([_line(course, values, say("mean round trip"), "var(--c1)", "solid")], y="ms", height=260)
    limit = CATALOGUE["avg_message_latency_ms"].normal.high or 0.0
    if max(value for value in values if value is not None) > limit / 4:
        axes.limit_line(drawn, limit, say("limit {limit}", limit=f"{limit:g} ms"))
    return drawn


def _compression(course: Series) -> go.Figure:
    values = course.ratio("raw_bytes", "wire_bytes")
    drawn = axes.figure(
        [_line(course, values, say("raw / wire"), "var(--c1)", "solid")], y=say("times smaller"), height=260
    )
    normal = CATALOGUE["compression_ratio"].normal
    drawn.add_hrect(y0=normal.low, y1=normal.high, fillcolor="var(--c1)", opacity=0.1, line_width=0)
    return drawn


def _alerts(analysis: Analysis) -> go.Figure:
    """One row per rule; a bar wherever the rule fired for any worker."""
    traces = []
    rules = list(ranking.alerts_by_rule(analysis.alerts).items())[:_MOST_RULES]
    for name, fired in reversed(rules):
        parts = _merged(fired, analysis)[:MOST_POINTS]
        colour, pattern = _SEVERITY_STYLES[fired[0].severity]
        rule = label(name.replace("_", " "))
        traces.append(
            go.Bar(
                base=[stamp(start) for start, _ in parts],
                # A bar is at least a thousandth of the whole wide, or nobody would see it.
                x=[max(end - start, _least(analysis)) / 1000 for start, end in parts],
                y=[rule] * len(parts),
                orientation="h",
                marker={"color": colour, "pattern": _pattern(pattern)},
                customdata=[[stamp(start)[11:19], stamp(end)[11:19]] for start, end in parts],
                name=say(fired[0].severity),
                showlegend=False,
                hovertemplate=say("{start} to {end}", start="%{customdata[0]}", end="%{customdata[1]}")
                + "<extra>%{fullData.name}</extra>",
            )
        )
    drawn = axes.figure(traces, y="", height=90 + _ROW_HEIGHT * len(rules))
    axes.name_room(drawn, [label(name.replace("_", " ")) for name, _ in rules])
    drawn.update_layout(barmode="overlay", bargap=0.45)
    _whole_time(drawn, analysis)
    return drawn


def _timeline(analysis: Analysis) -> go.Figure:
    """One row per worker, the most damaged on top; the page shows the same as a strip that needs no script."""
    shown = ranking.by_damage(analysis.workers.values())[:_MOST_LANES]
    traces = []
    for state, (colour, pattern) in _STATE_STYLES.items():
        parts = [(w.key, part) for w in reversed(shown) for part in timeline.segments(w) if part.state == state]
        traces.append(
            go.Bar(
                base=[stamp(part.start_us) for _, part in parts],
                x=[(part.end_us - part.start_us) / 1000 for _, part in parts],
                y=[label(key) for key, _ in parts],
                orientation="h",
                marker={"color": colour, "pattern": _pattern(pattern)},
                name=say(timeline.STATE_TEXT[state]),
                hovertemplate=say("{worker}<br>from {time}", worker="%{y}", time="%{base}")
                + "<extra>%{fullData.name}</extra>",
            )
        )
    drawn = axes.figure(traces, y="", height=110 + _LANE_HEIGHT * len(shown))
    drawn.update_layout(barmode="overlay", bargap=0.25)
    names = [label(worker.key) for worker in reversed(shown)]
    drawn.update_yaxes(type="category", categoryorder="array", categoryarray=names)
    axes.name_room(drawn, names)
    return drawn


_OF_ANALYSIS: Final[Mapping[str, Callable[[Analysis], go.Figure]]] = {
    "timeline": _timeline,
    "connected": _connected,
    "outages": _outages,
    "task_times": _task_times,
    "alerts": _alerts,
}
_OVER_TIME: Final[Mapping[str, Callable[[Series], go.Figure]]] = {
    "tasks": _tasks,
    "checkpoints": _checkpoints,
    "messages": _messages,
    "latency": _latency,
    "compression": _compression,
}


def _pattern(shape: str) -> dict[str, object]:
    """Lines or dots over a bar's own colour, so that it can be told apart without it."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "var(--surface)", "size": 6, "solidity": 0.25}


def _bars(course: Series, name: str, title: str, colour: str, *, pattern: str = "") -> go.Bar:
    # Bars stand from the start of their cell to its end; Plotly would centre them on the start.
    return go.Bar(
        x=[stamp(at_us + course.width_us // 2) for at_us in course.starts_us()],
        y=[round(value) for value in course.counts[name]],
        name=title,
        marker={"color": colour, "pattern": _pattern(pattern)},
        hovertemplate="%{x}<br>%{y} " + title + "<extra></extra>",
    )


def _line(course: Series, values: Sequence[float | None], title: str, colour: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=[stamp(at_us + course.width_us // 2) for at_us in course.starts_us()],
        y=list(values),
        mode="lines+markers",  # a value between two gaps is no line
        line={"color": colour, "dash": dash, "width": 2},
        marker={"color": colour, "size": 4},
        name=title,
        hovertemplate="%{x}<br>%{y:.4g}<extra>" + title + "</extra>",
    )


def _merged(fired: Sequence[Alert], analysis: Analysis) -> list[tuple[int, int]]:
    """Intervals of one rule over all workers, overlapping ones joined."""
    spans = sorted((alert.fired_us or alert.pending_us, ranking.alert_end_us(alert, analysis)) for alert in fired)
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _whole_time(drawn: go.Figure, analysis: Analysis) -> None:
    """Let the time axis show all of the analysed time, not only where something happened."""
    extent = timeline.extent(analysis)
    if extent is not None:
        drawn.update_xaxes(range=[stamp(extent[0]), stamp(extent[1])])


def _least(analysis: Analysis) -> int:
    extent = timeline.extent(analysis) or (0, 1)
    return (extent[1] - extent[0]) // 500
