"""Many processes claim one symbol at the same instant; and a process is killed while it claims."""

import json
import subprocess
import sys

import pytest

from bespeak.coord.schema import COORD
from bespeak.coord.service import Coord
from bespeak.git.repository import find
from bespeak.storage import open_engine
from support import claiming
from support.repositories import git

AGENTS = 8
POINTS = ("storage.statement", "storage.before_commit", "storage.after_commit")


@pytest.fixture
def repo(tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    return root


def test_of_n_agents_at_a_barrier_exactly_n_minus_1_are_told(repo, book_url):
    done = subprocess.run(
        [sys.executable, claiming.__file__, "crowd", str(repo), book_url, str(AGENTS), "10"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rounds = json.loads(done.stdout)
    assert len(rounds) == 10
    for told in rounds:
        assert sorted(told) == list(range(AGENTS))  # the n-th is told of all n-1 before it


def test_of_n_agents_that_want_to_be_refused_exactly_one_gets_it(repo, book_url):
    done = subprocess.run(
        [sys.executable, claiming.__file__, "refuse", str(repo), book_url, str(AGENTS), "10"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for told in json.loads(done.stdout):
        assert sorted(told) == [0] + [1] * (AGENTS - 1)


def test_a_process_killed_at_any_step_leaves_all_or_nothing(repo, book_url):
    open_engine(book_url, [COORD]).close()
    died = 0
    for point in POINTS:
        for count in range(1, 40):
            done = subprocess.run(
                [sys.executable, claiming.__file__, "one", str(repo), book_url, f"{point}-{count}"],
                env={"PATH": "/usr/bin:/bin", "BESPEAK_CRASH_AT": f"{point}:{count}", "PYTHONPATH": ":".join(sys.path)},
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            whole(repo, book_url)
            if done.returncode == 0:
                break
            assert done.returncode == -9, done.stderr
            died += 1
    assert died >= 8


def whole(repo, book_url):
    """Every reservation has all its claims, an edge, and a line in the log; and nothing is left of any other."""
    coord = Coord(find(str(repo)), open_engine(book_url, [COORD]), "r")

    def look(tx):
        held = tx.fetch_one("SELECT COUNT(*) FROM coord_reservations")[0]
        claims = tx.fetch_one("SELECT COUNT(*) FROM coord_claims")[0]
        log = tx.fetch_one("SELECT COUNT(*) FROM coord_log WHERE change = 'reserved'")[0]
        return held, claims, log

    held, claims, log = coord.engine.read(look)
    assert (claims, log) == (2 * held, held)
    coord.close()
