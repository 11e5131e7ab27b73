"""Transactions are all or nothing, hold their locks, and see one state; the same on both engines."""

import threading

import pytest

from bespeak.base.errors import UsageError
from support.crowd import crowd
from support.storage_jobs import add_one, names, open_things


@pytest.fixture
def engine(book_url):
    with_things = open_things(book_url)
    yield with_things
    with_things.close()


def put(tx, name, amount):
    return tx.execute("INSERT INTO things VALUES (:name, :amount)", {"name": name, "amount": amount})


def everything(engine):
    return engine.read(lambda tx: tx.fetch_all("SELECT name, amount FROM things ORDER BY name"))


def test_a_transaction_returns_what_its_work_returns_and_is_seen_by_others(engine, book_url):
    assert engine.transact(["k"], lambda tx: put(tx, "a", 1)) == 1
    other = open_things(book_url)
    assert everything(other) == [("a", 1)]
    other.close()


def test_an_exception_leaves_nothing_behind_and_arrives_as_it_is(engine):
    error = UsageError("no")

    def work(tx):
        put(tx, "a", 1)
        raise error

    with pytest.raises(UsageError) as caught:
        engine.transact(["k"], work)
    assert caught.value is error
    assert everything(engine) == []
    engine.transact(["k"], lambda tx: put(tx, "a", 2))
    assert everything(engine) == [("a", 2)]


def test_an_interrupt_leaves_nothing_behind(engine):
    def work(tx):
        put(tx, "a", 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.transact(["k"], work)
    assert everything(engine) == []


def test_values_come_back_as_they_went_in(engine):
    odd = "colon:name percent%s quote' {brace} ünï ☃ \n\t"
    engine.transact([], lambda tx: put(tx, odd, 2**62))
    assert everything(engine) == [(odd, 2**62)]
    like = "SELECT name FROM things WHERE name LIKE '%percent%' AND name = :name"
    assert engine.read(lambda tx: tx.fetch_one(like, {"name": odd})) == (odd,)
    assert engine.read(lambda tx: tx.fetch_one("SELECT name FROM things WHERE name = :name", {"name": "x"})) is None


def test_run_counts_changed_rows_and_run_many_runs_each(engine):
    def work(tx):
        tx.execute_many("INSERT INTO things VALUES (:n, :a)", [{"n": f"n{i}", "a": i} for i in range(5)])
        tx.execute_many("INSERT INTO things VALUES (:n, :a)", [])
        return tx.execute("UPDATE things SET amount = 0 WHERE amount > :least", {"least": 2})

    assert engine.transact([], work) == 2
    assert len(everything(engine)) == 5


def test_a_reader_sees_one_state_while_others_write(engine, book_url):
    engine.transact([], lambda tx: put(tx, "a", 1))
    writer = open_things(book_url)

    def work(tx):
        before = tx.fetch_all("SELECT amount FROM things")
        writer.transact([], lambda other: other.execute("UPDATE things SET amount = 2"))
        return before, tx.fetch_all("SELECT amount FROM things")

    before, after = engine.read(work)
    assert before == after == [(1,)]
    assert everything(engine) == [("a", 2)]
    writer.close()


def test_one_now_a_transaction_from_the_clock_that_was_given(book_url):
    ticks = iter([10, 20, 30])
    engine = open_things(book_url)
    engine.close()
    engine = open_things(book_url, now=lambda: next(ticks))
    assert engine.transact([], lambda tx: (tx.now_us, tx.now_us)) == (10, 10)
    assert engine.read(lambda tx: tx.now_us) == 20
    engine.close()


def test_the_clock_is_the_present_and_does_not_go_back(engine):
    instants = [engine.transact(["k"], lambda tx: tx.now_us) for _ in range(20)]
    assert instants == sorted(instants)
    assert instants[0] > 1_700_000_000_000_000


def test_of_many_processes_one_wins_the_seat(engine, book_url):
    won = crowd("take_the_seat", 16, book_url)
    assert sum(won) == 1
    assert len(engine.read(lambda tx: tx.fetch_all("SELECT * FROM seats"))) == 1


def test_nothing_is_lost_and_nobody_starves_among_16_processes(engine, book_url):
    longest = crowd("count_up", 16, book_url, 60)
    assert everything(engine) == [("counter", 16 * 60)]
    print(f"longest wait of each process, ms: {[round(1000 * wait) for wait in longest]}")


def test_threads_share_an_engine(engine):
    threads = [threading.Thread(target=lambda: [engine.transact(["c"], add_one) for _ in range(20)]) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert everything(engine) == [("counter", 240)]


def test_deadlocks_are_tried_again(engine, book_url):
    engine.transact([], lambda tx: (put(tx, "a", 0), put(tx, "b", 0)))
    assert crowd("cross", 2, book_url, 4) == [4] * 2
    assert everything(engine) == [("a", 8), ("b", 8)]


def test_keys_that_differ_do_not_wait_for_each_other_on_postgresql(postgres_url):
    one, two = open_things(postgres_url), open_things(postgres_url)
    order = []

    def outer(tx):
        two.transact(["b"], lambda other: order.append("inner"))
        order.append("outer")

    one.transact(["a"], outer)
    assert order == ["inner", "outer"]
    one.close()
    two.close()


def test_books_in_two_schemas_share_neither_tables_nor_locks(postgres_schemas):
    one, two = open_things(postgres_schemas()), open_things(postgres_schemas())
    one.transact(["k"], lambda tx: (put(tx, "a", 1), two.transact(["k"], lambda other: put(other, "b", 2))))
    assert names(everything(one)) == ["a"]
    assert names(everything(two)) == ["b"]
    one.close()
    two.close()


def test_a_transaction_that_finds_out_that_it_needs_more_locks_gets_them(engine, book_url):
    """Two that each hold one lock and require the other's never change what both read at the same time."""
    put_first = [f"n{number}" for number in range(2)]
    engine.transact(["k"], lambda tx: [put(tx, name, 0) for name in put_first])

    def work(tx, mine):
        tx.require(put_first)
        (amount,) = tx.fetch_one("SELECT amount FROM things WHERE name = 'n0'")
        tx.execute("UPDATE things SET amount = :amount WHERE name = 'n0'", {"amount": amount + 1})
        return mine

    def many(mine):
        other = open_things(book_url)
        for _ in range(25):
            assert other.transact([mine], lambda tx: work(tx, mine)) == mine
        other.close()

    threads = [threading.Thread(target=many, args=(name,)) for name in put_first]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert dict(everything(engine)) == {"n0": 50, "n1": 0}
    assert engine.read(lambda tx: tx.require(["any"])) is None
