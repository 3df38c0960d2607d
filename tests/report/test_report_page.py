import hashlib
import re
from html.parser import HTMLParser
from importlib import resources

import pytest
from fleet_builder import fleet, look, nothing
from msgspec.structs import replace
from plotly.offline import get_plotlyjs_version

from recontool.model.catalogue import DOCUMENTED
from recontool.report import view
from recontool.report.axes import LIGHT
from recontool.report.charts import MOST_POINTS, charts, figure
from recontool.report.html import BUNDLE, render
from recontool.report.page import page
from recontool.report.plain import columns

HOSTILE = (
    '</script><script>alert(1)</script>\u202e\x1b[31m\u2028"\'><img src=x onerror=alert(2)>%{x}<a href="http://a">'
)
VENDOR = resources.files("recontool.report").joinpath("vendor")


class Elements(HTMLParser):
    """Collects ids, links to them, element names and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.headings: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        known = dict(attrs)
        self.ids += [known["id"]] if known.get("id") else []
        self.targets += [known["href"][1:]] if (known.get("href") or "").startswith("#") else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []


def test_the_bundle_is_the_one_that_plotly_py_carries() -> None:
    script = VENDOR.joinpath(BUNDLE).read_bytes()
    assert VENDOR.joinpath(f"{BUNDLE}.sha256").read_text().split() == [hashlib.sha256(script).hexdigest(), BUNDLE]
    assert f"v{get_plotlyjs_version()}".encode() in script[:200]
    assert b"MIT License" in VENDOR.joinpath("LICENSE").read_bytes()


@pytest.mark.parametrize("number", [0, 1, 4, 50])
def test_the_same_analysis_gives_the_same_bytes(number: int) -> None:
    one, same = (render(analysis, look(analysis)) for analysis in (fleet(number), fleet(number)))
    assert one == same


@pytest.mark.parametrize(
    ("number", "minutes", "most_bytes"),
    [(0, 60, 60_000), (1, 24 * 60, 1_000_000), (50, 24 * 60, 1_500_000), (500, 7 * 24 * 60, 3_000_000)],
)
def test_pages_stay_within_their_budget(number: int, minutes: int, most_bytes: int) -> None:
    analysis = fleet(number, minutes=minutes, outages=20)
    detail = look(analysis)
    text = render(analysis, detail)
    assert len(text.encode()) <= most_bytes
    assert len(render(analysis, detail, lite=True).encode()) <= 150_000


@pytest.mark.parametrize("number", [0, 1, 4])
def test_every_link_has_a_target_and_every_id_stands_once(number: int) -> None:
    analysis = fleet(number)
    found = Elements(render(analysis, look(analysis)))
    assert sorted(set(found.targets) - set(found.ids)) == []
    assert sorted(one for one in set(found.ids) if found.ids.count(one) > 1) == []


def test_headings_are_in_order_and_landmarks_are_there() -> None:
    found = Elements(render(fleet(4)))
    assert found.headings[0] == 1
    assert all(after - before <= 1 for before, after in zip(found.headings, found.headings[1:], strict=False))
    assert {"header", "nav", "main", "footer"} <= set(found.names)


@pytest.mark.parametrize("number", [1, 4])
def test_nothing_a_peer_wrote_becomes_markup(number: int) -> None:
    hostile, tame = fleet(number, text=HOSTILE), fleet(number)
    text = render(hostile, look(hostile, HOSTILE))
    found, calm = Elements(text), Elements(render(tame, look(tame)))
    assert found.names.count("script") == calm.names.count("script")
    assert found.names.count("img") == 0
    assert [name for name, _ in found.attributes if name.startswith("on")] == []
    assert not any(value and value.startswith("http") for _, value in found.attributes)
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e]", text) == []
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert "\\u202e\\x1b[31m" in text


def test_the_policy_forbids_all_but_the_two_scripts() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', render(fleet(1)))
    assert policy is not None
    text = policy[1].replace("&#39;", "'")
    assert "default-src 'none'" in text
    assert "connect-src 'none'" in text
    assert text.count("'sha256-") == 2
    assert "unsafe-eval" not in text


def test_the_page_names_all_metrics_with_value_limit_and_reason() -> None:
    text = render(fleet(1))
    for metric in DOCUMENTED:
        assert f">{metric.title}</a>" in text
        assert metric.definition.split(",")[0].replace("'", "&#39;") in text
    assert "no message was decompressed" in text
    assert "≥ 0.95" in text


def test_the_first_screen_says_what_it_is_based_on() -> None:
    shown = page(fleet(4))
    assert dict(shown.basis)["Lines"] == "61,725: 60,005 parsed, 220 unparsed (0.36 %), 0 duplicate"
    assert dict(shown.basis)["Time"] == "2026-11-24 08:00:00 to 09:00:00 UTC (1 h 00 min)"
    assert [number.label for number in shown.numbers][:2] == ["Connection stability", "Reconnections"]
    assert len(shown.numbers) == 6
    assert [headline.severity for headline in shown.headlines] == sorted(h.severity for h in shown.headlines)
    assert shown.headlines[0].sentence.startswith("08:36:00 UTC: Coordinator restarted (")
    assert re.fullmatch(r"#w=worker-\d&o=\d+", shown.headlines[0].href)


def test_an_outage_still_open_is_critical_and_leads_to_its_row() -> None:
    analysis = fleet(1, outages=3)
    worker = analysis.workers["worker-1"]
    still = replace(worker, outages=(*worker.outages[:-1], replace(worker.outages[-1], end_us=None)))
    first = page(replace(analysis, workers={"worker-1": still})).headlines[0]
    assert first.severity == "CRITICAL"
    assert "worker-1 was still down when its log ended" in first.sentence
    assert first.href == "#w=worker-1&o=3"


def test_tables_are_bounded_and_say_what_is_left_out() -> None:
    shown = page(fleet(1, outages=view.ROWS + 55))
    outages = next(part for part in shown.sections if part.anchor == "outages")
    (table,) = outages.tables
    assert len(table.rows) == view.ROWS
    assert table.omitted == "55 more shorter outages are not shown here; the JSON output lists them."
    starts = [row.cells[1].sort for row in table.rows]
    assert starts == sorted(starts, key=lambda at: at or 0)


def test_empty_sections_say_why() -> None:
    calm = {part.anchor: part for part in page(fleet(2, outages=0)).sections}
    assert calm["outages"].empty.startswith("No outages: every session that was established lasted")
    assert calm["incidents"].empty == "No incidents: no two outages share a cause in time."
    assert calm["alerts"].empty == "No alerts: none of the rules held at any time."
    assert calm["advice"].empty.startswith("No recommendations: ")
    alone = page(nothing())
    assert alone.sections[0].empty.startswith("No metrics: no worker log was among the inputs.")
    assert alone.no_headlines.startswith("No worker log was among the inputs")


def test_charts_are_bounded_and_free_of_zones() -> None:
    analysis = fleet(4, minutes=7 * 24 * 60, outages=1000)
    detail = look(analysis)
    wanted = [shown.chart for part in page(analysis, detail).sections for shown in part.figures if shown.chart]
    drawn = charts(analysis, wanted, detail)
    assert set(drawn) == set(wanted)
    assert len(drawn) == 13
    for chart in drawn.values():
        points = sum(len(trace["x"]) for trace in chart["data"])
        assert points <= 4 * (MOST_POINTS + 2), points
        assert "template" not in chart["layout"]
        times = [x for trace in chart["data"] for x in trace["x"] if isinstance(x, str)]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", at) for at in times)


def test_figures_for_notebooks_have_real_colours() -> None:
    for name in ("timeline", "reconnect_times", "connected", "tasks"):
        assert "var(--" not in figure(fleet(2), name).to_json()
    with pytest.raises(KeyError, match="no activity over time"):
        figure(nothing(), "tasks")


def test_the_style_sheet_names_the_same_colours_as_the_figures() -> None:
    style = resources.files("recontool.report").joinpath("templates", "style.css").read_text()
    light = style.split("@media")[0]
    assert [name for name, colour in LIGHT.items() if f"--{name}: {colour};" not in light] == []


def test_names_of_any_script_keep_their_characters() -> None:
    text = render(fleet(1, text="-東京-Zürich"))
    assert "worker-1-東京-Zürich" in text
    assert columns("東京") == 4
