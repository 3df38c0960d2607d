"""One channel's deliveries: order, tries, what is given up, and that nobody waits for anybody else."""

import asyncio
import random
import sqlite3
import threading

import pytest

from recontool.runtime.notify.courier import Courier
from recontool.runtime.notify.message import Item, notification
from recontool.runtime.notify.outbox import Outbox
from recontool.runtime.notify.retry import DeliveryError
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.settings import Channel, Pacing, Webhook

PATIENCE_S = 15
STEP_US = 600_000_000  # a look at the clock takes ten minutes, so no wait for another try is ever real


@pytest.fixture
def outbox(tmp_path):
    made = Outbox(tmp_path / "alerts.db")
    yield made
    made.close()


def messages(channel, count):
    item = Item("slow", "WARNING", "w-1", 1)
    return [notification(channel, {}, number, [item], [], repeated=False) for number in range(count)]


class Desk:
    """Runs couriers until what they said fulfils a condition."""

    def __init__(self, outbox):
        self.outbox, self.said, self.now_us = outbox, [], 0
        self.couriers = []
        self.spoke = asyncio.Condition()

    def courier(self, name, send, timeout_s=10.0):
        target = Webhook(Secret("http://127.0.0.1/s3cret"))
        channel = Channel(name, "webhook", target, Pacing(timeout_s=timeout_s))
        draw = random.Random(1)
        made = Courier(channel, self.outbox, send, say=self.say, clock_us=self.clock_us, draw=draw)
        self.couriers.append(made)
        return made

    def clock_us(self):
        self.now_us += STEP_US
        return self.now_us

    def say(self, level, fields):
        self.said.append((level, fields))
        asyncio.get_running_loop().create_task(self.notify())

    async def notify(self):
        async with self.spoke:
            self.spoke.notify_all()

    async def until(self, enough):
        tasks = [asyncio.create_task(courier.run()) for courier in self.couriers]
        try:
            async with asyncio.timeout(PATIENCE_S), self.spoke:
                await self.spoke.wait_for(enough)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def states(self, channel="hook"):
        return [(one["state"], one["n"]) for _, one in self.said if one["channel"] == channel]


def run(outbox, scene):
    async def main():
        await scene(Desk(outbox))

    asyncio.run(main())


class Scripted:
    """A receiver that fails as told, in order, then takes everything."""

    def __init__(self, *failures):
        self.failures, self.tried = list(failures), []

    def __call__(self, message):
        self.tried.append(message.key)
        if self.failures:
            raise self.failures.pop(0)
        return ""


def test_messages_go_out_in_order_and_leave_the_outbox(outbox):
    sent, send = messages("hook", 3), Scripted()
    outbox.save({}, sent)

    async def scene(desk):
        courier = desk.courier("hook", send)
        await desk.until(lambda: len(desk.said) == 3)
        assert desk.states() == [("delivered", 1)] * 3
        assert (courier.tally.delivered, courier.tally.failed) == (3, 0)

    run(outbox, scene)
    assert send.tried == [message.key for message in sent]
    assert outbox.backlog() == {}


def test_a_failing_receiver_gets_the_same_message_until_it_takes_it(outbox):
    send = Scripted(DeliveryError("HTTP 500"), DeliveryError("HTTP 429", retry_after_s=30), DeliveryError("timed out"))
    outbox.save({}, messages("hook", 2))

    async def scene(desk):
        courier = desk.courier("hook", send)
        await desk.until(lambda: len(desk.said) == 5)
        assert desk.states() == [("waiting", 1), ("waiting", 2), ("waiting", 3), ("delivered", 4), ("delivered", 1)]
        assert [level for level, _ in desk.said] == ["WARNING"] * 3 + ["INFO"] * 2
        assert desk.said[1][1]["delay_s"] == 30
        assert courier.tally.last_error == ""

    run(outbox, scene)
    first, second = messages("hook", 2)
    assert send.tried == [first.key] * 4 + [second.key]


def test_a_refused_message_is_dropped_and_the_next_goes_out(outbox):
    send = Scripted(DeliveryError("HTTP 400: bad", final=True))
    outbox.save({}, messages("hook", 2))

    async def scene(desk):
        courier = desk.courier("hook", send)
        await desk.until(lambda: len(desk.said) == 2)
        assert desk.states() == [("dropped", 1), ("delivered", 1)]
        assert (desk.said[0][0], desk.said[0][1]["error"]) == ("ERROR", "HTTP 400: bad")
        assert courier.tally.dropped == 1

    run(outbox, scene)


