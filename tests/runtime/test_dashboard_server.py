"""The live page's side of the port: what it answers, whom it lets in, and that nobody can hold it up."""

import json

import pytest
from live_site import KEY, Site, fleet
from processes import wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from recontool.report.dashboard.page import LivePage
from recontool.runtime.dashboard import server
from recontool.runtime.dashboard.login import MOST_TRIES


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path, fleet(3, away=1)) as made:
        yield made


def dial(site, *, origin=""):
    return connect(site.socket_url, origin=origin or site.url.removesuffix("/dashboard"), compression=None, legacy=True)


def say(socket, **words):
    socket.send(json.dumps(words))


def told(socket):
    return json.loads(socket.recv(timeout=10))


def signed_in(site):
    socket = dial(site)
    say(socket, key=KEY)
    return socket, told(socket)


def news(socket, *, seen=True):
    update = told(socket)
    if seen:
        say(socket, seen=update["number"])
    return update


def closed(socket):
    """Read to the end; its code."""
    try:
        while True:
            socket.recv(timeout=10)
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else None


def test_first_all_parts_then_what_changed(site):
    socket, welcome = signed_in(site)
    assert (welcome["kind"], welcome["page"]) == ("welcome", LivePage().identity)
    first = news(socket)
    parts = ["summary", "numbers", "contents", "alerts", "workers", "reconnections", "messages", "tasks", "health"]
    assert list(first["parts"]) == parts
    assert first["firing"] == {"CRITICAL": 1, "WARNING": 0, "INFO": 0}
    site.show(fleet(3))
    second = news(socket)
    assert second["number"] > first["number"]
    assert second["at"] > first["at"]
    assert "reconnections" not in second["parts"]
    assert "WARNING" in second["parts"]["summary"]
    assert "away" not in second["parts"]["summary"]


def test_a_session_goes_on_without_the_key(site):
    socket, welcome = signed_in(site)
    socket.close()
    socket = dial(site)
    say(socket, token=welcome["token"])
    assert told(socket)["token"] == welcome["token"]
    assert news(socket)["parts"]


@pytest.mark.parametrize(
    ("hello", "event"),
    [
        ('{"key": "wrong"}', "dashboard: wrong key"),
        ('{"key": "\\ud800"}', "dashboard: wrong key"),
        ('{"token": "1.2.3"}', "dashboard: session of another key"),
        ('{"token": "x"}', "dashboard: damaged session"),
        ('{"key": 3}', "dashboard: no key"),
        ("[]", "dashboard: no key"),
        ("[" * 4000, "dashboard: no key"),
        (b"\xff\xfe", "dashboard: no key"),
        (json.dumps({"key": KEY, "more": "x" * 5000}), "dashboard: no key"),
    ],
)
def test_whoever_proves_no_key_is_refused_and_logged(site, hello, event):
    socket = dial(site)
    socket.send(hello)
    refused = told(socket)
    assert list(refused) == ["kind", "reason"]
    assert closed(socket) == 1008
    assert f'[SECURITY] auth_failed reason="{event}" peer=127.0.0.1:' in site.text
    assert KEY not in site.text


def test_too_many_wrong_keys_are_told_to_wait(site):
    for _ in range(MOST_TRIES):
        socket = dial(site)
        say(socket, key="wrong")
        assert told(socket)["reason"] == "This is not the operator key."
    socket, refused = signed_in(site)
    assert refused["reason"].startswith("Too many wrong keys. Try again in ")
    assert closed(socket) == 1008
    assert site.text.count("auth_failed") == MOST_TRIES + 1


@pytest.mark.parametrize("origin", ["http://elsewhere", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_is_not_let_in(site, origin):
    with pytest.raises(InvalidStatus) as found:
        dial(site, origin=origin)
    assert found.value.response.status_code == 403


def test_who_says_nothing_is_closed(site, monkeypatch):
    monkeypatch.setattr(server, "_LOGIN_S", 0.05)
    assert closed(dial(site)) == 1008


def test_who_does_not_say_that_it_saw_gets_no_more_and_is_dropped(site, monkeypatch):
    monkeypatch.setattr(server, "_SLOW_S", 2.5)  # two more updates come meanwhile
    slow, _ = signed_in(site)
    first = news(slow, seen=False)
    quick, _ = signed_in(site)
    numbers = [news(quick)["number"] for _ in range(3)]
    assert max(numbers) > first["number"] + 1
    with pytest.raises(ConnectionClosed):
        news(slow)  # no second update ever came
    assert news(quick)["number"] > max(numbers)
    wait_for("the slow one to be forgotten", lambda: site.dashboard.viewers == 1)


def test_one_that_was_slow_gets_the_latest_and_not_all(site):
    slow, _ = signed_in(site)
    first = news(slow, seen=False)
    quick, _ = signed_in(site)
    last = [news(quick)["number"] for _ in range(3)][-1]
    say(slow, seen=first["number"])
    assert news(slow)["number"] >= last


def test_what_nobody_should_say_ends_the_connection(site):
    socket, _ = signed_in(site)
    news(socket, seen=False)
    say(socket, seen="all")
    assert closed(socket) == 1008


def test_only_so_many_at_once(site, monkeypatch):
    monkeypatch.setattr(server, "MOST_DASHBOARDS", 1)
    socket, _ = signed_in(site)
    news(socket)
    _, refused = signed_in(site)
    assert refused["reason"].startswith("1 dashboards are open already")
    socket.close()
    wait_for("room", lambda: site.dashboard.viewers == 0)
    assert signed_in(site)[1]["kind"] == "welcome"


def test_a_session_that_ends_while_the_page_is_open_closes_it(site, monkeypatch):
    socket, welcome = signed_in(site)
    news(socket)
    ended_s = float(welcome["token"].partition(".")[0])
    monkeypatch.setattr(server.time, "time", lambda: ended_s)
    assert closed(socket) == 1008


class Clumsy(LivePage):
    """Cannot draw worker lists of two."""

    def parts(self, live):
        if len(live.workers) == 2:
            raise ZeroDivisionError("two")
        return super().parts(live)


def test_what_cannot_be_drawn_is_logged_once_and_the_rest_goes_on(tmp_path):
    with Site(tmp_path, fleet(2), Clumsy()) as site:
        socket, _ = signed_in(site)
        wait_for("the trouble to be said", lambda: "cannot be drawn" in site.text)
        site.show(fleet(2))
        site.show(fleet(3))
        assert news(socket)["number"] == 1
        assert site.text.count("ZeroDivisionError: two") == 1
        assert all(line.startswith("  ") for line in site.text.splitlines()[1:-1] if not line.startswith("20"))


def test_a_coordinator_that_goes_says_so(tmp_path):
    with Site(tmp_path, fleet(1)) as site:
        socket, _ = signed_in(site)
        news(socket)
    assert closed(socket) == 1012
