"""The coordinator's HTTP answers: GET requests on the WebSocket's port, JSON in every case."""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from recontool.model.catalogue import DOCUMENTED
from recontool.model.instant import iso
from recontool.runtime.instructions import Sample
from recontool.runtime.transport import Answer

WEBSOCKET_PATH: Final = "/ws"
_METRICS: Final = re.compile(r"/api/v1/workers/([^/?]+)/metrics")


@dataclass(frozen=True, slots=True)
class Api:
    """Answers requests.

    Args:
        operator_key: the Bearer token that may read.
        sample: the last metrics of a worker id; None when the id was never seen. A worker that has not
            reported yet has a Sample with time 0.
    """

    operator_key: str
    sample: Callable[[str], Sample | None]

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Answer | None:
        """The answer to one request; None lets a WebSocket handshake go on. Header names are lower case."""
        if method != "GET":
            return _json(405, {"error": f"{method} is not allowed here, only GET"}, {"Allow": "GET"})
        bare = path.partition("?")[0]
        if bare in {WEBSOCKET_PATH, "/"} and headers.get("upgrade", "").lower() == "websocket":
            return None
        match = _METRICS.fullmatch(bare)
        if match is None:
            return _json(404, {"error": f"nothing here; try {'/api/v1/workers/ID/metrics'}"})
        return self._refusal(headers) or self._metrics(unquote(match[1]))

    def _refusal(self, headers: Mapping[str, str]) -> Answer | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            challenge = {"WWW-Authenticate": 'Bearer realm="recontool"'}
            return _json(401, {"error": "expected the header Authorization: Bearer OPERATOR_KEY"}, challenge)
        if not hmac.compare_digest(token.strip().encode(), self.operator_key.encode()):
            return _json(403, {"error": "this key may not read metrics; the operator key may"})
        return None

    def _metrics(self, worker: str) -> Answer:
        sample = self.sample(worker)
        if sample is None:
            return _json(404, {"error": f"no worker {worker!r} has connected to this coordinator"})
        metrics = {metric.name: sample.metrics.get(metric.name) for metric in DOCUMENTED}
        at = iso(sample.at_us) if sample.at_us else None
        return _json(200, {"worker": worker, "at": at, "metrics": metrics})


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    data = json.dumps(body, allow_nan=False).encode() + b"\n"
    common = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, data, {**common, **(headers or {})})
