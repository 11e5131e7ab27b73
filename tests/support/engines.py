"""What a book can be for a test: on each database, and on a server, seen from the other side."""

import pytest

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
EVERY = [*DATABASES, "http"]

on_databases = pytest.mark.parametrize("book_engine", DATABASES, indirect=True)
"""For tests of what the process on the machine of the book does, and no client asks for."""
