"""One live connection: frames in and out, acknowledgements, and the message lines of a DEBUG log."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from recontool.runtime.messages import HANDSHAKE, Ack, Message, type_name
from recontool.runtime.protocol import Channel, LogEvent, WireError
from recontool.runtime.queue import SendQueue
from recontool.runtime.transport import ClosedError, Socket

CLOSE_LIMIT_S: Final = 3.0


class Ended(Struct, frozen=True):
    """How a connection ended."""

    code: int
    reason: str


class Receiver(Struct):
    """Who takes what a link hears.

    Attributes:
        message: takes each message and its sequence number.
        acknowledged: takes each of our own messages the peer has taken over.
        broken: takes a frame that must not be acted on; the link has stopped reading.
    """

    message: Callable[[Message, int], None]
    acknowledged: Callable[[Message], None]
    broken: Callable[[WireError], None]


class Link:
    """Runs one socket until it ends."""

    def __init__(self, socket: Socket, channel: Channel, queue: SendQueue, log: LogEvent) -> None:
        self.channel, self.queue = channel, queue
        self._socket, self._log = socket, log
        self._unacknowledged: dict[int, tuple[Message, float]] = {}
        self._closing: tuple[int, str] | None = None
        self._aborted = False
        self._settled = asyncio.Event()
        self._limit: asyncio.TimerHandle | None = None

    @property
    def peer(self) -> str:
        """The other end's address."""
        return self._socket.peer

    def send(self, message: Message) -> None:
        """Queue `message`."""
        if self._closing is None and not self._aborted:
            self.queue.put(message, time.monotonic())

    def abort(self) -> None:
        """End at once."""
        self._aborted = True
        self._socket.abort()

    def close(self, code: int, reason: str) -> None:
        """End once everything queued has been sent."""
        if self._closing is None:
            self._closing = (code, reason)
            self.queue.finish()
            # A peer that does not read would keep the queue from emptying for ever.
            self._limit = asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, self._socket.abort)

    async def settle(self, timeout_s: float) -> None:
        """Wait until the peer has acknowledged all that was sent, at most `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(self.queue) or self._unacknowledged:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            return  # what is unacknowledged is durable and will be sent again

    async def run(self, receiver: Receiver) -> Ended:
        """Serve the connection; returns how it ended. Queue and producers are released."""
        sender = asyncio.create_task(self._send_all())
        try:
            return await self._receive_all(receiver)
        finally:
            if self._limit is not None:
                self._limit.cancel()
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender
            self.queue.release()
            self._report_undelivered()
            self._settled.set()

    async def _receive_all(self, receiver: Receiver) -> Ended:
        while True:
            try:
                data = await self._socket.receive()
                message, seq, size_bytes = self.channel.open(data)
            except WireError as error:
                receiver.broken(error)
                return await self._wait_end()
            except ClosedError as error:
                if error.oversized is not None:
                    receiver.broken(WireError("oversized", "frame", error.oversized))
                return Ended(*self._closing) if self._closing else Ended(error.code, error.reason)
            self._take(message, seq, size_bytes, receiver)

    def _take(self, message: Message, seq: int, size_bytes: int, receiver: Receiver) -> None:
        if isinstance(message, Ack):
            self._acknowledged(message, receiver)
        else:
            self._log(None, "message_received", {"type": type_name(message), "size_bytes": size_bytes, "seq": seq})
        receiver.message(message, seq)

    def _acknowledged(self, ack: Ack, receiver: Receiver) -> None:
        sent = self._unacknowledged.pop(ack.seq, None)
        if sent is None:
            return
        message, at_s = sent
        self._log(None, "message_acked", {"seq": ack.seq, "rtt_ms": (time.perf_counter() - at_s) * 1000})
        self._settled.set()
        receiver.acknowledged(message)

    async def _wait_end(self) -> Ended:
        """Nothing the peer says counts any more; only how the connection ends."""
        while True:
            try:
                await self._socket.receive()
            except ClosedError as error:
                return Ended(*self._closing) if self._closing else Ended(error.code, error.reason)

    async def _send_all(self) -> None:
        while (message := await self.queue.get()) is not None:
            sealed = self.channel.seal(message)
            if not isinstance(message, Ack):
                kind = type_name(message)
                self._log(None, "message_sent", {"type": kind, "size_bytes": sealed.size_bytes, "seq": sealed.seq})
                if not isinstance(message, HANDSHAKE):
                    self._unacknowledged[sealed.seq] = (message, time.perf_counter())
            try:
                await self._socket.send(sealed.data)
            except ClosedError:
                return  # the receiving side reports how it ended
            self._settled.set()
        if self._closing is not None:
            await self._socket.close(*self._closing)

    def _report_undelivered(self) -> None:
        for seq, (message, _) in self._unacknowledged.items():
            error = "session ended before the acknowledgement"
            self._log(None, "message_error", {"error": error, "type": type_name(message), "seq": seq})
        self._unacknowledged.clear()
