"""Places in the queue that somebody keeps for many: they live on, and what has lapsed stays lapsed."""

from __future__ import annotations

import pytest

from bespeak.base.clock import HOUR_US, SECOND_US
from bespeak.base.ids import new_id
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request, State
from bespeak.ledger.queue import renew_places

START_US = 1_900_000_000 * SECOND_US


class Clock:
    def __init__(self):
        self.now_us = START_US

    def __call__(self):
        return self.now_us


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book(book_url, clock):
    with open_ledger(book_url, durable=False, now=clock) as book:
        yield book


def join(book, user):
    return book.queue_join(Request(("rack1",), Holder(user), duration_us=HOUR_US), new_id()).id


def test_a_place_that_is_renewed_is_kept_and_one_that_has_lapsed_is_not_brought_back(book, clock):
    book.reserve(Request(("rack1",), Holder("alice"), duration_us=HOUR_US))
    kept, left = join(book, "bob"), join(book, "carol")
    clock.now_us += 25 * SECOND_US
    renew_places(book, [kept])
    clock.now_us += 25 * SECOND_US
    assert [book.get(one).state(clock.now_us) for one in (kept, left)] == [State.WAITING, State.ENDED]
    renew_places(book, [kept, left])
    assert [book.get(one).state(clock.now_us) for one in (kept, left)] == [State.WAITING, State.ENDED]


def test_what_was_granted_meanwhile_is_left_alone(book, clock):
    held = book.reserve(Request(("rack1",), Holder("alice"), duration_us=HOUR_US))
    place = join(book, "bob")
    book.release(held.id, Holder("alice"))
    granted = book.queue_look(place).reservation
    renew_places(book, [place])
    assert book.get(place) == granted
    assert granted.lease_us is None
