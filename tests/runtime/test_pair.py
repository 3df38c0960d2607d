"""A coordinator and a worker in one event loop: the live plugin, and each flag's effect."""

import asyncio
import contextlib

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from recontool.logs.writer import LogWriter
from recontool.metrics.fold import WorkerFold
from recontool.model.catalogue import DOCUMENTED
from recontool.model.errors import UsageError
from recontool.model.markers import COORDINATOR
from recontool.report.dashboard.page import LivePage
from recontool.runtime import keys, operator
from recontool.runtime.config import read
from recontool.runtime.coordinator import Coordinator
from recontool.runtime.messages import Heartbeat, Hello
from recontool.runtime.operator import Address, OperatorError
from recontool.runtime.protocol import MAX_FRAME_BYTES, Channel
from recontool.runtime.worker import Worker
from recontool.storage import snapshots
from recontool.storage.journal import Journal

NAMES = [metric.name for metric in DOCUMENTED]
FAST = {"heartbeat_interval": 0.2, "metrics_interval": 0.2, "snapshot_interval": 0.2}
ECHO = {"type": "echo", "size": 20_000}


class Pair:
    """Both processes' insides, with everything they log in memory; `stop` drains the worker first."""

    def __init__(self, data, worker_flags, coordinator_flags):
        self.data, self._flags = data, {"coordinator": coordinator_flags, "worker": worker_flags}
        self.events = {COORDINATOR: [], "w-1": []}
        self.stops = {name: asyncio.Event() for name in self.events}
        self.tasks = {}
        self._changed = asyncio.Event()

    async def start(self):
        held = keys.load_or_create(self.data)
        listening = asyncio.get_running_loop().create_future()
        options = self._options("coordinator", port=0)
        made = Coordinator(
            options, held, self._log(COORDINATOR, options), lambda _, port: listening.set_result(port), LivePage()
        )
        self.tasks[COORDINATOR] = asyncio.create_task(made.run(self.stops[COORDINATOR]))
        self.address = Address("127.0.0.1", await listening, held.operator)
        options = self._options(
            "worker", worker_id="w-1", coordinator_port=self.address.port, initial_reconnect_delay=0.05
        )
        self.worker = Worker(options, held.worker, self._log("w-1", options))
        self.tasks["w-1"] = asyncio.create_task(self.worker.run(self.stops["w-1"]))

    async def stop(self):
        for name in ("w-1", COORDINATOR):
            self.stops[name].set()
            await asyncio.wait_for(self.tasks[name], 10)

    def saw(self, source, name):
        return [event for event in self.events[source] if event.name == name]

    async def wait_for(self, source, name, count=1):
        async with asyncio.timeout(10):
            while len(self.saw(source, name)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.saw(source, name)

    def _options(self, role, **given):
        return read(role, {**FAST, "data_dir": str(self.data), **given, **self._flags[role]})

    def _log(self, source, options):
        log = LogWriter(source, options.log_file, level=options.text("log_level"))

        def note(event):
            self.events[source].append(event)
            self._changed.set()

        log.listen(note)
        return log


def play(story, tmp_path, worker=None, coordinator=None):
    async def run():
        pair = Pair(tmp_path, worker or {}, coordinator or {})
        await pair.start()
        try:
            await story(pair)
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await pair.stop()
        return pair

    return asyncio.run(run())


def test_the_plugin_answers_with_what_its_events_show(tmp_path):
    async def story(pair):
        await operator.submit(pair.address, [ECHO, {"type": "fail"}])
        await pair.wait_for(COORDINATOR, "applied", 2)
        await pair.wait_for("w-1", "metrics")
        plugin = pair.worker.reconnection_plugin
        assert plugin.force_reconnect()
        assert not plugin.force_reconnect()  # there is no session to drop now
        await pair.wait_for("w-1", "lost")
        await pair.wait_for("w-1", "established", 2)
        await pair.wait_for("w-1", "completed", 3)  # a task and two syncs
        now = plugin.get_performance_metrics()
        fold = WorkerFold("w-1", live=True)
        for event in pair.events["w-1"]:
            fold.feed(event)
        at_us = pair.events["w-1"][-1].at_us
        again = fold.reported(at_us)
        timeless = [name for name in NAMES if name != "connection_stability"]  # its denominator runs on
        assert {name: now[name] for name in timeless} == {name: again[name] for name in timeless}
        assert list(now) == NAMES
        assert (now["connection_attempts"], now["successful_connections"], now["task_success_rate"]) == (2, 2, 0.5)
        assert 0 < now["avg_reconnect_time"] == now["max_reconnect_time"] < 5

    pair = play(story, tmp_path)
    assert pair.saw("w-1", "lost")[0].fields["cause"] == "forced"
    assert pair.saw("w-1", "metrics")[-1] is pair.events["w-1"][-1]  # the last word is a whole account


@pytest.mark.parametrize(
    ("flags", "outgoing"),
    [
        ({"compression_level": 0}, {"skipped"}),
        ({"compression_level": 1}, {"compressed"}),
        ({"min_compress_size": 1_000_000}, set()),
        ({"enable_priority_queue": False}, {"compressed"}),
        ({"queue_high_watermark": 1}, {"compressed"}),
        ({"reconnect_jitter": "decorrelated", "log_level": "ERROR"}, {"compressed"}),
    ],
)
def test_every_way_of_sending_delivers_the_result(tmp_path, flags, outgoing):
    async def story(pair):
        sleep = {"type": "sleep", "iterations": 4, "seconds": 0.01, "checkpoint_every": 1}
        await operator.submit(pair.address, [ECHO, sleep])
        await pair.wait_for(COORDINATOR, "applied", 2)
        rows = await operator.list_tasks(pair.address)
        assert [row.state for row in rows] == ["done", "done"]

    pair = play(story, tmp_path, worker=flags)
    names = {e.name for e in pair.events["w-1"] if e.marker == "COMPRESS" and e.fields["raw_bytes"] > 20_000}
    assert names == outgoing
    shown = {line.split()[1] for line in (tmp_path / "logs" / "w-1.log").read_text().splitlines()}
    assert shown == (set() if flags.get("log_level") == "ERROR" else {"INFO"})


def test_level_nine_packs_tighter_than_level_one(tmp_path):
    async def story(pair):
        await operator.submit(pair.address, [ECHO])
        await pair.wait_for(COORDINATOR, "applied")

    sizes = []
    for level in (1, 9):
        pair = play(story, tmp_path / str(level), worker={"compression_level": level})
        sizes.append(max(e.fields["wire_bytes"] for e in pair.saw("w-1", "compressed")))
    assert sizes[1] < sizes[0]


def test_demo_tasks_are_submitted_once_and_all_end(tmp_path):
    async def story(pair):
        await pair.wait_for(COORDINATOR, "applied", 10)

    pair = play(story, tmp_path, coordinator={"demo_tasks": 10})
    kinds = [event.fields["type"] for event in pair.saw(COORDINATOR, "submitted")]
    assert sorted(set(kinds)) == ["echo", "fail", "sleep"]
    assert len(pair.saw(COORDINATOR, "applied")) == 10


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        (b"garbage that is no frame", "malformed"),
        (b"x" * 100_000, "oversized"),
        ("text", "malformed"),
        (b"\0" * (MAX_FRAME_BYTES + 1), "oversized"),
    ],
    ids=["garbage", "too much for a stranger", "text", "too much for anybody"],
)
def test_a_stranger_that_talks_nonsense_is_said_and_shown_out(tmp_path, frame, event):
    async def story(pair):
        stranger = await connect(f"ws://127.0.0.1:{pair.address.port}/ws", compression=None, proxy=None)
        await stranger.send(frame)
        await pair.wait_for(COORDINATOR, event)
        async with asyncio.timeout(10):
            await stranger.wait_closed()
        assert stranger.close_code in {1008, 1009}
        assert len(await operator.submit(pair.address, [ECHO])) == 1  # the others are none the worse
        await pair.wait_for(COORDINATOR, "applied")

    pair = play(story, tmp_path)
    found = pair.saw(COORDINATOR, event)[0]
    assert found.marker == "SECURITY"
    assert found.fields["peer"].startswith("127.0.0.1:")


