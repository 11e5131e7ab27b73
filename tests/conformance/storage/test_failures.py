"""What goes wrong below is told in one clear line with its own exit code, and nothing is lost or half-written."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import threading

import psycopg
import pytest

from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.storage import open_engine
from bespeak.storage.postgres import commit_status
from support.crowd import crowd
from support.severed import Severed
from support.storage_jobs import open_things, told


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "book.db")


def put(engine, name):
    engine.transact([], lambda tx: tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name}))


def count(engine):
    return engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM things"))[0]


def test_a_file_that_is_no_database(path):
    with open(path, "w") as file:
        file.write("shopping list\n" * 100)
    assert told(open_things, path) == ("UnavailableError", f"book {path}: the file is not a database", 9)
    with open(path) as file:
        assert file.read(13) == "shopping list"


def test_the_database_of_another_program_is_left_alone(path):
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE theirs (a)")
    theirs.close()
    before = pathlib.Path(path).read_bytes()
    kind, text, code = told(open_things, path)
    assert (kind, code) == ("UnavailableError", 9)
    assert text == f"book {path}: this file is another program's database; nothing was written"
    assert pathlib.Path(path).read_bytes() == before
    adopted = open_things(path, foreign=True)
    put(adopted, "a")
    adopted.close()


def test_a_damaged_file(path):
    engine = open_things(path)
    for number in range(2000):
        engine.transact([], lambda tx, n=number: tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": f"{n:0100}"}))
        if number == 200:
            engine.close()
            engine = open_things(path, durable=False)
    engine.close()
    with open(path, "r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 20)
    engine = open_things(path)
    kind, text, code = told(lambda: engine.read(lambda tx: tx.fetch_all("SELECT * FROM things ORDER BY name")))
    engine.close()
    assert (kind, text, code) == ("UnavailableError", f"book {path}: the file is damaged", 9)


def test_a_folder_in_the_place_of_the_file(tmp_path):
    text = f"book {tmp_path}: this is a folder, not a file"
    assert told(open_things, str(tmp_path)) == ("UnavailableError", text, 9)


def test_a_file_in_the_place_of_the_folder(path):
    pathlib.Path(path).touch()
    assert told(open_things, path + "/book.db") == (
        "UnavailableError",
        f"book {path}/book.db: {path} is not a folder",
        9,
    )


def test_a_file_locked_by_another_program(path):
    open_things(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    engine = open_things(path, busy_seconds=0.05)
    text = f"book {path}: locked by another program for more than 0.05 s"
    assert told(put, engine, "a") == ("LockedError", text, 9)
    assert count(engine) == 0
    other.execute("ROLLBACK")
    put(engine, "a")
    assert count(engine) == 1
    engine.close()
    other.close()


def test_a_full_file_system(path):
    engine = open_things(path)
    put(engine, "before")
    engine._connection.execute("PRAGMA max_page_count = 12")
    big = "x" * 100_000
    text = f"book {path}: the disk is full"
    assert told(put, engine, big) == ("UnavailableError", text, 9)
    assert count(engine) == 1
    put(engine, "after")
    assert count(engine) == 2
    engine.close()


@pytest.mark.parametrize("free_kib", [8, 64, 160])
def test_a_disk_that_is_really_full(tmp_path, free_kib):
    """A file size limit stands in for the disk: it needs no rights, and the kernel refuses as a full disk does."""
    path = str(tmp_path / "book.db")
    open_things(path).close()
    grown = max(os.path.getsize(os.path.join(tmp_path, name)) for name in os.listdir(tmp_path))
    limit = grown + free_kib * 1024
    script = (
        "import resource, signal, sys\n"
        "from support.storage_jobs import open_things, told\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "done, answer = 0, ('nothing',)\n"
        "def use():\n"
        "    global done\n"
        "    engine = open_things(sys.argv[1])\n"
        "    for n in range(1000):\n"
        "        engine.transact([], lambda tx: tx.execute('INSERT INTO things VALUES (:n, 1)', {'n': f'{n:02000}'}))\n"
        "        done += 1\n"
        "answer = told(use)\n"
        "print(done, answer[0], answer[2], answer[1])\n"
    )
    ran = _python(script, path)
    done, kind, code, text = ran.stdout.split(" ", 3)
    assert (kind, code) == ("UnavailableError", "9"), ran.stdout + ran.stderr
    assert text.strip() in {f"book {path}: the disk is full", f"book {path}: the disk reports an input/output error"}
    engine = open_things(path)
    assert count(engine) == int(done)
    put(engine, "after")
    engine.close()


def _python(script, *args):
    import sys

    tests = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    env = os.environ | {"PYTHONPATH": tests}
    return subprocess.run(
        [sys.executable, "-c", script, *args], check=True, capture_output=True, text=True, env=env, timeout=60
    )


@pytest.fixture
def open_folder():
    """A folder that user ``nobody`` can reach, which pytest's own is not."""
    import tempfile

    folder = tempfile.mkdtemp(prefix="bsp-", dir="/tmp")
    os.chmod(folder, 0o755)
    yield folder
    os.chmod(folder, 0o755)
    shutil.rmtree(folder)


def test_a_read_only_file_and_a_read_only_folder(open_folder):
    path = os.path.join(open_folder, "book.db")
    open_things(path).close()
    os.chmod(path, 0o444)
    os.chmod(open_folder, 0o555)
    text = f"book {path}: the file or its folder is read-only"
    assert crowd("as_nobody", 1, path) == [["UnavailableError", text, 9]]
    os.chmod(open_folder, 0o777)
    assert crowd("as_nobody", 1, path) == [["UnavailableError", text, 9]]


