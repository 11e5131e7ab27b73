"""A store with a stub runner, and an engine with a clock that tests set."""

from collections.abc import Callable, Iterator

import pytest

from bespeak.jobs.schema import COMPONENT
from bespeak.storage import open_engine
from bespeak.storage.interface import Engine
from support.job_sites import Site, sites

NOON_US = 1_800_000_000_000_000


class Clock:
    """A clock that stands still until it is set, µs UTC."""

    def __init__(self) -> None:
        self.us = NOON_US

    def __call__(self) -> int:
        return self.us

    def step(self, seconds: float) -> None:
        """Set the clock forward, or back."""
        self.us += int(seconds * 1_000_000)


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A site on SQLite."""
    yield from sites(str(tmp_path))


@pytest.fixture
def any_site(tmp_path, book_url: str) -> Iterator[Site]:
    """A site on each engine in turn."""
    yield from sites(str(tmp_path), book_url)


@pytest.fixture
def clock() -> Clock:
    """The clock of ``engine``."""
    return Clock()


@pytest.fixture
def engines(book_url: str, clock: Clock) -> Iterator[Callable[[], Engine]]:
    """A function that opens the same store again, on each kind of engine in turn, with the test's clock."""
    opened: list[Engine] = []

    def new() -> Engine:
        opened.append(open_engine(book_url, (COMPONENT,), now=clock, foreign=True))
        return opened[-1]

    yield new
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(engines: Callable[[], Engine]) -> Engine:
    """One open store."""
    return engines()
