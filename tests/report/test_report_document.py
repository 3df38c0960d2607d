import json
import math
from typing import Any

import pytest
from fleet_builder import fleet
from msgspec.structs import replace

from recontool.model.catalogue import DOCUMENTED
from recontool.model.findings import LISTED, MetricValue
from recontool.report.document import document


def walk(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in walk(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in walk(item)]
    return [value]


@pytest.mark.parametrize("number", [0, 1, 4, 50])
def test_document_is_json_and_survives_the_round_trip(number: int) -> None:
    found = document(fleet(number))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["schema"] == "recontool.analysis/1"
    assert list(found["fleet"]["metrics"]) == [metric.name for metric in DOCUMENTED]


def test_keys_are_those_of_the_contract() -> None:
    found = document(fleet(1))
    assert {"schema", "inputs", "workers", "coordinators", "fleet", "incidents", "alerts", "recommendations"} <= set(
        found
    )
    assert {"disagreements", "alerts_omitted", "incidents_omitted", "verdict", "security", "quality"} <= set(found)
    lines = {"total", "parsed", "continuation", "blank", "unmarked", "unparsed", "duplicate"}
    assert set(found["inputs"][0]["lines"]) == lines
    worker = found["workers"]["worker-1"]
    assert {"metrics", "derived", "outages", "outages_omitted", "tasks", "markers"} <= set(worker)
    assert {"start", "end", "duration_s", "cause", "attempts", "evidence"} <= set(worker["outages"][0])
    assert set(worker["tasks"]) == {"executed", "succeeded", "failed", "unfinished"}
    alert = {"alert", "severity", "worker", "pending_at", "fired_at", "resolved_at", "peak"}
    assert set(found["alerts"][0]) == alert
    assert found["coordinators"]["coordinator.log"]["accepted"] == 4


def test_values_carry_unit_status_source_and_a_reason_when_null() -> None:
    metrics = document(fleet(1))["workers"]["worker-1"]["metrics"]
    assert metrics["messages_sent"] == {"value": 12345, "unit": "count", "status": "ok", "source": "events"}
    assert isinstance(metrics["messages_sent"]["value"], int)
    assert metrics["max_reconnect_time"]["status"] == "outside"
    assert metrics["max_reconnect_time"]["side"] == "high"
    none = {"value": None, "unit": "ms", "status": "no_data", "source": None, "reason": "no message was decompressed"}
    assert metrics["decompression_time_ms"] == none
    assert metrics["compression_ratio"]["note"] == "better than the normal range"


def test_times_are_iso_utc_with_microseconds_and_durations_seconds() -> None:
    analysis = fleet(1)
    outage = document(analysis)["workers"]["worker-1"]["outages"][0]
    first = analysis.workers["worker-1"].outages[0]
    assert outage["start"].endswith("Z")
    assert len(outage["start"]) == len("2026-11-24T08:00:00.000000Z")
    assert first.duration_us is not None
    assert outage["duration_s"] == first.duration_us / 1_000_000


def test_an_open_outage_has_no_end_and_no_duration() -> None:
    analysis = fleet(1, outages=1)
    worker = analysis.workers["worker-1"]
    still = replace(worker, outages=(replace(worker.outages[0], end_us=None),))
    outage = document(replace(analysis, workers={"worker-1": still}))["workers"]["worker-1"]["outages"][0]
    assert (outage["end"], outage["duration_s"]) == (None, None)


def test_the_longest_outages_are_listed_in_time_order_and_the_rest_counted() -> None:
    analysis = fleet(1, outages=LISTED + 200)
    worker = document(analysis)["workers"]["worker-1"]
    outages = worker["outages"]
    assert (len(outages), worker["outages_omitted"]) == (LISTED, 200)
    assert [o["start"] for o in outages] == sorted(o["start"] for o in outages)
    durations = sorted(o.duration_us or 0 for o in analysis.workers["worker-1"].outages)
    assert min(o["duration_s"] for o in outages) == durations[200] / 1_000_000


def test_alerts_are_bounded() -> None:
    analysis = fleet(1)
    found = document(replace(analysis, alerts=analysis.alerts * LISTED))
    assert len(found["alerts"]) == LISTED
    assert found["alerts_omitted"] == len(analysis.alerts) * LISTED - LISTED


def test_nan_and_infinity_never_appear() -> None:
    analysis = fleet(1)
    broken = {
        **analysis.fleet,
        "avg_reconnect_time": MetricValue(math.inf, "events"),
        "messages_sent": MetricValue(math.nan, "events"),
    }
    found = document(replace(analysis, fleet=broken, fleet_derived={"reconnections": math.nan}))
    assert [leaf for leaf in walk(found) if isinstance(leaf, float) and not math.isfinite(leaf)] == []
    assert found["fleet"]["metrics"]["messages_sent"]["value"] is None
