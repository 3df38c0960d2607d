"""The parts of an analysis as typed pandas DataFrames: the same columns and types whether there are rows or not."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import pandas as pd
from msgspec import Struct

from recontool.model.catalogue import CATALOGUE
from recontool.model.comparison import Comparison
from recontool.model.events import Event
from recontool.model.findings import Analysis, MetricValue
from recontool.model.instant import seconds
from recontool.model.markers import COORDINATOR

SEVERITY: Final = pd.CategoricalDtype(["INFO", "WARNING", "CRITICAL"], ordered=True)
STATUS: Final = pd.CategoricalDtype(["ok", "outside", "no_data"])
SOURCE: Final = pd.CategoricalDtype(["", "events", "block", "snapshot"])
OUTCOME: Final = pd.CategoricalDtype(["established", "failed"])
VERDICT: Final = pd.CategoricalDtype(["worse", "unclear", "same", "better", "neutral", "no_data"])
_TRIES: Final = frozenset({"CONNECT", "RECONNECT"})
_ANSWERS: Final = frozenset({"established", "failed"})
_SAID: Final = _ANSWERS | {"attempt", "lost", "closed", "gave_up"}

Kinds: TypeAlias = Mapping[str, Any]  # type of each column in order; "time" is a UTC timestamp in microseconds


def outages(analysis: Analysis) -> pd.DataFrame:
    """worker, start, end (NaT while open), duration_s, cause, code, attempts, evidence."""
    rows = [
        {
            "worker": outage.worker,
            "start": outage.start_us,
            "end": outage.end_us,
            "duration_s": None if outage.duration_us is None else seconds(outage.duration_us),
            "cause": outage.cause,
            "code": outage.code,
            "attempts": outage.attempts,
            "evidence": list(outage.evidence),
        }
        for worker in analysis.workers.values()
        for outage in worker.outages
    ]
    kinds = {
        "worker": "str",
        "start": "time",
        "end": "time",
        "duration_s": "float64",
        "cause": "category",
        "code": "Int64",
        "attempts": "int64",
        "evidence": "object",
    }
    return _frame(rows, kinds)


def incidents(analysis: Analysis) -> pd.DataFrame:
    """cause, title, start, end (NaT while open), workers, outages (their number), lost_s, evidence."""
    rows = [
        {
            "cause": incident.cause,
            "title": incident.title,
            "start": incident.start_us,
            "end": incident.end_us,
            "workers": list(incident.workers),
            "outages": len(incident.outages),
            "lost_s": seconds(incident.lost_us),
            "evidence": list(incident.evidence),
        }
        for incident in analysis.incidents
    ]
    kinds = {
        "cause": "category",
        "title": "str",
        "start": "time",
        "end": "time",
        "workers": "object",
        "outages": "int64",
        "lost_s": "float64",
        "evidence": "object",
    }
    return _frame(rows, kinds)


def metrics(analysis: Analysis) -> pd.DataFrame:
    """Worker ("fleet" for all together), metric, value (NaN when there is nothing to count), unit, status, source, reason."""
    by_worker: Mapping[str, Mapping[str, MetricValue]] = {
        **{key: worker.metrics for key, worker in analysis.workers.items()},
        "fleet": analysis.fleet,
    }
    rows = [
        {
            "worker": key,
            "metric": name,
            "value": found.value,
            "unit": CATALOGUE[name].unit,
            "status": found.status,
            "source": found.source,
            "reason": found.reason,
        }
        for key, found_of in by_worker.items()
        for name, found in found_of.items()
    ]
    kinds = {
        "worker": "str",
        "metric": "str",
        "value": "float64",
        "unit": "category",
        "status": STATUS,
        "source": SOURCE,
        "reason": "str",
    }
    return _frame(rows, kinds)


def alerts(analysis: Analysis) -> pd.DataFrame:
    """alert, severity, worker, peak, pending_at, fired_at, resolved_at (NaT while firing)."""
    rows = [
        {
            "alert": alert.alert,
            "severity": alert.severity,
            "worker": alert.worker,
            "peak": alert.peak,
            "pending_at": alert.pending_us,
            "fired_at": alert.fired_us,
            "resolved_at": alert.resolved_us,
        }
        for alert in analysis.alerts
    ]
    kinds = {
        "alert": "category",
        "severity": SEVERITY,
        "worker": "str",
        "peak": "float64",
        "pending_at": "time",
        "fired_at": "time",
        "resolved_at": "time",
    }
    return _frame(rows, kinds)


def attempts(analysis: Analysis, events: Iterable[tuple[str, Event]]) -> pd.DataFrame:
    """One row per try to connect: worker, at, ended (NaT when the log does not say), took_s, marker, n, outcome, error, file, line.

    A try without a word about its end has failed, as in the metrics.
    """
    keys = {(worker.worker, file): key for key, worker in analysis.workers.items() for file in worker.files}
    open_tries: dict[str, _Try] = {}
    done: list[_Try] = []
    for file, event in events:
        of_connection = event.marker in _TRIES and event.name in _SAID
        if event.source == COORDINATOR or not (of_connection or event.name == "config"):
            continue
        key = keys.get((event.source, file), event.source)
        pending = open_tries.pop(key, None)
        if pending is not None and event.name in _ANSWERS:
            pending.ended = event
        if event.name == "attempt":
            open_tries[key] = _Try(key, file, event)
            done.append(open_tries[key])
    rows = [one.row() for one in sorted(done, key=lambda one: one.began.at_us)]
    kinds = {
        "worker": "str",
        "at": "time",
        "ended": "time",
        "took_s": "float64",
        "marker": "category",
        "n": "Int64",
        "outcome": OUTCOME,
        "error": "str",
        "file": "category",
        "line": "int64",
    }
    return _frame(rows, kinds)


def recommendations(analysis: Analysis) -> pd.DataFrame:
    """title, setting ("" when the advice is no setting), current, proposed, reason, workers, evidence."""
    rows = [
        {
            "title": advice.title,
            "setting": advice.setting,
            "current": advice.current,
            "proposed": advice.proposed,
            "reason": advice.reason,
            "workers": list(advice.workers),
            "evidence": list(advice.evidence),
        }
        for advice in analysis.recommendations
    ]
    texts = dict.fromkeys(("title", "setting", "current", "proposed", "reason"), "str")
    return _frame(rows, {**texts, "workers": "object", "evidence": "object"})


def differences(comparison: Comparison) -> pd.DataFrame:
    """One row per measure: base, new, change with its interval, p values, effect, verdict."""
    rows = [
        {
            "measure": one.measure,
            "unit": one.unit,
            "base": one.base,
            "new": one.new,
            "scale": one.scale,
            "change": one.change,
            "low": one.low,
            "high": one.high,
            "p": one.p,
            "p_adjusted": one.p_adjusted,
            "cliffs_delta": one.effect,
            "resampled": one.resampled,
            "verdict": one.verdict,
            "reason": one.reason,
        }
        for one in comparison.differences
    ]
    numbers = dict.fromkeys(("change", "low", "high", "p", "p_adjusted", "cliffs_delta"), "float64")
    kinds = {
        "measure": "str",
        "unit": "category",
        "base": "float64",
        "new": "float64",
        "scale": "category",
        **numbers,
        "resampled": "category",
        "verdict": VERDICT,
        "reason": "str",
    }
    return _frame(rows, kinds)


class _Try(Struct):
    """One attempt, and the event that ended it."""

    worker: str
    file: str
    began: Event
    ended: Event | None = None

    def row(self) -> dict[str, Any]:
        """The columns of `attempts`."""
        ended = self.ended
        logged = ended.fields.get("took_s") if ended is not None else None
        between = None if ended is None else seconds(ended.at_us - self.began.at_us)
        return {
            "worker": self.worker,
            "at": self.began.at_us,
            "ended": None if ended is None else ended.at_us,
            "took_s": logged if isinstance(logged, float) else between,
            "marker": self.began.marker,
            "n": self.began.fields.get("n"),
            "outcome": "established" if ended is not None and ended.name == "established" else "failed",
            "error": "" if ended is None else str(ended.fields.get("error", "")),
            "file": self.file,
            "line": self.began.line,
        }


def _frame(rows: list[dict[str, Any]], kinds: Kinds) -> pd.DataFrame:
    """A frame with the same typed columns whether it has rows or not."""
    frame = pd.DataFrame(rows, columns=pd.Index(list(kinds)))
    for name, kind in kinds.items():
        if isinstance(kind, str) and kind == "time":
            frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="us", utc=True).astype("datetime64[us, UTC]")
    return frame.astype({name: kind for name, kind in kinds.items() if not (isinstance(kind, str) and kind == "time")})
