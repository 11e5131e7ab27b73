"""A book whose clock the test moves: on each engine in turn, and on a server, from the other side."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bespeak.ledger import open_ledger
from support.engines import EVERY
from support.remote import served_book

RULES = {"kickers": frozenset({"root"})}


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=EVERY)
def book_engine(request: pytest.FixtureRequest) -> str:
    """Both engines in turn, and the client of a server."""
    return str(request.param)


@pytest.fixture
def book_url(
    book_engine: str,
    fresh_book: Callable[[], str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The URL of a new, empty book: on each database in turn, and on a server."""
    if book_engine != "http":
        yield fresh_book()
        return
    has_clock = "clock" in request.fixturenames
    options = RULES | {"now": request.getfixturevalue("clock")} if has_clock else {}
    with served_book(fresh_book(), monkeypatch, **options) as url:
        yield url


@pytest.fixture
def book(book_url: str, clock: Clock) -> Iterator[object]:
    with open_ledger(book_url, now=clock, **RULES) as ledger:
        yield ledger
