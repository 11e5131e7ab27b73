"""A list is read a page at a time, in the order in which it is listed at once."""

from __future__ import annotations

import itertools
import json

import pytest

from bespeak.base.clock import FOREVER_US, HOUR_US, MINUTE_US
from bespeak.base.errors import UsageError
from bespeak.base.ids import new_id
from bespeak.base.json_text import one_line
from bespeak.ledger import listing_pages, served
from bespeak.ledger.listing_filter import ListingFilter
from bespeak.ledger.model import Holder, Request, State
from bespeak.ledger.operations import READS, VALUES
from bespeak.ledger.serialize import reservation_json
from bespeak.ledger.service import Ledger

ALICE, BOB = Holder("alice"), Holder("bob")
FILTERS = (
    {},
    {"include_ended": True},
    {"include_ended": True, "limit": 9},
    {"include_ended": True, "limit": 3},
    {"limit": 4},
    {"states": (State.ENDED,), "limit": 2},
    {"states": (State.PENDING, State.WAITING), "include_ended": True},
    {"holder": "bob", "include_ended": True},
    {"resources": ("r1", "r2"), "include_ended": True},
    {"holder": "nobody"},
)


@pytest.fixture
def many(book, clock, monkeypatch):
    """Some that are held, booked, wait and have ended; several end at the same instant, and pages are short."""
    monkeypatch.setattr(listing_pages, "PAGE", 3)
    clock_us = clock.now
    for number, who in enumerate([ALICE, BOB] * 3):
        book.reserve(Request((f"r{number}",), who, ends_us=FOREVER_US if number % 2 else clock_us + HOUR_US))
    for number in range(4):
        starts_us = clock_us + (2 + number) * HOUR_US
        book.reserve(Request(("r0",), ALICE, starts_us=starts_us, duration_us=HOUR_US))
    for _ in range(3):
        book.queue_join(Request(("r1",), BOB, duration_us=MINUTE_US), new_id())
    for number in range(4):
        made = book.reserve(Request((f"old{number}",), BOB, duration_us=HOUR_US))
        clock.now += 1
        book.release(made.id, BOB)


def sorted_by_hand(book, wanted):
    """The list without SQL's help: all that there is, then what is wanted of it in the order that people expect."""
    now_us, order = book.now_us(), [State.ACTIVE, State.PENDING, State.AWAITING, State.WAITING]
    every = [
        one
        for one in book.reservations(include_ended=True)
        if wanted.holder in (None, one.holder)
        and (not wanted.resources or not set(wanted.resources).isdisjoint(one.resources))
    ]
    live = [one for one in every if one.state(now_us) in (set(wanted.states) or set(order))]
    live = [one for one in live if one.state(now_us) in order]
    live.sort(key=lambda one: (order.index(one.state(now_us)), one.rank, one.starts_us, one.seq))
    past = [one for one in every if one.state(now_us) is State.ENDED]
    if State.ENDED not in wanted.states and (wanted.states or not wanted.include_ended):
        past = []
    room = None if wanted.limit is None else max(wanted.limit - len(live), 0)
    past = sorted(past, key=lambda one: one.seq, reverse=True)[:room]
    past.sort(key=lambda one: (one.end_us(now_us), one.seq), reverse=True)
    return (live + past)[: wanted.limit]


@pytest.mark.parametrize("filters", FILTERS, ids=json.dumps(FILTERS, default=str).split("}, {"))
def test_pages_are_the_list(book, many, filters):
    wanted = ListingFilter(**filters)
    pages = list(book.listing_pages(wanted))
    listed = book.listing(**filters)
    assert listed == sorted_by_hand(book, wanted)
    assert [one.id for one in itertools.chain(*pages)] == [one.id for one in listed]
    assert list(itertools.chain(*pages)) == listed
    assert all(len(page) <= listing_pages.PAGE for page in pages)
    now_us = book.now_us()
    texts = list(itertools.chain(*book.listing_texts(wanted)))
    assert texts == [one_line(reservation_json(one, now_us)) for one in listed]


@pytest.mark.parametrize("book_engine", ["http"])
def test_a_server_of_an_earlier_version_answers_in_one_piece(book, many, monkeypatch):
    before = {served.Effect.READ: [name for name in READS if not name.startswith("listing_")]}
    monkeypatch.setattr("bespeak.server.api.calls.LEDGER_OPERATIONS", served.Operations(Ledger, before, VALUES))
    (page,) = book.listing_pages(ListingFilter(include_ended=True))
    assert len(page) > listing_pages.PAGE
    assert page == book.listing(include_ended=True)


@pytest.mark.parametrize("book_engine", ["http"])
def test_a_server_reads_so_many_at_once(book, many):
    with pytest.raises(UsageError, match="1001 numbers of reservations; at most 1000 at once"):
        book.listing_page([1] * 1001, ListingFilter())


@pytest.mark.parametrize("book_engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_what_ends_meanwhile_is_left_out_or_shown_as_it_is(book, many):
    shown = book.listing_pages(ListingFilter())
    whole = book.listing_pages(ListingFilter(include_ended=True))
    first, before = next(shown), next(whole)
    assert [one.id for one in first] == [one.id for one in before]
    last = book.listing()[-1]
    book.queue_leave(last.id, BOB)
    rest = list(itertools.chain(*shown))
    assert last.id not in [one.id for one in rest]
    assert len(first) + len(rest) == len(book.listing())
    (changed,) = [one for one in itertools.chain(*whole) if one.id == last.id]
    assert changed.ended_us is not None
