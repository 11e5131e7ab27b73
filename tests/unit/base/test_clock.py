"""Instants and durations in µs, and how machines read them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import DAY_US, FOREVER_US, HOUR_US, MINUTE_US, SECOND_US, duration_text, iso, now


def test_now_is_between_two_readings_of_the_system_clock():
    before = time.time_ns() // 1000
    assert before <= now() <= time.time_ns() // 1000


@pytest.mark.parametrize(
    ("instant_us", "text"),
    [
        (0, "1970-01-01T00:00:00+00:00"),
        (1, "1970-01-01T00:00:00.000001+00:00"),
        (1_795_318_259_511_310, "2026-11-22T03:30:59.511310+00:00"),
        (-1, "1969-12-31T23:59:59.999999+00:00"),
        (None, None),
        (FOREVER_US, None),
        (FOREVER_US + HOUR_US, None),
    ],
)
def test_instants_for_machines(instant_us, text):
    assert iso(instant_us) == text


@pytest.mark.parametrize(
    ("duration_us", "text"),
    [
        (SECOND_US, "1s"),
        (90 * SECOND_US, "1m30s"),
        (2 * HOUR_US, "2h"),
        (DAY_US + HOUR_US, "1d1h"),
        (DAY_US + MINUTE_US, "1d1m"),
        (250_000, "0.25s"),
        (0, "0s"),
        (-MINUTE_US, "-1m"),
        (45 * SECOND_US + 999_999, "45s"),
    ],
)
def test_durations_read_as_they_are_typed(duration_us, text):
    assert duration_text(duration_us) == text


@given(st.integers(min_value=0, max_value=FOREVER_US // 1000))
def test_every_duration_has_a_short_text(duration_us):
    assert 2 <= len(duration_text(duration_us)) <= 24


def test_forever_leaves_room_for_a_duration():
    assert FOREVER_US + 1000 * 366 * DAY_US < 2**63
