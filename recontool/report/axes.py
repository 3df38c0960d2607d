"""The frame every chart shares: layout, UTC time axes, limit lines, and figures as bounded plain JSON.

A colour is a CSS variable, `var(--down)`; the page's loader puts in its value, so that one figure serves a light
and a dark page. Instants are strings without a zone: Plotly then shows them as they stand, in every browser.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import plotly.graph_objects as go

from recontool.model.instant import to_datetime
from recontool.model.languages import ENGLISH
from recontool.report.language import code, say
from recontool.report.plain import plain, shortened

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
_LABEL_ROOM: Final = 22
_FEW: Final = 6
_LETTER: Final = 7  # pixels of a letter of an axis
_TITLE: Final = {"font": {"size": 12.5}, "standoff": 8}
_TICKS: Final = (
    {"dtickrange": [None, 60_000], "value": "%H:%M:%S\n%Y-%m-%d"},
    {"dtickrange": [60_000, 86_400_000], "value": "%H:%M\n%Y-%m-%d"},
    {"dtickrange": [86_400_000, None], "value": "%Y-%m-%d"},
)
_VARIABLE: Final = re.compile(r"var\(--([a-z0-9-]+)\)")


def figure(traces: list[Any], *, y: str, x: str = "", time: bool = True, height: int = HEIGHT) -> go.Figure:
    """A figure with our layout; with `time` the x axis holds instants in UTC."""
    drawn = go.Figure(data=traces)
    axis = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zerolinecolor": "var(--line)"}
    drawn.update_layout(
        height=height,
        margin={"l": 52, "r": 16, "t": 34, "b": 56},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12.5, "color": "var(--muted)"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        hoverlabel={"bgcolor": "var(--surface)", "bordercolor": "var(--line)", "font": {"color": "var(--text)"}},
        hovermode="closest",
        xaxis={**axis, "title": {"text": x or say("time, UTC"), **_TITLE}},
        yaxis={**axis, "title": {"text": y, **_TITLE}, "rangemode": "tozero"},
        bargap=0.15,
    )
    if time:
        drawn.update_xaxes(type="date", hoverformat="%Y-%m-%d %H:%M:%S")
        if code() != ENGLISH:  # Plotly's own ticks name months in English
            drawn.update_xaxes(tickformatstops=_TICKS)
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
    return to_datetime(at_us).isoformat(" ", "milliseconds")[:23]


def spelled(text: str) -> str:
    """Text a peer wrote, so that Plotly shows it as it is: nothing hidden, no markup, no placeholder."""
    escaped = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("%{", "%&#123;")


def label(name: str) -> str:
    """A name a peer wrote, short enough for a legend or an axis."""
    return spelled(shortened(name, _LABEL_ROOM))


def whole_numbers(drawn: go.Figure, top: float) -> None:
    """No ticks between whole numbers on a vertical axis of counts that reaches `top`."""
    drawn.update_yaxes(**({"dtick": 1} if top <= _FEW else {"tickformat": ",d"}))


def name_room(drawn: go.Figure, names: Sequence[str]) -> None:
    """Make room for a vertical axis of names."""
    drawn.update_layout(margin={"l": 16 + _LETTER * max((len(name) for name in names), default=0)})


def limit_line(drawn: go.Figure, at: float, text: str, *, vertical: bool = False) -> None:
    """A dashed line at a documented limit, with its label at the end of it."""
    line = {"color": "var(--critical)", "width": 1.5, "dash": "dash"}
    axis = drawn.layout.xaxis if vertical else drawn.layout.yaxis
    # Plotly wants a shape in seconds but an annotation in decades on a logarithmic axis.
    spot = math.log10(at) if axis.type == "log" else at
    along, across = ("x", "y") if vertical else ("y", "x")
    drawn.add_shape(
        type="line",
        line=line,
        **{f"{along}0": at, f"{along}1": at, f"{along}ref": along},
        **{f"{across}0": 0, f"{across}1": 1, f"{across}ref": "paper"},
    )
    drawn.add_annotation(
        text=text,
        showarrow=False,
        font={"color": "var(--critical)", "size": 12},
        xanchor="right",
        yanchor="bottom",
        **({"x": spot, "y": 0, "yref": "paper"} if vertical else {"x": 1, "xref": "paper", "y": spot}),
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
