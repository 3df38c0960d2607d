"""What the fleet got done: tasks and checkpoints, messages and compression, in total and over time."""

from recontool.model.catalogue import CATALOGUE
from recontool.model.detail import Detail
from recontool.model.findings import Analysis, WorkerResult
from recontool.report import quantity, ranking, timeline, view
from recontool.report.activity import Series, coarser
from recontool.report.language import say, several, spoken
from recontool.report.view import Cell, Figure, Row, Section, Table

_TABLE_ROWS = 24


def tasks_section(analysis: Analysis, detail: Detail, course: Series | None) -> Section:
    """Executions and checkpoints by worker and over time."""
    executed = sum(worker.tasks.executed for worker in analysis.workers.values())
    if not executed:
        return Section("tasks", say("Tasks and checkpoints"), empty=_no_tasks(analysis))
    failed = sum(worker.tasks.failed for worker in analysis.workers.values())
    figures = []
    if course is not None and _any(course, "tasks_started", "tasks_completed", "tasks_failed"):
        figures.append(
            Figure(say("Tasks over time"), _tasks_finding(analysis, course), chart="tasks", table=_task_course(course))
        )
    if course is not None and _any(course, "checkpoints_created", "checkpoints_restored"):
        figures.append(Figure(say("Checkpoints over time"), _checkpoint_finding(analysis), chart="checkpoints"))
    if any(worker.task_ms for worker in analysis.workers.values()):
        figures.append(Figure(say("Execution time"), _time_finding(analysis), chart="task_times"))
    return Section(
        "tasks",
        say("Tasks and checkpoints"),
        badge=say("{n} failed", n=f"{failed:,}") if failed else quantity.count(executed),
        tone="warning" if failed else "ok",
        figures=tuple(figures),
        tables=(_task_table(analysis, detail),),
        notes=_work_notes(analysis, detail),
    )


def messages_section(analysis: Analysis, course: Series | None) -> Section:
    """Traffic, round trips and compression over time."""
    figures = []
    empty = []
    if course is not None and _any(course, "messages_sent", "messages_received"):
        figures.append(
            Figure(
                say("Messages over time"),
                _message_finding(analysis, course),
                chart="messages",
                table=_message_course(course),
            )
        )
    else:
        empty.append(
            say(
                "No message events: single messages are logged at DEBUG only. Run workers with --log-level DEBUG to see "
                "traffic over time; totals come from the metrics record where there is one."
            )
        )
    if course is not None and course.total("latency_count"):
        figures.append(Figure(say("Round trip"), _latency_finding(analysis, course), chart="latency"))
    if course is not None and course.total("wire_bytes"):
        figures.append(Figure(say("Compression"), _compression_finding(analysis, course), chart="compression"))
    elif analysis.fleet["compression_ratio"].value is None:
        why = spoken(analysis.fleet["compression_ratio"].reason or "none were logged")
        empty.append(say("No compression events: {why}.", why=why))
    if not analysis.workers:
        empty = [say("No messages: no worker log was among the inputs.")]
    return Section("messages", say("Messages and compression"), figures=tuple(figures), empty=" ".join(empty))


def _any(course: Series, *names: str) -> bool:
    return any(course.total(name) for name in names)


def _no_tasks(analysis: Analysis) -> str:
    if not analysis.workers:
        return say("No tasks: no worker log was among the inputs.")
    return say(
        "No tasks: no worker logged the start of an execution. Either none was submitted in this time, "
        "or the log level was above INFO."
    )


