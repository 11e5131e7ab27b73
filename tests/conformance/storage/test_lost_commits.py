"""A transaction leaves a marker behind; asking for it decides what became of a commit that was not answered."""

import contextlib
import os
import signal
import threading
import time

import psycopg
import pytest

from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.storage.postgres import engine as postgres
from bespeak.storage.postgres.commit_status import KEEP_US, TRUST_US, new_marker, was_committed
from support.severed import Severed
from support.storage_jobs import open_things

PATIENCE_SECONDS = 60


@pytest.fixture
def engine(postgres_url):
    opened = open_things(postgres_url)
    yield opened
    opened.close()


def put(engine, name):
    engine.transact([], lambda tx: tx.execute("INSERT INTO things VALUES (:n, 1)", {"n": name}))


def count(engine):
    return engine.read(lambda tx: tx.fetch_one("SELECT COUNT(*) FROM things"))[0]


def markers(engine):
    rows = engine.read(lambda tx: tx.fetch_all("SELECT marker, made FROM bespeak_commits"))
    return {marker.hex: made for marker, made in rows}


def server_us(engine):
    return engine.read(lambda tx: tx.fetch_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))[0]


def backend(tx):
    return tx.fetch_one("SELECT pg_backend_pid()")[0]


def test_a_change_leaves_its_marker_and_a_look_leaves_none(engine):
    before = markers(engine)
    changed = engine.transact([], lambda tx: (tx.execute("INSERT INTO things VALUES ('a', 1)"), tx.marker)[1])
    engine.transact(["k"], lambda tx: tx.fetch_all("SELECT * FROM things"))
    engine.transact(["k"], lambda tx: tx.execute("DELETE FROM things WHERE name = 'nothing'"))
    assert {marker for marker in markers(engine) if marker not in before} == {changed}
    assert was_committed(engine._connections, changed) is True
    removed = engine.transact([], lambda tx: (tx.execute("DELETE FROM things"), tx.marker)[1])
    assert was_committed(engine._connections, removed) is True


def test_a_transaction_that_was_told_as_not_made_can_no_longer_be_made(engine):
    """Its COMMIT may still be under way when a new connection asks."""

    def work(tx):
        tx.execute("INSERT INTO things VALUES ('late', 1)")
        assert was_committed(engine._connections, tx.marker) is False

    with pytest.raises(UnavailableError) as caught:
        engine.transact([], work)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert count(engine) == 0


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_who_asks_waits_until_the_old_transaction_is_decided(engine, postgres_server, end):
    marker, answer = new_marker(server_us(engine)), []
    with psycopg.connect(postgres_server, autocommit=True) as old, psycopg.connect(postgres_server) as admin:
        old.execute(f"BEGIN; INSERT INTO {engine.schema}.bespeak_commits VALUES ('{marker}', true)".encode())
        asking = threading.Thread(target=lambda: answer.append(was_committed(engine._connections, marker)))
        asking.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not admin.execute("SELECT 1 WHERE %s = ANY(SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity)",
                                [old.info.backend_pid]).fetchone():  # fmt: skip
            assert time.monotonic() < deadline
            admin.rollback()
        assert answer == []
        old.execute(end)
        asking.join()
    assert answer == [end == "COMMIT"]


def test_the_answer_stays_the_same(engine):
    marker = new_marker(server_us(engine))
    assert [was_committed(engine._connections, marker) for _ in range(3)] == [False] * 3
    put(engine, "a")
    assert False not in {was_committed(engine._connections, made) for made in markers(engine) if made != marker}


def test_old_markers_are_removed_and_their_absence_tells_nothing(engine, monkeypatch):
    monkeypatch.setattr(postgres, "CLEAN_EVERY", 10**9)
    now_us = server_us(engine)
    old, young = [new_marker(now_us - KEEP_US - 1000 - n) for n in range(20)], new_marker(now_us - TRUST_US)
    for marker in (*old, young):
        engine.transact([], lambda tx, m=marker: tx.execute("INSERT INTO bespeak_commits VALUES (:m, true)", {"m": m}))
    monkeypatch.setattr(postgres, "CLEAN_EVERY", 1)
    engine.transact([], lambda tx: tx.fetch_all("SELECT * FROM things"))
    assert set(old) <= markers(engine).keys()
    put(engine, "a")
    assert set(old).isdisjoint(markers(engine))
    assert was_committed(engine._connections, young) is True
    assert was_committed(engine._connections, old[0]) is None


def test_as_many_threads_as_connections_lose_their_commits_at_once(engine):
    """Nobody keeps a connection while it asks for another."""
    lend, threads, failures = engine._connections.acquire, 8, []
    meet = threading.Barrier(threads)

    def lend_once(begin):
        connection, made = lend(begin)
        fresh = isinstance(made, postgres.PostgresTransaction)
        return (Severed(connection, meet.wait) if fresh else connection), made

    def write(number):
        try:
            put(engine, f"{number}")
        except UnavailableError as error:
            failures.append(error)

    engine._connections.acquire = lend_once
    workers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    engine._connections.acquire = lend
    assert failures == []
    assert count(engine) == threads


def test_a_number_used_again_after_recovery_is_not_taken_for_a_commit(private_postgres):
    """Recovery forgets transactions whose log was never flushed, and gives their numbers to others."""
    engine, other = open_things(private_postgres.url), open_things(private_postgres.url)

    def work(tx):
        tx.execute("INSERT INTO things VALUES ('lost', 1)")
        kill_and_recover(private_postgres.url, backend(tx))
        for number in range(20):
            put(other, f"{number}")

    with pytest.raises(UnavailableError) as caught:
        engine.transact(["k"], work)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert count(engine) == 20
    engine.close()
    other.close()


def kill_and_recover(server, pid):
    """Kill a backend as a lack of memory does, and wait until the server has recovered."""
    with psycopg.connect(server, autocommit=True) as bystander, contextlib.suppress(psycopg.OperationalError):
        os.kill(pid, signal.SIGKILL)
        while True:
            bystander.execute("SELECT pg_sleep(0.01)")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(server):
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)
