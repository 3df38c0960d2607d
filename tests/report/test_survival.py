import pytest
from hypothesis import given
from hypothesis import strategies as st

from recontool.report.survival import quantile_us, survival

# Weeks of remission under 6-MP: the worked example of many textbooks (Freireich and others 1963).
ENDED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_the_textbook_example() -> None:
    steps = survival(ENDED, CENSORED)
    assert [(step.after_us, round(step.share, 3)) for step in steps] == [
        (6, 0.857), (7, 0.807), (10, 0.753), (13, 0.690), (16, 0.627), (22, 0.538), (23, 0.448),
    ]  # fmt: skip
    # The band at week 23 as survival packages give it for log-log limits.
    assert (round(steps[-1].low, 3), round(steps[-1].high, 3)) == (0.188, 0.680)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_without_open_outages_it_is_the_plain_share(ended: list[int]) -> None:
    for step in survival(ended, []):
        assert step.share == pytest.approx(sum(took > step.after_us for took in ended) / len(ended))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.lists(st.integers(1, 50), max_size=60))
def test_shares_fall_and_lie_in_their_band(ended: list[int], still: list[int]) -> None:
    steps = survival(ended, still)
    shares = [1.0, *(step.share for step in steps)]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= step.low <= step.share <= step.high <= 1 for step in steps)
    half = quantile_us(steps, 0.5)
    assert (half is None) == (steps[-1].share > 0.5)


def test_nothing_that_ended_gives_no_step() -> None:
    assert survival([], [5]) == []
    assert quantile_us([], 0.5) is None