def _tasks_finding(analysis: Analysis, course: Series) -> str:
    tasks = [worker.tasks for worker in analysis.workers.values()]
    executed, succeeded = sum(t.executed for t in tasks), sum(t.succeeded for t in tasks)
    failed = sum(t.failed for t in tasks)
    unfinished = executed - succeeded - failed  # a task that its worker's crash cut short has one more execution
    numbers = {
        "done": quantity.count(succeeded),
        "executions": quantity.counted(executed, "execution"),
        "failed": f"{failed:,}",
    }
    text = say("{done} of {executions} completed, {failed} failed", **numbers)
    if unfinished:
        text = say(
            "{done} of {executions} completed, {failed} failed and {n} did not finish", **numbers, n=f"{unfinished:,}"
        )
    worst = max(range(course.cells), key=lambda i: (course.counts["tasks_failed"][i], -i))
    number = course.counts["tasks_failed"][worst]
    if failed and number > 1:
        text = say(
            "{text}; most failures ({n}) came at about {time} UTC",
            text=text,
            n=quantity.count(number),
            time=timeline.when(analysis, course.starts_us()[worst]),
        )
    return say("{text}. One bar is {length}.", text=text, length=quantity.duration(course.width_us))


def _checkpoint_finding(analysis: Analysis) -> str:
    created, restored = (analysis.fleet[f"checkpoints_{name}"].value or 0 for name in ("created", "restored"))
    if not restored:
        return several(
            created,
            "{n} checkpoint saved; no task had to go on from one.",
            "{n} checkpoints saved; no task had to go on from one.",
        )
    return several(
        restored,
        "{checkpoints} saved; {n} task went on from one.",
        "{checkpoints} saved; {n} tasks went on from one.",
        checkpoints=quantity.counted(created, "checkpoint"),
    )


def _time_finding(analysis: Analysis) -> str:
    sample = sorted(took for worker in analysis.workers.values() for took in worker.task_ms)
    mean = analysis.fleet["avg_task_execution_time_ms"].value
    text = say(
        "Half of the executions took at most {half}, the longest {longest}",
        half=f"{sample[(len(sample) - 1) // 2]:,.0f} ms",
        longest=f"{sample[-1]:,.0f} ms",
    )
    if mean is not None:
        text = say("{text}; the mean is {mean}", text=text, mean=f"{mean:,.1f} ms")
    drawn = quantity.counted(len(sample), "execution")
    return say("{text}. Drawn from {executions}, evenly thinned where there were more.", text=text, executions=drawn)


def _work_notes(analysis: Analysis, detail: Detail) -> tuple[str, ...]:
    """Lost and repeated work, as far as the logs tell."""
    unfinished = sum(worker.tasks.unfinished for worker in analysis.workers.values())
    notes = []
    if detail.repeated:
        notes.append(
            several(
                sum(detail.repeated.values()),
                "{n} execution was not the first of the task: work done again after a loss.",
                "{n} executions were not the first of the task: work done again after a loss.",
            )
        )
    if analysis.coordinators:
        counts = [found.counts for found in analysis.coordinators.values()]
        applied, twice = (sum(count.get(name, 0) for count in counts) for name in ("applied", "duplicate"))
        notes.append(
            several(
                applied,
                "Coordinators stored {n} result and turned away {twice} that came a second time.",
                "Coordinators stored {n} results and turned away {twice} that came a second time.",
                twice=f"{twice:,}",
            )
        )
    if unfinished:
        notes.append(
            several(
                unfinished,
                "{n} execution began and neither completed nor failed nor was called off: its work was lost or went on "
                "elsewhere.",
                "{n} executions began and neither completed nor failed nor was called off: its work was lost or went on "
                "elsewhere.",
            )
        )
    return tuple(notes)


def _task_table(analysis: Analysis, detail: Detail) -> Table:
    ranked = sorted(ranking.by_damage(analysis.workers.values()), key=lambda worker: -worker.tasks.failed)
    titles = view.columns(
        "`Worker",
        "#Executed",
        "#Succeeded",
        "#Failed",
        "#Unfinished",
        "#Repeated",
        "#Success",
        "#Checkpoints",
        "#Restored",
        "~First error",
    )
    return view.table(say("Tasks by worker"), titles, [_task_row(worker, detail) for worker in ranked], what="workers")


