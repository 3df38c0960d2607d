"""The simulated worker: connects, works, loses its session, and keeps its books while it does.

Its state lives in two ledgers: `truth` over all its processes, `own` of the running process, which is
all that the process itself can report.
"""

from collections.abc import Callable
from functools import partial

from coordinator import Coordinator
from ledger import Ledger
from world import SECOND_US, Process

from recontool.logs.grammar import render_text
from recontool.model.catalogue import BLOCK
from recontool.model.events import Value

URL = "ws://localhost:8765/ws"
METRICS_S = 30.0
HEARTBEAT_S, DEADLINE_S = 5.0, 15.0
CONFIG: dict[str, Value] = {
    "role": "worker",
    "version": "0.1.0",
    "coordinator_host": "localhost",
    "coordinator_port": 8765,
    "initial_reconnect_delay": 1.0,
    "max_reconnect_delay": 60.0,
    "reconnect_jitter": "equal",
    "heartbeat_interval": HEARTBEAT_S,
    "heartbeat_timeout": DEADLINE_S,
    "compression_level": 6,
    "min_compress_size": 1024,
    "enable_priority_queue": True,
    "queue_high_watermark": 1000,
    "metrics_interval": METRICS_S,
    "snapshot_interval": 10.0,
}
RULE = "=" * 45


