"""The coordinator's alerts in one process: rounds, restarts, silences, trouble with disk and rules."""

import asyncio
import json
import sqlite3
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recontool.alerts.rules import Rule
from recontool.logs.grammar import parse_record
from recontool.logs.writer import LogWriter
from recontool.model.instant import iso
from recontool.runtime.alerting import Alerting
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.settings import Channel, Notifications, Pacing, Webhook

S = 1_000_000
START_US = 1_767_225_600 * S
ROUND_US = 10 * S
SLOW = Rule("slow", "avg_message_latency_ms > 200", "WARNING", notification=("dashboard", "hook"))
LATE = Rule("late", "avg_message_latency_ms > 200", "CRITICAL", for_us=20 * S)
WINDOW = Rule("window", "avg(avg_message_latency_ms[25s]) > 150", "INFO", notification=("hook",))
CHANNEL = Channel("hook", "webhook", Webhook(Secret("http://127.0.0.1:1/")), Pacing((), 0, 0, 3600 * S))


class Site:
    """A coordinator's data folder; every round is ten seconds after the one before."""

    def __init__(self, folder, rules=(SLOW,), channels=(CHANNEL,)):
        self.folder, self.rules, self.channels = folder, rules, channels
        self.now_us, self.ticks_us = START_US, 0
        self.log = LogWriter("coordinator", folder / "coordinator.log", clock_us=lambda: self.now_us)
        self.start()

    def start(self):
        notifications = Notifications(self.channels)
        clocks = {"clock_us": lambda: self.now_us, "ticks_us": lambda: self.ticks_us}
        self.alerting = Alerting(self.rules, notifications, self.folder, self.log, **clocks)

    def restart(self):
        self.stop()
        self.start()

    def stop(self):
        self.alerting.close()

    def round(self, **latency_ms):
        """One round with these latencies by worker; the messages that were decided, as (status, firing, resolved)."""
        self.now_us += ROUND_US
        self.ticks_us += ROUND_US
        for worker, value in latency_ms.items():
            self.alerting.take(worker, {"avg_message_latency_ms": value})
        before = self.waiting()
        asyncio.run(self.alerting.look())
        return [(body["firing"], body["resolved"]) for key, body in self.waiting().items() if key not in before]

    def waiting(self):
        found = self.alerting._outbox._db.execute("SELECT key, body FROM messages ORDER BY position").fetchall()
        return {
            key: {side: [item["worker"] for item in json.loads(body)[side]] for side in ("firing", "resolved")}
            for key, body in found
        }

    def events(self):
        lines = self.log.path.read_text("utf-8").splitlines()
        found = [event for event in map(parse_record, lines) if event is not None and event.name == "alert"]
        return [(event.level, event.fields["state"], event.fields.get("worker")) for event in found]

    def text(self):
        return self.log.path.read_text("utf-8")


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.stop()


def test_changes_are_logged_and_told_once(site):
    assert site.round(a=100, b=300) == [(["b"], [])]
    assert site.round(a=300, b=300) == [(["b", "a"], [])]
    assert site.round(a=300, b=300) == []
    assert site.round(a=100, b=300) == [(["b"], ["a"])]
    assert site.round(a=100, b=100) == [([], ["b"])]
    assert site.events() == [
        ("WARNING", "firing", "b"),
        ("WARNING", "firing", "a"),
        ("INFO", "resolved", "a"),
        ("INFO", "resolved", "b"),
    ]


def test_the_overview_shows_alerts_rules_channels(tmp_path):
    site = Site(tmp_path, rules=(SLOW, LATE))
    assert site.alerting.overview()["at"] is None
    site.round(a=300)
    shown = site.alerting.overview()
    slow, late = shown["alerts"]
    assert shown["at"] == "2026-01-01T00:00:10.000000Z"
    assert slow == {
        "alert": "slow",
        "severity": "WARNING",
        "worker": "a",
        "state": "firing",
        "pending_at": shown["at"],
        "fired_at": shown["at"],
        "value": 300.0,
        "peak": 300.0,
        "condition": "avg_message_latency_ms > 200",
        "description": "",
        "notification": ["dashboard", "hook"],
        "silenced_until": None,
    }
    assert (late["state"], late["fired_at"]) == ("pending", None)
    assert [(rule["alert"], rule["health"]) for rule in shown["rules"]] == [("slow", "ok"), ("late", "ok")]
    (channel,) = shown["channels"]
    assert (channel["channel"], channel["kind"], channel["delivered"]) == ("hook", "webhook", 0)
    families = {family.name: family.samples for family in site.alerting.families()}
    assert [value for _, value in families["recontool_alerts_firing"]] == [1, 0]
    site.stop()


