"""Who may read a book: its owner alone, or a group whose folder it lies in."""

import os

from bespeak.storage.sqlite import SqliteEngine
from support.storage_jobs import open_things


def put(engine, name):
    engine.transact([], lambda tx: tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name}))


def mode(path):
    return oct(os.stat(path).st_mode & 0o7777)


def test_a_book_is_private(tmp_path):
    path = str(tmp_path / "new" / "book.db")
    old = os.umask(0)
    try:
        engine = open_things(path)
        listener = engine.listen(["a"])
        put(engine, "a")
        (folder,) = os.listdir(path + ".wake")
        (fifo,) = os.listdir(os.path.join(path + ".wake", folder))
        assert mode(os.path.dirname(path)) == mode(path + ".wake") == mode(f"{path}.wake/{folder}") == "0o700"
        assert (
            mode(path) == mode(path + "-wal") == mode(path + "-shm") == mode(f"{path}.wake/{folder}/{fifo}") == "0o600"
        )
        listener.close()
        engine.close()
    finally:
        os.umask(old)


def test_a_book_in_a_folder_of_a_group_is_the_groups(tmp_path):
    folder = tmp_path / "team"
    folder.mkdir()
    folder.chmod(0o2775)
    path = str(folder / "book.db")
    old = os.umask(0o077)
    try:
        engine = SqliteEngine(path, [])
        listener = engine.listen(["a"])
        engine.transact([], lambda tx: tx.execute("CREATE TABLE t (a)"))
        (topic,) = os.listdir(path + ".wake")
        (fifo,) = os.listdir(os.path.join(path + ".wake", topic))
        assert mode(path) == mode(path + "-wal") == mode(f"{path}.wake/{topic}/{fifo}") == "0o660"
        assert mode(path + ".wake") == mode(f"{path}.wake/{topic}") == "0o2770"
        listener.close()
        engine.close()
    finally:
        os.umask(old)
