"""One server for each module."""

import pytest

from support.server import serving


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of a new book on SQLite."""
    with serving(str(tmp_path_factory.mktemp("served") / "book.db")) as running:
        yield running


@pytest.fixture
def alice(server):
    """A client of Alice."""
    with server.client("alice") as client:
        yield client


@pytest.fixture
def bob(server):
    """A client of Bob."""
    with server.client("bob") as client:
        yield client
