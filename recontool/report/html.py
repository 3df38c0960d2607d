"""Turns an `Analysis` into one self-contained page: text first, charts put in after, no request to anywhere.

The same analysis gives the same bytes: no clock, no random ids. Plotly travels packed and is unpacked in the page;
the content security policy names the hash of each script that may run and forbids everything else.
"""

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recontool.model.findings import Analysis
from recontool.report import svg
from recontool.report.charts import charts
from recontool.report.page import page
from recontool.report.plain import plain
from recontool.report.view import Page

BUNDLE: Final = "plotly-cartesian.min.js"
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; connect-src 'none'; img-src data: blob:; "
    "style-src 'unsafe-inline'; script-src {scripts}"
)


def render(analysis: Analysis) -> str:
    """The page as text; write it as UTF-8."""
    shown = page(analysis)
    drawn = charts(analysis, _wanted(shown))
    loader = _resource("templates", "loader.js")
    allowed = [_hash(loader)] + ([_hash(_resource("vendor", BUNDLE))] if drawn else [])
    template = _environment().get_template("page.html.j2")
    return template.render(
        page=shown,
        heights={name: chart["layout"]["height"] for name, chart in drawn.items()},
        policy=_POLICY.format(scripts=" ".join(allowed)),
        style=Markup(_resource("templates", "style.css")),  # noqa: S704 - our own file
        loader=Markup(loader),  # noqa: S704 - our own file, named by its hash in the policy
        patterns=svg.PATTERNS,
        charts=_script_json(drawn) if drawn else "",
        bundle=_packed() if drawn else "",
    )


def _wanted(shown: Page) -> list[str]:
    return [figure.chart for section in shown.sections for figure in section.figures if figure.chart]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("recontool.report"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: Any) -> Any:
    """Every text the template puts out, without anything hidden in it; markup of ours stays as it is."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _script_json(value: object) -> Markup:
    """`value` as JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return Markup(  # noqa: S704 - every character that means something to HTML is escaped
        text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    )


@cache
def _packed() -> Markup:
    """The Plotly bundle, gzipped and base64-coded; mtime 0 keeps the bytes the same."""
    packed = gzip.compress(_resource("vendor", BUNDLE).encode(), 9, mtime=0)
    return Markup(base64.b64encode(packed).decode())  # noqa: S704 - base64 holds no markup


@cache
def _resource(folder: str, name: str) -> str:
    return resources.files("recontool.report").joinpath(folder, name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
