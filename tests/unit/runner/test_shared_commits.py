"""Threads that start jobs at the same time share a commit; each answer is its own."""

from __future__ import annotations

import sqlite3
import threading

from bespeak.base.errors import UsageError
from bespeak.runner.model import JobStatus
from support.jobs import WAIT_SECONDS, eventually

THREADS = 12


def test_starts_that_wait_for_the_book_are_committed_together(runner, monkeypatch) -> None:
    runner.start("first", ["/bin/true"])
    sizes = _sizes(runner, monkeypatch)
    blocker = sqlite3.connect(runner.paths.database, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    started: dict[int, object] = {}
    threads = [threading.Thread(target=_start, args=(runner, number, started)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: len(runner._commits._waiting) == THREADS - 1)
    blocker.execute("ROLLBACK")
    blocker.close()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert sizes == [THREADS - 1]
    jobs = [runner.wait(started[number].job.job_id, WAIT_SECONDS) for number in range(THREADS)]
    assert [job.run_key for job in jobs] == [f"k{number}" for number in range(THREADS)]
    assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}


def test_of_those_that_share_a_commit_one_may_fail_alone(runner) -> None:
    runner.start("first", ["/bin/true"])
    engine = runner._open()

    def fails() -> None:
        raise UsageError("not this one")

    outcomes: dict[str, object] = {}

    def call(name: str, what) -> None:
        try:
            outcomes[name] = runner._commits.run(engine, what)
        except UsageError as error:
            outcomes[name] = str(error)

    runner._commits._commit.acquire()
    threads = [threading.Thread(target=call, args=pair) for pair in (("bad", fails), ("good", lambda: "done"))]
    for thread in threads:
        thread.start()
    assert eventually(lambda: len(runner._commits._waiting) == len(threads))
    runner._commits._commit.release()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert outcomes == {"bad": "not this one", "good": "done"}


def test_many_threads_that_come_first_open_one_book(runner, monkeypatch) -> None:
    runner.start("first", ["/bin/true"])
    runner.close()
    opened = []
    from bespeak.runner import service

    real = service.open_engine
    monkeypatch.setattr(service, "open_engine", lambda *a, **k: opened.append(1) or real(*a, **k))
    started: dict[int, object] = {}
    threads = [threading.Thread(target=_start, args=(runner, number, started)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert (len(started), len(opened)) == (THREADS, 1)


def _start(runner, number: int, started: dict[int, object]) -> None:
    started[number] = runner.start(f"k{number}", ["/bin/true"], idempotency_key=f"k{number}")


def _sizes(runner, monkeypatch) -> list[int]:
    """Return how many calls each shared commit had, as they come."""
    engine = runner._open()
    sizes: list[int] = []
    real = engine.together
    monkeypatch.setattr(engine, "together", lambda calls: sizes.append(len(calls)) or real(calls))
    return sizes
