"""A fleet that is made up, and the live page of it served from a port of this process, for tests and benchmarks."""

import asyncio
import itertools
import threading

from msgspec.structs import replace

from recontool.alerts.rules import BUILT_IN
from recontool.logs.writer import LogWriter
from recontool.model.catalogue import CATALOGUE
from recontool.model.instant import iso
from recontool.model.live import Live, LivePoint, LiveProcess, LiveSession, LiveTask, LiveWorker
from recontool.model.units import SECOND_US
from recontool.report.dashboard.page import LivePage
from recontool.runtime.dashboard.server import LIVE_PATH, Dashboard
from recontool.runtime.http import Api
from recontool.runtime.transport import listen

KEY = "an-operator-key"
NOW_US = 1_795_507_200 * SECOND_US
PROCESS = LiveProcess("0.1.0", NOW_US - 3600 * SECOND_US, 0.03, 71 * 2**20, 0.004, 3, 1, 2, 0.1, 4, 9 * 2**30)


def samples(number: int) -> dict[str, float]:
    """Every metric; the worker with the higher number is the worse one."""
    found = {name: float(number % 17) for name in CATALOGUE}
    found |= {"connection_stability": 1 - number / 5000, "task_success_rate": 0.99, "compression_ratio": 3.0}
    return found | {"messages_sent": 1000.0 + number, "messages_received": 990.0, "uptime_s": 3000.0}


def worker(name: str, number: int, *, away: bool = False) -> LiveWorker:
    """One that lost a session ten minutes ago; with `away` it is gone again."""
    start_us = NOW_US - 1800 * SECOND_US
    sessions = [LiveSession(start_us, NOW_US - 600 * SECOND_US), LiveSession(NOW_US - 590 * SECOND_US)]
    if away:
        sessions[1] = replace(sessions[1], end_us=NOW_US - 20 * SECOND_US)
    return LiveWorker(name, sessions, 1 + away, NOW_US - 3 * SECOND_US, samples(number), 1)


def alerts(workers, text: str = "") -> dict[str, object]:
    """What `/api/v1/alerts` says: one alert fires for each of `workers`, one of each other kind of row there is."""
    active = [
        {
            "alert": "task_failures", "severity": "CRITICAL", "worker": name, "state": "firing",
            "pending_at": iso(NOW_US - 60 * SECOND_US), "fired_at": iso(NOW_US - 50 * SECOND_US), "value": 0.9,
            "peak": 0.8, "condition": "task_success_rate < 0.95", "description": text, "notification": ["dashboard"],
            "silenced_until": None,
        }
        for name in workers
    ]  # fmt: skip
    pending = {"alert": "low_compression", "severity": "INFO", "worker": None, "state": "pending", "fired_at": None}
    rules = [
        {"alert": rule.name, "condition": rule.condition, "severity": rule.severity, "health": "ok", "error": None}
        for rule in BUILT_IN
    ]
    rules[0] |= {"health": "broken", "error": f"ZeroDivisionError: {text}"}
    ended = {"alert": "high_message_latency", "severity": "WARNING", "worker": f"w{text}", "value": 150.0}
    return {
        "at": iso(NOW_US),
        "alerts": [*active, {**(active[0] if active else {}), **pending}] if active else [],
        "resolved": [{**ended, "pending_at": iso(NOW_US - SECOND_US), "resolved_at": iso(NOW_US)}],
        "rules": rules,
        "channels": [
            {"channel": f"hook{text}", "kind": "webhook", "waiting": 2, "delivered": 5, "failed_tries": 1, "dropped": 0,
             "last_error": f"HTTP 500 {text}"}
        ],
        "silences": [
            {"alert": "*", "worker": f"w-*{text}", "severity": "*", "from": None, "until": iso(NOW_US), "comment": text}
        ],
    }  # fmt: skip


def fleet(number: int, *, away: int = 0, text: str = "", name: str = "worker-{}") -> Live:
    """`number` workers, the first `away` of them gone; `text` stands wherever a peer or a person may write."""
    names = [name.format(i) + text for i in range(number)]
    workers = [worker(one, i, away=i < away) for i, one in enumerate(names)]
    course = [
        LivePoint(
            NOW_US - (60 - i) * 10 * SECOND_US,
            number - i % 2,
            i % 3,
            {**dict.fromkeys(CATALOGUE), "reconnections": i * 1.0},
        )
        for i in range(60)
    ]
    task = LiveTask(f"t-1{text}", f"sleep{text}", "failed", f"worker-1{text}", 2, NOW_US)
    running = replace(task, task=f"t-2{text}", state="assigned", applied_us=None)
    tasks = {"pending": 1, "assigned": 3, "done": 7, "failed": 1} if number else {}
    told = alerts(names[:away], text) if number else {"at": None, "alerts": [], "rules": [], "channels": []}
    kept = ([running], [task]) if number else ([], [])
    return Live(NOW_US, PROCESS, workers, course if number else (), tasks, *kept, told)


class Site:
    """Serves the live page of `live`, which may be replaced; leaving the context ends it."""

    def __init__(self, folder, live: Live, renderer=None) -> None:
        self.live, self.renderer = live, renderer or LivePage()
        self.log = LogWriter("coordinator", folder / "coordinator.log")
        self._ticks = itertools.count()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self.log.close()

    @property
    def text(self) -> str:
        """The log so far."""
        return self.log.path.read_text("utf-8")

    def show(self, live: Live) -> None:
        """Something changed."""
        self.live = live
        self._loop.call_soon_threadsafe(self.dashboard.changed)

    def _gather(self) -> Live:
        return replace(self.live, at_us=self.live.at_us + next(self._ticks) * SECOND_US)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.dashboard = Dashboard(
            self.renderer, KEY, self._gather, lambda: self.live.alerts, log=self.log, interval_s=1.0
        )
        api = Api(KEY, _NoFacts(), self.dashboard)
        listener = await listen("127.0.0.1", 0, self.dashboard.serve, api.answer, 5.0)
        self.port, self.url = listener.port, f"http://127.0.0.1:{listener.port}/dashboard"
        self.socket_url = f"ws://127.0.0.1:{listener.port}{LIVE_PATH}"
        running = asyncio.create_task(self.dashboard.run())
        self._ready.set()
        await self._stop.wait()
        running.cancel()
        listener.stop_accepting()
        await self.dashboard.close()
        await listener.wait_closed(2)


class _NoFacts:
    def workers(self):
        return ()

    def connected(self):
        return frozenset()
