"""axe-core finds nothing against WCAG A and AA on the live page: signing in, refused, live and stale, light and dark."""

import pytest
from chromium import needs_browser
from live_site import KEY, Site, fleet
from test_report_accessible import failures

pytestmark = needs_browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("number", [0, 30])
def test_axe_finds_nothing(tmp_path, browser, number, scheme):
    context = browser.new_context(viewport={"width": 1400, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    with Site(tmp_path, fleet(number, away=number // 3)) as site:
        page.goto(site.url)
        assert failures(page) == []
        page.fill("#key", "wrong")
        page.press("#key", "Enter")
        page.wait_for_selector("#refused:not(:empty)")
        assert failures(page) == []
        page.fill("#key", KEY)
        page.press("#key", "Enter")
        page.wait_for_selector("#live:not([hidden])")
        page.locator("details").evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")
        assert failures(page) == []
    page.wait_for_selector("#live.old")
    assert failures(page) == []
    context.close()
