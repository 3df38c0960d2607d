"""The coordinator process: carries out what its roster says, over real sockets, clocks and disks."""

import asyncio
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from recontool.logs.writer import LogWriter
from recontool.model.errors import UsageError
from recontool.model.live import Live
from recontool.model.markers import COORDINATOR, Marker
from recontool.runtime import exposition
from recontool.runtime.alerting import Alerting
from recontool.runtime.board import Task
from recontool.runtime.config import Options
from recontool.runtime.dashboard.course import Effort
from recontool.runtime.dashboard.server import LIVE_PATH, PATH, Dashboard, Renderer
from recontool.runtime.dashboard.survey import Survey, Traffic
from recontool.runtime.http import Api
from recontool.runtime.instructions import (
    Abort,
    Close,
    CoordinatorInstruction,
    Fields,
    Log,
    Sample,
    Secure,
    Send,
    StoreAssignment,
    StoreCheckpoint,
    StoreResult,
    StoreTask,
)
from recontool.runtime.keys import Keys, load_or_create
from recontool.runtime.link import Link, Receiver
from recontool.runtime.messages import Json, Message
from recontool.runtime.process import log_start, open_log, tidy, until_signal
from recontool.runtime.protocol import Channel, WireError
from recontool.runtime.queue import SendQueue
from recontool.runtime.roster import CLOSE_RESTART, Roster
from recontool.runtime.session import CLOSE_LEAVING
from recontool.runtime.ticker import every
from recontool.runtime.transport import Listener, Socket, listen
from recontool.storage import snapshots
from recontool.storage.files import write_whole
from recontool.storage.journal import Journal, StoredTask

_DRAIN_S: Final = 5.0
_TICKS_PER_TIMEOUT: Final = 12
_KEPT_SAMPLES: Final = 100_000  # while the disk refuses them


