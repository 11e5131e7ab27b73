"""The command line as its users have it: real processes, one book a test."""

import json

import pytest


@pytest.fixture(autouse=True)
def own_book(tmp_path, monkeypatch):
    """Every process of the test has the same book."""
    monkeypatch.setenv("BESPEAK_LEDGER", str(tmp_path / "book.sqlite3"))


@pytest.fixture
def run_as(cli):
    """Run a command as somebody: ``run_as("alice", "reserve", "rack3", code=0)``; the banner is checked and cut off."""

    def run(user, *args, code=0, **options):
        done = cli("--as-user", user, *args, **options)
        banner, _, rest = done.stderr.partition("\n")
        assert banner == f"bespeak: acting as {user!r} (--as-user)"
        done.stderr = rest
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def as_json(run_as):
    """Run a command as somebody with ``--json``; return what it printed."""

    def run(user, *args, **options):
        return json.loads(run_as(user, *args, "--json", **options).stdout)

    return run
