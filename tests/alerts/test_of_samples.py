"""One value for the fleet out of the latest sample of each worker."""

import math

import pytest

from recontool.alerts.fleet import of_samples
from recontool.model.catalogue import CATALOGUE

A = {"messages_sent": 10, "avg_message_latency_ms": 40.0, "max_reconnect_time": 2.0, "queue_depth": 1}
B = {"messages_sent": 30, "avg_message_latency_ms": 80.0, "max_reconnect_time": None, "queue_depth": 4}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("messages_sent", 40.0),
        ("avg_message_latency_ms", 70.0),  # weighted by the messages sent
        ("max_reconnect_time", 2.0),
        ("queue_depth", 5.0),
        ("task_success_rate", None),
    ],
)
def test_counts_add_up_means_are_weighted_and_absent_is_none(metric, value):
    assert of_samples([A, B, {}], [metric]) == {metric: value}


@pytest.mark.parametrize("samples", [[], [{}], [{"messages_sent": math.nan}]])
@pytest.mark.filterwarnings("error")
def test_nothing_to_count_is_none_for_every_metric(samples):
    assert of_samples(samples, CATALOGUE) == dict.fromkeys(CATALOGUE)


def test_means_without_weights_count_alike():
    assert of_samples([{**A, "messages_sent": 0}, {**B, "messages_sent": None}], ["avg_message_latency_ms"]) == {
        "avg_message_latency_ms": 60.0
    }
