"""Serves the live page: one page for everybody, and a WebSocket that sends its parts to who proved the operator's key.

Parts are rendered in a thread, once for all dashboards and at most once a second; each is sent what changed since
what it has, the next update only when it has said that it saw the one before. So neither a slow reader nor a big
fleet holds up the coordinator.
"""

import asyncio
import contextlib
import json
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from recontool.logs.writer import LogWriter
from recontool.model.instant import iso
from recontool.model.live import Live
from recontool.model.markers import Marker
from recontool.runtime.dashboard.login import Door, Refusal, Session
from recontool.runtime.transport import Answer, ClosedError, Socket

PATH: Final = "/dashboard"
LIVE_PATH: Final = "/dashboard/live"
MOST_DASHBOARDS: Final = 32
PACE_S: Final = 1.0  # updates come no closer together; in a big fleet less often, so that drawing leaves time for more
_REST: Final = 10  # times as long as drawing took
_LONGEST_PACE_S: Final = 3.0
LONGEST_TICK_S: Final = 10.0  # nor further apart
_MOST_WAITING: Final = 32  # connections that have not proved a key yet
_LOGIN_S: Final = 10.0
_SLOW_S: Final = 30.0  # who has not seen an update by then is dropped
_MOST_BYTES: Final = 4096  # of what a page says
_CLOSE_RESTART: Final = 1012
_CLOSE_POLICY: Final = 1008
_CLOSE_LATER: Final = 1013


class Renderer(Protocol):
    """Makes the page and its parts."""

    @property
    def body(self) -> bytes:
        """The page."""

    @property
    def policy(self) -> str:
        """Its Content-Security-Policy."""

    @property
    def identity(self) -> str:
        """Changes when the page does."""

    def parts(self, live: Live) -> dict[str, str]:
        """HTML by the id of the element it stands for."""

    def firing(self, live: Live) -> Mapping[str, int]:
        """Firing alerts by severity."""


class _Update(Struct, frozen=True):
    """What there is to show at one instant; each part is a JSON string already, for it goes to many pages."""

    number: int
    at_us: int
    parts: Mapping[str, bytes]
    firing: Mapping[str, int]


class _Viewer(Struct, eq=False):
    """One signed-in page: what it has, and what it said it saw."""

    socket: Socket
    session: Session
    news: asyncio.Event = field(default_factory=asyncio.Event)
    saw: asyncio.Event = field(default_factory=asyncio.Event)
    parts: Mapping[str, bytes] = field(default_factory=dict)
    number: int = 0
    seen: int = 0


