"""One run of the benchmarks: how thorough, and where its files are."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeVar

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(ROOT, ".cache", "bench")
CHILDREN = os.path.join(ROOT, "bench", "children")
T = TypeVar("T")


def _folder() -> str:
    os.makedirs(CACHE, exist_ok=True)
    return tempfile.mkdtemp(prefix="run-", dir=CACHE)


@dataclass
class Bench:
    """What a group of rows is given.

    Args:
        quick: fewer samples and smaller books; the lines say which.
        repos: a folder of clones whose histories are replayed; empty for none.
        merges: how many merges of each clone at most.
    """

    quick: bool
    repos: str = ""
    merges: int = 40
    folder: str = field(default_factory=_folder)

    def pick(self, quick: T, full: T) -> T:
        """Return the value for this kind of run."""
        return quick if self.quick else full

    def path(self, name: str) -> str:
        """Return the path of a new file or folder of this run, on the same disk as the cache."""
        return os.path.join(tempfile.mkdtemp(dir=self.folder), name)

    def close(self) -> None:
        """Remove this run's files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def child(name: str) -> str:
    """Return the path of a script for another interpreter."""
    return os.path.join(CHILDREN, name)


def support(name: str) -> Any:
    """Return a module of the tests' support: environments of peers, PostgreSQL servers."""
    tests = os.path.join(ROOT, "tests")
    if tests not in sys.path:
        sys.path.insert(0, tests)
    return import_module(f"support.{name}")