def test_a_file_that_may_not_be_read(open_folder):
    path = os.path.join(open_folder, "book.db")
    open_things(path).close()
    if os.geteuid() != 0:
        os.chmod(path, 0)
    assert crowd("as_nobody", 1, path) == [["UnavailableError", f"book {path}: access denied", 9]]


def test_a_folder_in_which_no_book_may_be_made(open_folder):
    os.chmod(open_folder, 0o555)
    path = os.path.join(open_folder, "book.db")
    assert crowd("as_nobody", 1, path) == [["UnavailableError", f"book {path}: Permission denied", 9]]


def test_sql_that_is_wrong_is_told_without_a_traceback(book_url):
    engine = open_things(book_url)
    with pytest.raises(UnavailableError) as caught:
        engine.read(lambda tx: tx.fetch_all("SELECT nonsense FROM nowhere"))
    assert "nowhere" in str(caught.value)
    assert "\n" not in str(caught.value)
    engine.close()


# A server that goes away.


def backend(tx):
    return tx.fetch_one("SELECT pg_backend_pid()")[0]


def kill_backend(server, pid):
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_a_connection_lost_while_idle_is_replaced(postgres_server, postgres_url):
    engine = open_things(postgres_url)
    kill_backend(postgres_server, engine.transact([], backend))
    put(engine, "a")
    kill_backend(postgres_server, engine.read(backend))
    assert count(engine) == 1
    engine.close()


def test_a_connection_lost_in_the_middle_changes_nothing(postgres_server, postgres_url):
    engine = open_things(postgres_url)

    def work(tx):
        tx.execute("INSERT INTO things VALUES ('a', 1)")
        kill_backend(postgres_server, backend(tx))
        tx.execute("INSERT INTO things VALUES ('b', 1)")

    kind, text, code = told(engine.transact, ["k"], work)
    assert (kind, code) == ("UnavailableError", 9)
    assert text.startswith(f"book {engine.name}: ")
    assert "\n" not in text
    assert count(engine) == 0
    put(engine, "a")
    engine.close()


def test_a_connection_lost_before_the_commit_arrives_is_known_to_have_changed_nothing(postgres_server, postgres_url):
    engine = open_things(postgres_url)

    def work(tx):
        tx.execute("INSERT INTO things VALUES ('a', 1)")
        kill_backend(postgres_server, backend(tx))

    with pytest.raises(UnavailableError) as caught:
        engine.transact(["k"], work)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert count(engine) == 0
    engine.close()


def sever(engine):
    lend = engine._connections.acquire

    def lend_once(begin):
        engine._connections.acquire = lend
        connection, tx = lend(begin)
        return Severed(connection), tx

    engine._connections.acquire = lend_once


def test_a_commit_whose_answer_was_lost_is_found_to_have_been_made(postgres_url):
    engine = open_things(postgres_url)
    listener = engine.listen(["t"])
    sever(engine)

    def work(tx):
        tx.notify("t")
        return tx.execute("INSERT INTO things VALUES ('a', 1)")

    assert engine.transact(["k"], work) == 1
    assert listener.wait(20)
    assert count(engine) == 1
    listener.close()
    engine.close()


def test_a_commit_whose_outcome_cannot_be_asked_is_unknown(private_postgres, monkeypatch):
    monkeypatch.setattr(commit_status, "ASK_SECONDS", 0.3)
    engine = open_things(private_postgres.url)

    def work(tx):
        tx.execute("INSERT INTO things VALUES ('a', 1)")
        private_postgres.stop()

    kind, text, code = told(engine.transact, ["k"], work)
    assert (kind, code) == ("OutcomeUnknownError", 9)
    assert text == (f"book {engine.name}: the connection was lost during the commit; look whether the change was made")
    kind, text, code = told(put, engine, "b")
    assert (kind, code) == ("UnavailableError", 9)
    assert "\n" not in text
    engine.close()


def test_a_server_that_is_not_there(tmp_path):
    kind, text, code = told(open_things, f"postgresql:///postgres?host={tmp_path}&user=u:secret&schema=s")
    assert (kind, code) == ("UnavailableError", 9)
    assert "\n" not in text


def test_a_password_is_never_shown(private_postgres):
    with psycopg.connect(private_postgres.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE bespeak_password LOGIN PASSWORD 'other'")
    socket = private_postgres.folder
    for url in (
        f"postgresql://bespeak_password:s3cr%40t@/postgres?host={socket}",
        f"postgresql:///postgres?host={socket}&user=bespeak_password&password=s3cr%40t",
        f"postgresql://bespeak_password:s3cr%zzt@/postgres?host={socket}",
    ):
        kind, text, code = told(open_things, url)
        assert (kind, code) == ("UnavailableError", 9)
        assert "s3cr" not in text
        assert "\n" not in text


def test_more_threads_than_connections_wait_their_turn(postgres_url):
    engine = open_things(postgres_url)
    threads = [threading.Thread(target=put, args=(engine, f"{n}")) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(engine) == 40
    assert len(engine._connections._idle) <= 8
    engine.close()


def test_a_closed_book_says_so(postgres_url):
    engine = open_things(postgres_url)
    engine.close()
    assert told(put, engine, "a") == ("UnavailableError", f"book {engine.name}: it was closed", 9)


def test_an_engine_that_could_not_open_leaves_nothing_open(path):
    pathlib.Path(path).write_text("x" * 5000)
    with pytest.raises(UnavailableError):
        open_engine(path, [])
    assert not [link for link in os.listdir("/proc/self/fd") if _target(link) == path]


def _target(link):
    try:
        return os.readlink(f"/proc/self/fd/{link}")
    except OSError:
        return ""
