"""The frame every chart shares: layout, UTC time axes, limit lines, and figures as bounded plain JSON.

A colour is a CSS variable, `var(--down)`; the page's loader puts in its value, so that one figure serves a light
and a dark page. Instants are strings without a zone: Plotly then shows them as they stand, in every browser.
"""

import json
import re
from typing import Any, Final, TypeAlias

import plotly.graph_objects as go

from recontool.model.instant import to_datetime
from recontool.report.plain import plain

Chart: TypeAlias = dict[str, Any]

HEIGHT: Final = 320
# The light page's colours, for a figure that stands alone, e.g. in a notebook; style.css names the same values.
LIGHT: Final = {
    "text": "#1a2230",
    "muted": "#56606f",
    "surface": "#ffffff",
    "line": "#dfe3e9",
    "accent": "#2453b8",
    "critical": "#b3261e",
    "warning": "#8a5200",
    "up": "#8fbfa9",
    "down": "#b3261e",
    "unknown": "#d5dae2",
    "connecting": "#c98a1b",
    "c1": "#2f66c9",
    "c1-soft": "rgba(47, 102, 201, 0.14)",
    "c2": "#b45f06",
    "c3": "#6a4bb0",
    "c4": "#b3261e",
    "c5": "#0e7c7b",
    "c6": "#5b6472",
}
_DIGITS: Final = 4
_VARIABLE: Final = re.compile(r"var\(--([a-z0-9-]+)\)")


def figure(traces: list[Any], *, y: str, x: str = "", time: bool = True, height: int = HEIGHT) -> go.Figure:
    """A figure with our layout; with `time` the x axis holds instants in UTC."""
    drawn = go.Figure(data=traces)
    axis = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zerolinecolor": "var(--line)", "automargin": True}
    drawn.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 36, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "var(--muted)"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hoverlabel={"bgcolor": "var(--surface)", "bordercolor": "var(--line)", "font": {"color": "var(--text)"}},
        hovermode="closest",
        xaxis={**axis, "title": {"text": x or "time, UTC"}},
        yaxis={**axis, "title": {"text": y}, "rangemode": "tozero"},
        bargap=0.15,
    )
    if time:
        drawn.update_xaxes(type="date", hoverformat="%Y-%m-%d %H:%M:%S")
    return drawn


def bare(drawn: go.Figure) -> Chart:
    """The figure as plain JSON values, without the default template, numbers to four digits."""
    chart: Chart = json.loads(drawn.to_json())
    chart["layout"].pop("template", None)
    rounded: Chart = _rounded(chart)
    return rounded


def standing_alone(drawn: go.Figure) -> go.Figure:
    """The figure with colours instead of the page's colour names."""
    return go.Figure(json.loads(_VARIABLE.sub(lambda found: LIGHT[found[1]], json.dumps(bare(drawn)))))


def stamp(at_us: int) -> str:
    """An instant as Plotly reads it: UTC, no zone, to the millisecond."""
    return f"{to_datetime(at_us):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def spelled(text: str) -> str:
    """Text a peer wrote, so that Plotly shows it as it is: nothing hidden, no markup, no placeholder."""
    escaped = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("%{", "%&#123;")


def limit_line(drawn: go.Figure, at: float, text: str, *, vertical: bool = False) -> None:
    """A dashed line at a documented limit, with its label."""
    line = {"color": "var(--critical)", "width": 1.5, "dash": "dash"}
    font = {"color": "var(--critical)", "size": 12}
    if vertical:
        drawn.add_vline(x=at, line=line, annotation={"text": text, "font": font, "yanchor": "bottom"})
    else:
        drawn.add_hline(y=at, line=line, annotation={"text": text, "font": font}, annotation_position="top right")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
