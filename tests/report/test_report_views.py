"""What scripts add to the page: one outage with its raw lines, filters, copies, one stretch of time, colours."""

import csv
import io
import json
from pathlib import Path

import pytest
from chromium import needs_browser, opened, overflow

from recontool.api.analyze import analyze
from recontool.api.report import build_report

pytestmark = needs_browser
SAMPLES = sorted(str(path) for path in (Path(__file__).parents[2] / "sample_logs").glob("*.log"))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_report(analyze(SAMPLES), tmp_path_factory.mktemp("report") / "samples.html")


def press(shown, key: str, times: int = 1) -> None:
    for _ in range(times):
        shown.keyboard.press(key)


def focused(shown) -> str:
    return shown.evaluate("document.activeElement.textContent.trim()")


def test_the_keyboard_alone_leads_to_the_raw_lines_of_an_outage(browser, report) -> None:
    shown, messages, _ = opened(browser, report)
    for _ in range(80):
        press(shown, "Tab")
        if focused(shown) == "first outage":
            break
    assert focused(shown) == "first outage"
    press(shown, "Enter")
    proof = shown.locator("#drill .raw .proof code").first
    proof.wait_for()
    assert "[RECONNECT] lost cause=closed code=1006" in proof.inner_text()
    assert focused(shown).endswith(": outage 1")
    for _ in range(20):
        press(shown, "Tab")
        if shown.evaluate("document.activeElement.className") == "raw":
            break
    assert shown.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Raw lines of worker-")
    assert messages == []
    shown.context.close()


def test_raw_lines_are_those_of_the_file_with_twenty_on_either_side(browser, report) -> None:
    shown, _, _ = opened(browser, report, at="w=worker-1&o=1")
    lines = Path(SAMPLES[1]).read_text("utf-8").splitlines()
    shown.wait_for_selector("#drill .raw")
    rows = shown.locator("#drill .raw").first.locator("li:not(.skipped)").all()
    found = {int(row.locator(".at").inner_text()): row.locator("code").inner_text() for row in rows}
    assert {277, 305} <= found.keys()
    assert min(found) == 277 - 20
    assert max(found) == 305 + 20
    assert all(lines[number - 1] == text for number, text in found.items())
    assert "coordinator.log" in shown.locator("#drill h3").all_inner_texts()
    shown.context.close()


def test_a_worker_has_a_view_of_its_own_and_a_way_back(browser, report) -> None:
    shown, messages, _ = opened(browser, report, at="w=worker-3", width=390, height=844)
    shown.wait_for_selector("#drill:not([hidden])")
    assert shown.locator("#drill h2").inner_text() == "worker-3"
    assert shown.locator("#drill tbody tr").count() == 2
    assert shown.locator("#outages").is_hidden()
    assert overflow(shown) <= 0
    shown.locator("#drill a", has_text="Back to the report").click()
    shown.wait_for_selector("#drill", state="hidden")
    # The charts were out of sight when the page was opened; they are drawn now.
    shown.wait_for_selector("[data-chart=tasks] .main-svg")
    assert messages == []
    shown.context.close()


@pytest.mark.parametrize("at", ["w=nobody&o=1", "w=%E0%A4", "t=5~x", "w=", "=&&="])
def test_an_address_that_leads_nowhere_shows_the_report(browser, report, at: str) -> None:
    shown, messages, _ = opened(browser, report, at=at)
    assert shown.locator("#outages").is_visible()
    assert messages == []
    shown.context.close()


def test_one_stretch_of_time_filters_tables_and_charts(browser, report) -> None:
    shown, _, _ = opened(browser, report)
    rows = shown.locator("#outages tbody tr:visible")
    assert rows.count() == 11
    shown.locator(".brush input").nth(1).evaluate(
        "slider => { slider.value = 500; slider.dispatchEvent(new Event('input')); }"
    )
    assert rows.count() == 4
    assert shown.locator(".chosen").is_visible()
    assert shown.locator("#outages .rows").text_content() == "4 of 11 rows"
    axis = "document.querySelector('[data-chart=tasks]').layout.xaxis.range[1]"
    assert shown.evaluate(axis).startswith("2026-11-20 09:50:0")
    address = shown.url
    shown.locator(".chosen .whole-time").click()
    assert rows.count() == 11
    assert "#" not in shown.url
    shown.goto("about:blank")
    shown.goto(address)
    shown.wait_for_selector("html.drawn", state="attached")
    assert rows.count() == 4
    shown.context.close()


def test_a_drag_over_the_strip_chooses_the_time(browser, report) -> None:
    shown, _, _ = opened(browser, report)
    box = shown.locator(".strip").first.bounding_box()
    y = box["y"] + box["height"] / 2
    shown.mouse.move(box["x"] + box["width"] * 0.25, y)
    shown.mouse.down()
    shown.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    shown.mouse.up()
    values = shown.locator(".brush input").evaluate_all("all => all.map(one => Number(one.value))")
    assert [round(value / 100) for value in values] == [2, 5]
    shown.context.close()


def test_a_table_filters_by_words_and_copies_what_it_shows(browser, report) -> None:
    shown, _, _ = opened(browser, report, permissions=["clipboard-read", "clipboard-write"])
    shown.locator("#outages input[type=search]").fill("worker-2 1006")
    assert shown.locator("#outages .rows").text_content() == "1 of 11 rows"
    shown.locator("#outages button", has_text="Copy CSV").click()
    status = shown.locator("#outages .rows", has_text="Copied 1 row as CSV")
    status.wait_for()
    rows = list(csv.DictReader(io.StringIO(shown.evaluate("navigator.clipboard.readText()"))))
    assert [row["Cause"] for row in rows] == ["closed (code 1006)"]
    shown.locator("#outages button", has_text="Copy JSON").click()
    shown.locator("#outages .rows", has_text="Copied 1 row as JSON").wait_for()
    assert json.loads(shown.evaluate("navigator.clipboard.readText()")) == rows
    shown.context.close()


def test_a_chosen_colour_scheme_wins_over_the_system_and_is_kept(browser, report) -> None:
    shown, _, _ = opened(browser, report, scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = shown.evaluate(ground)
    shown.locator("input[value=dark]").check()
    dark = shown.evaluate(ground)
    assert dark != light
    tick = shown.locator("[data-chart=tasks] .xtick text").first
    assert tick.evaluate("text => getComputedStyle(text).fill") == "rgb(163, 173, 186)"
    shown.reload()
    assert shown.evaluate(ground) == dark
    shown.locator("input[value=light]").check()
    shown.emulate_media(color_scheme="dark")
    assert shown.evaluate(ground) == light
    shown.context.close()


def test_motion_is_reduced_where_the_reader_asks_for_it(browser, report) -> None:
    shown, _, _ = opened(browser, report, reduced_motion="reduce")
    assert shown.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    shown.context.close()


def test_a_chart_is_saved_as_a_picture(browser, report, tmp_path) -> None:
    shown, messages, requests = opened(browser, report)
    shown.wait_for_selector("html.drawn", state="attached")
    button = shown.get_by_role("button", name="Save picture").first
    with shown.expect_download() as saved:
        button.click()
    saved.value.save_as(tmp_path / "chart.svg")
    assert saved.value.suggested_filename.endswith(".svg")
    assert (tmp_path / "chart.svg").read_text("utf-8").startswith("<svg")
    assert messages == []
    assert [one for one in requests if not one.startswith(("file:", "data:", "blob:"))] == []
    shown.context.close()
