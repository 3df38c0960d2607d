"""Logs whose every field is hostile, through the whole way from file to page: nothing runs, moves or is forged."""

from pathlib import Path

import pytest
from chromium import needs_browser, opened, overflow

from recontool.api.analyze import analyze
from recontool.api.report import build_report
from recontool.logs.grammar import render
from recontool.model.events import EVENTS, FIELD_TYPES, Event
from recontool.model.units import SECOND_US
from recontool.report.plain import plain

pytestmark = needs_browser
T = 1_795_507_200 * SECOND_US
TAKEOVER = "document.title='run'"
TEXTS = {
    "script": f"</script><script>{TAKEOVER}</script>",
    "attribute": f'"\' onmouseover="{TAKEOVER}" autofocus onfocus="{TAKEOVER}" x=\'',
    "image": f'<img src=x onerror="{TAKEOVER}"><svg onload="{TAKEOVER}">',
    "template": "{{7*7}}${7*7}<%=7*7%>%{x}%{customdata[0]}",
    "link": "javascript:document.title='run'",
    "ansi": "\x1b[2J\x1b]0;run\x07\x1b[31mred",
    "direction": "\u202egnp.exe\u2066\u2069 \u200b\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "lines": "one\r\n2026-11-24T08:00:00.000000Z INFO w [RECONNECT] lost cause=closed\u2028two\u0085three",
    "surrogate and nul": "\x00\ufffe\udcff<",
    "style": "</style><style>*{display:none}</style>",
    "comment": "--><!-- ]]> </textarea></title>",
    "long word": "x" * 200_000,
    "megabyte": "<b>&amp;" * 131_072,
    "tall": "\u0e47" * 400 + "Z\u0351\u036b\u0343" * 50,
    "csv": '=HYPERLINK("http://a")',
}
SESSION = (
    ("", "config"), ("CONNECT", "attempt"), ("CONNECT", "established"), ("TASK", "started"), ("TASK", "failed"),
    ("RECONNECT", "lost"), ("RECONNECT", "scheduled"), ("RECONNECT", "attempt"), ("RECONNECT", "failed"),
    ("RECONNECT", "attempt"), ("RECONNECT", "established"), ("SYNC", "completed"), ("TASK", "started"),
)  # fmt: skip


def value(name: str, text: str):
    kind = FIELD_TYPES[name]
    return {int: 3, float: 1.5, bool: True}.get(kind, text)


def hostile_log(path: Path, source: str, text: str, roles=("worker",)) -> None:
    """A session with an outage, then every event there is, all texts hostile; then the text on lines of its own."""
    fields = {(spec.marker, spec.name): spec.fields for spec in EVENTS}
    order = [*SESSION, *sorted(fields)] if "worker" in roles else sorted(fields)
    lines = []
    for i, kind in enumerate(order):
        values = {name: value(name, text[:20_000]) for name in fields[kind]}
        values |= {"role": roles[0]} if kind == ("", "config") else {}
        lines.append(render(Event(T + i * SECOND_US, "INFO", source, *kind, values)))
    raw = "\n".join([*lines, text, f"2026-11-24T08:01:{0:02d}.000000Z INFO {source} {text}"])
    path.write_bytes(raw.encode("utf-8", "surrogateescape"))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for i, (name, text) in enumerate(TEXTS.items()):
        folder = tmp_path_factory.mktemp("hostile")
        safe = "".join(char for char in text[:60] if char.isprintable() and char not in "/\0")
        hostile_log(folder / f"{safe or 'x'}.log", f"w-{i}", text)
        hostile_log(folder / "coordinator.log", "coordinator", text, ("coordinator",))
        made[name] = build_report(analyze([str(folder)]), folder / "report.html")
    return made


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_runs_and_nothing_leaves_its_place(browser, reports, name: str) -> None:
    page = reports[name]
    assert page.stat().st_size <= 1_000_000
    shown, messages, requests = opened(browser, page, width=1000)
    assert "recontool report" in shown.title()
    assert messages == []
    assert requests == [page.as_uri()]
    shown.locator("details").evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")
    assert overflow(shown) <= 0
    wide = """cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth + 1 && cell.offsetParent)
        .map(cell => `${cell.scrollWidth} in ${cell.clientWidth}: ${cell.textContent.slice(0, 60)}`)"""
    assert shown.locator("main td, main th, main li, main dd").evaluate_all(wide) == []
    tall = shown.locator("tbody tr").evaluate_all("rows => Math.max(...rows.map(row => row.offsetHeight))")
    assert tall <= 420
    shown.context.close()


@pytest.mark.parametrize("name", TEXTS)
def test_the_raw_lines_are_as_many_as_in_the_file(browser, reports, name: str) -> None:
    shown, messages, _ = opened(browser, reports[name])
    shown.goto(shown.url + "#" + shown.locator("#outages tbody tr").first.get_attribute("id"))
    shown.wait_for_selector("#drill .raw")
    numbers = shown.locator("#drill .raw").first.locator(".at").all_inner_texts()
    first = int(numbers[0])
    assert numbers == [str(first + i) for i in range(len(numbers))]
    heights = shown.locator("#drill .raw li code").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert max(heights) <= 30
    texts = shown.locator("#drill .raw").first.locator("code").all_text_contents()
    log = next(path for path in reports[name].parent.glob("*.log") if path.name != "coordinator.log")
    lines = log.read_bytes().split(b"\n")
    for i, text in enumerate(texts):
        assert text[:900] == plain(lines[first - 1 + i].decode("utf-8", "replace").rstrip("\r"))[:900]
    assert not any(char in text for text in texts for char in "\r\n\x1b\x00\u2028\u202e\u200b")
    assert max(len(text) for text in texts) < 7_000
    assert overflow(shown) <= 0
    assert messages == []
    shown.context.close()
