"""The coordinator's HTTP answers: GET requests on the WebSocket's port, JSON in every case but `/metrics`."""

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Protocol
from urllib.parse import unquote

from msgspec import Struct

from recontool.model.catalogue import DOCUMENTED
from recontool.model.instant import iso
from recontool.runtime import exposition
from recontool.runtime.dashboard import server as dashboard
from recontool.runtime.instructions import Sample
from recontool.runtime.transport import Answer

WEBSOCKET_PATH: Final = "/ws"
PATHS: Final = (
    "/dashboard",
    "/api/v1/workers",
    "/api/v1/workers/ID/metrics",
    "/api/v1/alerts",
    "/metrics",
    "/healthz",
)
_SOCKETS: Final = frozenset({WEBSOCKET_PATH, "/", dashboard.LIVE_PATH})
_OTHER_ORIGIN: Final = "a page of another origin may not speak to the dashboard; Origin and Host must name the same"
_METRICS: Final = re.compile(r"/api/v1/workers/([^/?]+)/metrics")


class Facts(Protocol):
    """What the coordinator knows."""

    def sample(self, worker: str) -> Sample | None:
        """The last metrics of a worker; None when it was never seen, time 0 while it has not reported."""

    def workers(self) -> Iterable[Sample]:
        """The same of every worker that was ever seen."""

    def connected(self) -> frozenset[str]:
        """Workers with a session."""

    def alerts(self) -> Mapping[str, object]:
        """Alerts, rules, channels and silences."""

    def families(self) -> Iterable[exposition.Family]:
        """What `/metrics` shows."""


class Pages(Protocol):
    """The live page."""

    def page(self, method: str) -> Answer:
        """The page itself, without any data."""


class Api(Struct, frozen=True):
    """Answers requests.

    Args:
        operator_key: the Bearer token that may read.
    """

    operator_key: str
    facts: Facts
    pages: Pages

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Answer | None:
        """The answer to one request; None lets a WebSocket handshake go on. Header names are lower case."""
        bare = path.partition("?")[0]
        if bare == dashboard.PATH and method in {"GET", "HEAD"}:
            return self.pages.page(method)
        if method != "GET":
            return _json(405, {"error": f"{method} is not allowed here, only GET"}, {"Allow": "GET"})
        if bare in _SOCKETS and headers.get("upgrade", "").lower() == "websocket":
            welcome = bare != dashboard.LIVE_PATH or dashboard.same_origin(headers)
            return None if welcome else _json(403, {"error": _OTHER_ORIGIN})
        if bare == "/healthz":
            return _json(200, {"status": "ok", "workers_connected": len(self.facts.connected())})
        if bare == "/metrics":
            headers = {"Content-Type": exposition.CONTENT_TYPE, "Cache-Control": "no-store"}
            return Answer(200, exposition.text(self.facts.families()), headers)
        return self._guarded(bare, headers)

    def _guarded(self, path: str, headers: Mapping[str, str]) -> Answer:
        """What only the operator may read."""
        found: Callable[[], Answer]
        match = _METRICS.fullmatch(path)
        if match is not None:
            found = partial(self._metrics, unquote(match[1]))
        elif path == "/api/v1/workers":
            found = self._workers
        elif path == "/api/v1/alerts":
            found = self._alerts
        else:
            return _json(404, {"error": f"nothing here; try {', '.join(PATHS)}"})
        return self._refusal(headers) or found()

    def _refusal(self, headers: Mapping[str, str]) -> Answer | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            challenge = {"WWW-Authenticate": 'Bearer realm="recontool"'}
            return _json(401, {"error": "expected the header Authorization: Bearer OPERATOR_KEY"}, challenge)
        if not hmac.compare_digest(token.strip().encode(), self.operator_key.encode()):
            return _json(403, {"error": "this key may not read metrics; the operator key may"})
        return None

    def _workers(self) -> Answer:
        connected = self.facts.connected()
        rows = [
            {
                "worker": sample.worker,
                "connected": sample.worker in connected,
                "at": iso(sample.at_us) if sample.at_us else None,
            }
            for sample in sorted(self.facts.workers(), key=lambda sample: sample.worker)
        ]
        return _json(200, {"workers": rows})

    def _metrics(self, worker: str) -> Answer:
        sample = self.facts.sample(worker)
        if sample is None:
            return _json(404, {"error": f"no worker {worker!r} has connected to this coordinator"})
        metrics = {metric.name: sample.metrics.get(metric.name) for metric in DOCUMENTED}
        at = iso(sample.at_us) if sample.at_us else None
        return _json(200, {"worker": worker, "at": at, "metrics": metrics})

    def _alerts(self) -> Answer:
        return _json(200, self.facts.alerts())


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    data = json.dumps(body, allow_nan=False).encode() + b"\n"
    common = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, data, {**common, **(headers or {})})
