"""The oracle: what a real Prometheus 3.5 decided on recorded series, interval by interval; offline and live."""

import oracle
import pytest

pytestmark = pytest.mark.skipif(bool(oracle.missing), reason=oracle.missing)
each_case = pytest.mark.parametrize("case", oracle.CASES, ids=lambda case: case["name"])


@each_case
def test_the_backtest_decides_as_prometheus_did(case):
    found = [(one.alert, one.worker, one.pending_us, one.fired_us, one.resolved_us) for one in oracle.offline(case)]
    assert oracle.intervals(found) == oracle.expected(case)


@each_case
def test_live_evaluation_step_by_step_gives_the_same_firings(case):
    assert oracle.live_firings(case) == oracle.expected_firings(case)
