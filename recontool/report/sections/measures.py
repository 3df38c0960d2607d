"""Key metrics against their limits: the fleet's eighteen in full, then every worker's as a matrix."""

from collections.abc import Mapping

from recontool.model.catalogue import CATALOGUE, DOCUMENTED, UNIT_TEXT, Metric
from recontool.model.findings import Analysis, MetricValue, WorkerResult
from recontool.report import quantity, ranking, view
from recontool.report.view import Cell, Row, Section, Table

_MARKS = {"low": "▼", "high": "▲"}  # the side of the range a value left, besides the colour


def section(analysis: Analysis) -> Section:
    """All eighteen metrics with value, normal range, verdict, source and reason."""
    if not analysis.workers:
        return Section(
            "metrics",
            "Metrics and limits",
            empty="No metrics: no worker log was among the inputs. Metrics follow from a worker's own log; give one "
            "(or the folder it is in) to recontool report.",
        )
    outside = [name for name, found in analysis.fleet.items() if found.status == "outside"]
    single = len(analysis.workers) == 1
    return Section(
        "metrics",
        "Metrics and limits",
        lead=_lead(analysis, outside),
        badge=f"{len(outside)} outside" if outside else "",
        tone="warning" if outside else "ok",
        tables=(_fleet(analysis, single=single), *(() if single else (_matrix(analysis),))),
        notes=() if single else ("▲ above and ▼ below the normal range; a dash is no data. Too good is no finding.",),
    )


def rows_of(metrics: Mapping[str, MetricValue]) -> tuple[Row, ...]:
    """One row per metric of the catalogue."""
    return tuple(metric_row(metric, metrics[metric.name], metrics) for metric in DOCUMENTED)


def _lead(analysis: Analysis, outside: list[str]) -> str:
    without = sum(found.status == "no_data" for found in analysis.fleet.values())
    whose = "The worker" if len(analysis.workers) == 1 else "The fleet"
    if not outside:
        words = "is within every documented range it has data for"
    else:
        names = ", ".join(CATALOGUE[name].title.lower() for name in outside)
        words = f"is outside the documented range in {len(outside)} of {len(DOCUMENTED)} metrics: {names}"
    return f"{whose} {words}." + (f" {quantity.counted(without, 'metric')} without data." if without else "")


def _fleet(analysis: Analysis, *, single: bool) -> Table:
    owner = next(iter(analysis.workers)) if single else f"fleet of {quantity.counted(len(analysis.workers), 'worker')}"
    return view.table(
        f"The eighteen documented metrics: {owner}",
        view.columns("Metric", "#Value", "Normal", "Verdict", "Source", "~Why"),
        rows_of(analysis.fleet),
        whole=True,
    )


def metric_row(metric: Metric, found: MetricValue, metrics: Mapping[str, MetricValue]) -> Row:
    """Value, normal range, verdict, source and reason of one metric; `metrics` holds what its range is relative to."""
    normal = quantity.limit(metric, metrics)
    if metric.normal.relative_to:
        rule = quantity.limit_rule(metric)
        normal = f"{normal} ({rule.lstrip('≥≤ ')})" if normal != quantity.NOTHING else rule
    return Row(
        (
            Cell(metric.title, href=f"#def-{metric.name}"),
            Cell(quantity.value(metric, found.value), sort=found.value),
            Cell(normal),
            Cell(quantity.standing(found), view.TONES[found.status]),
            Cell(found.source or quantity.NOTHING),
            Cell(found.reason or found.note),
        )
    )


def _matrix(analysis: Analysis) -> Table:
    ranked = ranking.by_damage(analysis.workers.values())
    titles = [f"#{metric.title}" + (f" ({unit})" if (unit := UNIT_TEXT[metric.unit]) else "") for metric in DOCUMENTED]
    return view.table(
        "Every worker, the most damaged first",
        view.columns("`Worker", *titles),
        [_worker_row(worker) for worker in ranked],
        what="workers with less damage",
    )


def _worker_row(worker: WorkerResult) -> Row:
    return Row((Cell(worker.key), *(matrix_cell(metric, worker.metrics[metric.name]) for metric in DOCUMENTED)))


def matrix_cell(metric: Metric, found: MetricValue) -> Cell:
    """One metric of one worker as a cell of a matrix, marked when it is outside its range."""
    if found.value is None:
        return Cell(quantity.NOTHING)
    text = quantity.value(metric, found.value).removesuffix(UNIT_TEXT[metric.unit]).strip()
    if found.status == "outside":
        return Cell(f"{_MARKS.get(found.side, '!')} {text}", "warning", sort=found.value)
    return Cell(text, sort=found.value)