def test_a_message_nobody_takes_for_a_day_is_given_up(outbox):
    send = Scripted(*[DeliveryError("refused")] * 500)
    outbox.save({}, messages("hook", 1))

    async def scene(desk):
        desk.courier("hook", send)
        await desk.until(lambda: desk.said and desk.said[-1][1]["state"] == "dropped")
        assert desk.now_us >= 24 * 3600 * 1_000_000

    run(outbox, scene)
    assert outbox.backlog() == {}


def test_a_channel_that_hangs_holds_up_no_other(outbox):
    hold, stuck = threading.Event(), threading.Event()

    def hang(_):
        stuck.set()
        assert hold.wait(PATIENCE_S)
        return ""

    outbox.save({}, [*messages("stuck", 1), *messages("hook", 20)])

    async def scene(desk):
        desk.courier("stuck", hang)
        desk.courier("hook", Scripted())
        await desk.until(lambda: len(desk.states()) == 20)
        assert stuck.is_set()
        assert desk.states("stuck") == []
        hold.set()

    run(outbox, scene)


def test_a_delivery_that_never_ends_is_given_up_and_tried_again(outbox):
    """A receiver may answer letter by letter, so that no single step takes too long."""
    hold, tried = threading.Event(), []

    def drip(message):
        tried.append(message.key)
        if len(tried) == 1:
            assert hold.wait(PATIENCE_S)
        return ""

    (message,) = messages("hook", 1)
    outbox.save({}, [message])

    async def scene(desk):
        desk.courier("hook", drip, timeout_s=0.01)
        await desk.until(lambda: len(desk.states()) == 2)
        assert desk.states() == [("waiting", 1), ("delivered", 2)]
        assert "did not end within 0.2 s" in desk.said[0][1]["error"]
        hold.set()

    run(outbox, scene)
    assert tried == [message.key] * 2
    assert outbox.backlog() == {}


def test_a_librarys_own_error_is_a_failure_and_shows_no_secret(outbox):
    send = Scripted(ValueError("cannot use http://127.0.0.1/s3cret"), RuntimeError("path /s3cret"))
    outbox.save({}, messages("hook", 1))

    async def scene(desk):
        desk.courier("hook", send)
        await desk.until(lambda: len(desk.said) == 3)
        assert desk.states() == [("waiting", 1), ("waiting", 2), ("delivered", 3)]
        assert [one.get("error") for _, one in desk.said] == [
            "ValueError: cannot use ***",
            "RuntimeError: path ***",
            None,
        ]

    run(outbox, scene)


def test_a_delivered_message_the_disk_does_not_forget_is_not_sent_again(outbox, monkeypatch):
    remove, failures = outbox.remove, [sqlite3.OperationalError("disk is full")]

    def failing(position):
        if failures:
            raise failures.pop()
        remove(position)

    monkeypatch.setattr(outbox, "remove", failing)
    send = Scripted()
    outbox.save({}, messages("hook", 2))

    async def scene(desk):
        desk.courier("hook", send)
        await desk.until(lambda: len(desk.said) == 2)

    run(outbox, scene)
    assert len(send.tried) == len(set(send.tried)) == 2
    assert outbox.backlog() == {}


def test_a_wait_outlives_the_process(outbox):
    outbox.save({}, messages("hook", 1))
    outbox.later(outbox.head("hook").position, 3, 90_000_000)

    async def scene(desk):
        courier = desk.courier("hook", Scripted())
        desk.now_us = -STEP_US + 30_000_000
        assert courier._wait_s(outbox.head("hook")) == 60
        desk.now_us = -9_000_000_000_000  # the clock was set back by months
        assert courier._wait_s(outbox.head("hook")) == 3600

    run(outbox, scene)


def test_an_attempt_under_way_may_end_before_the_process_does(outbox):
    begun, hold = threading.Event(), threading.Event()

    def slow(_):
        begun.set()
        assert hold.wait(PATIENCE_S)
        return ""

    outbox.save({}, messages("hook", 1))

    async def scene(desk):
        courier = desk.courier("hook", slow)
        task = asyncio.create_task(courier.run())
        assert await asyncio.to_thread(begun.wait, PATIENCE_S)
        await courier.finish(0.01)  # patience is bounded
        assert outbox.backlog() == {"hook": 1}
        hold.set()
        await courier.finish(PATIENCE_S)
        assert outbox.backlog() == {}
        task.cancel()

    run(outbox, scene)
