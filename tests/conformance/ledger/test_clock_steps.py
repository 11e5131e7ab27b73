"""A machine's clock that steps back neither frees a hold nor books it twice, in a book that is a file."""

import pytest

from bespeak.base.clock import HOUR_US, MINUTE_US, SECOND_US
from bespeak.base.errors import BusyError, UnavailableError
from bespeak.ledger import open_ledger
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Request, State
from bespeak.ledger.policy_changes import accepted_clock
from bespeak.storage.sqlite import SqliteEngine
from bespeak.storage.steady_clock import STEADY_CLOCK

ALICE, BOB = Holder("alice"), Holder("bob")
_INSTANT = r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? \S+"
TWO_CLOCKS = rf"book .*book.sqlite3: it was last written at {_INSTANT}, but this machine's clock says {_INSTANT}; "


def request(holder, minutes=60):
    return Request(("rack1",), holder, duration_us=minutes * MINUTE_US)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "book.sqlite3")


@pytest.fixture
def open_book(path, clock):
    opened = []

    def open_() -> object:
        opened.append(open_ledger(path, now=clock))
        return opened[-1]

    yield open_
    for book in opened:
        book.close()


@pytest.mark.parametrize("step_us", [1, SECOND_US, 10 * MINUTE_US, HOUR_US])
def test_an_active_hold_stays_active_and_is_not_booked_twice(open_book, clock, step_us):
    held = open_book().reserve(request(ALICE))
    clock.now -= step_us
    other = open_book()
    assert other.get(held.id).state(other.now_us()) is State.ACTIVE
    with pytest.raises(RefusedError, match="rack1 is held by alice"):
        other.reserve(request(BOB, minutes=5))


def test_time_goes_on_when_the_clock_has_caught_up(open_book, clock):
    book = open_book()
    began_us = clock.now
    book.reserve(request(ALICE, minutes=1))
    clock.now -= 10 * MINUTE_US
    assert book.now_us() == began_us
    clock.now = began_us + MINUTE_US
    assert book.reserve(request(BOB)).starts_us == began_us + MINUTE_US


def test_a_read_moves_no_mark(open_book, clock):
    book = open_book()
    began_us = clock.now
    clock.now += 10 * MINUTE_US
    book.reservations()
    clock.now = began_us
    assert book.now_us() == began_us


def test_a_clock_far_behind_the_book_is_refused_until_a_person_accepts_it(open_book, clock, path):
    book = open_book()
    book.reserve(request(ALICE, minutes=1))
    late_us = clock.now
    clock.now -= HOUR_US + 1
    for ask in (book.now_us, lambda: book.reserve(request(BOB)), lambda: open_book().reservations()):
        with pytest.raises(UnavailableError, match=TWO_CLOCKS):
            ask()
    assert book.engine.accept_clock(lambda tx: None) == (late_us, clock.now)
    assert open_book().now_us() == clock.now


def test_who_may_not_change_the_policy_takes_no_book_back_in_time(open_book, clock, path):
    """Else holds that have ended come back, and what has begun can be booked twice."""
    book = open_book()
    book.policy_set("admins", ["bob"], Holder("root"), is_owner=True)
    late_us = clock.now
    clock.now -= 2 * HOUR_US
    for by in (Holder("eve"), Holder("bob", requested_by="eve")):
        with pytest.raises(BusyError, match="eve may not say that the clock is right; the owner of the file and bob"):
            accepted_clock(book.engine, by, is_owner=False)
    with pytest.raises(UnavailableError, match=TWO_CLOCKS):
        book.now_us()
    assert accepted_clock(book.engine, BOB, is_owner=False) == (late_us, clock.now)


def test_the_time_of_a_file_without_a_policy_is_its_owner_s(tmp_path, clock):
    claims = SqliteEngine(str(tmp_path / "claims.sqlite3"), [STEADY_CLOCK], now=clock)
    with pytest.raises(BusyError, match="alice may not say that the clock is right; the owner of the file may"):
        accepted_clock(claims, ALICE, is_owner=False)
    assert accepted_clock(claims, ALICE) == (0, clock.now)
    claims.close()


def test_a_book_of_an_earlier_version_gets_a_mark(path, clock):
    open_ledger(path, now=clock).close()
    old = SqliteEngine(path, [], now=clock)
    old.transact([], lambda tx: tx.execute("DROP TABLE bespeak_clock"))
    old.transact([], lambda tx: tx.execute("DELETE FROM bespeak_migrations WHERE component = 'clock'"))
    old.close()
    with open_ledger(path, now=clock) as book:
        held = book.reserve(request(ALICE))
        clock.now -= MINUTE_US
        assert book.get(held.id).state(book.now_us()) is State.ACTIVE
