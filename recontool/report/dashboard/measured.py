"""Reconnection Metrics, Message Performance and Task Execution: the fleet against its ranges, then every worker."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from recontool.model.catalogue import CATALOGUE, DOCUMENTED, UNIT_TEXT, Metric, Subject
from recontool.model.live import Live, LiveTask
from recontool.report import quantity, view
from recontool.report.dashboard.fleet import Fleet, Shown, worst_by
from recontool.report.sections.measures import matrix_cell, metric_row
from recontool.report.view import Cell, Row, Section, Table, Tone

_STATES: Final[dict[str, Tone]] = {"done": "ok", "failed": "critical", "assigned": "muted", "pending": "muted"}
_NOTE: Final = (
    "Counts start anew with a worker's process. The fleet's counts add up, its means are weighted by what they count. "
    "▲ above and ▼ below the normal range; a dash is no data."
)


class _View(Struct, frozen=True):
    """What one view shows: documented metrics of `subjects`, the derived ones by name, and what ranks ties."""

    anchor: str
    title: str
    subjects: tuple[Subject, ...]
    derived: tuple[str, ...]
    then: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Its documented metrics."""
        return tuple(metric.name for metric in DOCUMENTED if metric.subject in self.subjects)


_RECONNECTIONS: Final = _View(
    "reconnections",
    "Reconnection Metrics",
    ("connection",),
    ("reconnections", "reconnections_per_minute", "failed_reconnections", "failed_reconnections_total"),
    ("reconnections_per_minute", "failed_reconnections", "reconnections"),
)
_MESSAGES: Final = _View(
    "messages",
    "Message Performance",
    ("messages", "compression"),
    ("queue_depth",),
    ("message_errors", "queue_depth"),
)
_TASKS: Final = _View("tasks", "Task Execution", ("tasks", "checkpoints"), (), ())


def reconnections(fleet: Fleet) -> Section:
    """How workers lose their sessions and come back."""
    return _section(_RECONNECTIONS, fleet, "")


def messages(fleet: Fleet) -> Section:
    """Traffic, round trips and compression."""
    return _section(_MESSAGES, fleet, "")


def tasks(fleet: Fleet) -> Section:
    """What the coordinator hands out, what runs, what came of it, and how workers did."""
    live = fleet.live
    return _section(_TASKS, fleet, _task_lead(live), tuple(_task_tables(live)))


def _section(shown: _View, fleet: Fleet, lead: str, tables: tuple[Table, ...] = ()) -> Section:
    outside = [name for name in shown.names if fleet.metrics[name].status == "outside"]
    if not fleet.workers:
        lead = lead or "No numbers: no worker has connected since this coordinator started."
        return Section(shown.anchor, shown.title, lead=lead, tables=tables)
    names = ", ".join(CATALOGUE[name].title.lower() for name in outside)
    verdict = f"Outside the normal range for the fleet: {names}." if outside else "The fleet is within its ranges."
    return Section(
        shown.anchor,
        shown.title,
        lead=f"{lead} {verdict}".strip(),
        badge=f"{len(outside)} outside" if outside else "",
        tone="warning" if outside else "ok",
        tables=(_fleet_table(shown, fleet), *tables, _matrix(shown, fleet)),
        notes=(_NOTE,),
    )


def _fleet_table(shown: _View, fleet: Fleet) -> Table:
    titles = view.columns("Metric", "#Value", "Normal", "Verdict", "Source", "~Why")
    rows = [metric_row(CATALOGUE[name], fleet.metrics[name], fleet.metrics) for name in shown.names]
    rows += [_derived_row(CATALOGUE[name], fleet.values.get(name)) for name in shown.derived]
    named = [
        replace(row, anchor=f"fleet:{name}") for name, row in zip((*shown.names, *shown.derived), rows, strict=True)
    ]
    return view.table(f"{shown.title}: the fleet", titles, named, whole=True)


def _derived_row(metric: Metric, value: float | None) -> Row:
    nothing = Cell(quantity.NOTHING)
    return Row(
        (
            Cell(metric.title, href=f"#def-{metric.name}"),
            _plain_cell(value, UNIT_TEXT[metric.unit]),
            nothing,
            nothing,
            Cell("snapshot"),
            Cell(""),
        )
    )


def _matrix(shown: _View, fleet: Fleet) -> Table:
    columns = [CATALOGUE[name] for name in (*shown.names, *shown.derived)]
    titles = [f"#{metric.title}" + (f" ({unit})" if (unit := UNIT_TEXT[metric.unit]) else "") for metric in columns]
    ranked = worst_by(fleet.workers, shown.names, shown.then)
    return view.table(
        f"{shown.title}: every worker, the worst first",
        view.columns("`Worker", *titles),
        [_worker_row(shown, columns, worker) for worker in ranked[: view.most_rows()]],
        of=len(ranked),
        what="workers that are better",
        where="/api/v1/workers/ID/metrics has each",
    )


def _worker_row(shown: _View, columns: Sequence[Metric], worker: Shown) -> Row:
    cells = [
        matrix_cell(metric, worker.metrics[metric.name])
        if metric.name in worker.metrics
        else _plain_cell(worker.found.metrics.get(metric.name))
        for metric in columns
    ]
    return Row((Cell(worker.found.worker), *cells), worker.anchor(shown.anchor))


def _plain_cell(value: float | None, unit: str = "") -> Cell:
    """A derived metric; all that are shown here count something."""
    return Cell(quantity.NOTHING if value is None else f"{quantity.count(value)}{unit}", sort=value)


# --- tasks ----------------------------------------------------------------------------------------------


def _task_lead(live: Live) -> str:
    found = {state: live.tasks.get(state, 0) for state in ("pending", "assigned", "done", "failed")}
    if not any(found.values()):
        return "No task was ever submitted to this coordinator."
    return (
        f"{quantity.counted(sum(found.values()), 'task')}: {found['done']:,} done, {found['failed']:,} failed, "
        f"{found['assigned']:,} with workers, {found['pending']:,} waiting."
    )


def _task_tables(live: Live) -> list[Table]:
    tables = []
    running = live.tasks.get("assigned", 0)
    if running:
        titles = view.columns("`Task", "Type", "`Worker", "#Assignments")
        rows = [Row((*_task_cells(task),), f"running:{task.task}") for task in live.running]
        tables.append(
            view.table("Tasks with workers now", titles, rows, of=running, what="tasks", where="they are counted above")
        )
    if live.settled:
        titles = view.columns("`Task", "Type", "`Worker", "#Assignments", "Result", "Stored (UTC)")
        rows = [
            Row(
                (
                    *_task_cells(task),
                    Cell(task.state, _STATES.get(task.state, "muted")),
                    Cell(quantity.moment(task.applied_us or 0), sort=task.applied_us),
                ),
                f"settled:{task.task}",
            )
            for task in live.settled
        ]
        tables.append(view.table("Results stored lately", titles, rows, whole=True))
    return tables


def _task_cells(task: LiveTask) -> tuple[Cell, ...]:
    return Cell(task.task), Cell(task.kind), Cell(task.worker), Cell(quantity.count(task.attempts), sort=task.attempts)
