"""A backup, a restore and a move are killed: the book stays whole, and nothing half-done is taken for a copy."""

from __future__ import annotations

import itertools
import signal

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from support import replay

ALICE = Holder("alice")


@pytest.fixture
def filled(book_url):
    with open_ledger(book_url) as book:
        for number in range(30):
            book.reserve(Request((f"board{number}",), ALICE, duration_us=10**12))
    return book_url


def content(url):
    with open_ledger(url) as book:
        assert book.engine.read(replay.compare) == []
        return book.reservations(include_ended=True), book.log()


def test_a_killed_backup_leaves_no_file_under_its_name(cli, filled, tmp_path):
    path = tmp_path / "copy.sqlite3"
    before = content(filled)
    done = cli("--ledger", filled, "backup", str(path), env={"BESPEAK_CRASH_AT": "operations.backup"})
    assert (done.returncode, path.exists()) == (-signal.SIGKILL, False)
    assert cli("--ledger", filled, "backup", str(path)).returncode == 0
    assert content(str(path)) == content(filled) == before


def test_a_killed_restore_leaves_the_book_as_it_was_or_as_the_backup_has_it(cli, filled, tmp_path):
    path = str(tmp_path / "copy.sqlite3")
    assert cli("--ledger", filled, "backup", path).returncode == 0
    with open_ledger(filled) as book:
        book.reserve(Request(("later",), ALICE))
    before = content(filled)
    for point in ("storage.statement:20", "storage.statement:60", "storage.before_commit"):
        done = cli("--ledger", filled, "restore", path, "--replace", env={"BESPEAK_CRASH_AT": point})
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert content(filled) == before
    done = cli("--ledger", filled, "restore", path, "--replace")
    assert done.returncode == 0
    assert content(filled)[0] == content(path)[0]


def test_a_killed_move_loses_nothing(cli, filled, fresh_book):
    before = content(filled)
    to = ""
    for nth in itertools.count(1):
        to = fresh_book()
        words = ("--ledger", filled, "ledger", "move", "--to", to)
        done = cli(*words, env={"BESPEAK_CRASH_AT": f"storage.before_commit:{nth}"})
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert content(filled) == before
        with open_ledger(filled) as book:
            assert book.moved_to is None
    assert nth >= 3
    assert content(to)[0] == before[0]
    with open_ledger(filled) as book:
        assert book.moved_to is not None
