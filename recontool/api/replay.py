"""`recontool.backtest`: which alerts recorded data would have raised, as a pandas DataFrame."""

from os import PathLike, fspath
from pathlib import Path

import pandas as pd

from recontool.alerts.language.tokens import parse_duration
from recontool.api.backtest import run_backtest
from recontool.api.rules import rules_of
from recontool.model.errors import UsageError
from recontool.model.instant import from_datetime

_TIMES = ("pending_at", "fired_at", "resolved_at")


def backtest(
    *paths: str | PathLike[str],
    rules: str | PathLike[str] | None = None,
    since: str | pd.Timestamp | None = None,
    until: str | pd.Timestamp | None = None,
    step: str = "15s",
) -> pd.DataFrame:
    """Evaluate a rules file (the built-in rules without one) over logs and snapshot files.

    Args:
        paths: logs, folders, patterns, Parquet or CSV files of samples.
        rules: YAML file.
        since: first evaluation; default the first sample. A time without a zone is UTC, as for `until`.
        until: last evaluation; default the last sample.
        step: distance of evaluations, e.g. 500ms, 15s, 1m.

    Returns:
        A row per interval: alert, severity, worker (None for the fleet), pending_at, fired_at (NaT if it never
        fired), resolved_at (NaT if it still fires), peak (NaN where there is none), evidence. Empty if nothing fired.

    Raises:
        ReconError: a file cannot be read or used; the message says what to do.
    """
    step_us = parse_duration(step)
    if not step_us:
        raise UsageError(f"{step!r} is no duration, expected e.g. 500ms, 15s, 1m", where="step")
    found = run_backtest(
        [fspath(path) for path in paths],
        rules_of(None if rules is None else Path(rules)).rules,
        since_us=_micros(since),
        until_us=_micros(until),
        step_us=step_us,
    )
    rows = [
        (one.alert, one.severity, one.worker, one.pending_us, one.fired_us, one.resolved_us, one.peak, place)
        for one, place in zip(found.alerts, found.evidence, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["alert", "severity", "worker", *_TIMES, "peak", "evidence"])
    for name in _TIMES:
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="us", utc=True)
    frame["peak"] = frame["peak"].astype("float64")
    return frame


def _micros(at: str | pd.Timestamp | None) -> int | None:
    if at is None:
        return None
    moment = pd.Timestamp(at)
    return from_datetime((moment.tz_localize("UTC") if moment.tzinfo is None else moment).to_pydatetime())
