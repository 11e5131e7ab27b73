"""A book whose clock the test moves, on each engine in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bespeak.ledger import open_ledger


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(book_url: str, clock: Clock) -> Iterator[object]:
    with open_ledger(book_url, now=clock, kickers=frozenset({"root"})) as ledger:
        yield ledger
