from collections.abc import Iterator

import pytest
from chromium import CHROMIUM, QUIET


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """One Chromium for all browser tests."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the playwright package: pip install playwright")
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()
