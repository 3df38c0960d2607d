"""Something done again and again at even intervals."""

import asyncio
from collections.abc import Callable


async def every(interval_s: float, act: Callable[[], None]) -> None:
    """Call `act` every `interval_s`, the first time after one interval; a late call does not shift the next."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        # After a freeze one call makes up for all that were missed.
        due_s = max(due_s + interval_s, loop.time())
        await asyncio.sleep(due_s - loop.time())
        act()
