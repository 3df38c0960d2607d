"""The worker process: carries out what its session says, over real sockets, threads and clocks."""

import asyncio
import contextlib
import os
import random
from collections.abc import Callable
from typing import Final

from recontool.logs.writer import LogWriter
from recontool.model.markers import Marker
from recontool.model.policy import Backoff
from recontool.runtime import executor as work
from recontool.runtime import keys
from recontool.runtime.config import Options
from recontool.runtime.http import WEBSOCKET_PATH
from recontool.runtime.instructions import (
    Abort,
    CancelTask,
    Close,
    Dial,
    Execute,
    Fields,
    Forget,
    Log,
    Secure,
    Send,
    Stopped,
    WorkerInstruction,
)
from recontool.runtime.lifecycle import UP, Saw, State
from recontool.runtime.link import Link, Receiver
from recontool.runtime.messages import Message, Report, Result
from recontool.runtime.outbox import Outbox
from recontool.runtime.plugin import EnhancedWorkerReconnectionPlugin
from recontool.runtime.process import log_start, open_log, tidy, until_signal
from recontool.runtime.protocol import Channel, WireError
from recontool.runtime.queue import SendQueue
from recontool.runtime.session import NOTHING, Identity, Pace, Session, UnexpectedError, Why
from recontool.runtime.ticker import every
from recontool.runtime.transport import DialError, dial

SLOTS: Final = 4
_TASKS_END_S: Final = 3.0
_SETTLE_S: Final = 1.0


