"""The statistics of a comparison: levels that hold, pairs that cancel, numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recontool.analysis.compare.bootstrap import Draws, Sums, cliffs_delta, holm, paired, unpaired

FEW = 400  # draws; enough for a level of 5 %


def clusters(rng, units=14, each=12, between=0.3, level=1.0):
    """Sums of lognormal values that share a factor within their unit."""
    own = rng.lognormal(0, between, units)
    values = level * own[:, None] * rng.lognormal(0, 0.5, (units, each))
    return Sums(values.sum(axis=1), np.full(units, float(each)))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


values = st.lists(st.integers(0, 5), min_size=1, max_size=12)


@given(values, values)
def test_cliffs_delta_is_what_counting_pairs_gives(base, new):
    wins = sum((b > a) - (b < a) for a in base for b in new)
    found = cliffs_delta(np.array(base, float), np.array(new, float))
    assert found == pytest.approx(wins / (len(base) * len(new)))


def test_cliffs_delta_of_nothing_is_nothing():
    assert cliffs_delta(np.array([]), np.array([1.0])) is None


def test_without_a_difference_one_in_twenty_is_called_and_not_more():
    called = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        base, new = clusters(rng), clusters(rng)
        change = float(np.log(new.value / base.value))
        called += unpaired(base, new, change, "ratio", Draws(seed, FEW)).p < 0.05
    assert 3 <= called <= 24  # 15 expected; a binomial of 300 at 5 % leaves this once in a hundred


def test_drawing_single_values_again_would_call_far_more():
    """Why whole units are drawn: the same data cut into single values loses its level."""
    called = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        sides = []
        for _ in range(2):
            own = rng.lognormal(0, 0.3, 14)
            flat = (own[:, None] * rng.lognormal(0, 0.5, (14, 12))).ravel()
            sides.append(Sums(flat, np.ones(len(flat))))
        change = float(np.log(sides[1].value / sides[0].value))
        called += unpaired(*sides, change, "ratio", Draws(seed, FEW)).p < 0.05
    assert called > 12


def test_the_interval_covers_the_truth():
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng([seed, 1])
        base, new = clusters(rng), clusters(rng, level=1.3)
        found = unpaired(base, new, float(np.log(new.value / base.value)), "ratio", Draws(seed, FEW))
        covered += found.low <= np.log(1.3) <= found.high
    assert covered >= 180  # 190 expected


def test_pairs_cancel_what_is_peculiar_to_a_worker():
    rng = np.random.default_rng(5)
    own = rng.lognormal(0, 0.8, 16)
    base, new = (Sums(own * rng.lognormal(shift, 0.05, 16) * 20, np.full(16, 20.0)) for shift in (0, 0.18))
    change = float(np.log(new.value / base.value))
    apart, together = (method(base, new, change, "ratio", Draws(1)) for method in (unpaired, paired))
    assert together.p < 0.001
    assert apart.p > 0.05
    assert together.width < apart.width / 4


def test_load_that_drifts_widens_the_interval_and_noise_does_not_narrow_it():
    rng = np.random.default_rng(4)
    steps = np.repeat(rng.normal(10, 3, 8), 6)
    drifting, alternating = (Sums(values, np.ones(48)) for values in (steps, 10 + np.tile([3.0, -3.0], 24)))
    widths = {}
    for name, one in (("drifting", drifting), ("alternating", alternating)):
        widths[name] = [unpaired(one, one, 0.0, "ratio", Draws(1, FEW), in_time=flag).width for flag in (False, True)]
    assert widths["drifting"][1] > 1.5 * widths["drifting"][0]
    assert widths["alternating"][1] == widths["alternating"][0]


@pytest.mark.parametrize("method", [unpaired, paired])
def test_values_without_any_spread(method):
    base, other = (Sums(np.full(10, level * 4), np.full(10, 4.0)) for level in (1.0, 1.2))
    same = method(base, base, 0.0, "difference", Draws(1))
    assert (same.low, same.high, same.p) == (0.0, 0.0, 1.0)
    changed = method(base, other, 0.2, "difference", Draws(1))
    assert (changed.low, changed.high) == (0.2, 0.2)
    assert changed.p < 0.001


def test_what_happened_in_one_place_proves_nothing():
    clean = Sums(np.zeros(24), np.full(24, 10.0))
    burst = Sums(np.array([9.0] + [0.0] * 23), np.full(24, 10.0))
    assert unpaired(clean, burst, burst.value, "difference", Draws(1)).p > 0.2


def test_units_count_by_their_weight():
    assert Sums(np.ones(20), np.ones(20)).effective == pytest.approx(20)
    assert Sums(np.ones(20), np.array([1000.0] + [1.0] * 19)).effective < 1.1
    assert Sums(np.zeros(3), np.zeros(3)).effective == 0
    assert len(Sums(np.ones(3), np.array([1.0, 0.0, 2.0])).present().num) == 2


def test_a_seed_gives_the_same_digits():
    rng = np.random.default_rng(2)
    base, new = clusters(rng), clusters(rng)
    found = [unpaired(base, new, 0.1, "ratio", Draws(seed)) for seed in (3, 3, 4)]
    assert found[0] == found[1] != found[2]
