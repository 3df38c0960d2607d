"""Turns an `Analysis` into the JSON object of `analyze --format json`, schema `recontool.analysis/1`.

Times are ISO 8601 UTC with microseconds, durations seconds as numbers; lists are bounded and say what they
leave out; NaN and Infinity never appear. Keys may be added, never renamed. Source: SPEC section 6.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from recontool.logs.inputs import as_text
from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import (
    LISTED,
    Alert,
    Analysis,
    ClockOffset,
    CoordinatorResult,
    Disagreement,
    Incident,
    InputFile,
    MetricValue,
    Outage,
    SecurityFinding,
    Span,
    WorkerResult,
)
from recontool.model.instant import iso, seconds
from recontool.report import ranking

SCHEMA: Final = "recontool.analysis/1"
Json: TypeAlias = dict[str, Any]


def alert_json(alert: Alert) -> Json:
    """One interval as the contract has it."""
    return {
        "alert": alert.alert,
        "severity": alert.severity,
        "worker": alert.worker,
        "pending_at": iso(alert.pending_us),
        "fired_at": None if alert.fired_us is None else iso(alert.fired_us),
        "resolved_at": None if alert.resolved_us is None else iso(alert.resolved_us),
        "peak": alert.peak if alert.peak is not None and math.isfinite(alert.peak) else None,
    }


def document(analysis: Analysis) -> Json:
    """Everything `analysis` found, as plain dicts, lists, strings, numbers and None."""
    alerts, alerts_omitted = ranking.bounded(
        analysis.alerts,
        LISTED,
        lambda alert: ranking.alert_end_us(alert, analysis) - alert.pending_us,
        lambda a: a.pending_us,
    )
    incidents, incidents_omitted = ranking.bounded(
        analysis.incidents, LISTED, lambda incident: incident.lost_us, lambda incident: incident.start_us
    )
    return {
        "schema": SCHEMA,
        "version": analysis.version,
        "verdict": {"severity": analysis.verdict.severity, "sentence": analysis.verdict.sentence},
        "first_at": _iso(analysis.first_us),
        "last_at": _iso(analysis.last_us),
        "inputs": [_input(file) for file in analysis.inputs],
        "workers": {key: _worker(worker) for key, worker in analysis.workers.items()},
        "coordinators": {key: _coordinator(found) for key, found in analysis.coordinators.items()},
        "fleet": {"metrics": _metrics(analysis.fleet), "derived": _derived(analysis.fleet_derived)},
        "incidents": [_incident(incident) for incident in incidents],
        "incidents_omitted": incidents_omitted,
        "alerts": [alert_json(alert) for alert in alerts],
        "alerts_omitted": alerts_omitted,
        **_listed("clocks", (_clock(clock) for clock in analysis.clocks)),
        "recommendations": [
            {
                "title": advice.title,
                "setting": advice.setting or None,
                "current": advice.current or None,
                "proposed": advice.proposed or None,
                "reason": advice.reason,
                "workers": list(advice.workers),
                "evidence": list(advice.evidence),
            }
            for advice in analysis.recommendations
        ],
        **_listed("disagreements", (_disagreement(claim) for claim in analysis.disagreements)),
        **_listed("security", (_security(found) for found in analysis.security)),
        **_listed(
            "quality",
            (
                {"subject": note.subject, "text": note.text, "evidence": list(note.evidence)}
                for note in analysis.quality
            ),
        ),
    }


def _clock(clock: ClockOffset) -> Json:
    return {
        "worker": clock.worker,
        "ahead_s": seconds(clock.offset_us),
        "error_s": seconds(clock.error_us),
        "sessions": clock.sessions,
    }


def _security(found: SecurityFinding) -> Json:
    return {
        "source": found.source,
        "event": found.event,
        "count": found.count,
        "detail": found.detail,
        "first_at": iso(found.first_us),
        "last_at": iso(found.last_us),
        "evidence": list(found.evidence),
    }


def _listed(name: str, items: Iterable[Json]) -> Json:
    """The first `LISTED` items under `name` and the number left out under `name_omitted`."""
    everything = list(items)
    return {name: everything[:LISTED], f"{name}_omitted": max(len(everything) - LISTED, 0)}


def _input(file: InputFile) -> Json:
    lines = file.lines
    return {
        "path": as_text(file.path),
        "name": file.name,
        "format": file.format,
        "role": file.role,
        "bytes": file.bytes,
        "lines": {
            "total": lines.total,
            "parsed": lines.parsed,
            "continuation": lines.continuation,
            "blank": lines.blank,
            "unmarked": lines.unmarked,
            "unparsed": lines.unparsed,
            "duplicate": lines.duplicate,
        },
        "first_at": _iso(file.first_us),
        "last_at": _iso(file.last_us),
        "unparsed_examples": [
            {"at": f"{file.name}:{line}", "text": text, "reason": why} for line, text, why in file.unparsed_examples
        ],
    }


def _worker(worker: WorkerResult) -> Json:
    outages, omitted = ranking.listed_outages(worker, LISTED)
    tasks = worker.tasks
    return {
        "worker": worker.worker,
        "files": list(worker.files),
        "first_at": iso(worker.first_us),
        "last_at": iso(worker.last_us),
        "metrics": _metrics(worker.metrics),
        "derived": _derived(worker.derived),
        "outages": [_outage(outage) for outage in outages],
        "outages_omitted": omitted,
        "tasks": {
            "executed": tasks.executed,
            "succeeded": tasks.succeeded,
            "failed": tasks.failed,
            "unfinished": tasks.unfinished,
        },
        "markers": {str(marker): number for marker, number in worker.markers.items()},
        **_listed("gaps", (_span(gap) for gap in worker.gaps)),
        **_listed("flaps", (_span(flap) for flap in worker.flaps)),
        "starts": [iso(start) for start in worker.starts_us[:LISTED]],
    }


def _coordinator(found: CoordinatorResult) -> Json:
    return {
        **dict(found.counts),
        "first_at": iso(found.first_us),
        "last_at": iso(found.last_us),
        "started_at": [iso(start) for start in found.starts_us[:LISTED]],
        "stopped_at": [iso(stop) for stop in found.stops_us[:LISTED]],
        "markers": {str(marker): number for marker, number in found.markers.items()},
        "evidence": list(found.start_evidence[:LISTED]),
    }


def _metrics(metrics: Mapping[str, MetricValue]) -> Json:
    return {name: _metric(name, found) for name, found in metrics.items()}


def _metric(name: str, found: MetricValue) -> Json:
    unit = CATALOGUE[name].unit
    shown: Json = {
        "value": _number(found.value, whole=unit == "count"),
        "unit": unit,
        "status": found.status,
        "source": found.source or None,
    }
    if shown["value"] is None:
        shown["reason"] = found.reason
    if found.side:
        shown["side"] = found.side
    if found.note:
        shown["note"] = found.note
    return shown


def _derived(derived: Mapping[str, float]) -> Json:
    return {name: _number(amount, whole=True) for name, amount in derived.items()}


def _outage(outage: Outage) -> Json:
    duration_us = outage.duration_us
    return {
        "start": iso(outage.start_us),
        "end": _iso(outage.end_us),
        "duration_s": None if duration_us is None else seconds(duration_us),
        "cause": outage.cause,
        "code": outage.code,
        "attempts": outage.attempts,
        "evidence": list(outage.evidence),
    }


def _incident(incident: Incident) -> Json:
    return {
        "cause": incident.cause,
        "title": incident.title,
        "start": iso(incident.start_us),
        "end": _iso(incident.end_us),
        "workers": list(incident.workers),
        "outages": len(incident.outages),
        "lost_s": seconds(incident.lost_us),
        "evidence": list(incident.evidence),
    }


def _disagreement(claim: Disagreement) -> Json:
    return {
        "worker": claim.worker,
        "metric": claim.metric,
        "claimed": _number(claim.claimed),
        "shown": _number(claim.shown),
        "at": iso(claim.at_us),
        "explanation": claim.explanation,
        "evidence": list(claim.evidence),
    }


def _span(part: Span) -> Json:
    return {"start": iso(part.start_us), "end": iso(part.end_us), "duration_s": seconds(part.end_us - part.start_us)}


def _iso(at_us: int | None) -> str | None:
    return None if at_us is None else iso(at_us)


def _number(amount: float | None, *, whole: bool = False) -> float | int | None:
    if amount is None or not math.isfinite(amount):
        return None
    return round(amount) if whole and amount == round(amount) else amount
