"""Several pieces of work with one commit: each fails alone, and nothing is kept where the commit fails."""

from __future__ import annotations

import sqlite3

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.ledger import open_ledger
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Request

HOUR_US = 3_600_000_000


@pytest.fixture
def book(tmp_path):
    with open_ledger(str(tmp_path / "book.db"), durable=False) as book:
        yield book


def reserve(book, name, user="alice"):
    return lambda: book.reserve(Request((name,), Holder(user), duration_us=HOUR_US))


def test_each_call_sees_what_those_before_it_wrote_and_fails_alone(book):
    first, second, third = book.engine.together([reserve(book, "r1"), reserve(book, "r1", "bob"), reserve(book, "r2")])
    assert isinstance(second, RefusedError)
    assert second.refusal.conflicts[0].reservation_id == first.id
    assert [one.id for one in book.reservations()] == [first.id, third.id]


def test_what_a_failing_call_wrote_is_undone(book):
    def writes_and_fails():
        def work(tx):
            tx.execute("INSERT INTO ledger_resources (name) VALUES ('half')")
            raise ValueError("in the middle")

        book.engine.transact([], work)

    _, failed = book.engine.together([reserve(book, "r1"), writes_and_fails])
    assert isinstance(failed, ValueError)
    assert [one.name for one in book.resource_list()] == ["r1"]


def test_sleepers_are_woken_after_the_commit_and_not_for_what_failed(book):
    listener, other = book.engine.listen(["resource:r1"]), book.engine.listen(["resource:r2"])

    def fails():
        def work(tx):
            tx.notify("resource:r2")
            raise ValueError

        book.engine.transact([], work)

    book.engine.together([reserve(book, "r1"), fails])
    assert listener.wait(0)
    assert not other.wait(0)
    listener.close()
    other.close()


def test_where_the_commit_fails_nothing_is_kept_and_the_next_group_works(book):
    def ends_the_transaction():
        book.engine.transact([], lambda tx: tx.execute("ROLLBACK"))

    with pytest.raises(UnavailableError):
        book.engine.together([reserve(book, "r1"), ends_the_transaction])
    assert book.reservations() == []
    (made,) = book.engine.together([reserve(book, "r1")])
    assert book.get(made.id) == made


def test_another_program_finds_everything_or_nothing(book, tmp_path):
    with sqlite3.connect(tmp_path / "book.db") as other:
        seen = []

        def looks():
            seen.append(other.execute("SELECT count(*) FROM ledger_reservations").fetchone()[0])

        book.engine.together([reserve(book, "r1"), looks, reserve(book, "r2")])
        looks()
    other.close()
    assert seen == [0, 2]
