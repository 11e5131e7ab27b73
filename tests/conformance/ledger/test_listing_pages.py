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
    {"states": [State.ENDED], "limit": 2},
    {"states": [State.PENDING, State.WAITING], "include_ended": True},
    {"holder": "bob", "include_ended": True},
    {"resources": ["r1", "r2"], "include_ended": True},
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


@pytest.mark.parametrize("filters", FILTERS, ids=json.dumps(FILTERS, default=str).split("}, {"))
def test_pages_are_the_list(book, many, filters):
    pages = list(book.listing_pages(**filters))
    listed = book.listing(**filters)
    assert [one.id for one in itertools.chain(*pages)] == [one.id for one in listed]
    assert list(itertools.chain(*pages)) == listed
    assert all(len(page) <= listing_pages.PAGE for page in pages)
    now_us = book.now_us()
    texts = list(itertools.chain(*book.listing_texts(**filters)))
    assert texts == [one_line(reservation_json(one, now_us)) for one in listed]


@pytest.mark.parametrize("book_engine", ["http"])
def test_a_server_of_an_earlier_version_answers_in_one_piece(book, many, monkeypatch):
    before = {served.Effect.READ: [name for name in READS if not name.startswith("listing_")]}
    monkeypatch.setattr("bespeak.server.api.calls.LEDGER_OPERATIONS", served.Operations(Ledger, before, VALUES))
    (page,) = book.listing_pages(include_ended=True)
    assert len(page) > listing_pages.PAGE
    assert page == book.listing(include_ended=True)


@pytest.mark.parametrize("book_engine", ["http"])
def test_a_server_reads_so_many_at_once(book, many):
    with pytest.raises(UsageError, match="1001 numbers of reservations; at most 1000 at once"):
        book.listing_page([1] * 1001)


@pytest.mark.parametrize("book_engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_what_ends_meanwhile_is_left_out_or_shown_as_it_is(book, many):
    shown, whole = book.listing_pages(), book.listing_pages(include_ended=True)
    first, before = next(shown), next(whole)
    assert [one.id for one in first] == [one.id for one in before]
    last = book.listing()[-1]
    book.queue_leave(last.id, BOB)
    rest = list(itertools.chain(*shown))
    assert last.id not in [one.id for one in rest]
    assert len(first) + len(rest) == len(book.listing())
    (changed,) = [one for one in itertools.chain(*whole) if one.id == last.id]
    assert changed.ended_us is not None
