"""Carries one channel's messages from the outbox to its receiver: in order, one at a time, until delivered or given up.

Every attempt runs in a thread of its own, for the libraries block: a receiver that hangs holds up its own channel and
nothing else. The threads are daemons: a process that ends waits for none of them.
"""

import asyncio
import contextlib
import random
import sqlite3
import threading
from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct

from recontool.model.units import SECOND_US
from recontool.runtime.instructions import Fields
from recontool.runtime.notify.message import Notification
from recontool.runtime.notify.outbox import Outbox, Queued
from recontool.runtime.notify.retry import LONGEST_WAIT_S, DeliveryError, wait_s
from recontool.runtime.notify.secret import scrubbed
from recontool.runtime.notify.settings import Channel

Send: TypeAlias = Callable[[Notification], str]  # returns a note for the log, or raises DeliveryError
_DISK_RETRY_S: Final = 5.0
_PATIENCE: Final = 20  # with a whole delivery, in times of the patience with one step
_SHOWN: Final = 300  # characters of an error; a server may answer with a page


class Tally(Struct):
    """What became of a channel's attempts since this process started."""

    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    last_error: str = ""


class Courier:
    """One channel.

    Args:
        send: called in a thread.
        say: logs what happened to a message: level and fields.
        clock_us: wall clock, as the outbox keeps instants over restarts.
    """

    def __init__(
        self,
        channel: Channel,
        outbox: Outbox,
        send: Send,
        *,
        say: Callable[[str, Fields], None],
        clock_us: Callable[[], int],
        draw: random.Random,
    ) -> None:
        self.channel, self.tally = channel, Tally()
        self._outbox, self._send, self._say, self._clock_us, self._draw = outbox, send, say, clock_us, draw
        self._news = asyncio.Event()
        self._finishing = False
        self._under_way: asyncio.Future[DeliveryError | str] | None = None
        self._delivered = 0  # position of the last message that arrived, should the disk refuse to forget it

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until `finish`."""
        while not self._finishing:
            self._news.clear()
            try:
                queued = await asyncio.to_thread(self._outbox.head, self.channel.name)
                if queued is None:
                    await self._news.wait()
                    continue
                if queued.position == self._delivered:
                    await asyncio.to_thread(self._outbox.remove, queued.position)
                    continue
                await asyncio.sleep(self._wait_s(queued))
                if self._finishing:
                    return
                await self._settle(queued, await self._attempt(queued))
            except sqlite3.Error as error:  # a full disk passes; until then nothing is lost
                self._say("ERROR", {"channel": self.channel.name, "state": "waiting", "error": f"outbox: {error}"})
                await asyncio.sleep(_DISK_RETRY_S)

    async def finish(self, patience_s: float) -> None:
        """Begin no further attempt and let one under way end; what is left undone stays in the outbox."""
        self._finishing = True
        if self._under_way is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await asyncio.shield(self._under_way)

    def _wait_s(self, queued: Queued) -> float:
        # Bounded, for the wall clock may have been set back since.
        return min(LONGEST_WAIT_S, max(0.0, (queued.next_us - self._clock_us()) / SECOND_US))

    async def _attempt(self, queued: Queued) -> DeliveryError | str:
        loop = asyncio.get_running_loop()
        answer = self._under_way = loop.create_future()

        def settle(found: DeliveryError | str) -> None:
            if not answer.done():
                answer.set_result(found)

        def work() -> None:
            found = self._deliver(queued)
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=work, name=f"notify-{self.channel.name}", daemon=True).start()
        patience_s = _PATIENCE * self.channel.pacing.timeout_s
        try:
            async with asyncio.timeout(patience_s):
                found: DeliveryError | str = await asyncio.shield(answer)
        except TimeoutError:
            # Each step was in time, as when a receiver answers letter by letter. Should it take the message after all,
            # the thread notes it, and a copy sent meanwhile has the same key.
            found = DeliveryError(f"the delivery did not end within {patience_s:g} s")
        self._under_way = None
        return found

    def _deliver(self, queued: Queued) -> DeliveryError | str:
        try:
            note = self._send(queued.message)
        except DeliveryError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a library's fault is this channel's failure, said in the log
            return DeliveryError(f"{type(error).__name__}: {error}")
        self._delivered = queued.position
        # Here and not in the loop: the shorter the time in which a crash would have it sent twice, the better.
        with contextlib.suppress(sqlite3.Error):  # run() removes it then
            self._outbox.remove(queued.position)
        return note

    async def _settle(self, queued: Queued, found: DeliveryError | str) -> None:
        message, tries = queued.message, queued.tries + 1
        fields: Fields = {"channel": self.channel.name, "key": message.key, "n": tries}
        if isinstance(found, str):
            self.tally.delivered += 1
            self.tally.last_error = ""
            if found:
                fields["error"] = self._scrubbed(found)
            self._say("WARNING" if found else "INFO", {**fields, "state": "delivered"})
            return
        problem = self._scrubbed(found.problem)
        self.tally.failed += 1
        self.tally.last_error = problem
        now_us = self._clock_us()
        delay_s = wait_s(found, tries, (now_us - message.at_us) / SECOND_US, self._draw)
        if delay_s is None:
            self.tally.dropped += 1
            await asyncio.to_thread(self._outbox.remove, queued.position)
            self._say("ERROR", {**fields, "state": "dropped", "error": problem})
            return
        await asyncio.to_thread(self._outbox.later, queued.position, tries, now_us + round(delay_s * SECOND_US))
        self._say("WARNING", {**fields, "state": "waiting", "delay_s": delay_s, "error": problem})

    def _scrubbed(self, text: str) -> str:
        return " ".join(scrubbed(text, self.channel.secrets()).split())[:_SHOWN]
