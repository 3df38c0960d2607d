"""The kept screenshots are there and small, and the page they show fits each of their sizes."""

import runpy
import struct
from pathlib import Path

import pytest
from chromium import needs_browser, opened, overflow

REPORTS = Path(__file__).parents[2] / "reports"
TAKER = runpy.run_path(str(REPORTS / "screenshots.py"))
SHOTS, LIVE = TAKER["SHOTS"], TAKER["LIVE"]
KEPT = {**{name: name for name in SHOTS}, **{f"dashboard-{name}": name for name in LIVE}}
MOST_BYTES = 120_000


@pytest.mark.parametrize("kept", KEPT)
def test_each_is_kept_in_its_size(kept: str) -> None:
    data = (REPORTS / "screenshots" / f"{kept}.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == SHOTS[KEPT[kept]][:2]
    assert len(data) <= MOST_BYTES


@needs_browser
@pytest.mark.parametrize("name", SHOTS)
@pytest.mark.parametrize("scripts", [True, False], ids=["live", "still"])
def test_the_page_is_no_wider_than_any_of_them(browser, name: str, scripts: bool) -> None:
    width, height, scheme, medium = SHOTS[name]
    shown, messages, _ = opened(
        browser, REPORTS / "example.html", width=width, height=height, scheme=scheme, scripts=scripts
    )
    shown.emulate_media(media=medium, color_scheme=scheme)
    assert messages == []
    assert overflow(shown) <= 0
    shown.context.close()
