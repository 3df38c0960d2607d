from collections.abc import Iterator

import pytest
from chromium import CHROMIUM, QUIET


# Not longer than a module: while it runs, its event loop keeps other tests from running one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """One Chromium for the browser tests of a module."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package: pip install playwright")
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()
