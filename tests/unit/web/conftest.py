"""Books for the tests of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.service import Ledger
from support.desk import Desk


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An empty book."""
    made = Desk(str(tmp_path_factory.mktemp("book") / "book.db"))
    yield made
    made.book.close()


@pytest.fixture
def on_both_engines(book_url: str) -> Iterator[Callable[[], Ledger]]:
    """A function that opens one book, on each engine in turn."""
    opened: list[Ledger] = []

    def open_one() -> Ledger:
        opened.append(open_ledger(book_url, durable=False))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
