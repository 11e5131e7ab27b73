"""Statements that travel together do the same as one by one."""

import pytest

from bespeak.base.errors import UnavailableError
from support.storage_jobs import open_things

PUT = "INSERT INTO things VALUES (:name, :amount)"
ALL = "SELECT name, amount FROM things ORDER BY name"


@pytest.fixture
def engine(book_url):
    with_things = open_things(book_url)
    yield with_things
    with_things.close()


def rows(*names):
    return [{"name": name, "amount": number} for number, name in enumerate(names)]


def everything(engine):
    return engine.read(lambda tx: tx.fetch_all(ALL))


def test_what_is_written_later_is_there_for_the_next_statement_and_after_the_commit(engine):
    def work(tx):
        tx.execute_deferred(PUT, rows("a", "b"))
        tx.execute_deferred(PUT, [])
        seen = tx.fetch_one("SELECT COUNT(*) FROM things")
        tx.execute_deferred("UPDATE things SET amount = amount + 10 WHERE name = :n", [{"n": "a"}])
        changed = tx.execute("UPDATE things SET amount = amount * 2")
        tx.execute_deferred(PUT, rows("c"))
        return seen, changed

    assert engine.transact([], work) == ((2,), 2)
    assert everything(engine) == [("a", 20), ("b", 2), ("c", 0)]


def test_several_queries_answer_in_their_order(engine):
    engine.transact([], lambda tx: tx.execute_many(PUT, rows("a", "b")))

    def work(tx):
        tx.execute_deferred(PUT, rows("c"))
        return tx.fetch_batch(
            [(ALL, {}), ("SELECT name FROM things WHERE amount = :n", {"n": 1}), ("SELECT 1 WHERE 1 = 0", {})]
        )

    assert engine.transact([], work) == [[("a", 0), ("b", 1), ("c", 0)], [("b",)], []]
    assert engine.read(lambda tx: tx.fetch_batch([])) == []


def test_a_later_statement_that_fails_undoes_everything_and_wakes_nobody(engine):
    listener = engine.listen(["t"])

    def work(tx):
        tx.execute(PUT, {"name": "first", "amount": 1})
        tx.execute_deferred(PUT, rows("a"))
        tx.execute_deferred(PUT, rows("a"))
        tx.notify("t")

    with pytest.raises(UnavailableError) as caught:
        engine.transact(["k"], work)
    assert "\n" not in str(caught.value)
    assert everything(engine) == []
    assert not listener.wait(0.05)
    engine.transact(["k"], lambda tx: (tx.execute_deferred(PUT, rows("a")), tx.notify("t")))
    assert everything(engine) == [("a", 0)]
    assert listener.wait(20)
    listener.close()


def test_work_that_raises_sends_nothing_that_was_left_for_later(engine):
    def work(tx):
        tx.execute_deferred(PUT, rows("a"))
        raise KeyError

    with pytest.raises(KeyError):
        engine.transact([], work)
    assert everything(engine) == []


def test_a_statement_that_failed_inside_cannot_be_committed_over(postgres_url):
    """PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error."""
    engine = open_things(postgres_url)

    def work(tx):
        tx.execute(PUT, {"name": "a", "amount": 1})
        with pytest.raises(Exception, match="nowhere"):
            tx.fetch_all("SELECT * FROM nowhere")

    with pytest.raises(UnavailableError):
        engine.transact([], work)
    assert everything(engine) == []
    engine.close()
