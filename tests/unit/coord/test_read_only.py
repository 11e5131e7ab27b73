"""A git directory that may be read but not written: what only looks, answers."""

import json
import os
import sys

import pytest

from bespeak.base.errors import UnavailableError
from bespeak.coord import events
from bespeak.coord.missing_book import MissingBook
from bespeak.coord.schema import COORD
from bespeak.coord.states import EventKind
from bespeak.storage import open_engine
from support.powerless import popen_powerless, powerless, set_writable
from support.repositories import git

PROGRAM = [sys.executable, "-m", "bespeak", "coord"]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.setenv("BESPEAK_RUN_ID", "me")
    monkeypatch.delenv("BESPEAK_LEDGER", raising=False)
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text("def f():\n    return 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    yield root
    set_writable(root / ".git", writable=True)


LOOKS = [["check", "a.py"], ["list"], ["dag"], ["forecast"], ["symbols", "a.py"]]


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
def test_where_nothing_was_ever_claimed_nothing_is(clone, words):
    set_writable(clone / ".git", writable=False)
    before = sorted(os.listdir(clone / ".git"))
    done = powerless([*PROGRAM, *words, "--json"], cwd=clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout).get("count", 0) == 0
    assert sorted(os.listdir(clone / ".git")) == before


def test_nothing_can_be_claimed_there_and_why_is_said(clone):
    set_writable(clone / ".git", writable=False)
    done = powerless([*PROGRAM, "reserve", "a.py"], cwd=clone)
    assert done.returncode == 9
    assert (
        done.stderr == f"bespeak: error: book {clone}/.git/bespeak/coord.sqlite3: {clone}/.git/bespeak is read-only\n"
    )


def test_claims_of_others_are_seen(clone):
    assert powerless([*PROGRAM, "reserve", "a.py", "--run-id", "other"], cwd=clone).returncode == 0
    set_writable(clone / ".git", writable=False)
    assert powerless([*PROGRAM, "check", "a.py"], cwd=clone).returncode == 7
    for words in (["list"], ["dag"], ["forecast"]):
        done = powerless([*PROGRAM, *words], cwd=clone)
        assert (done.returncode, done.stderr) == (0, "")
    assert "other" in powerless([*PROGRAM, "list"], cwd=clone).stdout


def test_a_watcher_sees_what_somebody_who_may_write_claims(clone):
    powerless([*PROGRAM, "reserve", "b.py", "--run-id", "first"], cwd=clone)
    set_writable(clone / ".git", writable=False)
    with popen_powerless([*PROGRAM, "watch", "--after", "0", "--count", "2"], cwd=clone) as watcher:
        assert json.loads(watcher.stdout.readline())["run_id"] == "first"
        set_writable(clone / ".git", writable=True)
        assert powerless([*PROGRAM, "reserve", "a.py", "--run-id", "other"], cwd=clone).returncode == 0
        seen = json.loads(watcher.stdout.readline())
    assert (seen["run_id"], seen["change"]) == ("other", "reserved")


def test_a_book_that_somebody_makes_later_is_read(tmp_path):
    path = tmp_path / "book"
    book = MissingBook(str(path))
    count = "SELECT COUNT(*) FROM coord_log"
    assert book.read(lambda tx: tx.fetch_one(count)) == (0,)
    assert not path.exists()
    made = open_engine(str(path), [COORD])
    made.transact([], lambda tx: events.write(tx, "", EventKind.INTENT, "other", None, {}))
    made.close()
    assert book.read(lambda tx: tx.fetch_one(count)) == (1,)
    with pytest.raises(UnavailableError, match="is read-only"):
        book.transact([], lambda tx: None)
    book.close()
