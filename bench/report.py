"""Measures report pages: bytes against their budget, seconds to build and, where Chromium is, to be seen. `python bench/report.py`."""

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from recontool.api.analyze import analyze
from recontool.api.detail import look_again
from recontool.logs.grammar import render as line
from recontool.model.events import Event, Value
from recontool.model.instant import from_datetime, to_datetime
from recontool.model.units import MINUTE_US, SECOND_US
from recontool.report.html import render

ROUNDS = 5
START_US = from_datetime(to_datetime(0).replace(year=2026, month=11, day=20))
HOUR_US = 60 * MINUTE_US
# workers; hours; bytes a page may have
FLEETS = ((1, 24, 1_000_000), (50, 24, 1_500_000), (500, 168, 3_000_000))
LITE_BUDGET = 150_000
GOALS_S = {"build": 2.0, "text": 0.3, "charts": 2.0}
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def main() -> int:
    """Print the table; exit status 1 if a page is over its budget or later than its goal."""
    print(
        f"{'fleet':<20} {'page kB':>8} {'budget':>7} {'lite kB':>8} {'read s':>7} {'build s':>8} {'text s':>7} {'charts s':>9}"
    )
    late: list[str] = []
    over = False
    with tempfile.TemporaryDirectory() as folder:
        for workers, hours, budget in FLEETS:
            logs = Path(folder) / f"{workers}"
            logs.mkdir()
            _write(logs, workers, hours)
            started = time.perf_counter()
            analysis = analyze([str(logs)])
            detail = look_again(analysis)
            read_s = time.perf_counter() - started
            page = render(analysis, detail)
            lite = len(render(analysis, detail, lite=True).encode())
            over = over or len(page.encode()) > budget or lite > LITE_BUDGET
            build_s = median(_seconds(lambda a=analysis, d=detail: render(a, d)) for _ in range(ROUNDS))
            path = Path(folder) / f"{workers}.html"
            path.write_text(page, "utf-8")
            times = dict(zip(GOALS_S, (build_s, *_seen_s(path)), strict=False))
            late += [f"{workers} workers: {name} {took:.2f} s" for name, took in times.items() if took > GOALS_S[name]]
            seen = "".join(f"{took:>8.2f}" for took in times.values()) + ("" if "text" in times else "   no Chromium")
            print(
                f"{workers:>3} workers {hours:>4} h   {len(page.encode()) / 1000:>8.0f} {budget / 1000:>7.0f} "
                f"{lite / 1000:>8.0f} {read_s:>7.2f} {seen}"
            )
    print("goals:", ", ".join(f"{name} {goal} s" for name, goal in GOALS_S.items()), *(f"\nLATE {one}" for one in late))
    return int(over or bool(late))


def _seconds(work: object) -> float:
    if not callable(work):
        raise TypeError("nothing to measure")
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _seen_s(path: Path) -> tuple[float, ...]:
    """Seconds from opening the page to its first text and to the last chart; medians, () without a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return ()
    from playwright.sync_api import sync_playwright

    texts, charts = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(QUIET))
        for _ in range(ROUNDS):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            started = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector("html.drawn", state="attached")
            charts.append(time.perf_counter() - started)
            paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
            texts.append(float(page.evaluate(paint)))
            page.close()
        browser.close()
    return median(texts), median(charts)


def _write(folder: Path, workers: int, hours: int) -> None:
    """One slim log per worker: twenty outages, a task an hour, 144 metrics records."""
    for number in range(1, workers + 1):
        source = f"worker-{number}"
        rng = random.Random(number)
        events = sorted(_story(rng, source, hours * HOUR_US), key=lambda event: event.at_us)
        (folder / f"{source}.log").write_text("".join(line(event) + "\n" for event in events), "ascii")


def _story(rng: random.Random, source: str, length_us: int) -> Iterator[Event]:
    def event(at_us: int, marker: str, name: str, **fields: Value) -> Event:
        return Event(START_US + at_us, "INFO", source, marker, name, fields)

    yield event(
        0,
        "",
        "config",
        role="worker",
        initial_reconnect_delay=1.0,
        max_reconnect_delay=60.0,
        reconnect_jitter="equal",
        metrics_interval=3600.0,
    )
    yield event(1000, "CONNECT", "attempt", n=1)
    yield event(9000, "CONNECT", "established", session="s0", took_s=0.008)
    for number in range(20):
        at_us = (number + 1) * length_us // 22 + rng.randrange(MINUTE_US)
        took_us = round(rng.lognormvariate(0.4, 0.9) * SECOND_US) + 40_000
        yield event(
            at_us,
            "RECONNECT",
            "lost",
            cause=rng.choice(("closed", "heartbeat", "error")),
            detected_s=rng.uniform(0, 15),
        )
        yield event(at_us + 1000, "RECONNECT", "scheduled", n=1, delay_s=rng.uniform(0.5, 1.0))
        yield event(at_us + took_us - 20_000, "RECONNECT", "attempt", n=1)
        yield event(
            at_us + took_us, "RECONNECT", "established", n=1, down_s=took_us / SECOND_US, session=f"s{number + 1}"
        )
        yield event(at_us + took_us + 12_000, "SYNC", "completed", took_s=0.012, resent=0, duplicates=0)
    for at_us in range(HOUR_US // 2, length_us, HOUR_US):
        task = f"task-{rng.getrandbits(32):08x}"
        yield event(at_us, "TASK", "started", task=task, attempt=1)
        yield event(at_us + 4_000_000, "TASK", "completed", task=task, took_ms=4000.0)
    for at_us in range(0, length_us, length_us // 144):
        yield event(
            at_us + 500_000,
            "",
            "metrics",
            messages_sent=at_us // SECOND_US + 1,
            avg_message_latency_ms=rng.uniform(8, 30),
        )


if __name__ == "__main__":
    sys.exit(main())