class Dashboard:
    """The live page of one coordinator.

    Args:
        renderer: makes what is shown.
        key: the operator's.
        gather: what the coordinator knows now, but for the alerts; called on the event loop, so it must be quick.
        alerts: the body of `/api/v1/alerts`; called in a thread.
        log: takes sign-ins, refusals and trouble with rendering.
        interval_s: how often there is news even if nothing happens; `tick_s` is what became of it.
    """

    def __init__(
        self,
        renderer: Renderer,
        key: str,
        gather: Callable[[], Live],
        alerts: Callable[[], Mapping[str, Any]],
        *,
        log: LogWriter,
        interval_s: float,
    ) -> None:
        self._renderer, self._gather, self._alerts, self._log = renderer, gather, alerts, log
        self._door = Door(key)
        self.tick_s = min(max(interval_s, PACE_S), LONGEST_TICK_S)
        self._viewers: set[_Viewer] = set()
        self._waiting: set[Socket] = set()
        self._changed = asyncio.Event()
        self._latest: _Update | None = None
        self._made_s, self._pace_s = float("-inf"), PACE_S
        self._trouble = ""

    @property
    def viewers(self) -> int:
        """How many pages are signed in."""
        return len(self._viewers)

    def page(self, method: str) -> Answer:
        """The answer to `GET /dashboard`: no data, so no key is asked for."""
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(self._renderer.body)),
            "Content-Security-Policy": self._renderer.policy,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        return Answer(200, b"" if method == "HEAD" else self._renderer.body, headers)

    def changed(self) -> None:
        """Something happened that a person would want to see at once."""
        self._changed.set()

    async def run(self) -> None:
        """Send news for ever: at every tick, sooner when something changed, never faster than once in `PACE_S`."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.tick_s):
                    await self._changed.wait()
            await asyncio.sleep(self._made_s + self._pace_s - loop.time())
            self._changed.clear()
            if self._viewers:
                began_s = loop.time()
                await self._render()
                self._made_s = loop.time()
                self._pace_s = min(max(PACE_S, _REST * (self._made_s - began_s)), _LONGEST_PACE_S)

    async def serve(self, socket: Socket) -> None:
        """Serve one connection to `/dashboard/live` until it ends."""
        if len(self._waiting) >= _MOST_WAITING:
            await socket.close(_CLOSE_LATER, "too many connections")
            return
        self._waiting.add(socket)
        try:
            session = await self._sign_in(socket)
        except (ClosedError, TimeoutError):
            await socket.close(_CLOSE_POLICY, "no key came")
            return
        finally:
            self._waiting.discard(socket)
        if session is not None:
            await self._keep_up(_Viewer(socket, session))

    async def close(self) -> None:
        """Tell every page that the coordinator goes."""
        sockets = [*self._waiting, *(viewer.socket for viewer in self._viewers)]
        await asyncio.gather(*(socket.close(_CLOSE_RESTART, "service restart") for socket in sockets))

    # --- signing in -------------------------------------------------------------------------------------

    async def _sign_in(self, socket: Socket) -> Session | None:
        async with asyncio.timeout(_LOGIN_S):
            hello = _said(await socket.receive())
            found = self._checked(hello, socket)
            if isinstance(found, Session) and len(self._viewers) >= MOST_DASHBOARDS:
                found = Refusal(f"{MOST_DASHBOARDS} dashboards are open already. Close one and try again.")
            if isinstance(found, Refusal):
                if found.event:
                    self._log.event(Marker.SECURITY, "auth_failed", reason=found.event, peer=socket.peer)
                await socket.send(_json({"kind": "refused", "reason": found.reason}))
                await socket.close(_CLOSE_POLICY, "refused")
                return None
            silence_s = 2 * (self.tick_s + _LONGEST_PACE_S)
            welcome = {"kind": "welcome", "token": found.token, "silence_s": silence_s, "page": self._renderer.identity}
            await socket.send(_json(welcome))
            return found

    def _checked(self, hello: Mapping[str, Any], socket: Socket) -> Session | Refusal:
        key, token = hello.get("key"), hello.get("token")
        if isinstance(token, str):
            return self._door.by_token(token, time.time())
        if not isinstance(key, str):
            return Refusal("Neither a key nor a session came.", "dashboard: no key")
        address = socket.peer.rpartition(":")[0]
        found = self._door.by_key(key, address, time.monotonic(), time.time())
        if isinstance(found, Session):
            self._log.event(Marker.SECURITY, "auth_ok", worker="operator", peer=socket.peer)
        return found

    # --- keeping up -------------------------------------------------------------------------------------

    async def _keep_up(self, viewer: _Viewer) -> None:
        self._viewers.add(viewer)
        if self._latest is not None and asyncio.get_running_loop().time() < self._made_s + self._pace_s:
            viewer.news.set()
        else:
            self.changed()
        sending = asyncio.create_task(self._send_news(viewer))
        try:
            await self._listen(viewer)
        except ClosedError:
            return  # a closed page needs no more news
        finally:
            self._viewers.discard(viewer)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _listen(self, viewer: _Viewer) -> None:
        while True:
            seen = _said(await viewer.socket.receive()).get("seen")
            if not isinstance(seen, int):
                await viewer.socket.close(_CLOSE_POLICY, "malformed")
                return
            viewer.seen = seen
            viewer.saw.set()

    async def _send_news(self, viewer: _Viewer) -> None:
        try:
            while True:
                await viewer.news.wait()
                viewer.news.clear()
                if time.time() >= viewer.session.expires_s:
                    break
                if self._latest is not None:
                    async with asyncio.timeout(_SLOW_S):
                        await self._send(viewer, self._latest)
            await viewer.socket.close(_CLOSE_POLICY, "session ended")
        except TimeoutError:
            viewer.socket.abort()  # it does not read, or does not say so
        except ClosedError:
            return  # the listening side ends it

    async def _send(self, viewer: _Viewer, update: _Update) -> None:
        """Send what `viewer` does not have, and wait until it has seen it."""
        news = [_json(name) + b":" + text for name, text in update.parts.items() if viewer.parts.get(name) != text]
        viewer.parts, viewer.number = update.parts, update.number
        told = {"kind": "update", "number": update.number, "at": iso(update.at_us), "firing": update.firing}
        await viewer.socket.send(_json(told)[:-1] + b',"parts":{' + b",".join(news) + b"}}")
        while viewer.seen < viewer.number:
            viewer.saw.clear()
            await viewer.saw.wait()

    async def _render(self) -> None:
        try:
            live = self._gather()
            parts, firing = await asyncio.to_thread(self._rendered, live)
        except Exception as error:  # noqa: BLE001 - a page that cannot be drawn must not end the coordinator; it goes stale
            if self._trouble != repr(error):
                self._trouble = repr(error)
                self._log.text("ERROR", f"the dashboard cannot be drawn: {traceback.format_exc()}")
            return
        self._trouble = ""
        number = 1 if self._latest is None else self._latest.number + 1
        self._latest = _Update(number, live.at_us, parts, firing)
        for viewer in self._viewers:
            viewer.news.set()

    def _rendered(self, live: Live) -> tuple[Mapping[str, bytes], Mapping[str, int]]:
        whole = replace(live, alerts=self._alerts())
        parts = {name: _json(text) for name, text in self._renderer.parts(whole).items()}
        return parts, self._renderer.firing(whole)


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a page of this very coordinator asks, as far as a browser tells. Header names are lower case."""
    try:
        origin = urlsplit(headers.get("origin", ""))
    except ValueError:  # half an IPv6 address, for example
        return False
    return origin.scheme in {"http", "https"} and origin.netloc.lower() == headers.get("host", "").lower() != ""


def _said(data: bytes) -> Mapping[str, Any]:
    """A message of a page; one that cannot be read says nothing."""
    if len(data) > _MOST_BYTES:
        return {}
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or nothing but brackets
        return {}
    return found if isinstance(found, dict) else {}


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
