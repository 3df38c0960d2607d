"""The page in a real browser: quiet, offline, drawn, readable without scripts, and no wider than the screen."""

from pathlib import Path

import pytest
from chromium import needs_browser, opened, overflow
from fleet_builder import fleet, look

from recontool.report.html import render

pytestmark = needs_browser
playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package: pip install playwright")
HOSTILE = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "none": fleet(0),
        "one": fleet(1),
        "four": fleet(4),
        "many": fleet(60, outages=3),
        "hostile": fleet(2, text=HOSTILE),
        "long": fleet(2, text="-" + "n" * 110),
    }
    for name, analysis in made.items():
        text = render(analysis, look(analysis, HOSTILE if name == "hostile" else ""))
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.mark.parametrize("name", ["none", "one", "four", "many", "long"])
@pytest.mark.parametrize("screen", [(1400, 900, "light"), (390, 844, "dark")], ids=["desk", "phone"])
def test_loads_quietly_without_a_request_and_fits(browser, pages, name, screen) -> None:
    width, height, scheme = screen
    shown, messages, requests = opened(browser, pages[name], width=width, height=height, scheme=scheme)
    assert messages == []
    assert requests == [pages[name].as_uri()]
    assert overflow(shown) <= 0
    boxes = shown.locator("[data-chart]").count()
    assert shown.locator("[data-chart] .main-svg >> nth=0").count() == min(boxes, 1)
    drawn = "[...document.querySelectorAll('[data-chart]')].filter(box => !box.querySelector('.main-svg')).length"
    assert shown.evaluate(drawn) == 0
    assert boxes == {"none": 0, "one": 12}.get(name, 13)
    shown.context.close()


def test_first_screen_holds_verdict_numbers_strip_findings_and_basis(browser, pages) -> None:
    shown, _, _ = opened(browser, pages["four"])
    for selector in (".verdict h1", ".numbers", ".lanes >> nth=0", ".headlines", ".basis"):
        box = shown.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, selector
    shown.context.close()


def test_reads_without_scripts(browser, pages) -> None:
    shown, messages, _ = opened(browser, pages["four"], scripts=False)
    assert messages == []
    assert shown.locator("h1").inner_text().startswith("4 of 4 workers lost their session")
    assert shown.locator(".chart:visible").count() == 0
    assert shown.locator("svg.strip:visible").count() == 8
    assert shown.locator("#outages tbody tr:visible").count() == 16
    shown.context.close()


def test_axes_show_utc_in_every_zone(browser, pages) -> None:
    ticks = []
    for zone in ("UTC", "Asia/Tokyo"):
        shown, _, _ = opened(browser, pages["four"], zone=zone)
        ticks.append(shown.locator("[data-chart=tasks] .xtick").all_text_contents())
        shown.context.close()
    assert ticks[0] == ticks[1]
    assert any("08:30" in tick for tick in ticks[0])


def test_charts_follow_the_colour_scheme(browser, pages) -> None:
    shown, _, _ = opened(browser, pages["one"])
    tick = shown.locator("[data-chart=tasks] .xtick text").first
    playwright.expect(tick).to_have_css("fill", "rgb(86, 96, 111)")
    shown.emulate_media(color_scheme="dark")
    playwright.expect(tick).to_have_css("fill", "rgb(163, 173, 186)")
    shown.context.close()


def test_hostile_text_runs_nothing(browser, pages) -> None:
    shown, messages, requests = opened(browser, pages["hostile"])
    assert shown.title().startswith("CRITICAL: 2 workers")
    assert messages == []
    assert len(requests) == 1
    shown.context.close()


def test_a_table_sorts_by_keyboard(browser, pages) -> None:
    shown, _, _ = opened(browser, pages["four"])
    head = shown.locator("#outages th", has_text="Duration")
    head.locator("button").focus()
    shown.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    order = "[...document.querySelectorAll('#outages tbody tr')].map(row => Number(row.cells[2].dataset.sort))"
    durations = shown.evaluate(order)
    assert durations == sorted(durations)
    shown.keyboard.press("Enter")
    assert shown.evaluate(order) == sorted(durations, reverse=True)
    shown.context.close()


def test_a_link_into_a_fold_opens_it(browser, pages) -> None:
    shown, _, _ = opened(browser, pages["one"])
    shown.locator("#metrics tbody a").first.click()
    shown.wait_for_selector("#def-connection_attempts", state="visible")
    assert shown.locator("#formulas details[open]").count() == 1
    shown.context.close()


def test_paper_shows_all_folds_and_cuts_nothing_off(browser, pages) -> None:
    shown, _, _ = opened(browser, pages["four"], scheme="dark")
    shown.emulate_media(media="print", color_scheme="dark")
    shown.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.locator("details:not([open])").count() == 0
    assert overflow(shown) <= 0
    # A4 less its margins is 703 pixels wide.
    widths = shown.locator("[data-chart] .main-svg").evaluate_all("all => all.map(one => one.clientWidth)")
    assert widths
    assert max(widths) <= 703
    background = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    shown.context.close()
