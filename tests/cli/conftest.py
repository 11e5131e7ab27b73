"""The command line as its users have it: real processes, one book a test."""

import json

import pytest

from bespeak.ledger import open_ledger
from support.repositories import git


@pytest.fixture(autouse=True)
def own_book(tmp_path_factory, monkeypatch):
    """Every process of the test has the same book, which is there already."""
    path = str(tmp_path_factory.mktemp("book") / "book.sqlite3")
    open_ledger(path).close()
    monkeypatch.setenv("BESPEAK_LEDGER", path)


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


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A git repository with a lab whose gate asks the book; the test stands in it."""
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("def f():\n    return 1\n")
    (root / "lab.toml").write_text('[labs.demo]\nresources = ["rack1"]\n')
    (root / ".bespeak").mkdir()
    (root / ".bespeak" / "settings.toml").write_text('[reservations]\nbackend = "ledger"\n')
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def listening(cli):
    """Start ``bespeak mcp`` listening: ``url, process = listening("--read-only")``."""

    def start(*words, at="127.0.0.1:0", env=None, **options):
        from support.agents import TOKEN

        if "--token" not in words:
            words = (*words, "--token", "env:TOKEN_OF_TESTS")
        environment = {"TOKEN_OF_TESTS": TOKEN, **(env or {})}
        process = cli.start("mcp", "--http", at, "--json", *words, env=environment, **options)
        said = json.loads(process.stdout.readline())
        assert said == {"url": said["url"], "token": True, "token_file": None, "socket": None}
        return said["url"], process

    return start
