"""Exported names: the rule on every metric, and the ones people will look for."""

import re

import pytest

from recontool.model.catalogue import ALIASES, CATALOGUE
from recontool.model.prometheus import EXPORTED


@pytest.mark.parametrize(
    ("metric", "name", "kind", "factor"),
    [
        ("avg_message_latency_ms", "recontool_avg_message_latency_seconds", "gauge", 0.001),
        ("avg_message_latency", "recontool_avg_message_latency_seconds", "gauge", 0.001),
        ("avg_reconnect_time", "recontool_avg_reconnect_time_seconds", "gauge", 1.0),
        ("uptime_s", "recontool_uptime_seconds", "gauge", 1.0),
        ("avg_message_size_bytes", "recontool_avg_message_size_bytes", "gauge", 1.0),
        ("messages_sent", "recontool_messages_sent_total", "counter", 1.0),
        ("failed_reconnections", "recontool_failed_reconnections", "gauge", 1.0),
        ("failed_reconnections_total", "recontool_failed_reconnections_total", "counter", 1.0),
        ("reconnections_per_minute", "recontool_reconnections_per_minute", "gauge", 1.0),
        ("connection_stability", "recontool_connection_stability", "gauge", 1.0),
        ("compression_ratio", "recontool_compression_ratio", "gauge", 1.0),
        ("queue_depth", "recontool_queue_depth", "gauge", 1.0),
    ],
)
def test_names_kinds_and_factors(metric, name, kind, factor):
    found = EXPORTED[metric]
    assert (found.name, found.kind, found.factor) == (name, kind, factor)


def test_every_metric_follows_the_rule():
    assert set(EXPORTED) == set(CATALOGUE)
    for name, found in EXPORTED.items():
        unit = CATALOGUE[ALIASES.get(name, name)].unit
        assert re.fullmatch(r"recontool_[a-z][a-z0-9_]*", found.name)
        assert found.name.endswith("_total") is (found.kind == "counter")
        assert found.name.endswith("_seconds") is (unit in {"s", "ms"})
        assert not found.name.endswith(("_ms", "_s"))
