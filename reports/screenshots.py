"""Takes the kept screenshots of the example report, small and looked at: `make screenshots`."""

import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

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


def main() -> int:
    """Write every screenshot anew; exit status 1 without Chromium."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium, so no screenshots: apt-get install chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(QUIET))
        for name, (width, height, scheme, medium) in SHOTS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="UTC"
            )
            page = context.new_page()
            page.goto(PAGE.as_uri())
            page.wait_for_selector("html.drawn", state="attached")
            page.emulate_media(media=medium, color_scheme=scheme)
            picture = (
                Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
            )
            picture.save(FOLDER / f"{name}.png", optimize=True)
            context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
