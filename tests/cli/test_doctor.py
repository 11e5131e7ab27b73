"""``bespeak doctor`` finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import json
import os

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.operations import doctor
from bespeak.operations.doctor import Level, examine
from bespeak.operations.relocate import relocate


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESJOB_RESERVER_HOME", str(tmp_path / "jobs"))


def found(url=None):
    return {one.check: one for one in examine(url)}


def test_a_healthy_book(book_url):
    with open_ledger(book_url) as book:
        book.reserve(Request(("rack1",), Holder("alice")))
    checks = found(book_url)
    assert {one.level for one in checks.values()} == {Level.OK}
    assert "1 resources, 1 live reservations" in checks["book"].text


def test_nothing_is_made(tmp_path):
    path = tmp_path / "book.sqlite3"
    checks = found(str(path))
    assert (checks["book"].level, path.exists()) == (Level.WARNING, False)
    assert checks["book"].text.endswith("; `bespeak init` or the first reservation makes it")
    assert checks["book"].advice == ""
    assert not (tmp_path / "jobs").exists()


def test_what_is_wrong_with_a_file(tmp_path, monkeypatch):
    path = str(tmp_path / "book.sqlite3")
    open_ledger(path).close()
    os.chmod(path, 0o666)
    monkeypatch.setattr(doctor, "kind_of", lambda folder: "nfs4")
    checks = found(path)
    assert checks["permissions"].level is checks["file system"].level is Level.PROBLEM
    assert checks["permissions"].advice == f"chmod o-w {path}"
    assert "a network file system" in checks["file system"].text
    (tmp_path / "other.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    assert found(str(tmp_path / "other.db"))["book"].level is Level.PROBLEM


def test_a_book_that_has_moved(book_url, tmp_path):
    with open_ledger(book_url) as book:
        book.reserve(Request(("rack1",), Holder("alice")))
    relocate(book_url, str(tmp_path / "new.sqlite3"), Holder("alice"))
    checks = found(book_url)
    assert (checks["book"].level, checks["book"].advice) == (Level.PROBLEM, "name the new place in the settings")


def test_a_clock_that_is_wrong(tmp_path):
    path = str(tmp_path / "book.sqlite3")
    with open_ledger(path, now=lambda: 4_000_000_000_000_000) as book:
        book.reserve(Request(("rack1",), Holder("alice")))
    checks = found(path)
    assert "set the clock" in checks["book"].text
    assert checks["book"].level is Level.PROBLEM


def test_a_store_of_jobs_that_cannot_be_read_is_no_failure_of_the_book(tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "reserver.sqlite3").write_text("no database")
    path = str(tmp_path / "book.sqlite3")
    open_ledger(path).close()
    checks = found(path)
    assert (checks["dispatcher"].level, checks["book"].level) == (Level.WARNING, Level.OK)


def test_settings_that_cannot_be_read(tmp_path):
    (tmp_path / "work" / ".bespeak").mkdir(parents=True)
    (tmp_path / "work" / ".bespeak" / "settings.toml").write_text("[ledger\n")
    settings = next(one for one in examine(cwd=str(tmp_path / "work")) if one.check == "settings")
    assert settings.level is Level.PROBLEM


def test_hooks_that_are_installed_in_part(tmp_path, cli):
    repository = tmp_path / "clone"
    git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    import subprocess

    subprocess.run(["git", "init", "-q", str(repository)], check=True, env=os.environ | git)
    hooks = {one.check: one for one in examine(cwd=str(repository))}["hooks"]
    assert "not installed" in hooks.text
    assert cli("coord", "guard", "install", cwd=repository, env=git).returncode == 0
    assert {one.check: one for one in examine(cwd=str(repository))}["hooks"].text.endswith(", pre-push")
    (repository / ".git" / "hooks" / "pre-push").unlink()
    hooks = {one.check: one for one in examine(cwd=str(repository))}["hooks"]
    assert (hooks.level, hooks.text.rpartition(" ")[2]) == (Level.WARNING, "pre-push")


def test_the_command(tmp_path, cli):
    path = str(tmp_path / "book.sqlite3")
    open_ledger(path).close()
    done = cli("--ledger", path, "doctor", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["healthy"]) == (0, True)
    os.chmod(path, 0o666)
    done = cli("--ledger", path, "doctor")
    assert done.returncode == 1
    assert f"problem  permissions  everybody on this machine may write the book; chmod o-w {path}\n" in done.stdout
