"""A real git repository, and its claims on both engines under a clock that the test moves."""

import json

import pytest

from bespeak.cli.main import main
from bespeak.coord.schema import COORD
from bespeak.coord.service import Coord
from bespeak.git.repository import find
from bespeak.storage import open_engine
from support.engines import EVERY
from support.remote import served_claims
from support.repositories import git

START_US = 1_800_000_000_000_000


class Clock:
    def __init__(self):
        self.now_us = START_US

    def __call__(self):
        return self.now_us

    def forward(self, seconds):
        self.now_us += int(seconds * 1_000_000)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A repository to stand in, with a few files."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repo"
    (root / "src" / "sub").mkdir(parents=True)
    for name in ("a.py", "b.py", "sub/c.py"):
        (root / "src" / name).write_text("x = 1\n")
    git(root, "init", "-q", "-b", "main")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(params=EVERY)
def book_engine(request):
    """Both engines in turn, and for the claims also the client of a server."""
    if request.param == "http" and "coord" not in request.fixturenames:
        pytest.fail("only the claims of a repository are asked over HTTP: mark the test with on_databases")
    return request.param


@pytest.fixture
def coord(repo, book_engine, book_url, clock):
    """The claims of the repository in a book: on each engine, and on a server, from the other side."""
    repository, name = find(str(repo)), "example.org/repo"
    if book_engine == "http":
        with served_claims(book_url, name, now=clock) as claims:
            yield Coord(repository, claims)
        return
    service = Coord(repository, open_engine(book_url, [COORD], now=clock), name)
    yield service
    service.close()


class Answer:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(capsys, repo):
    """Run a command line in this process: ``run("reserve", "a.py")``."""

    def run_(*words):
        code = main(["coord", *words])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run_
