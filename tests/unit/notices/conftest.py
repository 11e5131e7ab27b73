"""Books for the tests of notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.desk import Desk


@pytest.fixture
def desk(book_url: str) -> Iterator[Desk]:
    """An empty book, on each engine in turn."""
    made = Desk(book_url)
    yield made
    made.book.close()
