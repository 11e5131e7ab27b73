"""In a book that several accounts share a dispatcher starts the jobs of its own account, and those it was told to."""

import os
from dataclasses import dataclass

import pytest

from bespeak.base import ids
from bespeak.base.clock import FOREVER_US
from bespeak.jobs import claiming, store
from bespeak.jobs.daemon import DaemonSettings, _accounts
from bespeak.jobs.liveness import DispatcherRecord, machine, this_process
from bespeak.jobs.resource_bookings import this_user
from bespeak.jobs.schema import LOCK
from bespeak.jobs.store import JobSpec
from bespeak.storage.interface import Engine
from bespeak.storage.ownership import is_shared

ME = DispatcherRecord("me", "", "host", this_process(), f"{machine()}:/nowhere", "bespeak runner", 1, 0, 0, 0)


def reserved(engine: Engine, key: str, account: str | None = None) -> None:
    store.reserve(engine, JobSpec(key, ["/bin/true"]), ids.new_id())
    if account is not None:
        sql = "UPDATE reservations SET account = :account WHERE run_key = :key"
        engine.transact((), lambda tx: tx.execute(sql, {"account": account, "key": key}))


def claimed(engine: Engine, accounts: tuple[str, ...] | None) -> list[str]:
    taken = engine.transact((LOCK,), lambda tx: claiming.step(tx, ME, (), 10, accounts)).claimed
    return sorted(job.run_key for job in taken)


def test_only_jobs_of_accepted_accounts_are_claimed_or_waited_for(engine: Engine) -> None:
    reserved(engine, "theirs", "eve")
    own = ("", this_user())
    assert engine.read(lambda tx: claiming.look(tx, ME, 0, own)).next_us == FOREVER_US, "nothing is due for us"
    assert claimed(engine, own) == []
    reserved(engine, "ours")
    reserved(engine, "original", "")
    assert engine.read(lambda tx: claiming.look(tx, ME, 0, own)).next_us == 0
    assert claimed(engine, own) == ["original", "ours"]
    assert claimed(engine, (*own, "eve")) == ["theirs"]


def test_in_a_book_of_one_account_everything_is_claimed(engine: Engine) -> None:
    reserved(engine, "theirs", "eve")
    reserved(engine, "ours")
    assert claimed(engine, None) == ["ours", "theirs"]


def test_whose_jobs_are_started(engine: Engine) -> None:
    def told(accept: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return _accounts(DaemonSettings("", "", None, None, accept_from=accept), engine)

    if engine.dialect == "sqlite":
        assert not is_shared(engine)
        assert told(()) is None
        os.chmod(engine.name, 0o660)
    assert is_shared(engine)
    assert told(()) == ("", this_user())
    assert told(("alice", "bob")) == ("", this_user(), "alice", "bob")
    assert told(None) is None


@dataclass
class File:
    dialect: str
    name: str


def test_a_file_of_another_account_is_shared(tmp_path, monkeypatch) -> None:
    path = tmp_path / "b.db"
    path.touch(0o600)
    assert not is_shared(File("sqlite", str(path)))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert is_shared(File("sqlite", str(path)))


@pytest.mark.parametrize("text", [",", "alice,", ""])
def test_accounts_that_are_none_are_refused(cli, text) -> None:
    refused = cli("job", "run", "--once", f"--accept-from={text}")
    assert (refused.returncode, "--accept-from" in refused.stderr) == (2, True), refused


def test_reserving_in_a_shared_file_says_whose_dispatcher_starts_it(cli, tmp_path) -> None:
    book = str(tmp_path / "b.db")
    first = cli("job", "reserve", "--db", book, "--run-key", "a", "--", "/bin/true")
    assert (first.returncode, first.stderr) == (0, ""), first
    os.chmod(book, 0o660)
    told = cli("job", "reserve", "--db", book, "--run-key", "b", "--", "/bin/true")
    assert (told.returncode, told.stderr.count("--accept-from")) == (0, 1), told
