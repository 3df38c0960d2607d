"""The alert engine broken on purpose, one small change at a time: `make mutants` shows that each is noticed.

A mutant is a line of the engine's source and what stands there instead. The engine is imported anew with that change,
then asked for the oracle's intervals, for the stories', and to go through the oracle's wildest cases live.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import oracle

STORIES = Path(__file__).parent / "alerts" / "engine_stories.yaml"
ENGINE = ("recontool.alerts", "recontool.model.series", "oracle")
LIVE = ("random_1", "random_3", "stale_marker_while_firing", "latency_hysteresis_band")


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands once in the source of `module`; `new` breaks it."""

    name: str
    module: str
    old: str
    new: str


def _of(module: str, *changes: tuple[str, str, str]) -> tuple[Mutant, ...]:
    return tuple(Mutant(name, f"recontool.{module}", old, new) for name, old, new in changes)


MUTANTS = (
    *_of(
        "alerts.evaluate",
        ("windows take in their first edge", "upto(self.grid_us - back_us)", "upto(self.grid_us - back_us - (back_us > 0))"),
        ("the lookback takes in its first edge", "column.at_us[last] > self.grid_us[None, :]", "column.at_us[last] >= self.grid_us[None, :]"),
        ("the lookback is one minute", "LOOKBACK_US: Final = 5 * MINUTE_US", "LOOKBACK_US: Final = MINUTE_US"),
        ("the end of a series is a value", "present &= ~column.stale[last]", "present &= True"),
        ("windows see the ends of series", "whole, column = column, column.lasting\n", "whole = column\n"),
        ("unknown is false", "return Truth(holds & present, ~holds & present)", "return Truth(holds & present, ~(holds & present))"),
        ("`unless` needs a definite no", "left.true & ~right.true", "left.true & right.false"),
        ("`or` needs both sides", "left.true | right.true, left.false & right.false", "left.true & (right.true | right.false) | right.true, left.false & right.false"),
        ("`and` is `or`", "Truth(left.true & right.true, left.false | right.false)", "Truth(left.true | right.true, left.false | right.false)"),
        ("not equal takes NaN", "lambda left, right: (left < right) | (left > right)", "np.not_equal"),
        ("a rate needs one sample", "least = 2 if sloped else 1", "least = 1"),
        ("delta counts resets", 'counter, per_second = function != "delta"', 'counter, per_second = function != "nothing"'),
        ("rate is increase", 'function == "rate"', 'function == "none"'),
        ("absent looks back five minutes whatever it says", "terms.latest(node.metric.stored, node.window_us).present", "terms.latest(node.metric.stored).present"),
        ("the last sample is the first", 'return column.values[last]\n        if function == "resets"', 'return column.values[np.minimum(first, last)]\n        if function == "resets"'),
    ),
    *_of(
        "alerts.windows",
        ("the gap at an edge may be twice as long", "_THRESHOLD: Final = 1.1", "_THRESHOLD: Final = 2.2"),
        ("a gap of exactly the limit is extrapolated over", "np.where(to_end >= limit", "np.where(to_end > limit * 1.5"),
        ("over a long gap nothing is extrapolated", "np.where(to_start >= limit, distance / 2, to_start)", "np.where(to_start >= limit, 0.0, to_start)"),
        ("counters are extrapolated below zero", "np.minimum(to_start, to_zero, where=to_zero < to_start", "np.minimum(to_start, to_zero, where=to_zero < 0"),
        ("resets are taken for a fall", "found[here] += lost[low[here] + k]", "found[here] += 0.0"),
        ("one reset per window", "for k in range(int((high - low).max())):", "for k in range(1):"),
        ("the value after a reset is added", "lost = column.values[at_reset - 1]", "lost = column.values[at_reset]"),
        ("a reset before the window counts", "before[end - 1] - before[first]).astype", "before[end - 1] - before[np.maximum(first - 1, 0)]).astype"),
        ("a standstill is a reset", "fell[1:] = column.values[1:] < column.values[:-1]", "fell[1:] = column.values[1:] <= column.values[:-1]"),
        ("the mean distance counts samples", "sampled / (end - first - 1)", "sampled / (end - first)"),
        ("sums are not compensated", "return high, low\n\n\ndef _blocks", "return high, low * 0.0\n\n\ndef _blocks"),
        ("the mean leaves infinities out", "found = np.where(positive, np.inf, np.where(negative, -np.inf, found))", "found = np.where(positive, found, found)"),
        ("largest is smallest", "pick = np.fmax if largest else np.fmin", "pick = np.fmin if largest else np.fmax"),
        ("rates are per minute", "factor = factor / (window_us / SECOND_US)", "factor = factor / (window_us / SECOND_US) * 60"),
    ),
    *_of(
        "alerts.state",
        ("`for` needs longer", "at_us - instance.pending_us >= rule.for_us", "at_us - instance.pending_us > rule.for_us"),
        ("`for` counts from zero", 'instance.state, instance.pending_us = "pending", at_us', 'instance.state, instance.pending_us = "pending", 0'),
        ("keep firing one evaluation longer", "at_us - instance.keep_us >= rule.keep_firing_us", "at_us - instance.keep_us > rule.keep_firing_us"),
        ("keep firing counts on after it held again", "        instance.keep_us = None\n        begins", "        begins"),
        ("keep firing counts from the firing", "            instance.keep_us = at_us\n", "            instance.keep_us = instance.fired_us\n"),
        ("what was pending keeps firing", '    if instance.state == "pending":\n        return "dropped"', '    if instance.state == "pending" and not rule.keep_firing_us:\n        return "dropped"'),
        ("no data keeps what is quiet firing", 'rule.no_data == "alert" or instance.state != "inactive"', 'rule.no_data == "alert" or True'),
        ("no data is always nothing", 'held == UNKNOWN and rule.no_data != "ok"', 'held == UNKNOWN and rule.no_data == "none"'),
    ),
    *_of(
        "alerts.instances",
        ("hysteresis holds what is pending", 'instance.state == "firing" and self.plan.held is not None', 'instance.state != "inactive" and self.plan.held is not None'),
        ("hysteresis is forgotten", 'sustained = instance.state == "firing"', 'sustained = instance.state == "never"'),
        ("workers exist before they came", "return np.where(terms.known(), codes, FALSE)", "return codes"),
        ("deadlines are forgotten", "following = min(following, max(at, int(np.searchsorted(grid_us, due_us))))", "pass"),
        ("a restored alert is not looked at again", "self._codes[list(instances)] = -1", "pass"),
    ),
    *_of(
        "alerts.language.tree",
        ("a product binds like a sum", '"*": 6', '"*": 5'),
        ("the inverse of less is more", '"<": ">="', '"<": ">"'),
        ("clear_when is negated, not inverted", "return Compare(INVERTED[node.op], node.left, node.right, node.column)", 'return Unary("not", node)'),
    ),
    *_of("alerts.language.parser", ("a chain goes from the right", "left = self._combine(token, left, self.expression(level))", "left = self._combine(token, left, self.expression(level - (level > 4)))")),
    *_of("alerts.fleet", ("the fleet's counts are averaged", 'if chosen == "sum":', 'if chosen == "none":'), ("the fleet's means are not weighed", "return np.where(over > 0, found, plain)", "return plain")),
    *_of("alerts.buffer", ("a live sample is kept a minute only", "self._at > now_us - self._keep_us", "self._at > now_us - 60_000_000"), ("a live end of a series is a value", "_STALE if stale else _VALUE", "_VALUE")),
)  # fmt: skip


