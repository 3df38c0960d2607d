"""The outbox keeps states and messages together, over restarts, each once."""

import pytest

from recontool.model.errors import UsageError
from recontool.runtime.notify.message import Item, notification
from recontool.runtime.notify.outbox import Outbox


@pytest.fixture
def path(tmp_path):
    return tmp_path / "alerts.db"


def message(channel, at_us):
    return notification(channel, {"alert": "slow"}, at_us, [Item("slow", "WARNING", "w-1", at_us)], [], repeated=False)


def test_messages_wait_in_order_until_removed(path):
    outbox = Outbox(path)
    first, second, other = message("hook", 1), message("hook", 2), message("mail", 1)
    outbox.save({}, [first, second, other])
    assert outbox.backlog() == {"hook": 2, "mail": 1}
    head = outbox.head("hook")
    assert (head.message, head.tries, head.next_us) == (first, 0, 0)
    outbox.later(head.position, 3, 99)
    assert (outbox.head("hook").tries, outbox.head("hook").next_us) == (3, 99)
    outbox.remove(head.position)
    assert outbox.head("hook").message == second
    assert outbox.head("nobody") is None


def test_a_restart_finds_states_and_messages(path):
    outbox = Outbox(path)
    outbox.save({"engine": b"1", "groups": b"a"}, [message("hook", 1)])
    outbox.save({"engine": b"2"}, [])
    outbox.close()
    again = Outbox(path)
    assert (again.state("engine"), again.state("groups"), again.state("else")) == (b"2", b"a", None)
    assert again.head("hook").message == message("hook", 1)


def test_the_same_message_is_kept_once(path):
    outbox = Outbox(path)
    outbox.save({}, [message("hook", 1)])
    outbox.save({}, [message("hook", 1)])
    assert outbox.backlog() == {"hook": 1}


def test_state_and_messages_are_saved_together_or_not_at_all(path):
    outbox = Outbox(path)
    outbox.save({"groups": b"old"}, [])
    with pytest.raises(Exception, match="bind"):
        outbox.save({"groups": b"new", "engine": object()}, [message("hook", 1)])
    assert (outbox.state("groups"), outbox.backlog()) == (b"old", {})
    outbox.save({"groups": b"new"}, [])  # and it is usable after that
    assert outbox.state("groups") == b"new"


def test_messages_of_channels_that_are_gone_are_dropped(path):
    outbox = Outbox(path)
    outbox.save({}, [message("hook", 1), message("old", 1), message("old", 2)])
    assert outbox.forget_others(["hook"]) == 2
    assert outbox.backlog() == {"hook": 1}
    assert outbox.forget_others([]) == 1


def test_two_processes_and_foreign_files_are_refused(path, tmp_path):
    outbox = Outbox(path)
    with pytest.raises(UsageError, match=r"alerts\.db: cannot be used"):
        Outbox(path)
    outbox.close()
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at as one" * 20)
    with pytest.raises(UsageError, match=r"text\.db: cannot be used"):
        Outbox(tmp_path / "text.db")
