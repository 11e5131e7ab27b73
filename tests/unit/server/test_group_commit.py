"""One thread writes for many: in order, what is urgent first, and no transaction longer than it has to be."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.server import group_commit
from bespeak.server.group_commit import GroupCommit


def served(tmp_path, scenario):
    """Run a scenario with a writing thread; return what it returned."""

    async def run():
        ledger = open_ledger(str(tmp_path / "book.db"), durable=False)
        commits = GroupCommit(ledger, ledger.engine, asyncio.get_running_loop())
        try:
            return await scenario(commits)
        finally:
            await asyncio.to_thread(commits.close)

    return asyncio.run(run())


def reserve(name):
    return lambda ledger: ledger.reserve(Request((name,), Holder("alice"), duration_us=1_000_000)).resources[0]


def test_what_is_urgent_goes_before_what_waits(tmp_path):
    async def scenario(commits):
        order, go_on, began = [], threading.Event(), threading.Event()

        def slow(ledger):
            began.set()
            assert go_on.wait(60)
            order.append("slow")

        every = [commits.submit(slow)]
        await asyncio.to_thread(began.wait, 60)
        every += [commits.submit(lambda ledger, name=name: order.append(name)) for name in ("a", "b")]
        every.append(commits.submit(lambda ledger: order.append("urgent"), first=True))
        go_on.set()
        await asyncio.gather(*every)
        return order

    assert served(tmp_path, scenario) == ["slow", "urgent", "a", "b"]


@pytest.mark.parametrize("seconds", [-1.0, 60.0])
def test_every_piece_is_done_once_in_however_many_transactions(tmp_path, monkeypatch, seconds):
    monkeypatch.setattr(group_commit, "_LONGEST_SECONDS", seconds)

    async def scenario(commits):
        names = [f"r{number}" for number in range(20)]
        made = await asyncio.gather(*(commits.submit(reserve(name)) for name in names))
        return names, made, await commits.submit(lambda ledger: len(ledger.reservations(include_ended=True)))

    names, made, count = served(tmp_path, scenario)
    assert (made, count) == (names, len(names))


def test_what_fails_fails_alone_and_what_is_pending_is_written_before_the_end(tmp_path):
    async def scenario(commits):
        good, bad, last = commits.submit(reserve("r1")), commits.submit(reserve("")), commits.submit(reserve("r2"))
        await asyncio.wait([good, bad, last])
        return good.result(), type(bad.exception()).__name__, last.result()

    assert served(tmp_path, scenario) == ("r1", "UsageError", "r2")
    with open_ledger(str(tmp_path / "book.db")) as ledger:
        assert len(ledger.reservations(include_ended=True)) == 2
