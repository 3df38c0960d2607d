"""What the fleet got done: tasks and checkpoints, messages and compression, in total and over time."""

from recontool.model.catalogue import CATALOGUE
from recontool.model.detail import Detail
from recontool.model.findings import Analysis, WorkerResult
from recontool.report import quantity, ranking, timeline, view
from recontool.report.activity import Series, coarser
from recontool.report.view import Cell, Figure, Row, Section, Table

_TABLE_ROWS = 24


def tasks_section(analysis: Analysis, detail: Detail, course: Series | None) -> Section:
    """Executions and checkpoints by worker and over time."""
    executed = sum(worker.tasks.executed for worker in analysis.workers.values())
    if not executed:
        return Section("tasks", "Tasks and checkpoints", empty=_no_tasks(analysis))
    failed = sum(worker.tasks.failed for worker in analysis.workers.values())
    figures = []
    if course is not None and _any(course, "tasks_started", "tasks_completed", "tasks_failed"):
        figures.append(
            Figure("Tasks over time", _tasks_finding(analysis, course), chart="tasks", table=_task_course(course))
        )
    if course is not None and _any(course, "checkpoints_created", "checkpoints_restored"):
        figures.append(Figure("Checkpoints over time", _checkpoint_finding(analysis), chart="checkpoints"))
    if any(worker.task_ms for worker in analysis.workers.values()):
        figures.append(Figure("Execution time", _time_finding(analysis), chart="task_times"))
    return Section(
        "tasks",
        "Tasks and checkpoints",
        badge=f"{failed:,} failed" if failed else quantity.count(executed),
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
                "Messages over time",
                _message_finding(analysis, course),
                chart="messages",
                table=_message_course(course),
            )
        )
    else:
        empty.append(
            "No message events: single messages are logged at DEBUG only. Run workers with --log-level DEBUG to see "
            "traffic over time; totals come from the metrics record where there is one."
        )
    if course is not None and course.total("latency_count"):
        figures.append(Figure("Round trip", _latency_finding(analysis, course), chart="latency"))
    if course is not None and course.total("wire_bytes"):
        figures.append(Figure("Compression", _compression_finding(analysis, course), chart="compression"))
    elif analysis.fleet["compression_ratio"].value is None:
        empty.append(f"No compression events: {analysis.fleet['compression_ratio'].reason or 'none were logged'}.")
    if not analysis.workers:
        empty = ["No messages: no worker log was among the inputs."]
    return Section("messages", "Messages and compression", figures=tuple(figures), empty=" ".join(empty))


def _any(course: Series, *names: str) -> bool:
    return any(course.total(name) for name in names)


def _no_tasks(analysis: Analysis) -> str:
    if not analysis.workers:
        return "No tasks: no worker log was among the inputs."
    return (
        "No tasks: no worker logged the start of an execution. Either none was submitted in this time, "
        "or the log level was above INFO."
    )


def _tasks_finding(analysis: Analysis, course: Series) -> str:
    tasks = [worker.tasks for worker in analysis.workers.values()]
    executed, succeeded = sum(t.executed for t in tasks), sum(t.succeeded for t in tasks)
    failed, unfinished = sum(t.failed for t in tasks), sum(t.unfinished for t in tasks)
    text = f"{quantity.count(succeeded)} of {quantity.counted(executed, 'execution')} completed, {failed:,} failed"
    text += f" and {unfinished:,} did not finish" if unfinished else ""
    worst = max(range(course.cells), key=lambda i: (course.counts["tasks_failed"][i], -i))
    number = course.counts["tasks_failed"][worst]
    if failed and number > 1:
        text += f"; most failures ({quantity.count(number)}) came at about {timeline.when(analysis, course.starts_us()[worst])} UTC"
    return f"{text}. One bar is {quantity.duration(course.width_us)}."


def _checkpoint_finding(analysis: Analysis) -> str:
    created, restored = (analysis.fleet[f"checkpoints_{name}"].value or 0 for name in ("created", "restored"))
    if not restored:
        return f"{quantity.counted(created, 'checkpoint')} saved; no task had to go on from one."
    return f"{quantity.counted(created, 'checkpoint')} saved; {quantity.counted(restored, 'task')} went on from one."


def _time_finding(analysis: Analysis) -> str:
    sample = sorted(took for worker in analysis.workers.values() for took in worker.task_ms)
    mean = analysis.fleet["avg_task_execution_time_ms"].value
    text = f"Half of the executions took at most {sample[(len(sample) - 1) // 2]:,.0f} ms, the longest {sample[-1]:,.0f} ms"
    note = f"; the mean is {mean:,.1f} ms" if mean is not None else ""
    return (
        f"{text}{note}. Drawn from {quantity.counted(len(sample), 'execution')}, evenly thinned where there were more."
    )


def _work_notes(analysis: Analysis, detail: Detail) -> tuple[str, ...]:
    """Lost and repeated work, as far as the logs tell."""
    unfinished = sum(worker.tasks.unfinished for worker in analysis.workers.values())
    notes = []
    if detail.repeated:
        again = quantity.counted(sum(detail.repeated.values()), "execution was", "executions were")
        notes.append(f"{again} not the first of the task: work done again after a loss.")
    if analysis.coordinators:
        counts = [found.counts for found in analysis.coordinators.values()]
        applied, twice = (sum(count.get(name, 0) for count in counts) for name in ("applied", "duplicate"))
        notes.append(
            f"Coordinators stored {quantity.counted(applied, 'result')} and turned away {twice:,} that came a second time."
        )
    if unfinished:
        notes.append(
            f"{quantity.counted(unfinished, 'execution')} began and neither completed nor failed nor was called off: its work "
            "was lost or went on elsewhere."
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
    return view.table("Tasks by worker", titles, [_task_row(worker, detail) for worker in ranked], what="workers")


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
    return _course("Tasks and checkpoints over time", course, names, titles)


def _message_course(course: Series) -> Table:
    names = ("messages_sent", "messages_received", "message_errors")
    return _course("Messages over time", course, names, view.columns("From (UTC)", "#Sent", "#Received", "#Errors"))


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
    return view.table(f"{caption}, {quantity.duration(coarse.width_us)} per row", titles, rows)


def _message_finding(analysis: Analysis, course: Series) -> str:
    sent, received = analysis.fleet["messages_sent"].value, analysis.fleet["messages_received"].value
    errors = analysis.fleet["message_errors"].value
    text = f"{quantity.count(sent or 0)} messages sent, {quantity.count(received or 0)} received"
    text += f", {quantity.counted(errors, 'error')}" if errors is not None else ""
    return f"{text}. One step is {quantity.duration(course.width_us)}."


def _latency_finding(analysis: Analysis, course: Series) -> str:
    metric = CATALOGUE["avg_message_latency_ms"]
    mean = analysis.fleet[metric.name].value
    worst = max(value for value in course.ratio("latency_ms_sum", "latency_count") if value is not None)
    whole = f"The mean round trip was {quantity.value(metric, mean)}" if mean is not None else "Round trips by time"
    return f"{whole}; the slowest stretch of {quantity.duration(course.width_us)} had {quantity.value(metric, worst)} (limit 100 ms)."


def _compression_finding(analysis: Analysis, course: Series) -> str:
    metric = CATALOGUE["compression_ratio"]
    ratio = analysis.fleet[metric.name].value
    raw, wire = course.total("raw_bytes"), course.total("wire_bytes")
    whole = (
        f"Compressed messages went out at {quantity.value(metric, ratio)}"
        if ratio is not None
        else "Compression by time"
    )
    return f"{whole}: {quantity.size(raw)} became {quantity.size(wire)} on the wire."
