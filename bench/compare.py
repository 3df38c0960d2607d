"""Scores `compare` on pairs whose truth is known: false alarms without a difference, slowdowns found. `python bench/compare.py`.

Every run is written as logs and goes through the whole analysis. A false alarm is a pair with any measure called
better or worse; a planted slowdown is found when its own measure is called worse.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import made_runs
from made_runs import Fleet
from msgspec.structs import replace

from recontool.analysis.compare.runs import compare_runs
from recontool.api.analyze import analyze
from recontool.model.comparison import Comparison
from recontool.model.findings import Analysis

SLOWER: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "reconnect times": ("reconnect", frozenset({"avg_reconnect_time", "typical_reconnect_time"})),
    "task times": ("task", frozenset({"avg_task_execution_time_ms"})),
    "message latency": ("latency", frozenset({"avg_message_latency_ms"})),
}
FLEETS: Final[Mapping[str, Fleet]] = {
    "16 workers, 8 h": Fleet(),
    "16 unlike workers": Fleet(spread=0.4),
    "1 worker, 96 h": Fleet(workers=1, hours=96.0),
}


def main() -> None:
    """Print the table; exit status 0 whatever the scores are: they are for reading."""
    options = argparse.ArgumentParser(description="Score the comparison on seeded pairs.")
    options.add_argument("--pairs", type=int, default=200, help="pairs without a difference")
    options.add_argument("--planted", type=int, default=100, help="pairs per planted slowdown")
    options.add_argument("--slowdown", type=float, default=1.2, help="factor that is planted")
    options.add_argument("--fleet", choices=list(FLEETS), default=next(iter(FLEETS)))
    options.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given = options.parse_args()
    fleet = FLEETS[given.fleet]
    alarms, called = false_alarms(fleet, given.pairs)
    shares = {name: found(fleet, name, given.planted, given.slowdown) for name in SLOWER}
    if given.json:
        print(json.dumps({"false_alarms": alarms, "pairs": given.pairs, "found": shares, "planted": given.planted}))
        return
    print(f"fleet: {given.fleet}; about {fleet.workers * fleet.hours * fleet.outages_per_hour:.0f} outages per run")
    print(f"{'no difference':<34} {alarms:>4} of {given.pairs} pairs with a false alarm ({alarms / given.pairs:.1%})")
    print(f"{'':<34} {dict(called) or 'none'}")
    for name, hits in shares.items():
        title = f"{name} x {given.slowdown:g}"
        print(f"{title:<34} {hits:>4} of {given.planted} found ({hits / given.planted:.1%})")


def false_alarms(fleet: Fleet, pairs: int) -> tuple[int, Counter[str]]:
    """Pairs of runs of one fleet in which any measure was called, and how often each was."""
    called: Counter[str] = Counter()
    alarms = 0
    for i in range(pairs):
        compared = compare_runs(run(fleet, 2 * i), run(fleet, 2 * i + 1))
        names = calls(compared)
        called.update(names)
        alarms += bool(names)
    return alarms, called


def found(fleet: Fleet, name: str, pairs: int, factor: float) -> int:
    """Pairs whose second run was slowed down by `factor` and was called worse for it."""
    what, measures = SLOWER[name]
    slower: dict[str, Any] = {what: factor}
    slowed = replace(fleet, **slower)
    hits = 0
    for i in range(pairs):
        compared = compare_runs(run(fleet, 2 * i), run(slowed, 2 * i + 1))
        hits += not measures.isdisjoint(one.measure for one in compared.worse)
    return hits


def calls(compared: Comparison) -> list[str]:
    """The measures that were called better or worse."""
    return [one.measure for one in compared.differences if one.verdict in {"worse", "better"}]


@lru_cache(maxsize=256)  # the first run of a pair serves every planted slowdown
def run(fleet: Fleet, seed: int) -> Analysis:
    """The analysis of one made run."""
    with tempfile.TemporaryDirectory() as folder:
        return analyze([str(made_runs.write(Path(folder) / "logs", fleet, seed))])


if __name__ == "__main__":
    main()
