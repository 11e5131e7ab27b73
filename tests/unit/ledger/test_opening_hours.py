from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US, HOUR_US, MINUTE_US
from bespeak.base.errors import UsageError
from bespeak.ledger.opening_hours import closed_windows, open_windows, parse

BERLIN = ZoneInfo("Europe/Berlin")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(*civil, zone=UTC):
    return (datetime(*civil, tzinfo=zone) - EPOCH) // timedelta(microseconds=1)


def berlin(*civil):
    return us(*civil, zone=BERLIN)


def test_a_working_week():
    hours = parse("mon-fri 08:00-18:00, sat 10:00-14:00 Europe/Berlin")
    windows = list(islice(open_windows(hours, berlin(2026, 11, 27, 12)), 3))  # a Friday
    assert windows == [
        (berlin(2026, 11, 27, 12), berlin(2026, 11, 27, 18)),
        (berlin(2026, 11, 28, 10), berlin(2026, 11, 28, 14)),
        (berlin(2026, 11, 30, 8), berlin(2026, 11, 30, 18)),
    ]


def test_closed_is_what_is_not_open():
    hours = parse("daily 08:00-20:00 UTC")
    assert closed_windows(hours, us(2026, 5, 1, 12), us(2026, 5, 2, 23)) == [
        (us(2026, 5, 1, 20), us(2026, 5, 2, 8)),
        (us(2026, 5, 2, 20), us(2026, 5, 2, 23)),
    ]
    assert closed_windows(hours, us(2026, 5, 1, 9), us(2026, 5, 1, 10)) == []


def test_over_midnight_and_all_week():
    assert next(open_windows(parse("fri 22:00-06:00 UTC"), us(2026, 5, 2, 1))) == (us(2026, 5, 2, 1), us(2026, 5, 2, 6))
    assert list(open_windows(parse("daily 00:00-24:00 UTC"), 5 * HOUR_US)) == [(5 * HOUR_US, FOREVER_US)]
    assert closed_windows(parse("daily 00:00-24:00 UTC"), 0, FOREVER_US) == []


def test_days_may_be_listed_and_a_day_may_open_twice():
    hours = parse("mon, wed 08:00-12:00 13:00-15:00 UTC")
    assert len(hours.spans) == 4
    assert {day for day, _, _ in hours.spans} == {0, 2}
    assert len(parse("fri-mon 10:00-11:00 UTC").spans) == 4


def test_where_the_clocks_change():
    # 2026-03-29: 02:00 is followed by 03:00; 2026-10-25: 02:00 to 03:00 comes twice.
    assert next(open_windows(parse("sun 02:30-05:00 Europe/Berlin"), berlin(2026, 3, 29, 0)))[0] == us(
        2026, 3, 29, 1, 30
    )
    assert next(open_windows(parse("sun 00:00-02:30 Europe/Berlin"), berlin(2026, 3, 29, 0)))[1] == us(
        2026, 3, 29, 0, 30
    )
    (first, last) = next(open_windows(parse("sun 02:30-02:45 Europe/Berlin"), berlin(2026, 10, 25, 0)))
    assert (first, last) == (us(2026, 10, 25, 0, 30), us(2026, 10, 25, 1, 45))


@given(
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 47), st.integers(1, 48)), min_size=1, max_size=4),
    st.integers(0, 14 * 48),
    st.integers(1, 9 * 48),
)
def test_every_half_hour_is_as_the_text_says(spans, start, length):
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    half = 30 * MINUTE_US
    said = [(day, first, min(first + size, 48)) for day, first, size in spans]
    words = [f"{names[d]} {a // 2:02d}:{a % 2 * 30:02d}-{b // 2:02d}:{b % 2 * 30:02d}" for d, a, b in said]
    hours = parse(", ".join(words) + " UTC")
    monday = us(2026, 6, 1)
    from_us = monday + start * half
    closed = closed_windows(hours, from_us, from_us + length * half)
    for step in range(length):
        at, slot = from_us + step * half, (start + step) % (7 * 48)
        is_open = any(day * 48 + a <= slot < day * 48 + b for day, a, b in said)
        assert any(a <= at < b for a, b in closed) != is_open


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("mon-fri 08:00-18:00", "no zone"),
        ("mon-fri", "no zone"),
        ("08:00-18:00 UTC", "behind no day"),
        ("mon UTC", "no times"),
        ("mon 08:00-12:00, tue UTC", "no times"),
        ("someday 08:00-12:00 UTC", "no day"),
        ("mon 08:00-25:00 UTC", "no time of day"),
        ("mon 08:61-09:00 UTC", "no time of day"),
        ("mon 08:00-12:00 Nowhere/City", "no time zone"),
    ],
)
def test_what_cannot_be_read_is_refused(text, why):
    with pytest.raises(UsageError, match=why):
        parse(text)
