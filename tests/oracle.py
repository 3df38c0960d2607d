"""The oracle's cases and rules as tests use them; `missing` says why there are none."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from recontool.alerts.backtest import backtest, grid
from recontool.alerts.engine import AlertEngine
from recontool.alerts.language.tokens import parse_duration
from recontool.alerts.rules import Rule
from recontool.model.series import Column, SeriesSet, first_seen
from recontool.model.units import SECOND_US

FOLDER = Path(__file__).parents[2] / "shared" / "alert-oracle"
missing = "" if FOLDER.is_dir() else f"the oracle is kept beside the checkout, and there is no {FOLDER.parent}"
CASES = [] if missing else json.loads((FOLDER / "cases.json").read_text("utf-8"))["cases"]
STEP_US = 15 * SECOND_US


def rules():
    """The oracle's 25 rules, read by plain YAML: the rules-file reader has its own tests."""
    document = YAML(typ="safe").load((FOLDER / "rules.yaml").read_text("utf-8"))
    return [
        Rule(
            name,
            fields["condition"],
            fields["severity"],
            for_us=parse_duration(fields.get("for", "0s")),
            keep_firing_us=parse_duration(fields.get("keep_firing_for", "0s")),
            clear_when=fields.get("clear_when", ""),
            scope=fields.get("scope", "worker"),
        )
        for name, fields in document["alerts"]["worker_reconnection"].items()
    ]


def samples(case):
    """(at_us, worker, metric, value) in time order; value is a float or "stale"."""
    found = [
        (number * case["step_s"] * SECOND_US, one["worker"], one["metric"], value if value == "stale" else float(value))
        for one in case["series"]
        for number, value in enumerate(one["values"])
        if value is not None
    ]
    return sorted(found, key=lambda sample: sample[0])


def series_of(rows):
    """The series set of (at_us, worker, metric, value) rows."""
    workers = list(dict.fromkeys(worker for _, worker, _, _ in rows))
    grouped = defaultdict(list)
    for at_us, worker, metric, value in rows:
        grouped[metric].append((workers.index(worker), at_us, value))
    columns = {
        metric: Column.gather(
            len(workers),
            np.array([row for row, _, _ in found], dtype=np.int64),
            np.array([at_us for _, at_us, _ in found], dtype=np.int64),
            np.array([0.0 if value == "stale" else value for _, _, value in found]),
            stale=np.array([value == "stale" for _, _, value in found]),
        )
        for metric, found in grouped.items()
    }
    return SeriesSet(workers, columns, first_seen(len(workers), columns))


def expected(case):
    """(alert, worker) -> (pending, firing) intervals in seconds."""
    return {(one["alert"], one["worker"]): (one["pending"], one["firing"]) for one in case["expected"]}


def intervals(found):
    """The same from (alert, worker, pending_us, fired_us, resolved_us) rows."""
    kept = defaultdict(lambda: ([], []))
    for alert, worker, *moments in found:
        pending, fired, resolved = (None if at_us is None else at_us / SECOND_US for at_us in moments)
        ends = resolved if fired is None else fired
        if ends != pending:
            kept[alert, worker][0].append([pending, ends])
        if fired is not None:
            kept[alert, worker][1].append([fired, resolved])
    return dict(kept)


def offline(case):
    """What the backtest makes of a case."""
    until_us = case["last_eval_s"] * SECOND_US
    return backtest(rules(), series_of(samples(case)), grid(0, until_us, STEP_US))


def expected_firings(case):
    """(alert, worker, fired_us, resolved_us) of the backtest, sorted."""
    found = offline(case)
    return sorted(
        ((one.alert, one.worker, one.fired_us, one.resolved_us) for one in found if one.fired_us is not None), key=str
    )


def live_firings(case):
    """The same from the live engine, round by round; every fifth round it is written to JSON and read back."""
    engine, firing, ended = AlertEngine(rules()), {}, []
    waiting = samples(case)[::-1]
    for number, at_us in enumerate(range(0, case["last_eval_s"] * SECOND_US + 1, STEP_US)):
        while waiting and waiting[-1][0] <= at_us:
            sampled_us, worker, metric, value = waiting.pop()
            if value == "stale":
                engine.end_series(sampled_us, worker, metric)
            else:
                engine.add(sampled_us, {worker: {metric: value}})
        for change in engine.evaluate(at_us):
            key = change.alert, change.worker
            if change.state == "firing":
                firing[key] = at_us
            elif change.state == "resolved":
                ended.append((*key, firing.pop(key), at_us))
        if number % 5 == 0:
            engine = AlertEngine.load(rules(), json.loads(json.dumps(engine.dump())))
    return sorted([*ended, *((*key, fired_us, None) for key, fired_us in firing.items())], key=str)
