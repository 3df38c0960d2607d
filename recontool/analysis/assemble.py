"""Closes the folds of a fleet into one `Analysis`."""

from collections.abc import Iterable, Mapping, Sequence

from recontool.analysis.fleet import Chain, FleetParts
from recontool.analysis.incidents import find_incidents
from recontool.analysis.quality import notes_on
from recontool.analysis.recommendations import recommend
from recontool.analysis.snapshots import fleet_with_snapshots
from recontool.analysis.verdict import judge_fleet
from recontool.metrics.judgement import fleet_metrics, worker_metrics
from recontool.model.findings import Alert, Analysis, CoordinatorResult, InputFile, QualityNote, Tasks, WorkerResult
from recontool.model.markers import in_order
from recontool.model.order import natural


def assemble(
    fleet: FleetParts,
    inputs: Sequence[InputFile],
    snapshots: Mapping[str, WorkerResult],
    notes: Sequence[QualityNote],
    version: str,
    *,
    alerts: Iterable[Alert] = (),
) -> Analysis:
    """Everything the folds know. `snapshots` are workers known from snapshot files only, `alerts` those of other rules."""
    chains = fleet.workers()
    workers = {key: worker_result(key, chain) for key, chain in chains.items()}
    workers.update({key: result for key, result in snapshots.items() if key not in workers})
    workers = {key: workers[key] for key in sorted(workers, key=natural)}
    coordinators = dict(sorted(fleet.coordinators.items()))
    seen: list[WorkerResult | CoordinatorResult] = [*workers.values(), *coordinators.values()]
    ends, starts = [one.last_us for one in seen], [one.first_us for one in seen]
    last_us = max(ends, default=None)
    clocks = fleet.offsets(workers)
    incidents = find_incidents(workers, list(coordinators.values()), last_us or 0, clocks)
    alerts = sorted(
        (*alerts, *(alert for chain in chains.values() for alert in chain.watch.alerts())),
        key=lambda alert: (alert.pending_us, alert.alert, alert.worker or ""),
    )
    folds = {key: chain.fold for key, chain in chains.items()}
    if workers.keys() == folds.keys():
        metrics = fleet_metrics(folds, {key: worker.metrics for key, worker in workers.items()})
    else:
        metrics = fleet_with_snapshots(workers)
    security = tuple(finding for _, finding in sorted(fleet.security, key=lambda pair: pair[0]))
    return Analysis(
        verdict=judge_fleet(
            workers, incidents, alerts, fleet=metrics, security=security, coordinators=len(coordinators)
        ),
        inputs=tuple(inputs),
        workers=workers,
        coordinators=coordinators,
        fleet=metrics,
        fleet_derived=_fleet_derived(workers),
        incidents=incidents,
        alerts=tuple(alerts),
        disagreements=tuple(one for fold in folds.values() for one in fold.disagreements()),
        recommendations=recommend(workers, incidents, security),
        security=security,
        quality=(*notes, *fleet.notes_on_identity(), *notes_on(inputs, workers)),
        first_us=min(starts, default=None),
        last_us=last_us,
        version=version,
        clocks=clocks,
    )


def worker_result(key: str, chain: Chain) -> WorkerResult:
    """One worker at its last record."""
    fold = chain.fold
    fold.rename(key)
    chain.watch.finish()
    timeline, totals = fold.timeline, fold.totals()
    timeline.expire(fold.last_us)
    return WorkerResult(
        key=key,
        worker=fold.source_id,
        files=tuple(chain.files),
        first_us=fold.first_us,
        last_us=fold.last_us,
        metrics=worker_metrics(fold),
        derived={
            "reconnections": totals.reconnections,
            "failed_reconnections_total": max(0, totals.attempts - totals.established),
            "max_reconnections_per_minute": timeline.most_per_minute,
            "forced_reconnections": timeline.forced(),
            "restarts": timeline.restarts,
            "gave_up": timeline.gave_up,
        },
        outages=timeline.all_outages(),
        tasks=Tasks(totals.executed, totals.completed, totals.failed, fold.tasks.unfinished),
        markers=in_order(fold.markers),
        gaps=fold.gaps.spans(),
        flaps=tuple(timeline.flaps),
        starts_us=tuple(fold.starts_us),
        stops_us=tuple(fold.stops_us),
        observed=timeline.observed(fold.last_us),
        activity=fold.activity.buckets(),
        config=fold.config,
        task_ms=tuple(fold.tasks.sample_ms),
        first_error=fold.tasks.first_error,
        first_error_evidence=fold.tasks.first_error_evidence,
        port=fold.port,
        totals=totals.as_dict(),
    )


def _fleet_derived(workers: Mapping[str, WorkerResult]) -> dict[str, float]:
    """Counters add up; the busiest minute is that of the worst worker."""
    combined: dict[str, float] = {}
    for worker in workers.values():
        for name, value in worker.derived.items():
            known = combined.get(name, 0)
            combined[name] = max(known, value) if name.startswith("max_") else known + value
    return combined
