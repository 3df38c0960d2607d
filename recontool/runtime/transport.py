"""Sockets: the one module that knows the websockets library.

Its pings, its compression and its reconnect loop are off; heartbeats, compression and backoff are ours.
"""

import asyncio
import http
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct, field
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidHandshake, PayloadTooBig
from websockets.http11 import Request, Response
from websockets.protocol import State

from recontool.runtime.protocol import MAX_FRAME_BYTES

BACKLOG: Final = 4096
CLOSE_TIMEOUT_S: Final = 1.0
_NO_STATUS: Final = 1005
_LOST: Final = 1006
_TOO_BIG: Final = 1009

# Its own messages say nothing that our events do not, and would go to a terminal unasked.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


class DialError(Exception):
    """No connection could be opened."""


class ClosedError(Exception):
    """The connection has ended. `oversized` is set when the peer sent more than a frame may hold."""

    def __init__(self, code: int, reason: str, oversized: int | None = None) -> None:
        super().__init__(f"closed with code {code} {reason}".rstrip())
        self.code, self.reason, self.oversized = code, reason, oversized


class Answer(Struct, frozen=True):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


HttpHandler: TypeAlias = Callable[[str, str, Mapping[str, str]], Answer | None]


class Socket:
    """One WebSocket connection that carries binary frames."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def peer(self) -> str:
        """The other end's address."""
        address = self._connection.remote_address
        return f"{address[0]}:{address[1]}" if address else "unknown"

    @property
    def path(self) -> str:
        """What was asked for when it was opened, without a query."""
        request = self._connection.request
        return "" if request is None else request.path.partition("?")[0]

    async def send(self, data: bytes) -> None:
        """Send one frame; waits while the peer does not read.

        Raises:
            ClosedError: the connection has ended.
        """
        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise _closed(error) from None
        except AttributeError:
            if self._connection.state is not State.CLOSED:
                raise
            raise ClosedError(_LOST, "") from None  # see abort()

    async def receive(self) -> bytes:
        """The next frame; a text frame comes back as its bytes and will not decode.

        Raises:
            ClosedError: the connection has ended.
        """
        try:
            data = await self._connection.recv()
        except ConnectionClosed as error:
            raise _closed(error) from None
        return data.encode() if isinstance(data, str) else data

    def abort(self) -> None:
        """Drop the connection without a word; `receive` ends at once."""
        # A transport that emptied its buffer while closing has let go of its loop, and asyncio (3.11) trips over that.
        if self._connection.state is not State.CLOSED:
            self._connection.transport.abort()

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye; returns within two seconds whatever the peer does."""
        if self._connection.state is State.CLOSED:
            return
        try:
            async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
                await self._connection.close(code, reason)
        except TimeoutError:
            self.abort()


async def dial(url: str, timeout_s: float) -> Socket:
    """Open a connection.

    Raises:
        DialError: nobody answers there, or not as a coordinator.
    """
    try:
        connection = await connect(
            url,
            compression=None,
            ping_interval=None,
            open_timeout=timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=MAX_FRAME_BYTES,
            proxy=None,
            user_agent_header=None,
        )
    except (OSError, InvalidHandshake, TimeoutError, EOFError) as error:
        raise DialError(_reason(error)) from None
    return Socket(connection)


class Listener:
    """The coordinator's one port: WebSocket connections and plain HTTP requests."""

    def __init__(self, server: Server, port: int) -> None:
        self._server, self.port = server, port

    def stop_accepting(self) -> None:
        """Take no new connection; open ones stay."""
        self._server.close(close_connections=False)

    async def wait_closed(self, timeout_s: float) -> None:
        """Wait until every connection has ended, at most `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._server.wait_closed()
        except TimeoutError:
            for connection in self._server.all_connections:
                Socket(connection).abort()


async def listen(
    host: str, port: int, on_socket: Callable[[Socket], Awaitable[None]], on_request: HttpHandler, timeout_s: float
) -> Listener:
    """Listen on `host`; port 0 picks a free one. A connection must have begun to speak within `timeout_s`.

    Raises:
        OSError: the address cannot be used.
    """

    async def handler(connection: ServerConnection) -> None:
        await on_socket(Socket(connection))

    def process_request(_: ServerConnection, request: Request) -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        answer = on_request(getattr(request, "method", "GET"), request.path, headers)
        return None if answer is None else _response(answer)

    if port == 0:  # "localhost" has two addresses, and each would get a port of its own
        *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, family=socket.AF_INET)[0]
        host = str(address[0])
    server = await serve(
        handler,
        host,
        port,
        compression=None,
        ping_interval=None,
        open_timeout=timeout_s,
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=MAX_FRAME_BYTES,
        server_header=None,
        process_request=process_request,
        backlog=BACKLOG,
    )
    bound = next(iter(server.sockets)).getsockname()
    return Listener(server, int(bound[1]))


def _response(answer: Answer) -> Response:
    phrase = http.HTTPStatus(answer.status).phrase
    headers = Headers({"Content-Length": str(len(answer.body)), **answer.headers, "Connection": "close"})
    return Response(answer.status, phrase, headers, answer.body)


def _closed(error: ConnectionClosed) -> ClosedError:
    oversized = None
    if error.sent is not None and error.sent.code == _TOO_BIG:
        cause = error.__cause__
        oversized = (cause.size if isinstance(cause, PayloadTooBig) else None) or MAX_FRAME_BYTES
    if error.rcvd is not None:
        return ClosedError(error.rcvd.code or _NO_STATUS, error.rcvd.reason, oversized)
    if error.sent is not None and error.rcvd_then_sent is None:
        return ClosedError(error.sent.code, error.sent.reason, oversized)
    return ClosedError(_LOST, "", oversized)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
