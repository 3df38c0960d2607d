"""What a coordinator remembers of its workers' sessions."""

from recontool.model.live import LiveSession, LiveWorker
from recontool.runtime.presence import KEPT, Presence


def seen(presence, name="w"):
    found = dict(presence.items())[name]
    return LiveWorker(name, tuple(found.sessions), found.losses, found.heard_us, {}, 0)


def test_a_session_is_open_then_lost_then_said_goodbye():
    presence = Presence()
    presence.began("w", 1)
    assert (seen(presence).connected, seen(presence).left, seen(presence).since_us) == (True, False, 1)
    presence.ended("w", 5, orderly=False)
    assert (seen(presence).connected, seen(presence).left, seen(presence).since_us) == (False, False, 5)
    presence.began("w", 7)
    presence.heard("w", 8)
    presence.ended("w", 9, orderly=True)
    found = seen(presence)
    assert (found.connected, found.left, found.losses, found.heard_us) == (False, True, 1, 8)
    assert found.sessions == (LiveSession(1, 5), LiveSession(7, 9, orderly=True))


def test_the_latest_sessions_are_kept_and_all_losses_counted():
    presence = Presence()
    for number in range(KEPT + 10):
        presence.began("w", 2 * number)
        presence.ended("w", 2 * number + 1, orderly=False)
    found = seen(presence)
    assert (len(found.sessions), found.losses) == (KEPT, KEPT + 10)
    assert found.sessions[-1] == LiveSession(2 * (KEPT + 9), 2 * (KEPT + 9) + 1)
