"""PostgreSQL alone: rows of the log that become visible out of order, and a commit whose answer is lost."""

from __future__ import annotations

import threading

import psycopg
import pytest

from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.ledger import audit_log, open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.storage.postgres import engine
from bespeak.storage.postgres.engine import PostgresEngine

ALICE = Holder("alice")

pytestmark = pytest.mark.postgres


@pytest.fixture
def book(postgres_url):
    with open_ledger(postgres_url) as ledger:
        yield ledger


def take(book, name):
    return book.reserve(Request((name,), ALICE, duration_us=10**9))


def late_commit(url, drawn, go):
    """Draw a number of the log, and commit only when told."""
    with open_ledger(url) as other:

        def work(tx):
            tx.execute(
                "INSERT INTO ledger_log (at_us, action, resources, who, before, after) "
                "VALUES (:now, 'resource_set', '[\"late\"]', 'x', '{}', '{}')",
                {"now": tx.now_us},
            )
            drawn.set()
            assert go.wait(60)

        other.engine.transact([], work)


@pytest.mark.parametrize("start", [None, 0])
def test_a_row_that_is_committed_late_is_given_once(book, postgres_url, start):
    drawn, go = threading.Event(), threading.Event()
    thread = threading.Thread(target=late_commit, args=(postgres_url, drawn, go))
    thread.start()
    assert drawn.wait(60)
    take(book, "before")
    follower = audit_log._Follower(0) if start == 0 else audit_log._Follower(*book.log_start())

    def names():
        return [entry.resources[0] for entry in follow(book, follower)]

    assert names() == (["before"] if start == 0 else [])
    take(book, "after")
    assert names() == ["after"]
    go.set()
    thread.join(60)
    assert names() == ["late"]
    assert names() == []
    take(book, "more")
    assert names() == ["more"]


def test_a_number_that_was_rolled_back_is_forgotten_after_a_while(postgres_url):
    clock = [1_800_000_000_000_000]
    with open_ledger(postgres_url, now=lambda: clock[0]) as book:
        take(book, "one")
        book.engine.transact([], lambda tx: tx.fetch_all("SELECT nextval('ledger_log_seq_seq')"))
        take(book, "two")
        follower = audit_log._Follower(0)
        assert len(follow(book, follower)) == 2
        assert follower._seen
        clock[0] += audit_log._SETTLED_US + 1
        assert follow(book, follower) == []
        assert not follower._seen
        take(book, "three")
        assert [entry.resources for entry in follow(book, follower)] == [("three",)]


def follow(book, follower):
    return follower.accept(*book.log_rows(follower.low, follower.limit))


def lose_the_answer(monkeypatch, *, commit):
    """Cut the connection in the first COMMIT, carried out or not, and forget how to ask what became of it."""
    monkeypatch.setattr(engine, "was_committed", lambda *_: None)
    original = PostgresEngine._commit

    def cut(self, connection, tx):
        monkeypatch.setattr(PostgresEngine, "_commit", original)
        if commit:
            original(self, connection, tx)
        connection.close()
        return psycopg.OperationalError("server closed the connection unexpectedly"), False

    monkeypatch.setattr(PostgresEngine, "_commit", cut)


def test_a_reservation_whose_answer_was_lost_is_found(book, monkeypatch):
    lose_the_answer(monkeypatch, commit=True)
    made = take(book, "r")
    assert [r.id for r in book.reservations()] == [made.id]


def test_a_reservation_that_was_lost_is_said_not_to_be_made(book, monkeypatch):
    lose_the_answer(monkeypatch, commit=False)
    with pytest.raises(UnavailableError, match="it was not made") as caught:
        take(book, "r")
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert book.reservations() == []


def test_a_release_whose_answer_was_lost_is_said_to_be_unknown(book, monkeypatch):
    made = take(book, "r")
    lose_the_answer(monkeypatch, commit=True)
    with pytest.raises(OutcomeUnknownError):
        book.release(made.id, ALICE)
    assert book.reservations() == []
