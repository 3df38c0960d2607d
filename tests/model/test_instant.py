"""Instants as text: what is written by hand for speed must be what the standard library writes."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from recontool.model.errors import UsageError
from recontool.model.instant import EPOCH, from_datetime, iso, to_datetime, zone_named


def test_an_instant_reads_as_the_standard_library_writes_it():
    rng = random.Random(1)
    first, last = from_datetime(datetime(1, 1, 1, tzinfo=UTC)), from_datetime(datetime(9999, 12, 31, tzinfo=UTC))
    edges = [first, last, 0, -1, 1, 59_999_999, 60_000_000, 86_399_999_999, 86_400_000_000, -86_400_000_001]
    for at_us in (*edges, *(rng.randrange(first, last) for _ in range(5_000))):
        told = (EPOCH + timedelta(microseconds=at_us)).replace(tzinfo=None).isoformat(timespec="microseconds")
        assert iso(at_us) == f"{told}Z"
        assert from_datetime(to_datetime(at_us)) == at_us


def test_beyond_the_years_there_are_the_nearest_stands():
    for far in (2**40, 2**58, 2**62):
        assert to_datetime(from_datetime(datetime.max.replace(tzinfo=UTC)) + far) == datetime.max.replace(tzinfo=UTC)
        assert to_datetime(from_datetime(datetime.min.replace(tzinfo=UTC)) - far) == datetime.min.replace(tzinfo=UTC)
        assert iso(from_datetime(datetime.max.replace(tzinfo=UTC)) + far).startswith("9999-12-31T")
        assert iso(from_datetime(datetime.min.replace(tzinfo=UTC)) - far).startswith("0001-01-01T")


def test_a_zone_is_named_as_iana_has_it():
    assert zone_named("UTC", "--tz") is UTC
    assert datetime(2026, 7, 1, tzinfo=zone_named("Europe/Berlin", "--tz")).utcoffset() == timedelta(hours=2)
    for wrong in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(UsageError, match="--tz: unknown time zone"):
            zone_named(wrong, "--tz")
