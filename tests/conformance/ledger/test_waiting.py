"""Waiting in the queue for real: a second process's turn comes when the first gives back."""

from __future__ import annotations

import threading

import pytest

from bespeak.base.clock import FOREVER_US, HOUR_US, MINUTE_US
from bespeak.base.errors import BespeakError, UnavailableError, UsageError, WaitTimedOutError, WrongStateError
from bespeak.ledger import open_ledger
from bespeak.ledger.actions import Action
from bespeak.ledger.model import Holder, Request, State
from support import replay
from support.trees import wait_for

ALICE, BOB, ROOT = Holder("alice"), Holder("bob"), Holder("root")
WANTED = Request(("r", "s"), BOB, duration_us=HOUR_US)


@pytest.fixture
def book(book_url):
    with open_ledger(book_url) as ledger:
        yield ledger
        assert ledger.engine.read(replay.compare) == []
        assert ledger.engine.read(replay.broken) == []


class Waiter(threading.Thread):
    """Wait in the queue on a connection of its own."""

    def __init__(self, url, **options):
        super().__init__()
        self.url, self.options = url, options
        self.places, self.result = [], None
        self.stands = threading.Event()

    def run(self):
        with open_ledger(self.url) as book:
            try:
                self.result = book.queue(WANTED, on_position=self.note, **self.options)
            except BespeakError as error:
                self.result = error

    def note(self, position):
        self.places.append(position)
        if position.promised_us is not None:
            self.stands.set()


def test_it_comes_when_the_holder_gives_back(book, book_url):
    held = book.reserve(Request(("r",), ALICE, duration_us=HOUR_US))
    waiter = Waiter(book_url)
    waiter.start()
    assert waiter.stands.wait(60)
    assert (waiter.places[-1].position, waiter.places[-1].promised_us) == (1, held.ends_us)
    book.release(held.id, ALICE)
    waiter.join(60)
    assert waiter.result.state(book.now_us()) is State.ACTIVE
    assert waiter.result.fencing_token > held.fencing_token
    assert waiter.result.ends_us - waiter.result.starts_us == HOUR_US


def test_what_is_free_is_had_at_once(book):
    assert not book.queue(WANTED, timeout_us=1).waiting
    assert book.queue(Request(("q",), BOB, ends_us=FOREVER_US)).ends_us == FOREVER_US


def test_it_leaves_the_line_when_the_time_is_over(book):
    book.reserve(Request(("r",), ALICE, duration_us=HOUR_US))
    with pytest.raises(WaitTimedOutError, match="first in the queue, promised in"):
        book.queue(WANTED, timeout_us=1000)
    assert book.reservations(states=[State.WAITING]) == []
    with pytest.raises(WaitTimedOutError):
        book.queue(WANTED, should_stop=lambda: True)
    assert book.reservations(states=[State.WAITING]) == []


def test_the_position_is_told_again_and_names_what_is_held(book):
    held = book.reserve(Request(("r",), ALICE, duration_us=HOUR_US, purpose="thermal run"))
    told = []
    with pytest.raises(WaitTimedOutError):
        book.queue(WANTED, on_position=told.append, repeat_position_us=1, should_stop=lambda: len(told) >= 3)
    assert told == [told[0]] * 3
    assert [(booking.reservation_id, booking.purpose) for booking in told[0].held] == [(held.id, "thermal run")]


def test_whoever_breaks_it_off_leaves_the_line(book):
    book.reserve(Request(("r",), ALICE, duration_us=HOUR_US))

    def interrupt(place):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        book.queue(WANTED, on_position=interrupt)
    assert book.reservations(holder="bob") == []


def test_a_waiter_that_is_kicked_is_told(book, book_url):
    book.reserve(Request(("r",), ALICE, duration_us=HOUR_US))
    waiter = Waiter(book_url)
    waiter.start()
    assert waiter.stands.wait(60)
    (waiting,) = book.reservations(states=[State.WAITING])
    book.kick(waiting.id, ROOT, "not today")
    waiter.join(60)
    assert isinstance(waiter.result, WrongStateError)
    assert "not today" in str(waiter.result)


def test_what_cannot_wait(book):
    for request, priority in (
        (Request(("r",), BOB, ends_us=book.now_us() + MINUTE_US), 0),
        (WANTED, 1001),
        (WANTED, -1001),
    ):
        with pytest.raises(UsageError):
            book.queue(request, priority=priority)
    assert book.log() == []


def test_a_book_that_stays_away_ends_the_waiting(book_url, monkeypatch):
    monkeypatch.setattr("bespeak.ledger.waiting.LONGEST_OUTAGE_SECONDS", 0.3)
    with open_ledger(book_url) as book:
        book.reserve(Request(("r",), ALICE, duration_us=HOUR_US))
        waiter = Waiter(book_url)
        waiter.start()
        assert waiter.stands.wait(60)
        book.engine.transact([], lambda tx: [tx.execute("DROP TABLE ledger_reservations"), tx.notify("resource:r")])
        waiter.join(60)
    assert isinstance(waiter.result, UnavailableError)


def test_a_place_that_lapses_in_an_outage_is_taken_anew(book_url, monkeypatch):
    monkeypatch.setattr("bespeak.ledger.queue.LEASE_US", 2_000_000)
    monkeypatch.setattr("bespeak.ledger.queue._RENEW_US", 500_000)
    told = []
    with open_ledger(book_url) as book:
        held = book.reserve(Request(("r",), ALICE, duration_us=HOUR_US))
        waiter = Waiter(book_url, on_outage=told.append)
        waiter.start()
        assert waiter.stands.wait(60)
        [place] = [one for one in book.reservations() if one.waiting]
        rename(book, "ledger_reservations", "away")
        wait_for(lambda: told)
        wait_for(lambda: book.now_us() > place.lease_us + 2_000_000)
        rename(book, "away", "ledger_reservations")
        wait_for(lambda: len(told) == 2)
        book.release(held.id, ALICE)
        waiter.join(60)
        assert waiter.result.holder == BOB.user
        assert waiter.result.id != place.id
        [ended] = [entry.action for entry in book.log() if entry.reservation_id == place.id][-1:]
        assert ended is Action.NO_SHOW
    assert "a new one is taken" in told[1]


def rename(book, before, after):
    book.engine.transact(
        [], lambda tx: [tx.execute(f"ALTER TABLE {before} RENAME TO {after}"), tx.notify("resource:r")]
    )