class Coordinator:
    """One coordinator.

    Args:
        options: of role coordinator.
        keys: what clients must prove.
        log: takes every event; the caller closes it.
        announce: told host and port once it listens.
        renderer: makes the live page.
    """

    def __init__(
        self, options: Options, keys: Keys, log: LogWriter, announce: Callable[[str, int], None], renderer: Renderer
    ) -> None:
        self._options, self._writer, self._announce = options, log, announce
        self._timeout_s = options.seconds("heartbeat_timeout")
        self._journal = Journal(options.data_dir / "coordinator.db")
        self._roster = Roster(keys, options.seconds("heartbeat_interval"), self._timeout_s, os.urandom)
        self._port_file = options.data_dir / "coordinator.port"
        self._alerting = Alerting(options.rules, options.notifications, options.data_dir, log)
        self._links: dict[int, Link] = {}
        self._numbers = itertools.count(1)
        self._held: list[CoordinatorInstruction] = []
        self._flushing = False
        self._broken: Exception | None = None
        self._samples: list[snapshots.Sample] = []
        self._seen: dict[str, Sample] = {}
        self._effort = Effort(options.data_dir)
        self._survey = Survey(self._seen, self._roster.board, self._effort, log.now_us)
        interval_s = options.seconds("snapshot_interval")
        self._dashboard = Dashboard(
            renderer, keys.operator, self._live, self._alerting.overview, log=log, interval_s=interval_s
        )
        self._alerting.on_change = self._dashboard.changed
        self._api = Api(keys.operator, _Facts(self._seen, self._roster, self._alerting, log.now_us), self._dashboard)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then drain.

        Raises:
            UsageError: the address cannot be listened on, or the journal cannot be written.
        """
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        log_start(self._writer, self._options)
        for warning in self._options.warnings:
            self._writer.text("WARNING", warning)
        self._port_file.unlink(missing_ok=True)  # whoever waits for it must not read an earlier run's
        self._roster.board.restore(map(_task, self._journal.load()), self._loop.time())
        listener = await self._listen()
        self._perform(self._roster.submit(self._demo_tasks(), self._writer.now_us()))
        work = [
            asyncio.create_task(every(self._timeout_s / _TICKS_PER_TIMEOUT, self._tick)),
            asyncio.create_task(every(self._options.seconds("metrics_interval"), self._log_queues)),
            asyncio.create_task(self._write_snapshots()),
            asyncio.create_task(self._alerting.run(self._options.seconds("snapshot_interval"))),
            asyncio.create_task(self._effort.run()),
            asyncio.create_task(every(self._dashboard.tick_s, self._look)),
            asyncio.create_task(self._dashboard.run()),
        ]
        work.append(asyncio.create_task(self._stop_on(stop)))
        for task in work:
            task.add_done_callback(self._watch)
        try:
            await self._done
            await asyncio.gather(self._drain(listener), self._alerting.finish(), self._dashboard.close())
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            listener.stop_accepting()
            for link in self._links.values():
                link.abort()
            self._journal.close()
            self._alerting.close()
        await self._write_samples()
        self._log(Marker.CONNECT, "closed", {"code": CLOSE_RESTART, "reason": "coordinator stopped"})

    async def _listen(self) -> Listener:
        host, port = self._options.text("host"), self._options.count("port")
        try:
            listener = await listen(host, port, self._serve, self._api.answer, self._timeout_s)
        except OSError as error:
            hint = "another process may listen there; --port 0 picks a free port"
            raise UsageError(f"cannot listen: {error}", where=f"{host}:{port}", hint=hint) from None
        write_whole(self._port_file, f"{listener.port}\n".encode())
        self._writer.text("INFO", f"listening on {host}:{listener.port}")
        self._announce(host, listener.port)
        return listener

    async def _serve(self, socket: Socket) -> None:
        if socket.path == LIVE_PATH:
            await self._dashboard.serve(socket)
            return
        number = next(self._numbers)

        def log(marker: Marker | None, name: str, fields: Fields) -> None:
            worker = self._roster.name_of(number)
            self._log(marker, name, {**fields, "worker": worker} if worker else fields)

        level, minimum = self._options.count("compression_level"), self._options.count("min_compress_size")
        prioritised = bool(self._options.tunables["enable_priority_queue"])
        queue = SendQueue(prioritised, self._options.count("queue_high_watermark"))
        link = self._links[number] = Link(socket, Channel("coordinator", level, minimum, log), queue, log)
        self._perform(self._roster.connected(number, socket.peer, self._loop.time()))
        ended = await link.run(self._receiver(number))
        del self._links[number]
        self._perform(self._roster.dropped(number, ended.code, self._loop.time(), ended.reason))

    def _receiver(self, number: int) -> Receiver:
        def message(message: Message, seq: int) -> None:
            now_s, at_us = self._loop.time(), self._writer.now_us()
            self._perform(self._roster.heard(number, message, seq, now_s, at_us))

        def broken(error: WireError) -> None:
            now_s = self._loop.time()
            self._perform(self._roster.broken(number, error.kind, error.error, now_s, error.size_bytes))

        return Receiver(message, lambda _: None, broken)

    # --- carrying out -----------------------------------------------------------------------------------

    def _perform(self, instructions: list[CoordinatorInstruction]) -> None:
        """Stores join the open transaction; all else waits for its commit, shared by what came meanwhile."""
        if self._broken is not None:
            return
        try:
            for instruction in instructions:
                self._store_or_hold(instruction)
        except Exception as error:  # noqa: BLE001 - run() raises it
            self._break(error)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush_guarded)

    def _store_or_hold(self, instruction: CoordinatorInstruction) -> None:
        match instruction:
            case StoreTask(task, spec, at_us):
                self._journal.add_task(task, spec, at_us)
            case StoreAssignment(task, worker, lease):
                self._journal.assign(task, worker, lease)
            case StoreCheckpoint(task, number, state):
                self._journal.checkpoint(task, number, state)
            case StoreResult(task, worker, ok, value, error, at_us):
                self._journal.apply(task, worker, ok=ok, value=value, error=error, at_us=at_us)
            case _:
                self._held.append(instruction)

    def _flush(self) -> None:
        self._flushing = False
        if self._broken is not None:
            raise self._broken
        held, self._held = self._held, []
        self._journal.commit()
        for instruction in held:
            self._carry_out(instruction)

    def _carry_out(self, instruction: CoordinatorInstruction) -> None:
        match instruction:
            case Log(marker, name, fields):
                self._log(marker, name, fields)
                if name in {"accepted", "disconnected"}:
                    self._attend(str(fields["worker"]), began=name == "accepted", code=fields.get("code"))
            case Sample(worker, at_us, metrics):
                self._survey.presence.heard(worker, self._writer.now_us())
                self._seen[worker] = instruction
                self._samples.append(snapshots.Sample(at_us, worker, metrics))
                self._alerting.take(worker, metrics)
            case Send(message, number) if number in self._links:
                self._links[number].send(message)
            case Secure(key, number) if number in self._links:
                self._links[number].channel.secure(key)
            case Close(code, reason, number) if number in self._links:
                self._links[number].close(code, reason)
            case Abort(number) if number in self._links:
                self._links[number].abort()

    def _attend(self, worker: str, *, began: bool, code: object) -> None:
        at_us, leaving = self._writer.now_us(), code == CLOSE_LEAVING
        if began:
            self._seen.setdefault(worker, Sample(worker, 0, {}))
            self._survey.presence.began(worker, at_us)
        else:
            self._survey.presence.ended(worker, at_us, orderly=leaving)
            if leaving:
                self._alerting.left(worker)
        self._dashboard.changed()

    def _log(self, marker: Marker | None, name: str, fields: Fields) -> None:
        self._writer.event(marker, name, level=None, **tidy(fields))

    def _tick(self) -> None:
        self._perform(self._roster.tick(self._loop.time()))

    def _log_queues(self) -> None:
        depth, oldest_s = self._queues()
        self._log(None, "queue", {"depth": depth, "oldest_s": oldest_s})

    def _queues(self) -> tuple[int, float]:
        queues = [link.queue for link in self._links.values()]
        oldest_s = max((queue.oldest_s(self._loop.time()) for queue in queues), default=0.0)
        return sum(map(len, queues)), oldest_s

    def _look(self) -> None:
        self._survey.look(len(self._roster.workers()), self._alerting.firing())

    def _live(self) -> Live:
        queued, oldest_s = self._queues()
        return self._survey.live(
            Traffic(len(self._links), self._dashboard.viewers, queued, oldest_s, len(self._samples))
        )

    # --- metrics ----------------------------------------------------------------------------------------

    async def _write_snapshots(self) -> None:
        while True:
            await asyncio.sleep(self._options.seconds("snapshot_interval"))
            await self._write_samples()

    async def _write_samples(self) -> None:
        batch, self._samples = self._samples, []
        if not batch:
            return
        try:
            await asyncio.to_thread(snapshots.write, self._options.data_dir / "snapshots", batch)
        except OSError as error:
            self._writer.text("ERROR", f"{len(batch)} metric samples could not be written, trying again: {error}")
            self._samples = [*batch, *self._samples][-_KEPT_SAMPLES:]

    # --- beginning and end ------------------------------------------------------------------------------

    def _demo_tasks(self) -> list[tuple[str, dict[str, Json]]]:
        return [(self._roster.new_id(), demo_task(number)) for number in range(self._options.demo_tasks)]

    async def _drain(self, listener: Listener) -> None:
        self._port_file.unlink(missing_ok=True)
        listener.stop_accepting()
        self._perform(self._roster.drain())
        await listener.wait_closed(_DRAIN_S)
        self._flush()  # the last connections' ends are still to be logged

    async def _stop_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        if not self._done.done():
            self._done.set_result(None)

    def _watch(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not self._done.done():
            self._done.set_exception(error)

    def _flush_guarded(self) -> None:
        """For the loop, which would only log what is raised."""
        try:
            self._flush()
        except Exception as error:  # noqa: BLE001 - run() raises it
            self._break(error)

    def _break(self, error: Exception) -> None:
        """The journal may lack what the roster knows: nothing is acknowledged any more, and the process must end."""
        self._broken = error
        if not self._done.done():
            self._done.set_exception(error)


class _Facts:
    """What the HTTP answers are made of."""

    def __init__(
        self, seen: Mapping[str, Sample], roster: Roster, alerting: Alerting, now_us: Callable[[], int]
    ) -> None:
        self._seen, self._roster, self._alerting, self._now_us = seen, roster, alerting, now_us

    def sample(self, worker: str) -> Sample | None:
        return self._seen.get(worker)

    def workers(self) -> Iterable[Sample]:
        return self._seen.values()

    def connected(self) -> frozenset[str]:
        return self._roster.workers()

    def alerts(self) -> Mapping[str, object]:
        return self._alerting.overview()

    def families(self) -> Iterable[exposition.Family]:
        workers = exposition.of_workers(self._seen.values(), self._roster.workers(), self._now_us())
        return [*workers, *self._alerting.families()]


def main(options: Options, renderer: Renderer) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: of role coordinator.
        renderer: makes the live page.

    Raises:
        UsageError: keys, journal or address cannot be used.
    """
    kept = load_or_create(options.data_dir)
    keys = Keys(options.keys.get("operator", kept.operator), options.keys.get("worker", kept.worker))
    log = open_log(COORDINATOR, options)
    try:
        until_signal(Coordinator(options, keys, log, partial(_announce, options), renderer).run, log)
    finally:
        log.close()


