"""The six numbers of the first screen: value, limit, verdict and a small trend each."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Analysis, MetricValue
from recontool.model.instant import seconds
from recontool.report import activity, quantity, ranking, svg, timeline, view
from recontool.report.activity import Series
from recontool.report.language import say, several, spoken
from recontool.report.sections.reconnects import quantile
from recontool.report.view import KeyNumber, Tone

_TREND_CELLS = 60
_BUSY_MINUTE = 3  # reconnections per minute above which the guide's alert fires


def key_numbers(analysis: Analysis, course: Series | None) -> tuple[KeyNumber, ...]:
    """Stability, reconnections, reconnect time, task success, round trip and unread lines; () without workers."""
    if not analysis.workers:
        return ()
    return (
        _stability(analysis),
        _reconnections(analysis, course),
        _reconnect_time(analysis),
        _task_success(analysis, course),
        _latency(analysis, course),
        _unparsed(analysis),
    )


def _metric(analysis: Analysis, name: str, label: str, detail: str, *, trend: Markup, href: str) -> KeyNumber:
    return of_metric(analysis.fleet, name, label, detail, trend=trend, href=href)


def of_metric(
    metrics: Mapping[str, MetricValue], name: str, label: str, detail: str, *, trend: Markup, href: str
) -> KeyNumber:
    """One of `metrics` as a key number with its verdict and its limit."""
    metric, found = CATALOGUE[name], metrics[name]
    return KeyNumber(
        say(label),
        quantity.value(metric, found.value) if found.value is not None else say("no data"),
        quantity.standing(found),
        view.TONES[found.status],
        say("limit {limit}", limit=quantity.limit(metric, metrics)),
        detail if found.value is not None else spoken(found.reason) or detail,
        trend,
        href,
    )


def _stability(analysis: Analysis) -> KeyNumber:
    workers = list(analysis.workers.values())
    extent = timeline.extent(analysis) or (0, 1)
    shares = activity.share_connected(workers, *extent, _TREND_CELLS)
    lost = sum(ranking.lost_us(worker) for worker in workers)
    detail = say("no session was lost")
    if lost:
        detail = say("{lost} of worker time lost", lost=quantity.duration(lost))
    limit = CATALOGUE["connection_stability"].normal.low
    return _metric(
        analysis,
        "connection_stability",
        "Connection stability",
        detail,
        trend=svg.trend(shares, limit),
        href="#timeline",
    )


def _reconnections(analysis: Analysis, course: Series | None) -> KeyNumber:
    def total(name: str) -> int:
        return round(sum(worker.derived.get(name, 0) for worker in analysis.workers.values()))

    busiest = round(max(worker.derived.get("max_reconnections_per_minute", 0) for worker in analysis.workers.values()))
    over = busiest > _BUSY_MINUTE
    detail = several(
        total("failed_reconnections_total"),
        "{forced} forced, {n} failed try",
        "{forced} forced, {n} failed tries",
        forced=f"{total('forced_reconnections'):,}",
    )
    return KeyNumber(
        say("Reconnections"),
        quantity.count(total("reconnections")),
        say("too many at once" if over else "ok"),
        "warning" if over else "ok",
        say("limit {limit} per minute; most {most}", limit=f"{_BUSY_MINUTE}", most=f"{busiest:,}"),
        detail,
        Markup("") if course is None else svg.trend(course.counts["reconnections"], bars=True),
        "#outages",
    )


def _reconnect_time(analysis: Analysis) -> KeyNumber:
    outages = sorted((o for w in analysis.workers.values() for o in w.outages), key=lambda outage: outage.start_us)
    times = [outage.duration_us for outage in outages if outage.duration_us is not None]
    detail = ""
    if times:
        ascending = sorted(times)
        half, longest_one = (quantity.duration(took) for took in (quantile(ascending, 0.5), ascending[-1]))
        detail = say("median {half}, longest {longest}", half=half, longest=longest_one)
    trend = svg.trend(_thinned([seconds(took) for took in times]), CATALOGUE["avg_reconnect_time"].normal.high)
    number = _metric(analysis, "avg_reconnect_time", "Mean reconnect time", detail, trend=trend, href="#reconnects")
    longest = analysis.fleet["max_reconnect_time"]
    if longest.status == "outside" and analysis.fleet["avg_reconnect_time"].status != "outside":
        return _replaced(number, say("longest too high"), longest)
    return number


def _replaced(number: KeyNumber, verdict: str, found: MetricValue) -> KeyNumber:
    """The same number with the verdict of the longest reconnect time, which is the one that is outside."""
    most = f"{CATALOGUE['max_reconnect_time'].normal.high:g} s"
    limit = say("{limit}, longest ≤ {most}", limit=number.limit, most=most)
    tone: Tone = view.TONES[found.status]
    return KeyNumber(number.label, number.value, verdict, tone, limit, number.detail, number.trend, number.href)


def _task_success(analysis: Analysis, course: Series | None) -> KeyNumber:
    tasks = [worker.tasks for worker in analysis.workers.values()]
    failed, unfinished = sum(t.failed for t in tasks), sum(t.unfinished for t in tasks)
    numbers = {"ok": f"{sum(t.succeeded for t in tasks):,}", "failed": f"{failed:,}"}
    detail = say("{ok} ok, {failed} failed", **numbers)
    if unfinished:
        detail = say("{ok} ok, {failed} failed, {unfinished} unfinished", **numbers, unfinished=f"{unfinished:,}")
    trend = Markup("")
    if course is not None:
        pairs = zip(course.counts["tasks_completed"], course.counts["tasks_failed"], strict=True)
        rates = [done / (done + lost) if done + lost else None for done, lost in pairs]
        trend = svg.trend(rates, CATALOGUE["task_success_rate"].normal.low)
    return _metric(analysis, "task_success_rate", "Task success rate", detail, trend=trend, href="#tasks")


def _latency(analysis: Analysis, course: Series | None) -> KeyNumber:
    sent = analysis.fleet["messages_sent"].value
    detail = say("{n} messages sent", n=quantity.count(sent)) if sent is not None else ""
    trend = Markup("")
    if course is not None:
        limit = CATALOGUE["avg_message_latency_ms"].normal.high
        trend = svg.trend(course.ratio("latency_ms_sum", "latency_count"), limit)
    return _metric(analysis, "avg_message_latency_ms", "Message latency", detail, trend=trend, href="#messages")


def _unparsed(analysis: Analysis) -> KeyNumber:
    total = sum(file.lines.total for file in analysis.inputs)
    unparsed = sum(file.lines.unparsed for file in analysis.inputs)
    return KeyNumber(
        say("Unreadable lines"),
        quantity.count(unparsed),
        say("some" if unparsed else "none"),
        "warning" if unparsed else "ok",
        say("{share} of all lines", share=quantity.percent(unparsed, total)),
        say(
            "{lines} in {files}",
            lines=quantity.counted(total, "line"),
            files=quantity.counted(len(analysis.inputs), "file"),
        ),
        Markup(""),
        "#quality",
    )


def _thinned(values: Sequence[float]) -> list[float | None]:
    """At most `_TREND_CELLS` means of neighbouring values."""
    group = max(-(-len(values) // _TREND_CELLS), 1)
    return [sum(part) / len(part) for i in range(0, len(values), group) if (part := values[i : i + group])]
