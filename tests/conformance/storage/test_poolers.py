"""A book behind a pooler in transaction mode: each transaction may run in another session of the server."""

import psycopg
import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from support.pooler import SESSIONS, Pooler
from support.storage_jobs import open_things

ALICE = Holder("alice")
HOUR_US = 3600 * 1_000_000


@pytest.fixture
def pooler(private_postgres):
    standing = Pooler(private_postgres.folder)
    yield standing
    standing.close()


@pytest.fixture
def books(pooler):
    """Two books in two schemas of one database, each with a table of the same names."""
    opened = [open_things(f"{pooler.url}&schema={name}") for name in ("one", "two")]
    yield opened
    for engine in opened:
        engine.close()


def put(engine, name):
    engine.transact(["k"], lambda tx: tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name}))


def count(engine):
    return engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM things"))[0]


def test_every_write_lands_in_the_schema_of_its_book(books):
    for number in range(20):
        put(books[number % 2], f"{number}")
        assert [count(engine) for engine in books] == [number // 2 + 1, (number + 1) // 2]


def test_reservations_of_two_books_stay_apart(pooler):
    with open_ledger(f"{pooler.url}&schema=one") as one, open_ledger(f"{pooler.url}&schema=two") as two:
        for number in range(8):
            one.reserve(Request((f"a{number}",), ALICE, duration_us=HOUR_US))
            two.reserve(Request((f"b{number}",), ALICE, duration_us=HOUR_US))
        assert {found.resources[0][0] for found in one.reservations()} == {"a"}
        assert {found.resources[0][0] for found in two.reservations()} == {"b"}


def test_nothing_of_ours_stays_in_a_session(books, pooler):
    for number in range(12):
        put(books[number % 2], f"{number}")
    with psycopg.connect(pooler.url, autocommit=True, prepare_threshold=None) as other:
        found = {
            tuple(other.execute(f"SELECT current_setting('{name}')".encode()).fetchone()[0] for _ in range(SESSIONS))
            for name in ("search_path", "statement_timeout", "synchronous_commit")
        }
        prepared = [other.execute(b"SELECT COUNT(*) FROM pg_prepared_statements").fetchone() for _ in range(SESSIONS)]
    assert found == {('"$user", public',) * SESSIONS, ("0",) * SESSIONS, ("on",) * SESSIONS}
    assert prepared == [(0,)] * SESSIONS


def test_a_sleeper_wakes_although_listen_is_not_heard(books):
    listener = books[0].listen(["t"])
    assert listener.wait(None)
    assert listener.wait(0.01)
    listener.close()


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_the_default_of_a_session_does_not_take_the_snapshot_before_the_locks(postgres_server, postgres_url, level):
    """Otherwise who waited for the lock would decide on what was there before."""
    open_things(postgres_url).close()
    option = f"&options=-c%20default_transaction_isolation%3D{level.replace(' ', '%5C%20')}"
    engine = open_things(postgres_url + option)
    shown = engine.transact(["k"], lambda tx: tx.fetch_one("SELECT current_setting('transaction_isolation')"))
    assert shown == ("read committed",)
    engine.close()
