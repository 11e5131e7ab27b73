"""The log in order: a reader that knows one number has seen every row up to it, whatever commits late."""

from __future__ import annotations

import threading

import pytest

from bespeak.ledger import open_ledger, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.ordered_log import OrderedLog


@pytest.fixture
def book(book_url):
    with open_ledger(book_url, durable=False) as book:
        yield book


def write(tx):
    write_operations.log(tx, Action.RESOURCE_SET, "alice", None, None, ["r"])


def take(book, follower):
    return [entry.seq for entry in book.engine.read(follower.take)]


def take_all(book, follower, count):
    found = []
    while len(found) < count:
        found += take(book, follower)
    return found


def test_rows_come_once_and_in_order(book):
    follower = book.engine.read(OrderedLog.from_now)
    for _ in range(3):
        book.engine.transact([], write)
    found = take_all(book, follower, 3)
    assert found == sorted(found)
    assert take(book, follower) == []
    assert follower.last == found[-1]


@pytest.mark.postgres
def test_a_row_that_is_committed_late_is_not_passed_by(postgres_url):
    with open_ledger(postgres_url, durable=False) as book:
        follower = book.engine.read(OrderedLog.from_now)
        written, go_on = threading.Event(), threading.Event()

        def slow(tx):
            write(tx)
            tx.fetch_one("SELECT 1")  # sends what was deferred
            written.set()
            assert go_on.wait(60)

        thread = threading.Thread(target=book.engine.transact, args=([], slow))
        thread.start()
        assert written.wait(60)
        book.engine.transact([], write)
        for _ in range(20):
            assert take(book, follower) == []
        assert follower.waits
        go_on.set()
        thread.join()
        first, second = take_all(book, follower, 2)
        assert second == first + 1


@pytest.mark.postgres
def test_a_number_that_was_given_up_holds_nobody_up(postgres_url):
    with open_ledger(postgres_url, durable=False) as book:
        follower = book.engine.read(OrderedLog.from_now)

        def fails(tx):
            write(tx)
            tx.fetch_one("SELECT 1")
            raise ValueError

        with pytest.raises(ValueError):
            book.engine.transact([], fails)
        book.engine.transact([], write)
        (found,) = take_all(book, follower, 1)
        assert found == follower.last == 2
        assert not follower.waits
