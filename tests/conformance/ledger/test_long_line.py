"""A line in which thousands wait: who is refused reads none of it, and whoever gets something all of it."""

from __future__ import annotations

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.ledger import availability
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Request

ALICE, BOB = Holder("alice"), Holder("bob")
WAITING = 5


def ask(who=ALICE, **more):
    return Request(("a",), who, duration_us=HOUR_US, **more)


@pytest.fixture
def line(book, monkeypatch):
    """Somebody has it for an hour, and five wait for an hour each: a long line, as the book takes it here."""
    held = book.reserve(ask())
    waiting = [book.queue_join(ask(BOB), f"0190a0b0-0000-7000-8000-00000000000{n}") for n in range(WAITING)]
    monkeypatch.setattr(availability, "LONG_LINE", 3)
    return held, waiting


def refused(book, **more):
    with pytest.raises(RefusedError) as told:
        book.reserve(ask(**more))
    return told.value.refusal


def test_who_is_refused_is_offered_what_is_behind_the_line(book, line):
    held, waiting = line
    refusal = refused(book)
    assert [one.reservation_id for one in refusal.conflicts] == [held.id]
    assert refusal.next_free_us == waiting[-1].ends_us == held.ends_us + WAITING * HOUR_US
    assert book.reserve(ask(starts_us=refusal.next_free_us))


def test_what_is_booked_behind_the_line_is_no_offer(book, line):
    last_us = line[1][-1].ends_us
    book.reserve(ask(starts_us=last_us))
    assert refused(book).next_free_us == last_us + HOUR_US


def test_time_that_is_promised_is_given_to_nobody_else(book, line):
    _, waiting = line
    refusal = refused(book, starts_us=waiting[1].starts_us)
    assert waiting[1].id in [one.reservation_id for one in refusal.conflicts]


def test_the_next_fit_is_the_same_as_in_a_short_line(book, line):
    made = book.reserve(ask(next_fit=True))
    assert made.starts_us == line[1][-1].ends_us


def test_each_is_granted_in_turn(book, line, clock):
    held, waiting = line
    book.release(held.id, ALICE)
    assert not book.queue_look(waiting[0].id).reservation.waiting
    assert book.queue_look(waiting[1].id).reservation.waiting
    joined = book.queue_join(ask(), "0190a0b0-0000-7000-8000-000000000009")
    assert joined.starts_us > waiting[-1].starts_us - 2 * HOUR_US
    assert clock.now == book.now_us()


def test_who_lists_the_first_of_those_who_wait(book, line):
    held, waiting = line
    assert [one.id for one in book.who("a")] == [held.id, *(one.id for one in waiting)]
    assert [one.id for one in book.who("a", waiting=2)] == [held.id, waiting[0].id, waiting[1].id]
