"""HTTP answers, each with the status and JSON it must have."""

import json

import pytest

from recontool.model.catalogue import DOCUMENTED
from recontool.runtime.exposition import of_workers
from recontool.runtime.http import PATHS, Api
from recontool.runtime.instructions import Sample
from recontool.runtime.transport import Answer

KNOWN = {
    "w-1": Sample("w-1", 1_767_225_600_000_001, {"messages_sent": 3, "queue_depth": 9}),
    "new": Sample("new", 0, {}),
    "w:é": Sample("w:é", 0, {}),
}


class Facts:
    """A coordinator that saw three workers, one of them connected."""

    def sample(self, worker):
        return KNOWN.get(worker)

    def workers(self):
        return KNOWN.values()

    def connected(self):
        return frozenset({"w-1"})

    def alerts(self):
        return {"at": None, "alerts": []}

    def families(self):
        return of_workers(KNOWN.values(), self.connected(), KNOWN["w-1"].at_us + 1)


class Pages:
    """A live page of one word."""

    def page(self, method):
        return Answer(200, b"" if method == "HEAD" else b"page", {"Content-Type": "text/html"})


API = Api("op-key", Facts(), Pages())
OPERATOR = {"authorization": "Bearer op-key"}
PATH = "/api/v1/workers/w-1/metrics"
UPGRADE = {"upgrade": "websocket"}


def test_metrics_are_all_eighteen_and_nothing_else():
    answer = API.answer("GET", PATH, OPERATOR)
    body = json.loads(answer.body)
    assert (answer.status, body["worker"], body["at"]) == (200, "w-1", "2026-01-01T00:00:00.000001Z")
    assert list(body["metrics"]) == [metric.name for metric in DOCUMENTED]
    assert body["metrics"]["messages_sent"] == 3
    assert body["metrics"]["compression_ratio"] is None


def test_a_worker_that_has_not_reported_has_no_time_and_no_values():
    body = json.loads(API.answer("GET", "/api/v1/workers/new/metrics?x=1", OPERATOR).body)
    assert body["at"] is None
    assert set(body["metrics"].values()) == {None}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", PATH, {}, 401),
        ("GET", PATH, {"authorization": "Basic op-key"}, 401),
        ("GET", PATH, {"authorization": "Bearer"}, 401),
        ("GET", PATH, {"authorization": "Bearer  "}, 401),
        ("GET", PATH, {"authorization": "Bearer wrong"}, 403),
        ("GET", PATH, {"authorization": "Bearer op-key\xe9"}, 403),
        ("GET", PATH, {"authorization": "bearer op-key"}, 200),
        ("GET", "/api/v1/workers/w%3A%C3%A9/metrics", OPERATOR, 200),
        ("GET", "/api/v1/workers/nobody/metrics", OPERATOR, 404),
        ("GET", "/api/v1/workers/nobody/metrics", {}, 401),
        ("GET", "/api/v1/workers//metrics", OPERATOR, 404),
        ("GET", "/api/v1/workers/", OPERATOR, 404),
        ("GET", "/api/v1/workers", {}, 401),
        ("GET", "/api/v1/alerts", {}, 401),
        ("GET", "/api/v1/alerts", {"authorization": "Bearer wk-key"}, 403),
        ("GET", "/api/v2/alerts", OPERATOR, 404),
        ("POST", "/metrics", {}, 405),
        ("GET", "/", {}, 404),
        ("GET", "/ws", {}, 404),
        ("GET", PATH, {**OPERATOR, **UPGRADE}, 200),
        ("POST", PATH, OPERATOR, 405),
        ("PUT", "/ws", UPGRADE, 405),
        ("HEAD", PATH, OPERATOR, 405),
        ("POST", "/dashboard", {}, 405),
        ("GET", "/dashboard/", {}, 404),
        ("GET", "/dashboard/live", {}, 404),
        ("GET", "/dashboard/live", UPGRADE, 403),
        ("GET", "/dashboard/live", {**UPGRADE, "origin": "http://elsewhere", "host": "here:1"}, 403),
        ("GET", "/dashboard/live", {**UPGRADE, "origin": "http://here:2", "host": "here:1"}, 403),
        ("GET", "/dashboard/live", {**UPGRADE, "origin": "http://[::1", "host": "[::1"}, 403),
        ("GET", "/dashboard/live", {**UPGRADE, "origin": "null", "host": "null"}, 403),
        ("GET", "/dashboard/live", {**UPGRADE, "origin": "file://", "host": ""}, 403),
    ],
)
def test_every_request_gets_its_status_as_json(method, path, headers, status):
    answer = API.answer(method, path, headers)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/json")
    body = json.loads(answer.body)
    assert list(body) == (["worker", "at", "metrics"] if status == 200 else ["error"])
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)
    assert ("Allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize("path", ["/", "/ws", "/ws?x"])
def test_a_websocket_handshake_goes_on(path):
    assert API.answer("GET", path, UPGRADE) is None


@pytest.mark.parametrize("origin", ["http://here:1", "https://here:1", "http://HERE:1"])
def test_a_page_of_the_same_origin_may_speak_to_the_dashboard(origin):
    assert API.answer("GET", "/dashboard/live", {**UPGRADE, "origin": origin, "host": "Here:1"}) is None


@pytest.mark.parametrize(("method", "body"), [("GET", b"page"), ("HEAD", b"")])
def test_the_page_needs_no_key_for_it_holds_no_data(method, body):
    assert API.answer(method, "/dashboard?x", {}).body == body


def test_workers_are_listed_with_their_state():
    body = json.loads(API.answer("GET", "/api/v1/workers", OPERATOR).body)
    assert body["workers"] == [
        {"worker": "new", "connected": False, "at": None},
        {"worker": "w-1", "connected": True, "at": "2026-01-01T00:00:00.000001Z"},
        {"worker": "w:é", "connected": False, "at": None},
    ]


def test_alerts_are_what_the_coordinator_knows():
    assert json.loads(API.answer("GET", "/api/v1/alerts?x", OPERATOR).body) == {"at": None, "alerts": []}


def test_health_and_metrics_need_no_key():
    health = API.answer("GET", "/healthz", {})
    assert (health.status, json.loads(health.body)) == (200, {"status": "ok", "workers_connected": 1})
    metrics = API.answer("GET", "/metrics", {})
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b'recontool_messages_sent_total{worker="w-1"} 3\n' in metrics.body


def test_a_wrong_path_is_told_the_right_ones():
    message = json.loads(API.answer("GET", "/api", OPERATOR).body)["error"]
    assert [path for path in PATHS if path not in message] == []
