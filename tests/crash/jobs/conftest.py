"""A site on each engine in turn."""

from collections.abc import Iterator

import pytest

from support.job_sites import Site, sites


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A site on SQLite."""
    yield from sites(str(tmp_path))


@pytest.fixture
def any_site(tmp_path, book_url: str) -> Iterator[Site]:
    """A site on each engine in turn."""
    yield from sites(str(tmp_path), book_url)
