"""The comparison page: the same bytes again, nothing that runs, nothing that asks the network, readable at any width."""

import re
import shutil

import pytest
from fleet_builder import fleet
from msgspec.structs import replace

from recontool.analysis.compare.runs import compare_runs
from recontool.model.comparison import Difference
from recontool.report.comparison import wording
from recontool.report.comparison.page import POLICY, render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
HOSTILE = "</title><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\x1b[31m\u202e"


@pytest.fixture(scope="module")
def compared():
    return compare_runs(fleet(12, outages=8, seed=1), fleet(12, outages=8, seed=2), ("runs/a", f"b{HOSTILE}"))


def test_the_page_is_the_same_bytes_and_small(compared):
    assert render(compared) == render(compared)
    assert len(render(compared).encode()) < 60_000


def test_the_page_holds_no_script_and_asks_for_nothing(compared):
    page = render(compared)
    assert POLICY in page.replace("&#39;", "'")
    assert "script-src" not in POLICY  # default-src 'none' forbids every script
    assert not re.search(r"<script|<img|<link|<iframe|\bon[a-z]+=\"|https?://|\burl\((?!#)", page)
    assert "dark.css" not in page  # the style sheet is whole
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_every_measure_has_its_row(compared):
    page = render(compared)
    assert page.count('<th scope="row"') == len(compared.differences)
    assert all(one.measure in page for one in compared.differences)
    assert page.count('class="forest') == sum(one.low is not None and one.base != 0 for one in compared.differences)


@pytest.mark.parametrize(
    ("unit", "scale", "expected"),
    [
        ("s", "ratio", ("2.00 s", "+20.0 %", "+5.0 to +35.0")),
        ("share", "difference", ("200.00 %", "+20.00 points", "+5.00 to +35.00")),
        ("/h", "difference", ("2.00/h", "+0.20/h", "+0.05 to +0.35")),
        ("x", "ratio", ("2.00x", "+20.0 %", "+5.0 to +35.0")),
    ],
)
def test_wording(unit, scale, expected):
    one = Difference("m", "M", unit, "lower", scale, 0.05, 2.0, 2.4, 0.2, 0.05, 0.35, effect=-0.4, units=(3, 4))
    assert (wording.value(one, one.base), wording.change(one), wording.interval(one)) == expected
    assert wording.effect(one) == "-0.40 medium"
    assert wording.resampled(replace(one, resampled="worker")) == "3 and 4 workers"


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium")
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_the_page_is_quiet_and_fits_in_a_browser(compared, tmp_path, width, scheme):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    path = tmp_path / "compare.html"
    path.write_text(render(compared), encoding="utf-8")
    messages, requests = [], []
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        shown = started.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        shown.on("console", lambda message: messages.append(message.text))
        shown.on("request", lambda request: requests.append(request.url))
        shown.goto(path.as_uri())
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert shown.evaluate(wide) <= 0
        assert shown.title() != "run"
        assert shown.locator("tbody tr").count() == len(compared.differences)
        colour = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == {"light": "rgb(246, 247, 249)", "dark": "rgb(14, 18, 23)"}[scheme]
        started.close()
    assert messages == []
    assert requests == [path.as_uri()]