@pytest.mark.parametrize("message", ["wrong key", "no type"])
def test_an_operator_is_told_why_not(tmp_path, message):
    async def story(pair):
        address = pair.address
        if message == "wrong key":
            address = Address(address.host, address.port, "guess")
        with pytest.raises(OperatorError, match='needs a "type"' if message == "no type" else message):
            await operator.submit(address, [{"name": "x"}])

    play(story, tmp_path)


def test_an_operator_without_a_coordinator_is_told_so():
    with pytest.raises(OperatorError, match="is the coordinator running there"):
        asyncio.run(operator.list_tasks(Address("127.0.0.1", 1, "k", timeout_s=2)))


async def until(true):
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - a file tells nobody when it changes
            await asyncio.sleep(0.02)


def test_samples_a_disk_refuses_are_kept_and_written_later(tmp_path):
    in_the_way = tmp_path / "snapshots"
    in_the_way.write_text("a file where the folder belongs")

    async def story(_pair):
        log = tmp_path / "logs" / "coordinator.log"
        # The first write of a process takes its time, so this waits for what it says, not for a number of intervals.
        await until(lambda: "samples could not be written" in log.read_text())
        in_the_way.unlink()
        await until(lambda: snapshots.files(in_the_way))

    play(story, tmp_path)
    table = snapshots.read(snapshots.files(in_the_way))
    assert table.num_rows >= 2
    assert table["successful_connections"].to_pylist()[0] == 1


