"""When a failed delivery is tried again."""

import random

import pytest

from recontool.model.units import SECOND_US
from recontool.runtime.notify.retry import GIVE_UP_S, LONGEST_WAIT_S, DeliveryError, is_final, retry_after_s, wait_s

DRAW = random.Random(1)
NOW_US = 1_767_225_600 * SECOND_US  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(("tries", "low", "high"), [(1, 0.5, 1), (2, 1, 2), (5, 8, 16), (9, 128, 256), (50, 150, 300)])
def test_waits_double_up_to_five_minutes(tries, low, high):
    waits = [wait_s(DeliveryError("no"), tries, 0, DRAW) for _ in range(50)]
    assert low <= min(waits) < max(waits) <= high


def test_a_server_that_says_when_is_believed_within_bounds():
    assert wait_s(DeliveryError("no", retry_after_s=60), 1, 0, DRAW) == 60
    assert wait_s(DeliveryError("no", retry_after_s=1e9), 1, 0, DRAW) == LONGEST_WAIT_S


def test_what_was_refused_or_grew_old_is_given_up():
    assert wait_s(DeliveryError("no", final=True), 1, 0, DRAW) is None
    assert wait_s(DeliveryError("no"), 99, GIVE_UP_S, DRAW) is None
    assert wait_s(DeliveryError("no"), 99, GIVE_UP_S - 1, DRAW) is not None


@pytest.mark.parametrize(
    ("final", "statuses"), [(True, (302, 400, 413, 422)), (False, (401, 403, 404, 408, 429, 500, 503))]
)
def test_which_answers_are_about_the_message(final, statuses):
    assert [status for status in statuses if is_final(status) is not final] == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0),
        ("120", 120),
        (" 3 ", 3),
        ("99999999999999", LONGEST_WAIT_S),
        ("-5", 0),
        ("soon", 0),
        ("", 0),
        ("²", 0),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90),
        ("Thu, 01 Jan 2026 00:01:30", 0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", LONGEST_WAIT_S),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after_s(value, NOW_US) == seconds
