"""A lab with a book on each engine in turn."""

from __future__ import annotations

import pytest

from support.switching import Lab


@pytest.fixture
def lab(book_url: str):
    made = Lab(book_url)
    yield made
    made.book.close()
