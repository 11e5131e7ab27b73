"""A waiter that looks late at what became free is not overtaken by those behind it, who looked sooner."""

import pytest

from bespeak.base.clock import MINUTE_US, SECOND_US
from bespeak.base.ids import new_id
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request

FIRST, SECOND = Holder("first"), Holder("second")


class Clock:
    def __init__(self):
        self.now_us = 10**15

    def __call__(self):
        return self.now_us


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book(tmp_path, clock):
    with open_ledger(str(tmp_path / "book.db"), now=clock) as opened:
        yield opened


def rack(by, minutes=10, **more):
    return Request(("rack",), by, duration_us=minutes * MINUTE_US, **more)


def look(book, waiter):
    return book.queue_look(waiter.id).reservation


@pytest.mark.parametrize("late_us", [1, SECOND_US, 28 * SECOND_US])
def test_a_waiter_that_wakes_late_goes_before_those_behind_it(book, clock, late_us):
    held = book.reserve(rack(Holder("alice"), 60))
    earlier = book.queue_join(rack(FIRST), new_id())
    later = book.queue_join(rack(SECOND), new_id())
    clock.now_us += SECOND_US
    earlier, later = look(book, earlier), look(book, later)
    book.release(held.id, Holder("alice"))
    look(book, later)
    clock.now_us += late_us
    granted = look(book, earlier)
    assert (granted.waiting, granted.starts_us) == (False, clock.now_us)
    assert granted.ends_us == clock.now_us + 10 * MINUTE_US
    assert look(book, later).starts_us == granted.ends_us


def test_a_booking_behind_a_waiter_that_has_not_looked_yet_leaves_it_its_time(book, clock):
    held = book.reserve(rack(Holder("alice"), 60))
    waiter = book.queue_join(rack(FIRST), new_id())
    book.release(held.id, Holder("alice"))
    booked = book.reserve(rack(SECOND, next_fit=True))
    clock.now_us += SECOND_US
    granted = look(book, waiter)
    assert (granted.waiting, granted.starts_us) == (False, clock.now_us)
    assert granted.ends_us <= booked.starts_us
