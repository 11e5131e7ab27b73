"""A book that may be read but not written can be looked at, with or without others who write to it."""

import contextlib
import os
import shutil
import signal
import sqlite3
import tempfile
import threading

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.storage.sqlite_readonly import ReadOnlySqliteEngine
from support.crowd import crowd
from support.storage_jobs import THINGS, open_things


def put(engine, name):
    engine.transact([], lambda tx: tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name}))


def names(engine):
    return [name for (name,) in engine.read(lambda tx: tx.fetch_all("SELECT name FROM things ORDER BY name"))]


@pytest.fixture
def folder():
    """A folder that user ``nobody`` can reach, which pytest's own is not."""
    made = tempfile.mkdtemp(prefix="bsp-", dir="/tmp")
    os.chmod(made, 0o755)
    yield made
    shutil.rmtree(made)


def test_another_user_looks_and_leaves_nothing(folder):
    path = os.path.join(folder, "book.db")
    engine = open_things(path)
    put(engine, "a")
    engine.close()
    os.chmod(path, 0o644)
    assert crowd("look_as_nobody", 1, path) == [["a"]]
    assert os.listdir(folder) == ["book.db"]


def test_another_user_sees_what_a_writer_has_committed_and_not_yet_moved(folder):
    path = os.path.join(folder, "book.db")
    engine = open_things(path)
    put(engine, "a")
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o644)
    assert crowd("look_as_nobody", 1, path) == [["a"]]
    put(engine, "b")
    assert crowd("look_as_nobody", 1, path) == [["a", "b"]]
    engine.close()


def test_it_refuses_to_write_and_to_listen(tmp_path):
    path = str(tmp_path / "book.db")
    open_things(path).close()
    engine = ReadOnlySqliteEngine(path, [THINGS])
    for refused in (lambda: put(engine, "a"), lambda: engine.listen(["a"])):
        with pytest.raises(UnavailableError, match="the file or its folder is read-only"):
            refused()
    with pytest.raises(UnavailableError):
        engine.read(lambda tx: tx.execute("INSERT INTO things VALUES ('x', 1)"))
    engine.close()
    assert os.listdir(tmp_path) == ["book.db"]


def test_a_book_that_has_to_be_upgraded_says_so(tmp_path):
    from bespeak.storage import open_engine

    path = str(tmp_path / "book.db")
    open_engine(path, []).close()
    with pytest.raises(UnavailableError, match="of an older bespeak, and the file or its folder is read-only"):
        ReadOnlySqliteEngine(path, [THINGS])


def test_what_computes_is_not_read(tmp_path):
    path = str(tmp_path / "book.db")
    open_things(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE things RENAME TO x")
        connection.execute("CREATE VIEW things AS WITH n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT * FROM x, n")
    with pytest.raises(UnavailableError, match="computed columns or computed conditions, and bespeak makes none"):
        ReadOnlySqliteEngine(path, [THINGS])


def test_a_signal_ends_a_statement_that_takes_long(tmp_path):
    path = str(tmp_path / "book.db")
    open_things(path).close()
    engine = ReadOnlySqliteEngine(path, [THINGS])
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"

    def look(tx):
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        return tx.fetch_all(endless)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            engine.read(look)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_change_while_reading_is_read_again(tmp_path):
    path = str(tmp_path / "book.db")
    open_things(path).close()
    engine, looks = ReadOnlySqliteEngine(path, [THINGS]), []

    def look(tx):
        found = tx.fetch_one("SELECT COUNT(*) FROM things")
        looks.append(found)
        if len(looks) == 1:
            writer = open_things(path)
            put(writer, "a")
            writer.close()
        return found

    assert engine.read(look) == (1,)
    assert looks == [(0,), (1,)]


def test_every_look_among_busy_writers_is_of_one_state(tmp_path):
    path = str(tmp_path / "book.db")
    open_things(path).close()
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            engine = open_things(path, durable=False)
            for _ in range(3):
                number += 1
                engine.transact(
                    [],
                    lambda tx, n=number: tx.execute_many(
                        "INSERT INTO things VALUES (:n, :a)", [{"n": f"{n}+", "a": n}, {"n": f"{n}-", "a": -n}]
                    ),
                )
            engine.close()

    thread = threading.Thread(target=write)
    thread.start()
    engine = ReadOnlySqliteEngine(path, [THINGS])
    try:
        for _ in range(30):
            assert engine.read(lambda tx: tx.fetch_one("SELECT COALESCE(SUM(amount), 0) FROM things")) == (0,)
    finally:
        stop.set()
        thread.join()
