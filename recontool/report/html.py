"""Turns an `Analysis` into one self-contained page: text first, charts put in after, no request to anywhere.

The same analysis gives the same bytes: no clock, no random ids. Plotly travels packed and is unpacked in the page;
the content security policy names the hash of each script that may run and forbids everything else.
"""

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recontool.model.detail import NO_DETAIL, Detail
from recontool.model.findings import Analysis
from recontool.report import svg, view
from recontool.report.charts import charts
from recontool.report.drill import LITE_PACKED, MOST_PACKED, drill_data
from recontool.report.packing import packed, packed_json
from recontool.report.page import page
from recontool.report.plain import plain
from recontool.report.proofs import LITE_ROOM, ROOM, proofs
from recontool.report.still.picture import COARSE, FINE, picture
from recontool.report.view import Page

BUNDLE: Final = "plotly-cartesian.min.js"
SCRIPTS: Final = ("core", "theme", "charts", "tables", "time", "drill", "start")
_MOST_TEXT: Final = 600  # characters of a sentence; the log has the rest
_MOST_IN_CELL: Final = 300  # likewise of a cell
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; connect-src 'none'; img-src data: blob:; "
    "style-src 'unsafe-inline'; script-src {scripts}"
)


def render(analysis: Analysis, detail: Detail = NO_DETAIL, *, lite: bool = False) -> str:
    """The page as text; write it as UTF-8. `lite` leaves out Plotly: every chart is then a picture."""
    analysis = _at_hand(analysis)
    with view.at_most(view.LITE_ROWS if lite else view.ROWS):
        shown = page(analysis, detail)
        known = proofs(analysis, detail, LITE_ROOM if lite else ROOM)
        details = drill_data(analysis, detail, LITE_PACKED if lite else MOST_PACKED) if analysis.workers else ""
    drawn = charts(analysis, _wanted(shown), detail)
    scripts = _scripts(lite=lite)
    interactive = bool(drawn) and not lite
    allowed = [_hash(scripts)] + ([_hash(_resource("vendor", BUNDLE))] if interactive else [])
    template = _environment().get_template("page.html.j2")
    return template.render(
        page=shown,
        heights={name: chart["layout"]["height"] for name, chart in drawn.items()} if interactive else {},
        pictures={name: picture(name, chart, COARSE if lite else FINE) for name, chart in drawn.items()},
        policy=Markup(_POLICY.format(scripts=" ".join(allowed))),  # noqa: S704 - our own words and hashes
        style=Markup(_style()),  # noqa: S704 - our own file
        scripts=Markup(scripts),  # noqa: S704 - our own files, named by their hash in the policy
        patterns=svg.PATTERNS,
        proofs=known,
        charts=Markup(packed_json(drawn)) if interactive else "",  # noqa: S704 - base64 holds no markup
        bundle=_bundle() if interactive else "",
        details=Markup(details),  # noqa: S704 - base64 holds no markup
    )


def _at_hand(analysis: Analysis) -> Analysis:
    """The same with its outages as objects: the parts of a page go through them many times."""
    workers = {key: replace(worker, outages=tuple(worker.outages)) for key, worker in analysis.workers.items()}
    return replace(analysis, workers=workers)


def _wanted(shown: Page) -> list[str]:
    return [figure.chart for section in shown.sections for figure in section.figures if figure.chart]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("recontool.report"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cut"] = _cut
    return environment


def _visible(value: Any) -> Any:
    """Every text the template puts out, without anything hidden in it and not endless; markup of ours stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _cut(value, _MOST_TEXT)


def _cut(text: str, most: int = _MOST_IN_CELL) -> str:
    """At most `most` characters of `text`, none of them hidden, and how many there were."""
    shown = plain(text[: most + 1])
    return shown if len(shown) <= most else f"{shown[:most]}… ({len(text):,} characters)"


@cache
def _bundle() -> Markup:
    """The Plotly bundle, packed."""
    return Markup(packed(_resource("vendor", BUNDLE).encode()))  # noqa: S704 - base64 holds no markup


@cache
def _scripts(*, lite: bool) -> str:
    """Our scripts as one, in the order in which they build on each other; a page without Plotly draws no charts."""
    names = [name for name in SCRIPTS if not (lite and name == "charts")]
    lines = (line.strip() for name in names for line in _resource("templates", f"{name}.js").splitlines())
    # Comments and indentation stay in the source; no string of ours spans lines.
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    return f'"use strict";\n(() => {{\n{text}\n}})();\n'


@cache
def _style() -> str:
    """The style sheet; the dark colours stand in one file and are used for the system's choice and the reader's."""
    sheet = _resource("templates", "style.css").replace("/* dark.css */", _resource("templates", "dark.css").rstrip())
    # Comments and indentation stay in the source; no string of ours holds any of these marks with a space behind it.
    return re.sub(r"\s*([{};,:])\s+", r"\1", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)).strip()


@cache
def _resource(folder: str, name: str) -> str:
    return resources.files("recontool.report").joinpath(folder, name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
