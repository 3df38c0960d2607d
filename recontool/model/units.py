"""Lengths of time as everything here counts them: integer microseconds."""

from __future__ import annotations

TYPE_CHECKING = False  # see recontool/__init__.py
if TYPE_CHECKING:
    from typing import Final

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
DAY_US: Final = 1440 * MINUTE_US
