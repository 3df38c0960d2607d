"""What the analysis decides from thinned samples is what the general evaluator finds in the whole series.

The instants are told here anew: every event, every 15 s from the first record on, and records that end a silence of
more than five minutes.
"""

import random
from itertools import pairwise

import numpy as np
import pytest

from recontool.alerts.backtest import backtest
from recontool.alerts.rules import BUILT_IN, Rule
from recontool.analysis.fleet import FileTag, FleetFold
from recontool.analysis.series import SeriesFleet
from recontool.kernel.library import library
from recontool.logs.format import builtin
from recontool.logs.grammar import render
from recontool.logs.reader import LogReader
from recontool.model.events import Event
from recontool.model.instant import SECOND_US as S
from recontool.model.series import SeriesBuilder

RULES = (
    *BUILT_IN,
    Rule("slow", "avg_message_latency_ms > 150", for_us=20 * S),
    Rule("failing", "failed_reconnections > 1", keep_firing_us=40 * S),
    Rule("busy", "reconnections_per_minute > 1", for_us=25 * S, keep_firing_us=50 * S),
    Rule("few", "reconnections_per_minute < 2", for_us=100 * S, keep_firing_us=400 * S),
    Rule("ratio", "compression_ratio < 1.8", for_us=15 * S, keep_firing_us=15 * S),
)
TAGGED = builtin()["tagged-v1"]
START_US = 1_795_600_000 * S
CLAIM = {"avg_message_latency_ms": 300.0, "messages_sent": 3, "task_success_rate": 0.5, "tasks_executed": 4}
# How often each comes, and what it is.
KINDS = (
    (2, "CONNECT", "attempt", {}),
    (6, "CONNECT", "established", {}),
    (2, "CONNECT", "failed", {}),
    (0.3, "CONNECT", "closed", {}),
    (6, "RECONNECT", "lost", {"cause": "closed"}),
    (4, "RECONNECT", "attempt", {}),
    (4, "RECONNECT", "established", {}),
    (3, "RECONNECT", "failed", {}),
    (2, "TASK", "started", {"task": "t"}),
    (3, "TASK", "completed", {"task": "t", "took_ms": 1.0}),
    (2, "TASK", "failed", {"task": "t", "took_ms": 1.0}),
    (2, "COMPRESS", "compressed", {"raw_bytes": 200, "wire_bytes": 100}),
    (2, "COMPRESS", "compressed", {"raw_bytes": 100, "wire_bytes": 100}),
    (3, "", "message_acked", {"rtt_ms": 50.0}),
    (3, "", "message_acked", {"rtt_ms": 600.0}),
    (0.5, "", "config", {}),
    (0.7, "", "config", {"log_level": "DEBUG"}),
    (0.5, "", "metrics", {**CLAIM, "compression_ratio": 1.2}),
    (5, "", "", {}),
)
SHORT_US = (0, 0, 1, 1000, S // 2, S, 4 * S, 5 * S, 10 * S, 15 * S)
LONG_US = (*SHORT_US, 29 * S, 60 * S, 61 * S, 150 * S, 299 * S, 300 * S, 301 * S, 700 * S)


def made(seed):
    """Records of one worker in the order of time."""
    rng, at_us = random.Random(seed), START_US
    weights = [kind[0] * rng.choice((0.2, 1, 3)) for kind in KINDS]
    busy = rng.random()
    for _ in range(rng.choice((5, 30, 120))):
        _, marker, name, fields = rng.choices(KINDS, weights)[0]
        level = rng.choice(("INFO", "INFO", "INFO", "DEBUG"))
        yield Event(at_us=at_us, level=level, source="w", marker=marker, name=name, fields=dict(fields))
        at_us += rng.choice(SHORT_US if rng.random() < busy else LONG_US)


def line_of(event):
    return render(event) if event.name else f"{render(Event(event.at_us, event.level, 'w', '', 'x'))[:-2]} Just words."


def instants(records):
    named = {one.at_us for one in records if one.name}
    grid = range(records[0].at_us + 15 * S, records[-1].at_us + 1, 15 * S)
    back = {later.at_us for one, later in pairwise(records) if later.at_us - one.at_us > 300 * S}
    return np.array(sorted({*named, *grid, *back}), dtype=np.int64)


def fed(fleet, records):
    fleet.begin(FileTag(0, "w.log", "w.log"))
    for one in records:
        fleet.feed(one)
    return fleet


def in_order(alerts):
    return sorted(alerts, key=lambda alert: (alert.alert, alert.pending_us))


def by_evaluator(records):
    builder = SeriesBuilder()
    fed(SeriesFleet(RULES), records).add_series(builder)
    return in_order(backtest(RULES, builder.build(), instants(records)))


def by_reference(records):
    found = []
    for chain in fed(FleetFold(RULES), records).parts().workers().values():
        chain.watch.finish()
        found += chain.watch.alerts()
    return in_order(found)


def by_core(lines):
    from recontool.analysis.compiled import ReadFile, new_fleet, parts_of, vocabulary
    from recontool.kernel.fleet import Chunk, Parser

    fleet, parser, chunk = new_fleet(RULES), Parser(vocabulary(), TAGGED), Chunk()
    fleet.begin(parser, 0, 0)
    chunk.give("".join(f"{line}\n" for line in lines).encode(), parser)
    fleet.fold(parser, chunk)
    fleet.end_file(parser)
    chains = parts_of(fleet, {0: ReadFile("w.log", TAGGED, "", 0)}, RULES).workers().values()
    return in_order(alert for chain in chains for alert in chain.watch.alerts())


def differs(seed):
    records = list(made(seed))
    if not any(one.name for one in records):
        return 0
    found = by_reference(records)
    assert found == by_evaluator(records), seed
    return len(found)


def test_the_analysis_finds_what_the_evaluator_finds():
    assert sum(differs(seed) for seed in range(400)) > 1000  # alerts compared


@pytest.mark.skipif(library() is None, reason="no compiled core: the reference is all there is")
def test_so_does_the_compiled_core():
    compared = 0
    for seed in range(150):
        lines = [line_of(one) for one in made(seed)]
        records = list(LogReader((f"{line}\n".encode() for line in lines), TAGGED))
        if any(one.name for one in records):
            found = by_core(lines)
            assert found == by_evaluator(records), seed
            compared += len(found)
    assert compared > 500


def test_decades_without_a_record_are_not_walked_through():
    """A block without a header has no time of its own and may stand at the beginning of time."""
    records = [Event(0, "INFO", "w", "", "metrics", CLAIM), *made(1)]
    fleet = fed(SeriesFleet(RULES), records)
    ((_, recorder),) = fleet._recorders()
    found = recorder.instants()
    assert len(found) < 200_000
    day = 86_400 * S
    assert [at in found for at in (15 * S, 21 * day, START_US)] == [True, True, True]
    assert not ((found > 23 * day) & (found < START_US)).any()


def samples_kept(*, count):
    """How many samples the watch keeps of a log in which nothing ever turns, however long it is."""
    records = [Event(START_US, "DEBUG", "w", "CONNECT", "established", {})]
    records += [Event(START_US + n * S, "DEBUG", "w", "", "message_acked", {"rtt_ms": 250.0}) for n in range(1, count)]
    (chain,) = fed(FleetFold(RULES), records).parts().workers().values()
    chain.watch.finish()
    return sum(len(one.samples) for one in chain.watch._rules)


def test_what_is_kept_does_not_grow_with_the_log():
    assert samples_kept(count=4000) == samples_kept(count=400)
