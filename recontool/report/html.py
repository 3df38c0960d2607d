"""Turns an `Analysis` into one self-contained page: text first, charts put in after, no request to anywhere.

The same analysis gives the same bytes: no clock, no random ids. Plotly travels packed and is unpacked in the page;
the content security policy names the hash of each script that may run and forbids everything else.
"""

from functools import cache
from typing import Final

from markupsafe import Markup
from msgspec.structs import replace

from recontool.model.detail import NO_DETAIL, Detail
from recontool.model.findings import Analysis
from recontool.model.languages import ENGLISH
from recontool.report import markup, svg, view
from recontool.report.charts import charts
from recontool.report.drill import LITE_PACKED, MOST_PACKED, drill_data
from recontool.report.language import language, speaking
from recontool.report.packing import packed, packed_json
from recontool.report.page import page
from recontool.report.proofs import LITE_ROOM, ROOM, proofs
from recontool.report.still.picture import COARSE, FINE, picture
from recontool.report.view import Page

BUNDLE: Final = "plotly-cartesian.min.js"
LITE_BYTES: Final = 150_000  # of a small page
SCRIPTS: Final = ("core", "theme", "charts", "tables", "time", "drill", "start")
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; connect-src 'none'; img-src data: blob:; "
    "style-src 'unsafe-inline'; script-src {scripts}"
)


def render(analysis: Analysis, detail: Detail = NO_DETAIL, *, lite: bool = False, lang: str = ENGLISH) -> str:
    """The page as text in the language `lang`; write it as UTF-8. `lite` leaves out Plotly: every chart is then a picture."""
    analysis = _at_hand(analysis)
    with speaking(language(lang)):
        if not lite:
            return _page(analysis, detail, view.ROWS, lite=False)
        # Some scripts take two or three bytes for a letter; their pages make up for it by shorter tables.
        for rows in range(view.LITE_ROWS, 0, -1):
            text = _page(analysis, detail, rows, lite=True)
            if len(text.encode()) <= LITE_BYTES:
                break
        return text


def _page(analysis: Analysis, detail: Detail, rows: int, *, lite: bool) -> str:
    with view.at_most(rows):
        shown = page(analysis, detail)
        known = proofs(analysis, detail, LITE_ROOM if lite else ROOM)
        details = drill_data(analysis, detail, LITE_PACKED if lite else MOST_PACKED) if analysis.workers else ""
    drawn = charts(analysis, _wanted(shown), detail)
    scripts = markup.scripts(tuple(name for name in SCRIPTS if not (lite and name == "charts")))
    interactive = bool(drawn) and not lite
    allowed = [markup.hashed(scripts)] + ([markup.hashed(markup.resource("vendor", BUNDLE))] if interactive else [])
    template = markup.environment().get_template("page.html.j2")
    return template.render(
        page=shown,
        heights={name: chart["layout"]["height"] for name, chart in drawn.items()} if interactive else {},
        pictures={name: picture(name, chart, COARSE if lite else FINE) for name, chart in drawn.items()},
        policy=Markup(_POLICY.format(scripts=" ".join(allowed))),  # noqa: S704 - our own words and hashes
        style=Markup(markup.style()),  # noqa: S704 - our own file
        words=markup.words(scripts),
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
def _bundle() -> Markup:
    """The Plotly bundle, packed."""
    return Markup(packed(markup.resource("vendor", BUNDLE).encode()))  # noqa: S704 - base64 holds no markup