def _task_row(worker: WorkerResult, detail: Detail) -> Row:
    tasks = worker.tasks
    rate = worker.metrics["task_success_rate"]
    numbers = (tasks.executed, tasks.succeeded, tasks.failed, tasks.unfinished)
    marks = [worker.metrics[name].value for name in ("checkpoints_created", "checkpoints_restored")]
    return Row(
        (
            Cell(worker.key),
            *(Cell(quantity.count(number), sort=number) for number in numbers),
            Cell(quantity.NOTHING)
            if detail.missing
            else Cell(quantity.count(repeated := detail.repeated.get(worker.key, 0)), sort=repeated),
            Cell(
                quantity.value(CATALOGUE["task_success_rate"], rate.value),
                view.TONES[rate.status] if rate.status == "outside" else "",
                sort=rate.value,
            ),
            *(Cell(quantity.NOTHING if mark is None else quantity.count(mark), sort=mark) for mark in marks),
            Cell(worker.first_error),
        )
    )


def _task_course(course: Series) -> Table:
    names = ("tasks_started", "tasks_completed", "tasks_failed", "checkpoints_created", "checkpoints_restored")
    titles = view.columns("From (UTC)", "#Started", "#Completed", "#Failed", "#Checkpoints", "#Restored")
    return _course(say("Tasks and checkpoints over time"), course, names, titles)


def _message_course(course: Series) -> Table:
    names = ("messages_sent", "messages_received", "message_errors")
    titles = view.columns("From (UTC)", "#Sent", "#Received", "#Errors")
    return _course(say("Messages over time"), course, names, titles)


def _course(caption: str, course: Series, names: tuple[str, ...], titles: tuple[view.Column, ...]) -> Table:
    coarse = coarser(course, min(_TABLE_ROWS, view.most_rows()))
    rows = [
        Row(
            (
                Cell(quantity.moment(at_us), sort=at_us),
                *(Cell(quantity.count(coarse.counts[name][i]), sort=coarse.counts[name][i]) for name in names),
            ),
            span=(at_us, at_us + coarse.width_us),
        )
        for i, at_us in enumerate(coarse.starts_us())
    ]
    length = quantity.duration(coarse.width_us)
    return view.table(say("{caption}, {length} per row", caption=caption, length=length), titles, rows)


def _message_finding(analysis: Analysis, course: Series) -> str:
    sent, received = analysis.fleet["messages_sent"].value, analysis.fleet["messages_received"].value
    errors = analysis.fleet["message_errors"].value
    text = say(
        "{sent} messages sent, {received} received",
        sent=quantity.count(sent or 0),
        received=quantity.count(received or 0),
    )
    if errors is not None:
        text += f", {quantity.counted(errors, 'error')}"
    return say("{text}. One step is {length}.", text=text, length=quantity.duration(course.width_us))


def _latency_finding(analysis: Analysis, course: Series) -> str:
    metric = CATALOGUE["avg_message_latency_ms"]
    mean = analysis.fleet[metric.name].value
    worst = max(value for value in course.ratio("latency_ms_sum", "latency_count") if value is not None)
    whole = say("Round trips by time")
    if mean is not None:
        whole = say("The mean round trip was {mean}", mean=quantity.value(metric, mean))
    return say(
        "{text}; the slowest stretch of {length} had {worst} (limit {limit}).",
        text=whole,
        length=quantity.duration(course.width_us),
        worst=quantity.value(metric, worst),
        limit="100 ms",
    )


def _compression_finding(analysis: Analysis, course: Series) -> str:
    metric = CATALOGUE["compression_ratio"]
    ratio = analysis.fleet[metric.name].value
    raw, wire = course.total("raw_bytes"), course.total("wire_bytes")
    whole = say("Compression by time")
    if ratio is not None:
        whole = say("Compressed messages went out at {ratio}", ratio=quantity.value(metric, ratio))
    sizes = {"raw": quantity.size(raw), "wire": quantity.size(wire)}
    return say("{text}: {raw} became {wire} on the wire.", text=whole, **sizes)
