"""The queue keeps order within a class, urgency across classes, and control free."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from recontool.runtime.messages import Ack, Assign, Heartbeat, Report, Result, Sync, priority
from recontool.runtime.queue import SendQueue

KINDS = [
    Ack,
    lambda n: Sync([str(n)], []),
    lambda n: Assign(str(n), n, {}),
    lambda n: Result(str(n), n, ok=True),
    lambda n: Report(n, {}),
]
STEPS = st.lists(st.none() | st.integers(0, len(KINDS) - 1), max_size=60)


@given(STEPS, st.booleans())
def test_it_is_five_first_in_first_out_lines(steps, prioritised):
    queue, model = SendQueue(prioritised, 1000), []
    for number, step in enumerate(steps):
        if step is None:
            model.sort(key=lambda message: priority(message) if prioritised else 0)  # stable, so in order of arrival
            assert queue.pop() == (model.pop(0) if model else None)
        else:
            message = KINDS[step](number)
            queue.put(message, 0.0)
            model.append(message)
        assert len(queue) == len(model)


@given(st.integers(1, 50), st.integers(0, 100))
def test_room_ends_at_the_watermark_and_control_still_goes_in(watermark, depth):
    queue = SendQueue(True, watermark)
    for number in range(depth):
        queue.put(Report(number, {}), 0.0)
    assert queue.room is (depth < watermark)
    queue.put(Heartbeat(), 0.0)
    assert isinstance(queue.pop(), Heartbeat)


def test_the_oldest_message_is_told_over_all_lines():
    queue = SendQueue(True, 10)
    assert queue.oldest_s(5.0) == 0.0
    queue.put(Report(1, {}), 1.0)
    queue.put(Heartbeat(), 4.0)
    assert queue.oldest_s(5.0) == 4.0


def test_get_waits_and_ends_when_finished():
    async def story():
        queue = SendQueue(True, 10)
        taker = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        assert not taker.done()
        queue.put(Heartbeat(), 0.0)
        assert await taker == Heartbeat()
        queue.put(Ack(1), 0.0)
        queue.finish()
        assert await queue.get() == Ack(1)
        assert await queue.get() is None

    asyncio.run(story())


def test_release_empties_it():
    queue = SendQueue(True, 1)
    queue.put(Heartbeat(), 0.0)
    queue.release()
    assert (len(queue), queue.room, queue.pop()) == (0, True, None)