def noticed_by(mutant: Mutant | None) -> str:
    """What notices `mutant`: "oracle: CASE", "story: NAME", "live: CASE" or an error; "" when nothing does."""
    if mutant is not None:
        changed(Path(importlib.util.find_spec(mutant.module).origin).read_text("utf-8"), mutant)
    with _imported_anew(mutant):
        try:
            return next(_differences(), "")
        except Exception as error:  # noqa: BLE001 - an engine that falls over is noticed too
            return f"error: {type(error).__name__}: {error}"


def _differences() -> Iterator[str]:
    import oracle as fresh

    from recontool.alerts.backtest import backtest, grid
    from recontool.alerts.rules_file import load_rules
    from recontool.alerts.stories import differences, load_stories

    told = load_stories(STORIES.read_text("utf-8"), STORIES.name)
    known = load_rules((STORIES.parent / told.rules).read_text("utf-8"), told.rules).rules
    yield from (f"story: {story.name}" for story in told.stories if differences(story, known))
    rules = fresh.rules()
    for case in fresh.CASES:
        found = backtest(
            rules, fresh.series_of(fresh.samples(case)), grid(0, case["last_eval_s"] * 1_000_000, fresh.STEP_US)
        )
        rows = [(one.alert, one.worker, one.pending_us, one.fired_us, one.resolved_us) for one in found]
        if fresh.intervals(rows) != fresh.expected(case):
            yield f"oracle: {case['name']}"
    for case in fresh.CASES:
        if case["name"] in LIVE and fresh.live_firings(case) != fresh.expected_firings(case):
            yield f"live: {case['name']}"


@contextmanager
def _imported_anew(mutant: Mutant | None) -> Iterator[None]:
    """The engine's modules as if never imported, one of them changed; afterwards everything is as it was."""
    kept = {name: module for name, module in sys.modules.items() if name.startswith(ENGINE)}
    for name in kept:
        del sys.modules[name]
    finder = _Finder(mutant)
    sys.meta_path.insert(0, finder)
    try:
        yield
        if mutant is not None and not finder.used:
            raise ValueError(f"mutant {mutant.name!r} changes a module that nobody imports")
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(ENGINE)]:
            del sys.modules[name]
        sys.modules.update(kept)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant | None) -> None:
        self.used = False
        self._mutant = mutant

    def find_spec(self, name, path, target=None):
        if self._mutant is None or name != self._mutant.module:
            return None
        self.used = True
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = _Loader(name, spec.origin, self._mutant)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name, path, mutant: Mutant) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return compile(changed(self.get_data(path).decode("utf-8"), self._mutant), path, "exec")


def changed(source: str, mutant: Mutant) -> str:
    """The source with the mutant's change; ValueError when the place is not there exactly once."""
    if source.count(mutant.old) != 1:
        raise ValueError(
            f"mutant {mutant.name!r}: its place stands {source.count(mutant.old)} times in {mutant.module}"
        )
    return source.replace(mutant.old, mutant.new)


def main() -> int:
    """Print who noticed which mutant; 1 when one was not noticed."""
    if oracle.missing:
        sys.exit(oracle.missing)
    unnoticed = 0
    for mutant in MUTANTS:
        by = noticed_by(mutant)
        unnoticed += not by
        sys.stdout.write(f"{mutant.name:<52} {by or 'NOT NOTICED'}"[:150] + "\n")
    sys.stdout.write(f"{len(MUTANTS) - unnoticed} of {len(MUTANTS)} mutants noticed\n")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
