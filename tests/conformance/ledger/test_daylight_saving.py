"""The days on which the clocks change: what people type there books as many hours as it says."""

from __future__ import annotations

import pytest

from bespeak.base import timeparse
from bespeak.base.clock import HOUR_US
from bespeak.base.errors import UsageError
from bespeak.ledger.model import Holder, Request
from support.engines import on_databases

ALICE, BOB = Holder("alice"), Holder("bob")


@on_databases
@pytest.mark.parametrize(
    ("eve", "zone"),
    [
        ("2027-03-27", "Europe/Berlin"),
        ("2027-10-30", "Europe/Berlin"),
        ("2027-03-13", "America/New_York"),
        ("2027-11-06", "America/New_York"),
    ],
)
def test_twelve_hours_over_the_change_are_twelve_hours(book, clock, eve, zone):
    clock.now = timeparse.instant("2027-01-01T00:00:00Z", now_us=clock.now)
    starts_us = timeparse.instant(f"{eve} 20:00 {zone}", now_us=clock.now)
    made = book.reserve(Request(("r",), ALICE, starts_us=starts_us, duration_us=timeparse.duration("12h")))
    assert made.ends_us - made.starts_us == 12 * HOUR_US
    # The next one can begin exactly there.
    following = book.reserve(Request(("r",), BOB, starts_us=made.ends_us, duration_us=HOUR_US))
    assert following.starts_us == made.ends_us


@on_databases
@pytest.mark.parametrize(
    ("eve", "day", "zone", "hours"),
    [
        ("2027-03-27", "2027-03-28", "Europe/Berlin", 11),
        ("2027-10-30", "2027-10-31", "Europe/Berlin", 13),
        ("2027-03-13", "2027-03-14", "America/New_York", 11),
        ("2027-11-06", "2027-11-07", "America/New_York", 13),
    ],
)
def test_until_eight_the_next_morning_is_an_hour_more_or_less(book, clock, eve, day, zone, hours):
    clock.now = timeparse.instant("2027-01-01T00:00:00Z", now_us=clock.now)
    starts_us = timeparse.instant(f"{eve} 20:00 {zone}", now_us=clock.now)
    ends_us = timeparse.instant(f"{day} 08:00 {zone}", now_us=clock.now)
    made = book.reserve(Request(("r",), ALICE, starts_us=starts_us, ends_us=ends_us))
    assert made.ends_us - made.starts_us == hours * HOUR_US


def test_an_hour_that_comes_twice_or_never_is_asked_about(clock):
    for text in ("2027-10-31 02:30 Europe/Berlin", "2027-03-28 02:30 Europe/Berlin"):
        with pytest.raises(UsageError):
            timeparse.instant(text, now_us=clock.now)
