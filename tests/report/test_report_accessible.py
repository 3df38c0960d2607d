"""axe-core finds nothing against WCAG A and AA, in both colour schemes, with and without scripts."""

import re
from pathlib import Path

import pytest
from chromium import needs_browser, opened
from fleet_builder import fleet, look

from recontool.report.html import render

pytestmark = needs_browser
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs axe: pip install axe-playwright-python"
)
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def failures(shown) -> list[str]:
    """One line per element that fails a rule, with why."""
    found = axe.Axe().run(shown, options=RULES).response
    assert found["passes"], "axe judged nothing"
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    twelve = fleet(12)
    made = {
        "none": render(fleet(0)),
        "one": render(fleet(1), look(fleet(1))),
        "twelve": render(twelve, look(twelve)),
        "lite": render(twelve, look(twelve), lite=True),
    }
    written = {}
    for name, text in made.items():
        # axe itself is a script: "without scripts" is the same file without its script elements.
        still = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
        for kind, content in (("", text), (" still", still)):
            written[name + kind] = folder / f"{name}{kind}.html"
            written[name + kind].write_text(content, encoding="utf-8")
    return written


@pytest.mark.parametrize("name", ["none", "one", "twelve", "lite", "none still", "twelve still"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, pages, name: str, scheme: str) -> None:
    shown, messages, requests = opened(browser, pages[name], scheme=scheme)
    # Folded parts are read by axe only when they are open.
    shown.locator("details").evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")
    assert failures(shown) == []
    assert messages == []
    assert requests == [pages[name].as_uri()]
    shown.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("at", ["w=worker-3", "w=worker-3&o=1"])
def test_axe_finds_nothing_in_the_view_of_a_worker(browser, pages, at: str, scheme: str) -> None:
    shown, messages, _ = opened(browser, pages["twelve"], scheme=scheme, at=at)
    shown.wait_for_selector("#drill h2")
    assert failures(shown) == []
    assert messages == []
    shown.context.close()


def test_axe_sees_a_fault_where_there_is_one(browser, pages) -> None:
    shown, _, _ = opened(browser, pages["none"])
    shown.locator("h1").evaluate("title => { title.style.color = '#f0f0f0'; }")
    assert any(line.startswith("color-contrast") for line in failures(shown))
    shown.context.close()
