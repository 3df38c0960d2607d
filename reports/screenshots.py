"""Takes the kept screenshots of the example report, small and looked at: `make screenshots`."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

HERE: Final = Path(__file__).parent
PAGE: Final = HERE / "example.html"
FOLDER: Final = HERE / "screenshots"
COLOURS: Final = 128  # of a palette: a page has few, and the files stay small
QUIET: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
# name: width, height, colour scheme, medium
SHOTS: Final[dict[str, tuple[int, int, Literal["light", "dark"], Literal["screen", "print"]]]] = {
    "desk-light": (1400, 900, "light", "screen"),
    "desk-dark": (1400, 900, "dark", "screen"),
    "tablet": (768, 1024, "light", "screen"),
    "phone": (390, 844, "light", "screen"),
    "print": (703, 995, "light", "print"),  # A4 less its margins, at 96 pixels per inch
}


LIVE: Final = ("desk-light", "tablet", "phone")  # sizes of the live page


def main() -> int:
    """Write every screenshot anew; exit status 1 without Chromium."""
    parser = argparse.ArgumentParser(description="Take the kept screenshots anew.")
    parser.add_argument(
        "--dashboard", type=Path, metavar="DATA", help="the live page too, of the coordinator with this data folder"
    )
    parser.add_argument("--port", type=int, default=8765, help="that coordinator's")
    wanted = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium, so no screenshots: apt-get install chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(QUIET))
        for name in SHOTS:
            with opened(browser, name) as page:
                page.goto(PAGE.as_uri())
                page.wait_for_selector("html.drawn", state="attached")
                keep(page, name, name)
        for name in LIVE if wanted.dashboard else ():
            with opened(browser, name) as page:
                sign_in(page, f"http://localhost:{wanted.port}/dashboard", wanted.dashboard)
                keep(page, name, f"dashboard-{name}")
        browser.close()
    return 0


@contextmanager
def opened(browser: Any, name: str) -> Iterator[Any]:
    """A page of the size and colours of screenshot `name`."""
    width, height, scheme, _ = SHOTS[name]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="UTC")
    yield context.new_page()
    context.close()


def sign_in(page: Any, address: str, data: Path) -> None:
    """Open the live page with the operator's key and wait for its first numbers."""
    page.goto(address)
    page.fill("input[type=password]", json.loads((data / "keys.json").read_text())["operator"])
    page.keyboard.press("Enter")
    page.wait_for_selector("#numbers .value", state="visible")


def keep(page: Any, name: str, kept_as: str) -> None:
    """Save what `page` shows in the medium of screenshot `name`."""
    from PIL import Image

    _, _, scheme, medium = SHOTS[name]
    page.emulate_media(media=medium, color_scheme=scheme)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    picture.save(FOLDER / f"{kept_as}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
