"""Messages waiting for the socket: five first-in-first-out classes, urgent ones first.

The high watermark slows producers of bulk down; it never blocks a control message.
"""

import asyncio
from collections import deque
from typing import Final

from recontool.runtime.messages import Message, Priority, priority

_CLASSES: Final = len(Priority)


class SendQueue:
    """A queue with one consumer.

    Args:
        prioritised: False makes it one plain line, first in first out.
        watermark: depth at which `room` is False.
    """

    def __init__(self, prioritised: bool, watermark: int) -> None:
        self._lines: tuple[deque[tuple[Message, float]], ...] = tuple(deque() for _ in range(_CLASSES))
        self._prioritised, self._watermark = prioritised, watermark
        self._depth = 0
        self._finished = False
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return self._depth

    @property
    def room(self) -> bool:
        """Whether a producer of bulk may add more."""
        return self._depth < self._watermark

    def put(self, message: Message, now_s: float) -> None:
        """Add `message`; always succeeds."""
        line = self._lines[priority(message) if self._prioritised else 0]
        line.append((message, now_s))
        self._depth += 1
        self._filled.set()

    def pop(self) -> Message | None:
        """The next message to send; None when empty."""
        for line in self._lines:
            if line:
                message, _ = line.popleft()
                self._depth -= 1
                return message
        return None

    def oldest_s(self, now_s: float) -> float:
        """How long the longest waiting message has waited; 0 when empty."""
        return max((now_s - line[0][1] for line in self._lines if line), default=0.0)

    async def get(self) -> Message | None:
        """Wait for the next message to send; None once finished and empty."""
        while (message := self.pop()) is None and not self._finished:
            self._filled.clear()
            await self._filled.wait()
        return message

    def finish(self) -> None:
        """Nothing more will be put in; `get` ends when all is sent."""
        self._finished = True
        self._filled.set()

    def release(self) -> None:
        """Drop what waits; the connection has ended, and what matters is durable elsewhere."""
        for line in self._lines:
            line.clear()
        self._depth = 0