class Worker(Process):
    """Writes worker-N.log. `failing` is the share of its tasks that fail, `rtt_ms` its typical round trip."""

    def __init__(
        self,
        coordinator: Coordinator,
        source: str,
        *,
        failing: float = 0.0,
        rtt_ms: float = 8.0,
        pause_s: float = 14.0,
        level: str = "INFO",
    ) -> None:
        super().__init__(coordinator.world, source, level)
        self.coordinator, self.failing, self.rtt_ms, self.pause_s = coordinator, failing, rtt_ms, pause_s
        self.truth = Ledger(self.world.start_us)
        self.own = Ledger(self.world.start_us)
        self.gaps: list[tuple[int, int]] = []
        self.is_up = False
        self.link_is_good = True
        self.task = ""  # what it works on
        self.saved = ""  # the task's last checkpoint
        self.results: list[str] = []  # finished, not yet acknowledged
        self._session = 0  # goes up with each session; what an earlier one had planned is void
        self._try = 0
        self._seq = 0
        self._lost_us = 0

    # --- the process

    def start(self) -> None:
        """The process comes up: config line, first try, metrics every interval."""
        now_us = self.world.now_us
        if self.is_up:  # it had died without a word: the session ended with its last record
            self.is_up = False
            self.truth.down(self.last_us, "crash")
            self.truth.restarts += 1
        self.own = Ledger(now_us)
        self._try, self._seq, self._lost_us = 0, 0, 0
        self.log("", "config", pid=self.world.rng.randint(2000, 30000), log_level=self.level, **CONFIG)
        self.after(0.02, self._connect)
        self.after(METRICS_S, self._report)

    def crash(self, back_after_s: float) -> None:
        """SIGKILL as soon as a task has a checkpoint, in the middle of a write; a new process `back_after_s` later."""
        if not self.saved:
            self.after(0.2, partial(self.crash, back_after_s))
            return
        self.life += 1
        self._session += 1
        self.coordinator.drop(self.source, 1006, "connection lost")
        self.lines.append("2026-11-20T")  # the next process ends the cut line before it writes its own
        self.after(back_after_s, self.start)

    def freeze(self, for_s: float) -> None:
        """SIGSTOP: nothing happens for `for_s` seconds; then the heartbeat deadline has long passed."""
        now_us = self.world.now_us
        last_us = self.last_us
        self.frozen_until_us = now_us + round(for_s * SECOND_US)
        self.coordinator.after(DEADLINE_S, partial(self.coordinator.drop, self.source, 1006, "heartbeat deadline"))
        self.after(for_s, partial(self._thaw, last_us))

    def _thaw(self, last_us: int) -> None:
        self.gaps.append((last_us, self.world.now_us))
        self._lose("heartbeat", "no heartbeat from the coordinator", detected_s=(self.world.now_us - last_us) / 1e6)

    def stop(self) -> None:
        """SIGTERM: an orderly end."""
        self._report()
        self.coordinator.drop(self.source, 1000, "worker stopped")
        self.log("CONNECT", "closed", code=1000, reason="worker stopped")
        self.is_up = False
        self.life += 1

    # --- the connection

    def _connect(self) -> None:
        self._try += 1
        self._book(Ledger.attempt)
        self.log("RECONNECT" if self._lost_us else "CONNECT", "attempt", n=self._try, url=URL)
        if not self.link_is_good:
            self.after(10.0, partial(self._failed, "timed out during opening handshake", self.world.now_us))
        elif self.coordinator.is_up:
            self.after(self.world.rng.uniform(0.012, 0.045), partial(self._answered, self.world.now_us))
        else:
            refused = "[Errno 111] Connect call failed ('127.0.0.1', 8765)"
            self.after(self.world.rng.uniform(0.0005, 0.002), partial(self._failed, refused, self.world.now_us))

    def _failed(self, error: str, began_us: int) -> None:
        marker = "RECONNECT" if self._lost_us else "CONNECT"
        self.log(marker, "failed", "WARNING", n=self._try, error=error, took_s=(self.world.now_us - began_us) / 1e6)
        self._schedule()

    def _schedule(self) -> None:
        ceiling_s = min(60.0, 2.0**self._try)
        delay_s = round(self.world.rng.uniform(ceiling_s / 2, ceiling_s), 6)
        self.log("RECONNECT", "scheduled", n=self._try + 1, delay_s=delay_s)
        self.after(delay_s, self._connect)

    def _answered(self, began_us: int) -> None:
        if self.coordinator.is_up:
            self._established(began_us)
        else:
            self._failed("connection closed during handshake", began_us)

    def _established(self, began_us: int) -> None:
        now_us = self.world.now_us
        session = self.token()
        self._session += 1
        self.is_up = True
        self._book(Ledger.up, now_us)
        if self._lost_us:
            down_s = (now_us - self._lost_us) / 1e6
            self.log("RECONNECT", "established", n=self._try, down_s=down_s, session=session, resumed=True)
        else:
            self.log("CONNECT", "established", session=session, took_s=(now_us - began_us) / 1e6)
        self.coordinator.accept(self, session)
        self._sync()

    def _sync(self) -> None:
        waiting = len(self.results)
        self.log("SYNC", "started", results=waiting, states=int(bool(self.task)))
        self._send("sync", 180 + 90 * waiting)
        took_s = round(self.world.rng.uniform(0.004, 0.03), 6)
        self._in_session(took_s, partial(self._synced, took_s, waiting))

    def _synced(self, took_s: float, resent: int) -> None:
        self._receive("sync", 140)
        self.log("SYNC", "completed", took_s=took_s, resent=resent, duplicates=0)
        for task in self.results:
            self.coordinator.apply(task, self.source)
        self.results.clear()
        self._in_session(HEARTBEAT_S, self._beat)
        if not self.task:
            self._in_session(self.world.rng.uniform(0.5, 2.0), self._take)
        elif self.own.executed == 0:
            self._resume()

    def cut_off(self) -> None:
        """The coordinator is gone; the socket says so at once."""
        self.after(self.world.rng.uniform(0.0002, 0.004), partial(self._lose, "closed", "", code=1006))

    def hang_up(self) -> None:
        """The network drops the connection."""
        self.coordinator.drop(self.source, 1006, "connection lost")
        self._lose("closed", "", code=1006)

    def half_open(self, for_s: float) -> None:
        """Packets vanish for `for_s` seconds; only the heartbeat deadline can tell."""
        self.link_is_good = False
        self.after(for_s, self._heal)
        self.coordinator.after(DEADLINE_S, partial(self.coordinator.drop, self.source, 1006, "heartbeat deadline"))
        silent_s = DEADLINE_S + self.world.rng.uniform(0.0, 0.3)
        self._in_session(silent_s, partial(self._lose, "heartbeat", "no heartbeat", detected_s=round(silent_s, 6)))

    def _heal(self) -> None:
        self.link_is_good = True

    def _lose(self, cause: str, reason: str, **fields: float) -> None:
        if not self.is_up:
            return
        self.is_up = False
        self._session += 1
        self._lost_us = self.world.now_us
        self._book(Ledger.down, self.world.now_us, cause)
        why = {"reason": reason} if reason else {}
        self.log("RECONNECT", "lost", "WARNING", cause=cause, **fields, **why)
        self._try = 0
        self._schedule()

    # --- messages

    def _beat(self) -> None:
        if self.link_is_good:
            self._send("heartbeat", 96)
            self._receive("heartbeat", 88)
        self._in_session(HEARTBEAT_S, self._beat)

    def _send(self, kind: str, size_bytes: int) -> None:
        if self.world.rng.random() < 0.004:
            self._book(Ledger.broken)
            self.log("", "message_error", "DEBUG", error="send buffer is full")
            return
        self._seq += 1
        self._book(Ledger.sent, size_bytes)
        self.log("", "message_sent", "DEBUG", type=kind, size_bytes=size_bytes, seq=self._seq)
        self._pack(size_bytes)
        rtt_ms = round(self.rtt_ms * self.world.rng.lognormvariate(0, 0.4), 3)
        self._in_session(rtt_ms / 1000, partial(self._acked, self._seq, rtt_ms))

    def _acked(self, seq: int, rtt_ms: float) -> None:
        self._book(Ledger.acked, rtt_ms)
        self.log("", "message_acked", "DEBUG", seq=seq, rtt_ms=rtt_ms)

    def _pack(self, raw_bytes: int) -> None:
        if raw_bytes < 1024:
            return
        wire_bytes = round(raw_bytes / self.world.rng.uniform(2.4, 4.6))
        took_ms = round(raw_bytes / 30_000 * self.world.rng.uniform(0.8, 1.4), 4)
        self._book(Ledger.packs, raw_bytes, wire_bytes, took_ms)
        self.log("COMPRESS", "compressed", raw_bytes=raw_bytes, wire_bytes=wire_bytes, took_ms=took_ms)

    def _receive(self, kind: str, size_bytes: int) -> None:
        if size_bytes >= 1024:
            wire_bytes = round(size_bytes / self.world.rng.uniform(2.4, 4.6))
            took_ms = round(size_bytes / 200_000 * self.world.rng.uniform(0.8, 1.4), 4)
            self._book(Ledger.unpacks, took_ms)
            self.log("COMPRESS", "decompressed", raw_bytes=size_bytes, wire_bytes=wire_bytes, took_ms=took_ms)
        self._book(Ledger.came)
        self.log("", "message_received", "DEBUG", type=kind, size_bytes=size_bytes, seq=self.own.received)

    # --- tasks

    def _take(self) -> None:
        if not self.link_is_good:
            return
        self.task = self.coordinator.assign(self.source)
        self._receive("task_assign", self.world.rng.choice((320, 640, 5200)))
        self._execute(1, 1)

    def _resume(self) -> None:
        self.log("CHECKPOINT", "restored", task=self.task, checkpoint=self.saved)
        self._book(Ledger.resumed)
        self._execute(2, 5)

    def _execute(self, attempt: int, first_step: int) -> None:
        self._book(Ledger.started)
        self.log("TASK", "started", task=self.task, attempt=attempt)
        steps = self.world.rng.randint(7, 12)
        fails_at = self.world.rng.randint(first_step + 1, steps) if self.world.rng.random() < self.failing else 0
        self._next_step(first_step, steps, fails_at, self.world.now_us)

    def _next_step(self, step: int, steps: int, fails_at: int, began_us: int) -> None:
        self.after(self.world.rng.uniform(0.4, 1.1), partial(self._step, step, steps, fails_at, began_us))

    def _step(self, step: int, steps: int, fails_at: int, began_us: int) -> None:
        if step == fails_at:
            self._fail(step, began_us)
        elif step >= steps:
            self._complete(began_us)
        else:
            if step % 4 == 0:
                self._checkpoint()
            self._next_step(step + 1, steps, fails_at, began_us)

    def _checkpoint(self) -> None:
        self.saved = f"cp-{self.token(8)}"
        self._book(Ledger.saved)
        size_bytes = self.world.rng.randint(600, 4000)
        took_ms = round(self.world.rng.uniform(1.0, 6.0), 3)
        self.log("CHECKPOINT", "created", task=self.task, checkpoint=self.saved, size_bytes=size_bytes, took_ms=took_ms)

    def _complete(self, began_us: int) -> None:
        took_ms = (self.world.now_us - began_us) / 1000
        self._book(partial(Ledger.task_ended, took_ms=took_ms, good=True))
        self.log("TASK", "completed", task=self.task, took_ms=took_ms)
        self._deliver(self.world.rng.randint(700, 48_000))

    def _fail(self, step: int, began_us: int) -> None:
        took_ms = (self.world.now_us - began_us) / 1000
        error = f"ValueError: shard {step} holds no rows"
        self._book(partial(Ledger.task_ended, took_ms=took_ms, good=False))
        self.log("TASK", "failed", "ERROR", task=self.task, took_ms=took_ms, error=error)
        trace = f'Traceback (most recent call last):\n  File "executor.py", line 88, in run\n{error}'
        self.text(render_text(self.world.now_us, "ERROR", self.source, trace))
        self._deliver(420)

    def _deliver(self, size_bytes: int) -> None:
        if self.is_up and self.link_is_good:
            self._send("task_result", size_bytes)
            self.coordinator.apply(self.task, self.source)
        else:
            self.results.append(self.task)
        self.task = self.saved = ""
        if self.is_up:
            self._in_session(self.world.rng.uniform(0.5, 1.5) * self.pause_s, self._take)

    # --- reporting

    def _report(self) -> None:
        now_us, own = self.world.now_us, self.own
        found = {**own.connection(now_us), **own.messages(), **own.work(), **own.compression()}
        found |= {"messages_acked": len(own.rtt_ms), "reconnections": own.derived()["reconnections"]}
        found["uptime_s"] = (now_us - own.first_us) / 1e6
        self._line(f"====== Performance Metrics for {self.source} ======")
        for metric, label in BLOCK:
            value = found[metric.name]
            self._line(f"{label.label}: " + ("n/a" if value is None else f"{value:.{label.decimals}f}{label.suffix}"))
        self._line(RULE)
        self.log("", "metrics", **{name: value for name, value in found.items() if value is not None})
        self.after(METRICS_S, self._report)

    def _line(self, text: str) -> None:
        self.text(render_text(self.world.now_us, "INFO", self.source, text))

    def _in_session(self, delay_s: float, action: Callable[[], None]) -> None:
        session = self._session
        self.after(delay_s, lambda: action() if self._session == session else None)

    def _book(self, entry: Callable[..., None], *about: float | str) -> None:
        for book in (self.truth, self.own):
            entry(book, *about)
