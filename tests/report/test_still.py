"""Charts as pictures: every chart of a page has one, small, on its own scale, and right about what it shows."""

import re

import pytest
from chromium import needs_browser, opened
from fleet_builder import fleet, look

from recontool.report.charts import charts
from recontool.report.curves import CURVES
from recontool.report.html import render
from recontool.report.still.marks import axis_of, marks
from recontool.report.still.picture import COARSE, FINE, picture
from recontool.report.still.scale import scale

ALL = (
    *CURVES,
    "connected",
    "outages",
    "task_times",
    "alerts",
    "tasks",
    "checkpoints",
    "messages",
    "latency",
    "compression",
)


@pytest.fixture(scope="module")
def drawn() -> dict[str, dict[str, object]]:
    analysis = fleet(12, outages=30, text="<b>&amp;")
    return charts(analysis, ALL, look(analysis))


@pytest.mark.parametrize("name", ALL)
def test_each_chart_becomes_a_small_picture(drawn, name: str) -> None:
    found = str(picture(name, drawn[name], FINE))
    assert 300 < len(found) < 14_000
    assert len(str(picture(name, drawn[name], COARSE))) < 9_000
    assert found.count("<path") >= 2
    assert "<b>" not in found
    assert not re.search(r"nan|inf|None", found)


def test_a_bar_is_as_high_as_its_count(drawn) -> None:
    chart = drawn["tasks"]
    x, y = axis_of(chart, "x"), axis_of(chart, "y")
    found = marks(chart, x, y, 1000)
    bars = [mark for mark in found if mark.form == "boxes"]
    assert [mark.title for mark in bars] == ["completed", "failed"]
    assert sum(top - bottom for mark in bars for *_, bottom, top in mark.boxes) == sum(
        map(sum, (t["y"] for t in chart["data"]))
    )
    upright = scale(y, found, "y")
    assert upright.share(0) == 0
    highest = max(box[3] for mark in bars for box in mark.boxes)
    assert 0.9 < upright.share(highest) < 1


def test_scales_are_those_of_the_charts(drawn) -> None:
    chart = drawn["outages"]
    y = axis_of(chart, "y")
    found = scale(y, [], "y")
    assert y.kind == "log"
    assert found.share(10**found.low) == 0
    assert found.share(0) == 0
    assert "10" in [text for _, text in found.ticks]
    assert axis_of(drawn["alerts"], "y").kind == "category"
    shares = [share for share, _ in scale(axis_of(drawn["stages"], "y"), [], "y").ticks]
    assert shares == sorted(shares, reverse=True)  # the first stage stands on top


def test_what_is_drawn_is_bounded_however_much_happened() -> None:
    analysis = fleet(40, minutes=7 * 24 * 60, outages=200)
    for name, chart in charts(analysis, ALL, look(analysis)).items():
        assert len(str(picture(name, chart))) < 16_000, name


@needs_browser
def test_without_scripts_there_are_charts_and_raw_lines(browser, tmp_path) -> None:
    analysis = fleet(4)
    for lite in (False, True):
        path = tmp_path / f"{lite}.html"
        path.write_text(render(analysis, look(analysis), lite=lite), "utf-8")
        shown, messages, _ = opened(browser, path, scripts=False)
        assert messages == []
        assert shown.locator(".still:visible").count() == 13
        assert shown.locator(".chart:visible").count() == 0
        lines = shown.locator(".without-scripts details").first
        lines.locator("summary").click()
        assert lines.locator("mark").first.is_visible()
        shown.context.close()
        shown, _, _ = opened(browser, path)
        assert shown.locator(".still:visible").count() == (13 if lite else 0)
        assert shown.locator(".without-scripts:visible").count() == 0
        shown.emulate_media(media="print")
        assert shown.locator(".still:visible").count() == 13
        assert shown.locator(".chart:visible").count() == 0
        shown.context.close()
