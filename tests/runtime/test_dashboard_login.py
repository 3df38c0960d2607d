"""Who gets in: keys, how often they may be wrong, and sessions that outlive a restart but not their key."""

import pytest

from recontool.runtime.dashboard.login import MOST_TRIES, MOST_TRIES_OF_ALL, SESSION_S, WINDOW_S, Door, Refusal, Session

CLOCK_S = 1_795_507_200.5


def tries(door, *addresses, key="wrong", at_s=0.0):
    return [door.by_key(key, address, at_s, CLOCK_S) for address in addresses]


def test_the_key_opens_a_session_that_goes_on_in_the_next_process():
    session = Door("key").by_key("key", "a", 0.0, CLOCK_S)
    assert session.expires_s == int(CLOCK_S) + SESSION_S
    assert "key" not in session.token.split(".")
    assert Door("key").by_token(session.token, CLOCK_S) == session


def test_no_two_sessions_are_alike():
    assert len({session.token for session in tries(Door("key"), *"abc", key="key")}) == 3


def test_a_session_ends_with_its_time_or_its_key():
    session = Door("key").by_key("key", "a", 0.0, CLOCK_S)
    assert isinstance(Door("key").by_token(session.token, session.expires_s - 0.001), Session)
    ended = Door("key").by_token(session.token, session.expires_s)
    assert (ended.reason.startswith("Your session has ended"), ended.event) == (True, "")
    assert Door("other").by_token(session.token, CLOCK_S).reason.startswith("The operator key has changed")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: str(int(token.partition(".")[0]) + 1) + "." + token.partition(".")[2],
        lambda token: token + "0",
        lambda token: token.rpartition(".")[0],
        lambda token: token.replace(".", "", 1),
        lambda _: "",
        lambda _: "..",
        lambda _: "9" * 400 + ".a.b",
        lambda _: "²" * 3 + ".a.b",
        lambda _: "\ud800",
        lambda _: "1795600000.\ud800.0",
    ],
)
def test_a_session_somebody_made_up_is_refused(spoil):
    door = Door("key")
    token = door.by_key("key", "a", 0.0, CLOCK_S).token
    refused = door.by_token(spoil(token), CLOCK_S)
    assert isinstance(refused, Refusal)
    assert refused.event.startswith("dashboard: ")


@pytest.mark.parametrize("wrong", ["", "ke", "keyy", "KEY", "k\ud800y", "x" * 4000])
def test_a_wrong_key_is_refused_and_said(wrong):
    assert tries(Door("key"), "a", key=wrong) == [Refusal("This is not the operator key.", "dashboard: wrong key")]


def test_after_some_wrong_keys_an_address_waits_and_the_right_key_does_not_help():
    door = Door("key")
    tries(door, *["a"] * MOST_TRIES)
    first, again = tries(door, "a", "a", key="key", at_s=20.0)
    assert first == Refusal("Too many wrong keys. Try again in 40 s.", "dashboard: too many wrong keys")
    assert again == Refusal(first.reason)  # said once in the log
    assert isinstance(tries(door, "b", key="key")[0], Session)
    assert isinstance(tries(door, "a", key="key", at_s=WINDOW_S + 0.1)[0], Session)


def test_each_wrong_key_counts_for_its_own_minute():
    door = Door("key")
    for at_s in range(MOST_TRIES):
        tries(door, "a", at_s=at_s * 10.0)
    assert isinstance(tries(door, "a", key="key", at_s=50.0)[0], Refusal)
    assert isinstance(tries(door, "a", key="key", at_s=WINDOW_S + 1)[0], Session)


def test_many_addresses_together_wait_as_well():
    door = Door("key")
    tries(door, *map(str, range(MOST_TRIES_OF_ALL)))
    assert tries(door, "new", key="key", at_s=1.0)[0].reason == "Too many wrong keys. Try again in 59 s."
    assert isinstance(tries(door, "new", key="key", at_s=WINDOW_S + 1)[0], Session)