def test_the_overview_tells_for_an_hour_what_was_resolved(site):
    changed = []
    site.alerting.on_change = lambda: changed.append(site.now_us)
    site.round(a=300, b=300)
    site.round(a=300, b=100)
    at_us = site.now_us
    site.round(a=100)
    site.round(a=100)
    assert [at - at_us for at in changed] == [-ROUND_US, 0, ROUND_US]
    shown = site.alerting.overview()["resolved"]
    assert [(alert["worker"], alert["resolved_at"]) for alert in shown] == [
        ("a", "2026-01-01T00:00:30.000000Z"),
        ("b", "2026-01-01T00:00:20.000000Z"),
    ]
    assert list(shown[0]) == ["alert", "severity", "worker", "pending_at", "resolved_at", "value"]
    site.now_us += 3600 * S - 3 * ROUND_US
    site.round(a=100)
    assert [alert["worker"] for alert in site.alerting.overview()["resolved"]] == ["a"]
    site.round(a=100)
    assert site.alerting.overview()["resolved"] == []


@pytest.mark.parametrize("restarts", [False, True])
def test_restarts_change_nothing(tmp_path, restarts):
    site = Site(tmp_path, rules=(SLOW, LATE))
    course = [(300, 100), (300, 100), (None, None), (300, 300), (100, 300), (100, 100)]
    told = []
    for a, b in course:
        told += site.round(a=a, b=b)
        if restarts:
            site.restart()
    assert told == [(["a"], []), (["a", "b"], []), (["b"], ["a"]), ([], ["b"])]
    assert [one for one in site.events() if one[0] == "ERROR"] == [("ERROR", "firing", "a")]  # late, after 20 s
    site.stop()


latencies = st.sampled_from([None, 100, 300])


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(latencies, latencies, st.booleans()), min_size=3, max_size=8))
def test_no_restart_changes_what_is_told(course):
    rules = (SLOW, replace(LATE, notification=("hook",)), WINDOW)
    told = []
    for restarts in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            site, found = Site(Path(folder), rules=rules), []
            for a, b, restart in course:
                found += site.round(a=a, b=b)
                if restart and restarts:
                    site.restart()
            told.append((found, site.events()))
            site.stop()
    assert told[0] == told[1]


def test_a_rule_that_is_gone_resolves_what_it_told(site):
    site.round(a=300)
    site.rules = (LATE,)
    site.restart()
    assert site.round(a=300) == [([], ["a"])]


def test_a_worker_that_says_goodbye_is_not_waited_for(site):
    site.round(a=300, b=300)
    site.alerting.take("a", {"avg_message_latency_ms": 300})
    site.alerting.left("a")
    assert site.round(b=300) == [(["b"], ["a"])]
    site.alerting.left("b")
    assert site.round(b=300) == []  # it came back within the round
    assert [site.round() for _ in range(3)] == [[], [], []]  # silent, not gone: five minutes of patience


def test_a_silence_file_is_read_while_running(site):
    path = site.folder / "silences.yaml"
    path.write_text("- {alert: slow, worker: 'a*', until: 2026-01-01T00:01:00Z, comment: known}\n")
    assert site.round(a=300, b=300) == [(["b"], [])]
    (silence,) = site.alerting.overview()["silences"]
    assert (silence["worker"], silence["until"]) == ("a*", "2026-01-01T00:01:00.000000Z")
    assert [alert["silenced_until"] is not None for alert in site.alerting.overview()["alerts"]] == [True, False]
    path.write_text("- {alrt: slow, until: 2030-01-01T00:00:00Z}\n")
    assert site.round(a=300, b=300) == []
    assert "silences.yaml:1:4: unknown key 'alrt' in silence; the silences read before still hold" in site.text()
    assert [site.round(a=300, b=300) for _ in range(4)] == [[], [], [], [(["a", "b"], [])]]  # its minute is over
    assert site.text().count("unknown key") == 1
    path.unlink()
    site.round(a=300)
    assert site.alerting.overview()["silences"] == []


def test_a_clock_set_back_while_it_was_down_stops_no_alert(site):
    site.round(a=100)
    site.now_us -= 3600 * S
    site.restart()
    assert site.round(a=300) == [(["a"], [])]
    site.restart()
    assert site.round(a=100) == [([], ["a"])]


def test_a_clock_set_back_while_it_runs_holds_up_no_alert_for_long(tmp_path):
    site = Site(tmp_path, rules=(LATE,))
    site.round(a=100)
    site.now_us -= 24 * 3600 * S
    for _ in range(6):  # a minute, of which half counts
        site.round(a=300)
    (shown,) = site.alerting.overview()["alerts"]
    assert shown["state"] == "firing"
    site.round(a=100)
    assert site.alerting.overview()["alerts"] == []
    site.now_us += 24 * 3600 * S
    site.round(a=100)
    assert site.alerting.overview()["at"] == iso(site.now_us)
    site.stop()


