"""Which rights a second role needs on the schema of a book, and granting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.storage.interface import Transaction

READ = "SELECT"
WRITE = "SELECT, INSERT, UPDATE, DELETE"
_THINGS = """
SELECT c.relname, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'S') ORDER BY c.relkind DESC, c.relname"""


def statements(tx: Transaction, schema: str, role: str, less: Mapping[str, str], *, read_only: bool) -> list[str]:
    """Return the statements that give a role the least rights with which it can use the book.

    Args:
        tx: a transaction on the book.
        schema: the book's.
        role: who is to use it.
        less: tables of which writing takes less than every right, and what it takes.
        read_only: the role is only to look.

    Raises:
        NotFoundError: the server has no such role.
    """
    if not tx.fetch_all("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = :role", {"role": role}):
        raise NotFoundError(f"the server has no role {role!a}")
    to = f"TO {_quoted(role)}"
    found = [f"GRANT USAGE ON SCHEMA {_quoted(schema)} {to}"]
    for name, kind in tx.fetch_all(_THINGS, {"schema": schema}):
        what = f"{_quoted(schema)}.{_quoted(name)}"
        if kind in (b"S", "S"):
            if not read_only:
                found.append(f"GRANT USAGE ON SEQUENCE {what} {to}")
        else:
            found.append(f"GRANT {READ if read_only else less.get(name, WRITE)} ON TABLE {what} {to}")
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
