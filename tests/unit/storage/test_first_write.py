"""A book that the first write makes, seen by who waits for it and by who comes second."""

import os

import pytest

from bespeak.storage import open_engine
from support.storage_jobs import THINGS


@pytest.fixture
def told():
    return []


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "folder" / "book.db")


@pytest.fixture
def engine(path, told):
    opened = open_engine(path, [THINGS], when_made=told.append)
    yield opened
    opened.close()


def put(engine, name):
    def work(tx):
        tx.notify("things")
        return tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name})

    return engine.transact(["things"], work)


def names(engine):
    return [name for (name,) in engine.read(lambda tx: tx.fetch_all("SELECT name FROM things ORDER BY name"))]


def test_the_first_write_makes_it_and_says_so_once(engine, path, told):
    assert names(engine) == []
    assert not os.path.exists(os.path.dirname(path))
    put(engine, "a")
    put(engine, "b")
    assert names(engine) == ["a", "b"]
    assert told == [path]
    assert engine.made


def test_a_write_that_is_refused_or_changes_nothing_makes_nothing(engine, path, told):
    def refuse(tx):
        tx.execute("INSERT INTO things VALUES ('a', 1)")
        raise LookupError("refused")

    with pytest.raises(LookupError):
        engine.transact([], refuse)
    assert engine.transact([], lambda tx: tx.execute("DELETE FROM things")) == 0
    assert names(engine) == []
    assert not os.path.exists(os.path.dirname(path))
    assert told == []


def test_what_somebody_else_made_meanwhile_is_written_to(engine, path, told):
    other = open_engine(path, [THINGS])
    put(other, "a")
    put(engine, "b")
    assert names(engine) == names(other) == ["a", "b"]
    assert told == []
    other.close()


def test_who_listens_before_the_book_is_made_is_woken(engine):
    listener, closed = engine.listen(["things"]), engine.listen(["things"])
    closed.close()
    put(engine, "a")
    assert listener.wait(60)
    listener.close()


def test_who_waits_for_a_book_that_nobody_has_made_makes_it(engine, path):
    listener = engine.listen(["things"])
    assert listener.fileno() >= 0
    assert os.path.exists(path)
    listener.close()


def test_it_opens_what_is_there(path, told):
    open_engine(path, [THINGS]).close()
    second = open_engine(path, [THINGS], when_made=told.append)
    put(second, "a")
    assert names(second) == ["a"]
    assert told == []
    second.close()
