"""Which messages are due: stories with their times in seconds, and laws that hold for any course of alerts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recontool.runtime.notify.groups import Groups
from recontool.runtime.notify.message import LISTED, Item
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.settings import Channel, Pacing, Webhook

S = 1_000_000
ROUTES = {"slow": ["hook", "dashboard"], "lost": ["hook"]}
START_S = 1000


def channel(name="hook", **pacing):
    usual = {"group_wait_us": 0, "group_interval_us": 60 * S, "repeat_interval_us": 3600 * S}
    return Channel(name, "webhook", Webhook(Secret("http://127.0.0.1/")), Pacing(**{**usual, **pacing}))


def item(alert, worker, since_s):
    return Item(alert, "WARNING", worker, since_s * S)


class Story:
    """Alerts come and go; `look` gives what the channel is told."""

    def __init__(self, *channels, routes=ROUTES):
        self.channels, self.routes = channels or (channel(),), routes
        self.groups = Groups(self.channels, routes)
        self.hushed, self.waiting = set(), 0

    def fire(self, at_s, alert, worker="w-1"):
        self.now({**self.groups.firing, (alert, worker): item(alert, worker, at_s)}, at_s)

    def end(self, at_s, alert, worker="w-1"):
        self.now({key: one for key, one in self.groups.firing.items() if key != (alert, worker)}, at_s)

    def now(self, firing, at_s):
        self.groups.now_firing(firing.values(), at_s * S)

    def look(self, at_s):
        found = self.groups.due(at_s * S, silenced=self.silenced, backlog=lambda _: self.waiting)
        return [
            (one.status, [(i.alert, i.worker) for i in one.firing], [(i.alert, i.worker) for i in one.resolved])
            for one in found
        ]

    def happen(self, what, at_s, alert, worker):
        match what:
            case "fire" if (alert, worker) not in self.groups.firing:
                self.fire(at_s, alert, worker)
            case "end":
                self.end(at_s, alert, worker)
            case "hush":
                self.hushed.add((alert, worker))
            case "speak":
                self.hushed.clear()
            case "restart":
                self.restart()
            case "full" | "room":
                self.waiting = 1 if what == "full" else 0

    def silenced(self, one):
        return (one.alert, one.worker) in self.hushed

    def restart(self):
        data, firing = self.groups.dump(), self.groups.firing
        self.groups = Groups(self.channels, self.routes)
        self.groups.load(data)
        self.groups.firing = firing  # as the engine will say


SLOW = [("slow", "w-1")]


def test_firing_and_resolved_are_told_once_each():
    story = Story(channel(group_interval_us=0))
    story.fire(0, "slow")
    assert [story.look(at_s) for at_s in (0, 10, 20)] == [[("firing", SLOW, [])], [], []]
    story.end(30, "slow")
    assert [story.look(at_s) for at_s in (30, 40)] == [[("resolved", [], SLOW)], []]


def test_a_group_is_one_message():
    story = Story(channel(group_wait_us=10 * S))
    story.fire(0, "slow", "w-1")
    assert story.look(0) == []
    story.fire(5, "slow", "w-2")
    story.fire(5, "lost", "w-2")
    assert story.look(5) == []
    assert story.look(10) == [("firing", [("slow", "w-1"), ("slow", "w-2")], [])]
    assert story.look(15) == [("firing", [("lost", "w-2")], [])]


def test_later_changes_of_a_group_wait_for_its_interval():
    story = Story()
    story.fire(0, "slow", "w-1")
    assert len(story.look(0)) == 1
    story.fire(10, "slow", "w-2")
    story.end(20, "slow", "w-1")
    assert [story.look(at_s) for at_s in (20, 59)] == [[], []]
    assert story.look(60) == [("firing", [("slow", "w-2")], [("slow", "w-1")])]


def test_what_came_and_went_unheard_is_not_told():
    story = Story(channel(group_wait_us=10 * S))
    story.fire(0, "slow")
    assert story.look(0) == []
    story.end(5, "slow")
    assert [story.look(at_s) for at_s in (5, 10, 100)] == [[], [], []]


def test_an_alert_that_fires_anew_is_told_anew():
    story = Story()
    story.fire(0, "slow")
    story.look(0)
    story.end(10, "slow")
    story.fire(20, "slow")
    assert story.look(60) == [("firing", SLOW, [])]
    assert story.look(120) == []


def test_a_firing_alert_is_repeated_and_says_so():
    story = Story()
    story.fire(0, "slow")
    story.look(0)
    assert [story.look(at_s) for at_s in (3599, 3600, 3601)] == [[], [("firing", SLOW, [])], []]
    (message,) = story.groups.due(7200 * S, silenced=story.silenced, backlog=lambda _: 0)
    assert message.repeated
    story.end(7300, "slow")
    assert story.look(7300) == [("resolved", [], SLOW)]
    assert story.look(99999) == []


def test_a_silence_holds_back_and_its_end_lets_through():
    story = Story()
    story.hushed = {("slow", "w-1")}
    story.fire(0, "slow")
    assert [story.look(at_s) for at_s in (0, 100)] == [[], []]
    story.hushed = set()
    assert story.look(200) == [("firing", SLOW, [])]
    story.hushed = {("slow", "w-1")}
    assert story.look(9000) == []  # nor is it repeated
    story.end(9100, "slow")
    assert story.look(9100) == []
    story.hushed = set()
    assert story.look(9200) == [("resolved", [], SLOW)]


def test_a_silenced_alert_that_ends_unheard_stays_unheard():
    story = Story()
    story.hushed = {("slow", "w-1")}
    story.fire(0, "slow")
    story.look(0)
    story.end(10, "slow")
    story.hushed = set()
    assert [story.look(at_s) for at_s in (10, 1000)] == [[], []]


def test_a_full_queue_is_left_alone_and_told_the_outcome_when_there_is_room():
    story = Story(channel(queue_limit=2, group_interval_us=0))
    story.waiting = 2
    story.fire(0, "slow", "w-1")
    assert story.look(0) == []
    story.fire(10, "slow", "w-2")
    story.end(10, "slow", "w-1")
    assert story.look(10) == []
    story.waiting = 1
    assert story.look(20) == [("firing", [("slow", "w-2")], [])]


def test_the_messages_of_one_round_count_towards_the_limit():
    story = Story(channel(queue_limit=1))
    story.fire(0, "slow")
    story.fire(0, "lost")
    assert len(story.look(0)) == 1
    assert len(story.look(1)) == 1


def test_nothing_is_repeated_to_a_channel_that_lags_behind():
    story = Story()
    story.fire(0, "slow")
    story.look(0)
    story.waiting = 1
    assert story.look(3600) == []
    story.waiting = 0
    assert story.look(3601) == [("firing", SLOW, [])]


def test_resolved_messages_can_be_off():
    story = Story(channel(send_resolved=False, group_interval_us=0))
    story.fire(0, "slow")
    assert len(story.look(0)) == 1
    story.end(10, "slow")
    assert story.look(10) == []
    story.fire(20, "slow")
    assert story.look(20) == [("firing", SLOW, [])]


@pytest.mark.parametrize(
    ("labels", "messages"),
    [((), 1), (("alert",), 2), (("worker",), 2), (("alert", "worker"), 3), (("severity",), 1)],
)
def test_labels_cut_the_groups(labels, messages):
    story = Story(channel(group_by=labels))
    story.fire(0, "slow", "w-1")
    story.fire(0, "slow", None)
    story.fire(0, "lost", "w-1")
    assert len(story.look(0)) == messages


def test_each_channel_hears_of_its_own_alerts_at_its_own_pace():
    story = Story(
        channel("hook"), channel("mail", group_wait_us=30 * S), routes={"slow": ["hook", "mail"], "lost": ["mail"]}
    )
    story.fire(0, "slow")
    story.fire(0, "lost")
    assert story.look(0) == [("firing", SLOW, [])]
    assert story.look(30) == [("firing", [("lost", "w-1")], []), ("firing", SLOW, [])]


def test_a_restart_forgets_nothing():
    story = Story()
    story.fire(0, "slow")
    story.look(0)
    story.restart()
    assert [story.look(at_s) for at_s in (10, 100)] == [[], []]
    story.end(110, "slow")
    story.restart()
    assert story.look(120) == [("resolved", [], SLOW)]


def test_a_channel_grouped_differently_starts_anew():
    story = Story()
    story.fire(0, "slow")
    story.look(0)
    story.channels = (channel(group_by=("worker",)),)
    story.restart()
    assert story.look(10) == [("firing", SLOW, [])]


def test_a_message_is_bounded_and_counts_the_rest():
    story = Story()
    for number in range(LISTED + 7):
        story.fire(0, "slow", f"w-{number}")
    (message,) = story.groups.due(0, silenced=story.silenced, backlog=lambda _: 0)
    assert (len(message.firing), message.firing_count) == (LISTED, LISTED + 7)


steps = st.lists(
    st.tuples(
        st.sampled_from(["fire", "end", "hush", "speak", "restart", "full", "room"]),
        st.sampled_from(["slow", "lost"]),
        st.sampled_from(["w-1", "w-2", None]),
        st.integers(0, 50),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(steps, st.sampled_from([(), ("alert",), ("alert", "worker")]), st.sampled_from([0, 10, 30]))
def test_a_receiver_ends_up_knowing_what_is_and_hears_nothing_twice(course, labels, wait_s):
    story = Story(channel(group_by=labels, group_wait_us=wait_s * S, queue_limit=1))
    heard, last_us, now_s = {}, {}, START_S

    def look():
        for message in story.groups.due(now_s * S, silenced=story.silenced, backlog=lambda _: story.waiting):
            group = tuple(message.group.values())
            assert message.at_us - last_us.get(group, -60 * S) >= 60 * S
            last_us[group] = message.at_us
            fresh = {(i.alert, i.worker): i.since_us for i in message.firing}
            gone = {(i.alert, i.worker) for i in message.resolved}
            assert not gone & set(fresh)
            assert gone <= set(heard)
            assert gone or fresh.items() - heard.items()  # news, for an hour has not passed
            heard.update(fresh)
            for instance in gone:
                del heard[instance]

    for what, alert, worker, later_s in course:
        now_s += later_s
        story.happen(what, now_s, alert, worker)
        look()
    story.hushed.clear()
    story.waiting = 0
    for _ in range(20):
        now_s += 60
        look()
    assert heard == {instance: one.since_us for instance, one in story.groups.firing.items()}
    assert story.groups.dump().count(b'"told":[]') == 0  # groups that are over are let go