def _announce(options: Options, host: str, port: int) -> None:
    lines = [f"listening on {host}:{port}"]
    if sys.stderr.isatty():
        address = f"[{host}]" if ":" in host else host
        key = "keys: of the --config file" if "operator" in options.keys else str(options.data_dir / "keys.json")
        lines.append(f"dashboard  http://{address}:{port}{PATH}  (operator key: {key})")
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - who waits for it reads stderr


def demo_task(number: int) -> dict[str, Json]:
    """The `number`-th task of `--demo-tasks`: mostly sleeps with checkpoints, some echoes, few failures."""
    name = f"demo-{number + 1}"
    if number % 10 == 9:  # noqa: PLR2004
        return {"type": "fail", "name": name, "at": 3, "seconds": 0.1}
    if number % 3 == 2:  # noqa: PLR2004
        return {"type": "echo", "name": name, "size": 64 * 1024}
    return {"type": "sleep", "name": name, "iterations": 10, "seconds": 0.1, "checkpoint_every": 2}


def _task(stored: StoredTask) -> Task:
    state = "pending" if stored.worker is None else "assigned"
    if stored.ok is not None:
        state = "done" if stored.ok else "failed"
    return Task(
        id=stored.id,
        spec=stored.spec,
        state=state,
        worker=stored.worker,
        lease=stored.lease,
        number=stored.number,
        checkpoint=stored.state,
        applied_us=stored.applied_us,
    )
