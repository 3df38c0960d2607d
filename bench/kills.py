"""Kills a process that delivers alerts again and again, and counts what its receiver got. `python bench/kills.py`.

Two workers' latencies flap from round to round. Whatever the kills cut, the receiver must hear of each worker firing,
resolved, firing, ... in turn, ending in resolved: then no message was lost and none decided twice. Copies, which have
the key of a message that came before, are counted.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from recontool.alerts.rules import Rule
from recontool.logs.writer import LogWriter
from recontool.runtime.alerting import Alerting
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.settings import Channel, Notifications, Pacing, Webhook

WORKERS = ("worker-1", "worker-2")
ROUND_S = 0.01
CALM_ROUNDS = 100


def main() -> int:
    """Exit status: 1 when a message was lost or decided twice."""
    parser = argparse.ArgumentParser(description="Kill a process that delivers alerts, and count what arrived.")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--child", nargs=3, metavar=("FOLDER", "PORT", "ROUNDS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        folder, port, rounds = given.child
        asyncio.run(_child(Path(folder), int(port), int(rounds)))
        return 0
    return _parent(given.kills)


def _parent(kills: int) -> int:
    bodies: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing; what came is counted."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--child", folder, str(server.server_address[1])]
        for _ in range(kills):
            before = len(bodies)
            child = subprocess.Popen([*command, "0"])
            while len(bodies) == before and child.poll() is None:
                time.sleep(0.005)  # it has begun to deliver
            time.sleep(draw.uniform(0.0, 0.3))
            child.kill()
            child.wait()
        subprocess.run([*command, str(CALM_ROUNDS)], check=True)
    server.shutdown()
    keys = [body["key"] for body in bodies]
    unique = list({body["key"]: body for body in bodies}.values())
    wrong = sum(_out_of_turn(unique, worker) for worker in WORKERS)
    print(f"{kills} kills, {len(unique)} messages, {len(keys) - len(unique)} copies, {wrong} lost or decided twice")
    return 1 if wrong else 0


def _out_of_turn(bodies: list[dict[str, Any]], worker: str) -> int:
    """How often `worker` was not told in turn; an end in firing counts, too."""
    states = [alert["state"] for body in bodies for alert in body["alerts"] if alert["worker"] == worker]
    expected = ["firing", "resolved"]
    wrong = [turn for turn, state in enumerate(states) if state != expected[turn % 2]]
    return len(wrong) + len(states) % 2


async def _child(folder: Path, port: int, rounds: int) -> None:
    """Flap for ever, or with `rounds` be calm for that long and end."""
    pacing = Pacing(group_by=("worker",), group_wait_us=0, group_interval_us=0)
    channel = Channel("hook", "webhook", Webhook(Secret(f"http://127.0.0.1:{port}/")), pacing)
    rules = [Rule("slow", "avg_message_latency_ms > 200", notification=("hook",))]
    log = LogWriter("coordinator", folder / "coordinator.log")
    alerting = Alerting(rules, Notifications((channel,)), folder, log)
    running = asyncio.create_task(alerting.run(ROUND_S))
    draw = random.Random()
    done = 0
    while not rounds or done < rounds:
        for worker in WORKERS:
            alerting.take(worker, {"avg_message_latency_ms": draw.choice((100.0, 300.0)) if not rounds else 100.0})
        await asyncio.sleep(ROUND_S)
        done += 1
        if running.done():
            running.result()
    while any(alerting.waiting.values()):  # noqa: ASYNC110 - the outbox tells nobody when it is empty
        await asyncio.sleep(ROUND_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await alerting.finish()
    alerting.close()
    log.close()


if __name__ == "__main__":
    sys.exit(main())