class Worker:
    """One worker. `reconnection_plugin` answers for its metrics at any time.

    Args:
        options: of role worker.
        key: what it proves to the coordinator.
        log: takes every event; the caller closes it.
        own: the user's task function.
    """

    def __init__(self, options: Options, key: str, log: LogWriter, own: work.TaskFunction | None = None) -> None:
        self._options, self._writer = options, log
        self._link: Link | None = None
        self.reconnection_plugin = EnhancedWorkerReconnectionPlugin(
            log, force=self._force, queue_depth=self._queue_depth
        )
        host, port = options.text("coordinator_host"), options.count("coordinator_port")
        self._url = f"ws://{f'[{host}]' if ':' in host else host}:{port}{WEBSOCKET_PATH}"
        backoff = Backoff(
            options.seconds("initial_reconnect_delay"),
            options.seconds("max_reconnect_delay"),
            options.text("reconnect_jitter"),
        )
        self._pace = Pace(options.seconds("heartbeat_interval"), options.seconds("heartbeat_timeout"), backoff)
        identity = Identity(options.worker_id, key, self._url, SLOTS)
        self._session = Session(identity, self._pace, draw=random.Random(), entropy=os.urandom)
        self._outbox = Outbox(options.data_dir, options.worker_id)
        self._executor = work.Executor(self._outbox, self._tell, self._may_produce, own)
        self._connection: asyncio.Task[None] | None = None
        self._generation = 0
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain."""
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._done: asyncio.Future[None] = self._loop.create_future()
        log_start(self._writer, self._options)
        for result in self._outbox.results():
            self._session.results[result.task] = result
        self._session.saved = self._outbox.saved() - set(self._session.results)
        reporting = asyncio.create_task(self._report_metrics())
        sampling = asyncio.create_task(every(self._options.seconds("snapshot_interval"), self._sample))
        stopping = asyncio.create_task(self._stop_on(stop))
        helpers = [reporting, sampling, stopping]
        for helper in helpers:
            helper.add_done_callback(self._watch)
        try:
            self._see(Saw.START)
            await self._done
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._log_metrics(0.0)

    # --- the session's stimuli --------------------------------------------------------------------------

    def _see(self, saw: Saw, why: Why = NOTHING) -> None:
        self._perform(self._session.see(saw, self._loop.time(), why=why))

    def _tick(self) -> None:
        self._perform(self._session.tick(self._loop.time()))

    async def _connect(self, generation: int) -> None:
        try:
            socket = await dial(self._url, self._pace.timeout_s)
        except DialError as error:
            if generation == self._generation:
                self._see(Saw.UNREACHABLE, Why(error=str(error)))
            return
        level, minimum = self._options.count("compression_level"), self._options.count("min_compress_size")
        channel = Channel("client", level, minimum, self._log)
        queue = SendQueue(
            bool(self._options.tunables["enable_priority_queue"]), self._options.count("queue_high_watermark")
        )
        link = self._link = Link(socket, channel, queue, self._log)
        trouble: list[str] = []
        self._see(Saw.OPENED)
        ended = await link.run(self._receiver(link, trouble))
        if generation == self._generation:
            self._link = None
            self._see(Saw.DROPPED, Why(trouble[0] if trouble else "", ended.code, ended.reason))

    def _receiver(self, link: Link, trouble: list[str]) -> Receiver:
        def broken(error: WireError) -> None:
            fields: Fields = {"error": error.error, "peer": link.peer}
            if error.size_bytes:
                fields["size_bytes"] = error.size_bytes
            self._log(Marker.SECURITY, error.kind, fields)
            trouble.append(error.kind)
            link.abort()

        def message(message: Message, seq: int) -> None:
            if link is not self._link:
                return  # the session has given this connection up already
            try:
                self._perform(self._session.heard(message, seq, self._loop.time()))
            except UnexpectedError as error:
                broken(WireError("malformed", str(error)))

        def acknowledged(message: Message) -> None:
            if isinstance(message, Result):
                self._perform(self._session.acknowledged(message.task))

        return Receiver(message, acknowledged, broken)

    # --- carrying out -----------------------------------------------------------------------------------

    def _perform(self, instructions: list[WorkerInstruction]) -> None:
        for instruction in instructions:
            match instruction:
                case Log(marker, name, fields):
                    self._log(marker, name, fields)
                case Dial():
                    self._generation += 1
                    self._connection = asyncio.create_task(self._connect(self._generation))
                    self._connection.add_done_callback(self._watch)
                case Execute(assign):
                    self._log(Marker.TASK, "started", {"task": assign.task, "attempt": assign.lease})
                    self._executor.start(assign)
                case CancelTask(task):
                    self._executor.cancel(task)
                case Forget(task):
                    self._outbox.forget(task)
                case Abort():
                    self._abort()
                case Stopped():
                    self._done.set_result(None)
                case _:
                    self._on_link(instruction)
        self._set_timer()

    def _on_link(self, instruction: WorkerInstruction) -> None:
        if self._link is None:
            return
        match instruction:
            case Send(message):
                self._link.send(message)
            case Secure(key):
                self._link.channel.secure(key)
            case Close(code, reason):
                self._link.close(code, reason)

    def _abort(self) -> None:
        self._generation += 1  # whatever the connection still says is no news
        if self._link is not None:
            self._link.abort()
            self._link = None
        elif self._connection is not None:
            self._connection.cancel()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wake_at_s = self._session.wake_at_s
        self._timer = None if wake_at_s is None else self._loop.call_at(wake_at_s, self._guarded, self._tick)

    def _log(self, marker: Marker | None, name: str, fields: Fields) -> None:
        self._writer.event(marker, name, level=None, **tidy(fields))

    # --- executions -------------------------------------------------------------------------------------

    def _tell(self, note: work.Note) -> None:
        # The loop may be closed already: a task that ignored its cancellation ends after its process drained.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._guarded, self._note, note)

    def _may_produce(self) -> bool:
        link = self._link
        return link is None or link.queue.room

    def _note(self, note: work.Note) -> None:
        match note:
            case work.Saved(checkpoint, size_bytes, took_ms, error):
                name = f"{checkpoint.task}.{checkpoint.number}"
                fields: Fields = {"task": checkpoint.task}
                if error:
                    self._log(Marker.CHECKPOINT, "failed", {**fields, "error": error})
                else:
                    fields.update(checkpoint=name, size_bytes=size_bytes, took_ms=took_ms)
                    self._log(Marker.CHECKPOINT, "created", fields)
                self._perform(self._session.checkpointed(checkpoint))
            case work.Restored(task, number):
                self._log(Marker.CHECKPOINT, "restored", {"task": task, "checkpoint": f"{task}.{number}"})
            case work.RestoreFailed(task, error):
                self._log(Marker.CHECKPOINT, "failed", {"task": task, "error": error})
            case work.Finished(result, unsaved):
                if unsaved:
                    self._writer.text("ERROR", f"the result of {result.task} is not on disk: {unsaved}")
                self._finish(result)
            case work.Stopped(task):
                self._executor.ended(task)
                self._log(Marker.TASK, "cancelled", {"task": task})
                self._perform(self._session.cancelled(task))
        if not self._session.running:
            self._idle.set()

    def _finish(self, result: Result) -> None:
        self._executor.ended(result.task)
        fields: Fields = {"task": result.task, "took_ms": result.took_ms}
        if result.ok:
            self._log(Marker.TASK, "completed", fields)
        else:
            self._log(Marker.TASK, "failed", {**fields, "error": result.error})
        self._perform(self._session.finished(result))

    # --- metrics ----------------------------------------------------------------------------------------

    async def _report_metrics(self) -> None:
        interval_s = self._options.seconds("metrics_interval")
        while True:
            due_s = self._loop.time() + interval_s
            await asyncio.sleep(interval_s)
            self._log_metrics((self._loop.time() - due_s) * 1000)

    def _log_metrics(self, lag_ms: float) -> None:
        self._log(None, "loop_lag", {"lag_ms": lag_ms})
        oldest_s = self._link.queue.oldest_s(self._loop.time()) if self._link is not None else 0.0
        self._log(None, "queue", {"depth": self._queue_depth(), "oldest_s": oldest_s})
        self._writer.metrics(self.reconnection_plugin.reported)

    def _sample(self) -> None:
        if self._session.state in UP:
            at_us = self._writer.now_us()
            self._perform([Send(Report(at_us, self.reconnection_plugin.sample(at_us)))])

    def _queue_depth(self) -> int:
        return len(self._link.queue) if self._link is not None else 0

    def _force(self) -> bool:
        if self._session.state not in {State.SYNCING, State.ONLINE}:
            return False
        self._see(Saw.FORCED)
        return True

    # --- the end ----------------------------------------------------------------------------------------

    async def _stop_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._idle.clear()
        self._see(Saw.LEAVE)
        if self._session.state is not State.DRAINING:
            return
        if self._session.running:
            with contextlib.suppress(TimeoutError):  # a task that ignores its cancellation is left behind
                async with asyncio.timeout(_TASKS_END_S):
                    await self._idle.wait()
        self._sample()
        if self._link is not None:
            await self._link.settle(_SETTLE_S)
        self._perform([self._session.close()])

    def _watch(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not self._done.done():
            self._done.set_exception(error)

    def _guarded(self, act: Callable[..., None], *values: work.Note) -> None:
        """For what the loop calls: an error there must end the process, not a line on stderr."""
        try:
            act(*values)
        except Exception as error:  # noqa: BLE001 - run() raises it
            if not self._done.done():
                self._done.set_exception(error)


def main(options: Options) -> None:
    """Work until SIGTERM or SIGINT.

    Raises:
        UsageError: the executor or the keys cannot be used.
    """
    own = work.load(options.executor) if options.executor else None
    key = keys.client_key("worker", options.api_key, os.environ, options.data_dir)
    log = open_log(options.worker_id, options)
    try:
        until_signal(Worker(options, key, log, own).run, log)
    finally:
        log.close()
