"""Three-valued logic, comparisons and the fleet, straight through `evaluate`."""

import math

import numpy as np
import oracle
import pytest

from recontool.alerts.evaluate import evaluate
from recontool.alerts.language.parser import parse

NOW = np.array([0], dtype=np.int64)
KLEENE = {  # what `and`, `or`, `unless` make of true, false and unknown
    "TT": "TTF", "TF": "FTT", "TU": "UTT",
    "FT": "FTF", "FF": "FFF", "FU": "FUF",
    "UT": "UTF", "UF": "FUU", "UU": "UUU",
}  # fmt: skip


def verdict(condition, values, *, fleet=False):
    """T, F or U of a condition over one worker's values, or the fleet's of several."""
    rows = [
        (0, f"w{number}", metric, float(value)) for number, held in enumerate(values) for metric, value in held.items()
    ]
    found = evaluate(parse(condition), oracle.series_of(rows), NOW, fleet=fleet)
    return "T" if found.true[0, 0] else "F" if found.false[0, 0] else "U"


def held(letter, metric):
    return {} if letter == "U" else {metric: 1 if letter == "T" else 0}


@pytest.mark.parametrize("sides", KLEENE)
def test_joins_of_known_and_unknown(sides):
    values = [{**held(sides[0], "queue_depth"), **held(sides[1], "uptime_s"), "messages_sent": 0}]
    found = "".join(verdict(f"queue_depth > 0 {join} uptime_s > 0", values) for join in ("and", "or", "unless"))
    assert found == KLEENE[sides]


@pytest.mark.parametrize(("letter", "negated"), [("T", "F"), ("F", "T"), ("U", "U")])
def test_not(letter, negated):
    assert verdict("not queue_depth > 0", [{**held(letter, "queue_depth"), "uptime_s": 0}]) == negated


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        (">", "F", "F", "T"),
        (">=", "F", "T", "T"),
        ("<", "T", "F", "F"),
        ("<=", "T", "T", "F"),
        ("==", "F", "T", "F"),
        ("!=", "T", "F", "T"),
    ],
)
def test_comparisons(op, below, at, above):
    found = [verdict(f"queue_depth {op} 3", [{"queue_depth": value}]) for value in (2, 3, 4, math.nan)]
    assert found == [below, at, above, "F"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("queue_depth / uptime_s > 1000", "T"),  # something over zero is infinite
        ("message_errors / uptime_s > 0", "F"),  # zero over zero is no number
        ("queue_depth + messages_received > 0", "U"),  # what is absent leaves nothing
        ("abs(-queue_depth) == 5 and -queue_depth - 1 == -6", "T"),
        ("2 * queue_depth - 4 / 2 == 8", "T"),
    ],
)
def test_arithmetic(condition, expected):
    assert verdict(condition, [{"queue_depth": 5, "uptime_s": 0, "message_errors": 0}]) == expected


FLEET = [
    {"queue_depth": 3, "task_success_rate": 1.0, "tasks_executed": 9, "max_reconnect_time": 4, "compression_ratio": 1},
    {"queue_depth": 4, "task_success_rate": 0.5, "tasks_executed": 1, "max_reconnect_time": 9, "compression_ratio": 4},
    {"uptime_s": 1},
]


@pytest.mark.parametrize(
    "condition",
    [
        "queue_depth == 7",
        "task_success_rate == 0.95",
        "max_reconnect_time == 9",
        "compression_ratio == 2.5",
        "min(queue_depth[1m]) == 3",
        "max(queue_depth[1m]) == 4",
        "count(queue_depth[1m]) == 2",
        "not absent(queue_depth[5m]) and absent(messages_sent[5m])",
    ],
)
def test_the_fleet(condition):
    assert verdict(condition, FLEET, fleet=True) == "T"


def test_where_no_worker_tells_what_its_mean_stands_for_all_count_the_same():
    values = [{"task_success_rate": 1.0, "tasks_executed": 0}, {"task_success_rate": 0.5}]
    assert verdict("task_success_rate == 0.75", values, fleet=True) == "T"
    assert verdict("task_success_rate == 0.75", [{}], fleet=True) == "U"
