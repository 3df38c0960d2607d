"""The live page: a page without any data that anybody may load, and the parts a signed-in one is sent.

Parts are rendered by the report's own templates, text escaped as there; the page puts them in place by comparing.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from recontool.model.live import Live
from recontool.model.version import VERSION
from recontool.report import markup, svg, view
from recontool.report.dashboard import alerts, fleet, health, measured, summary, workers
from recontool.report.dashboard.fleet import Fleet
from recontool.report.ranking import SEVERITIES
from recontool.report.sections import glossary
from recontool.report.view import Section

ROWS: Final = 50  # of a table; what is left out is counted
SCRIPTS: Final = ("core", "theme", "tables", "morph", "live")
SECTIONS: Final[tuple[Callable[[Fleet], Section], ...]] = (
    alerts.section,
    workers.section,
    measured.reconnections,
    measured.messages,
    measured.tasks,
    health.section,
)
TITLES: Final = (
    ("alerts", "Alerts"),
    ("workers", "Worker Status"),
    ("reconnections", "Reconnection Metrics"),
    ("messages", "Message Performance"),
    ("tasks", "Task Execution"),
    ("health", "System Health"),
)
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; "
    "img-src data:; style-src {style}; script-src {script}"
)


class _Kept(Struct, frozen=True):
    """What a part was made of, and what came out."""

    made_of: object
    text: str


class LivePage:
    """Renders the page once and its parts as often as asked; a part whose content is the same is not rendered again.

    Attributes:
        body: the page.
        policy: its Content-Security-Policy, with the hashes of its script and style sheet.
        identity: changes when the page does, so that an open one knows when it is out of date.
    """

    def __init__(self) -> None:
        self._parts = markup.environment().get_template("dashboard_part.html.j2")
        self._kept: dict[str, _Kept] = {}
        style = markup.style() + markup.resource("templates", "dashboard.css")
        script = markup.scripts(SCRIPTS)
        self.policy = _POLICY.format(style=markup.hashed(style), script=markup.hashed(script))
        self.identity = hashlib.sha256(f"{VERSION}{self.policy}".encode()).hexdigest()[:16]
        page = markup.environment().get_template("dashboard.html.j2")
        self.body = page.render(
            version=VERSION,
            identity=self.identity,
            style=Markup(style),  # noqa: S704 - our own files, named by their hash in the policy
            script=Markup(script),  # noqa: S704 - likewise
            patterns=svg.PATTERNS,
            titles=TITLES,
            formulas=glossary.section(),
            heights={},
            pictures={},
        ).encode()

    def parts(self, live: Live) -> dict[str, str]:
        """HTML of every part by the id of the element it stands for."""
        with view.at_most(ROWS):
            found = fleet.of(live)
            sections = [make(found) for make in SECTIONS]
            parts = {
                "summary": self._part("summary", summary.verdict(found)),
                "numbers": self._part("numbers", summary.numbers(found)),
                "contents": self._part(
                    "contents", tuple((part.anchor, part.title, part.badge, part.tone) for part in sections)
                ),
            }
            return parts | {part.anchor: self._part(part.anchor, part) for part in sections}

    def firing(self, live: Live) -> dict[str, int]:
        """How many alerts fire by severity, for the title of the page and for who cannot see it."""
        firing = fleet.alerts_in("firing", live.alerts)
        return {severity: sum(alert["severity"] == severity for alert in firing) for severity in SEVERITIES}

    def _part(self, name: str, shown: object) -> str:
        kept = self._kept.get(name)
        if kept is None or kept.made_of != shown:
            text = self._parts.render(part=name, shown=shown, tones=summary.TONES, heights={}, pictures={})
            kept = self._kept[name] = _Kept(shown, text)
        return kept.text
