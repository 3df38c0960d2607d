"""`/metrics` as Prometheus' own client library reads it."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from recontool.model.catalogue import CATALOGUE
from recontool.model.prometheus import EXPORTED
from recontool.runtime.exposition import FRESH_US, Family, labels, of_workers, text
from recontool.runtime.instructions import Sample

NOW_US = 1_767_225_600_000_000
FULL = Sample("w-1", NOW_US - 1, {name: number + 0.5 for number, name in enumerate(CATALOGUE)})


def parsed(families):
    found = {}
    for family in text_string_to_metric_families(text(families).decode()):
        for sample in family.samples:
            found[sample.name, sample.labels.get("worker")] = (family.type, sample.value)
    return found


def test_every_metric_of_the_catalogue_in_base_units():
    found = parsed(of_workers([FULL], frozenset({"w-1"}), NOW_US))
    for name, exported in EXPORTED.items():
        if name != "avg_message_latency":  # an alias has no line of its own
            kind, value = found[exported.name, "w-1"]
            assert kind == exported.kind
            assert value == pytest.approx(FULL.metrics[name] * exported.factor)
    assert found["recontool_worker_connected", "w-1"] == ("gauge", 1)
    assert found["recontool_worker_reported_timestamp_seconds", "w-1"][1] == pytest.approx(NOW_US / 1e6)


def test_what_is_not_known_or_not_fresh_has_no_line():
    samples = [
        Sample("gone", NOW_US - FRESH_US, {"messages_sent": 1}),
        Sample("new", 0, {}),
        Sample("null", NOW_US, {"messages_sent": None, "queue_depth": 0}),
    ]
    found = parsed(of_workers(samples, frozenset({"new"}), NOW_US))
    assert {worker for name, worker in found if name == "recontool_queue_depth"} == {"null"}
    assert not [name for name, _ in found if name.startswith("recontool_messages_sent")]
    connected = {worker: value for (name, worker), (_, value) in found.items() if name == "recontool_worker_connected"}
    assert connected == {"gone": 0, "new": 1, "null": 0}


@pytest.mark.parametrize("name", ['quote"', "back\\slash", "new\nline", "ü b"])
def test_any_label_can_be_read_back(name):
    found = parsed([Family("recontool_x", "gauge", 'a "help"\\ with\nall', [(labels(worker=name), 1.0)])])
    assert found == {("recontool_x", name): ("gauge", 1.0)}


@pytest.mark.parametrize("value", [0, 3, 2**60, 0.1, 1e-9, 1e300, math.inf, -math.inf])
def test_numbers_are_exact(value):
    assert parsed([Family("recontool_x", "gauge", "", [(labels(), value)])]) == {
        ("recontool_x", None): ("gauge", value)
    }


def test_nan_is_nan():
    assert math.isnan(parsed([Family("recontool_x", "gauge", "", [("", math.nan)])])["recontool_x", None][1])
