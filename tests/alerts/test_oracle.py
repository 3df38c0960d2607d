"""The oracle: what a real Prometheus 3.5 decided on recorded series, interval by interval; offline and live."""

import json

import oracle
import pytest

from recontool.alerts.backtest import backtest, grid
from recontool.alerts.engine import AlertEngine
from recontool.model.instant import SECOND_US

pytestmark = pytest.mark.skipif(bool(oracle.missing), reason=oracle.missing)
each_case = pytest.mark.parametrize("case", oracle.CASES, ids=lambda case: case["name"])


def offline(case):
    until_us = case["last_eval_s"] * SECOND_US
    return backtest(oracle.rules(), oracle.series_of(oracle.samples(case)), grid(0, until_us, oracle.STEP_US))


@each_case
def test_the_backtest_decides_as_prometheus_did(case):
    found = [(one.alert, one.worker, one.pending_us, one.fired_us, one.resolved_us) for one in offline(case)]
    assert oracle.intervals(found) == oracle.expected(case)


@each_case
def test_live_evaluation_step_by_step_gives_the_same_firings(case):
    """Every fifth round the engine is written to JSON and read back, as over a coordinator's restart."""
    engine, firing, ended = AlertEngine(oracle.rules()), {}, []
    waiting = oracle.samples(case)
    for number, at_us in enumerate(range(0, case["last_eval_s"] * SECOND_US + 1, oracle.STEP_US)):
        while waiting and waiting[0][0] <= at_us:
            sampled_us, worker, metric, value = waiting.pop(0)
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
            engine = AlertEngine.load(oracle.rules(), json.loads(json.dumps(engine.dump())))
    ended += [(*key, fired_us, None) for key, fired_us in firing.items()]
    expected = [
        (one.alert, one.worker, one.fired_us, one.resolved_us) for one in offline(case) if one.fired_us is not None
    ]
    assert sorted(ended, key=str) == sorted(expected, key=str)
