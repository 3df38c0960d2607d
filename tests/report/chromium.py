"""A page opened in headless Chromium, with what it said and asked for, for the browser tests."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def opened(browser, path, *, width=1400, height=900, scripts=True, scheme="light", zone="UTC", at="", **more):
    """(page, messages it wrote, requests it made); `at` is the part after `#`. Charts are drawn when it returns."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=scripts,
        color_scheme=scheme,
        timezone_id=zone,
        **more,
    )
    shown = context.new_page()
    messages, requests = [], []
    shown.on("console", lambda message: messages.append(message.text))
    shown.on("pageerror", lambda error: messages.append(str(error)))
    shown.on("request", lambda request: requests.append(request.url))
    shown.goto(path.as_uri() + (f"#{at}" if at else ""))
    if scripts and 'id="charts"' in path.read_text(encoding="utf-8"):
        shown.wait_for_selector("html.drawn", state="attached", timeout=30_000)
    return shown, messages, requests


def overflow(shown) -> int:
    return shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
