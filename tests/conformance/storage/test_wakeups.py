"""A commit wakes who listens for it, and never fails to; a sleeper that died is forgotten."""

import os
import select
import threading
import time

import psycopg
import pytest

from support.crowd import crowd
from support.storage_jobs import open_things

LONG = 20.0
"""Seconds within which a wake-up that comes at all has come."""


@pytest.fixture
def engine(book_url):
    with_things = open_things(book_url)
    yield with_things
    with_things.close()


@pytest.fixture
def other(engine, book_url):
    second = open_things(book_url)
    yield second
    second.close()


@pytest.fixture
def listen(engine):
    made = []

    def new(*topics):
        made.append(engine.listen(topics))
        return made[-1]

    yield new
    for listener in made:
        listener.close()


def wake(engine, *topics):
    engine.transact([], lambda tx: [tx.notify(topic) for topic in topics])


def test_a_commit_wakes_its_topic_and_the_listener_of_everything(listen, other):
    mine, every = listen("a", "b"), listen("*")
    wake(other, "b")
    assert mine.wait(LONG)
    assert every.wait(LONG)
    assert not mine.wait(0)


def test_another_topic_does_not_wake(listen, other):
    mine = listen("a")
    wake(other, "b")
    assert not mine.wait(0.05)
    wake(other, "a")
    assert mine.wait(LONG)


def test_the_engine_wakes_its_own_listeners_too(listen, engine):
    mine = listen("a")
    wake(engine, "a")
    assert mine.wait(LONG)


def test_what_was_rolled_back_wakes_nobody(listen, other):
    mine = listen("a")

    def work(tx):
        tx.notify("a")
        raise KeyError

    with pytest.raises(KeyError):
        other.transact([], work)
    assert not mine.wait(0.05)


def test_a_commit_between_looking_and_waiting_is_not_missed(listen, other):
    mine = listen("a")
    for _ in range(50):
        wake(other, "a")
        assert mine.wait(LONG)


def test_the_change_can_be_seen_when_the_listener_wakes(listen, engine, other):
    mine, seen = listen("t"), []

    def sleeper():
        for _ in range(30):
            assert mine.wait(LONG)
            seen.append(engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM things"))[0])

    thread = threading.Thread(target=sleeper)
    thread.start()
    for number in range(30):
        other.transact(
            [], lambda tx, n=number: (tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": f"{n}"}), tx.notify("t"))
        )
        while len(seen) <= number:
            time.sleep(0.001)
    thread.join()
    assert seen == list(range(1, 31))


def test_topics_may_be_long_and_odd(listen, other):
    odd = ["x" * 20_000, "../../etc", "quote'\";--", "ünï ☃", ""]
    listeners = [listen(topic) for topic in odd]
    wake(other, *odd)
    assert all(listener.wait(LONG) for listener in listeners)


def test_many_wake_ups_become_one_and_none_blocks_the_writer(listen, other):
    mine = listen("a")
    other.transact([], lambda tx: [tx.notify("a") for _ in range(70_000)])
    for _ in range(300):
        wake(other, "a")
    assert mine.wait(LONG)


def test_waiting_ends_with_its_time(listen):
    assert not listen("a").wait(0)
    assert not listen("a").wait(0.01)


def test_the_descriptor_is_readable_when_there_is_something(listen, other):
    mine = listen("a")
    assert select.select([mine.fileno()], [], [], 0)[0] == []
    wake(other, "a")
    assert select.select([mine.fileno()], [], [], LONG)[0] == [mine.fileno()]
    assert mine.wait(0)
    assert select.select([mine.fileno()], [], [], 0)[0] == []


def test_a_game_of_600_turns_among_two_processes_loses_no_wake_up(engine, book_url):
    engine.transact([], lambda tx: tx.execute("INSERT INTO things VALUES ('ball', 0)"))
    assert crowd("ping_pong", 2, book_url, 600) == [600, 600]


def test_listeners_that_come_and_go_among_busy_writers_miss_nothing(engine, book_url):
    assert crowd("come_and_go", 8, book_url, 80) == [0] * 8


def test_a_listener_that_was_killed_is_forgotten(engine, book_url, listen):
    living = listen("a")
    assert crowd("die_listening", 5, book_url, "a", "b") == ["signal 9"] * 5
    wake(engine, "a", "b")
    assert living.wait(LONG)
    if engine.dialect == "sqlite":
        folders = os.path.join(engine.path + ".wake")
        assert sum(len(files) for _, _, files in os.walk(folders)) == 1


def test_closed_listeners_leave_no_file(tmp_path):
    engine = open_things(str(tmp_path / "book.db"))
    engine.listen(["a", "b", "*"]).close()
    assert list((tmp_path / "book.db.wake").iterdir()) == []
    wake(engine, "a")
    engine.close()


def test_a_listener_reconnects_and_then_says_look_again(postgres_server, postgres_url):
    engine = open_things(postgres_url)
    listener = engine.listen(["a"])
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [listener._connection.info.backend_pid])
    assert listener.wait(LONG)
    assert not listener.wait(0.05)
    wake(engine, "a")
    assert listener.wait(LONG)
    listener.close()
    engine.close()


def test_a_listener_outlives_a_server_that_is_away(private_postgres):
    engine = open_things(private_postgres.url)
    listener = engine.listen(["a"])
    private_postgres.stop()
    assert not listener.wait(1.2)
    listener.close()
    engine.close()