def test_a_rule_that_flaps_is_told_once_in_each_interval(tmp_path):
    pacing = Pacing((), 0, 6 * ROUND_US, 3600 * S)
    site = Site(tmp_path, channels=(replace(CHANNEL, pacing=pacing),))
    told = [site.round(a=300 if number % 2 else 100) for number in range(61)]
    assert [len(messages) for messages in told if messages] == [1] * sum(bool(messages) for messages in told)
    first, *later = [number for number, messages in enumerate(told) if messages]
    assert first == 1
    assert all(after - before >= 6 for before, after in pairwise([first, *later]))
    assert len(later) <= 10
    site.stop()


def test_ten_thousand_alerts_at_once_are_one_message_that_names_fifty(tmp_path):
    site = Site(tmp_path)
    ((firing, _),) = site.round(**{f"w{number}": 300 for number in range(10_000)})
    assert len(firing) == 50
    assert len(site.alerting.overview()["alerts"]) == 10_000
    ((_, resolved),) = site.round(**{f"w{number}": 100 for number in range(10_000)})
    assert len(resolved) == 50
    assert site.alerting.overview()["alerts"] == []
    site.stop()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e308])
def test_numbers_beyond_numbers_are_shown_and_kept(tmp_path, value):
    rule = Rule("odd", "queue_depth > 1 or avg_message_latency_ms > 0", notification=("hook",))
    site = Site(tmp_path, rules=(SLOW, rule))
    site.round(a=value)
    site.round(a=5)
    site.round(a=value)
    json.dumps(site.alerting.overview(), allow_nan=False)
    site.restart()
    site.round(a=100)
    assert [one["alert"] for one in site.alerting.overview()["alerts"]] == ["odd"]
    site.stop()


def test_a_silence_file_that_is_no_file_is_said_once(site):
    (site.folder / "silences.yaml").mkdir()
    assert site.round(a=300) == [(["a"], [])]
    site.round(a=300)
    assert site.text().count("silences.yaml: cannot be read") == 1


def test_a_disk_that_refuses_loses_no_message(site, monkeypatch):
    save, failures = site.alerting._outbox.save, [sqlite3.OperationalError("disk is full")] * 2

    def failing(states, messages):
        if failures:
            raise failures.pop()
        save(states, messages)

    monkeypatch.setattr(site.alerting._outbox, "save", failing)
    assert site.round(a=300) == []
    assert site.round(a=100) == []
    assert site.text().count("cannot be kept, trying again in the next round: disk is full") == 2
    assert site.round(a=100) == [(["a"], []), ([], ["a"])]


def test_a_full_queue_is_said_once_and_later_told_the_outcome(tmp_path):
    few = replace(CHANNEL, pacing=replace(CHANNEL.pacing, queue_limit=2))
    site = Site(tmp_path, channels=(few,))
    assert [site.round(a=300), site.round(a=100)] == [[(["a"], [])], [([], ["a"])]]
    assert site.text().count("channel hook has 2 messages waiting, its limit") == 1
    assert [site.round(a=300, b=300), site.round(a=100, b=300)] == [[], []]
    assert site.text().count("its limit") == 1
    outbox = site.alerting._outbox
    outbox.remove(outbox.head("hook").position)
    assert site.round(a=100, b=300) == [(["b"], [])]
    assert site.text().count("its limit") == 1  # it was never seen with room
    site.stop()


def test_state_that_cannot_be_read_is_said_and_given_up(site):
    site.round(a=300)
    site.alerting._outbox.save({"engine": b"{}"}, [])
    site.restart()
    assert "WARNING coordinator the state of alerts cannot be read, they start afresh" in site.text()
    assert site.round(a=300) == [(["a"], [])]


def test_a_rule_that_breaks_is_said_once_and_the_others_go_on(site, monkeypatch):
    machine = site.alerting._engine._machines[0]
    monkeypatch.setattr(machine, "advance", lambda _: (_ for _ in ()).throw(FloatingPointError("no such number")))
    site.round(a=300)
    site.round(a=300)
    assert site.text().count("ERROR coordinator rule slow cannot be evaluated: FloatingPointError") == 1
    assert site.alerting.overview()["rules"][0]["health"] == "broken"


def test_messages_to_a_channel_that_is_gone_are_dropped_and_said(site):
    site.round(a=300)
    site.channels = ()
    site.restart()

    async def begin():
        task = asyncio.create_task(site.alerting.run(60))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(begin())
    assert "messages for channels that are no longer configured, dropped: 1" in site.text()
    assert site.waiting() == {}
