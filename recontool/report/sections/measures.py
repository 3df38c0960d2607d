"""Key metrics against their limits: the fleet's eighteen in full, then every worker's as a matrix."""

from collections.abc import Mapping

from recontool.model.catalogue import CATALOGUE, DOCUMENTED, Metric
from recontool.model.findings import Analysis, MetricValue, WorkerResult
from recontool.report import quantity, ranking, view
from recontool.report.language import inside, say, several, spoken
from recontool.report.view import Cell, Row, Section, Table

_MARKS = {"low": "▼", "high": "▲"}  # the side of the range a value left, besides the colour


def section(analysis: Analysis) -> Section:
    """All eighteen metrics with value, normal range, verdict, source and reason."""
    if not analysis.workers:
        return Section(
            "metrics",
            say("Metrics and limits"),
            empty=say(
                "No metrics: no worker log was among the inputs. Metrics follow from a worker's own log; give one "
                "(or the folder it is in) to recontool report."
            ),
        )
    outside = [name for name, found in analysis.fleet.items() if found.status == "outside"]
    single = len(analysis.workers) == 1
    return Section(
        "metrics",
        say("Metrics and limits"),
        lead=_lead(analysis, outside),
        badge=say("{n} outside", n=f"{len(outside)}") if outside else "",
        tone="warning" if outside else "ok",
        tables=(_fleet(analysis, single=single), *(() if single else (_matrix(analysis),))),
        notes=()
        if single
        else (say("▲ above and ▼ below the normal range; a dash is no data. Too good is no finding."),),
    )


def rows_of(metrics: Mapping[str, MetricValue]) -> tuple[Row, ...]:
    """One row per metric of the catalogue."""
    return tuple(metric_row(metric, metrics[metric.name], metrics) for metric in DOCUMENTED)


def _lead(analysis: Analysis, outside: list[str]) -> str:
    without = sum(found.status == "no_data" for found in analysis.fleet.values())
    one = len(analysis.workers) == 1
    if not outside:
        text = say(
            "The worker is within every documented range it has data for."
            if one
            else "The fleet is within every documented range it has data for."
        )
    else:
        text = say(
            "The worker is outside the documented range in {n} of {all} metrics: {names}."
            if one
            else "The fleet is outside the documented range in {n} of {all} metrics: {names}.",
            n=f"{len(outside)}",
            all=f"{len(DOCUMENTED)}",
            names=", ".join(inside(say(CATALOGUE[name].title)) for name in outside),
        )
    if without:
        text += " " + several(without, "{n} metric without data.", "{n} metrics without data.")
    return text


def _fleet(analysis: Analysis, *, single: bool) -> Table:
    number = len(analysis.workers)
    owner = next(iter(analysis.workers)) if single else several(number, "fleet of {n} worker", "fleet of {n} workers")
    return view.table(
        say("The eighteen documented metrics: {owner}", owner=owner),
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
            Cell(say(metric.title), href=f"#def-{metric.name}"),
            Cell(quantity.value(metric, found.value), sort=found.value),
            Cell(normal),
            Cell(quantity.standing(found), view.TONES[found.status]),
            Cell(spoken(found.source) if found.source else quantity.NOTHING),
            Cell(spoken(found.reason or found.note)),
        )
    )


def _matrix(analysis: Analysis) -> Table:
    ranked = ranking.by_damage(analysis.workers.values())
    heads = [view.Column(_with_unit(metric), "number") for metric in DOCUMENTED]
    return view.table(
        say("Every worker, the most damaged first"),
        (*view.columns("`Worker"), *heads),
        [_worker_row(worker) for worker in ranked],
        what="workers with less damage",
    )


def _with_unit(metric: Metric) -> str:
    unit = quantity.unit_of(metric)
    return f"{say(metric.title)} ({unit})" if unit else say(metric.title)


def _worker_row(worker: WorkerResult) -> Row:
    return Row((Cell(worker.key), *(matrix_cell(metric, worker.metrics[metric.name]) for metric in DOCUMENTED)))


def matrix_cell(metric: Metric, found: MetricValue) -> Cell:
    """One metric of one worker as a cell of a matrix, marked when it is outside its range."""
    if found.value is None:
        return Cell(quantity.NOTHING)
    text = quantity.value(metric, found.value).removesuffix(quantity.unit_of(metric)).strip()
    if found.status == "outside":
        return Cell(f"{_MARKS.get(found.side, '!')} {text}", "warning", sort=found.value)
    return Cell(text, sort=found.value)