def test_a_journal_that_cannot_commit_stops_the_coordinator(tmp_path, monkeypatch):
    """Going on would acknowledge what is not durable."""

    async def story(pair):
        await pair.wait_for("w-1", "established")

        def full(_journal):
            monkeypatch.undo()  # there is room again at once, but what was to be stored is gone
            raise UsageError("cannot go on: database or disk is full")

        monkeypatch.setattr(Journal, "commit", full)
        address = Address(pair.address.host, pair.address.port, pair.address.key, 2)
        tries = [operator.submit(address, [ECHO]) for _ in range(8)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert {type(answer) for answer in answers} == {OperatorError}
        with pytest.raises(UsageError, match="disk is full"):
            await asyncio.wait_for(pair.tasks[COORDINATOR], 10)
        pair.tasks[COORDINATOR] = asyncio.create_task(asyncio.sleep(0))

    pair = play(story, tmp_path)
    assert pair.saw(COORDINATOR, "submitted") == []


def alone(tmp_path, greet):
    """A worker before a server that is no coordinator; its events until the second try failed."""

    async def run():
        async def handler(connection):
            await greet(connection)
            await connection.wait_closed()

        async with serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            given = {
                "worker_id": "w-1",
                "coordinator_port": port,
                "initial_reconnect_delay": 0.05,
                "data_dir": str(tmp_path),
            }
            options = read("worker", {**FAST, **given, "reconnect_jitter": "none"})
            log, events, stop = LogWriter("w-1", options.log_file), [], asyncio.Event()

            def note(event):
                events.append(event)
                if sum(event.name == "failed" for event in events) == 2:
                    stop.set()

            log.listen(note)
            await asyncio.wait_for(Worker(options, "key", log).run(stop), 10)
            return events

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("greeting", "security", "error"),
    [
        (b"noise that is no frame", "malformed", "malformed"),
        (Channel("coordinator", 6, 64, lambda *_: None).seal(Heartbeat()).data, "bad_signature", "bad_signature"),
        (
            Channel("coordinator", 6, 64, lambda *_: None).seal(Hello("worker", "x", b"", b"")).data,
            "malformed",
            "malformed",
        ),
        (b"x" * 100_000, "oversized", "oversized"),
    ],
    ids=["noise", "unsigned", "not for a coordinator to say", "too much"],
)
def test_a_worker_does_not_believe_everybody(tmp_path, greeting, security, error):
    async def greet(connection):
        await connection.send(greeting)

    events = alone(tmp_path, greet)
    failed = [event.fields["error"] for event in events if event.name == "failed"]
    assert failed == [error, error]
    assert {event.name for event in events if event.marker == "SECURITY"} == {security}


def test_a_server_that_accepts_and_closes_is_tried_at_growing_distances(tmp_path):
    async def greet(connection):
        await connection.close(1013, "not now")

    events = alone(tmp_path, greet)
    assert [event.fields["error"] for event in events if event.name == "failed"] == [
        "closed with code 1013 not now"
    ] * 2


def test_a_server_that_says_nothing_is_given_up_at_the_deadline(tmp_path):
    async def greet(_connection):
        return

    events = alone(tmp_path, greet)
    failed = [event.fields for event in events if event.name == "failed"]
    assert {fields["error"] for fields in failed} == {"no answer within 0.6 s"}
    assert all(fields["took_s"] >= 0.6 for fields in failed)
