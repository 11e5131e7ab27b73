"""A book that has moved elsewhere: it can be looked at, and refuses every write with a line that says where it is.

Whoever opens it sees a row among its migrations. Whoever had it open before is stopped by the database itself: on
SQLite by a number in the file's header, which each write reads; on PostgreSQL by triggers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.storage.migrations import MOVED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.storage.interface import Transaction

_FUNCTION = """
CREATE FUNCTION bespeak_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = (
        SELECT 'it has ' || component || '; nothing is written here any more'
        FROM bespeak_migrations WHERE left(component, 9) = 'moved to ' LIMIT 1
    );
END $$"""
_TRIGGER = """
CREATE TRIGGER bespeak_moved BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{table}"
FOR EACH STATEMENT EXECUTE FUNCTION bespeak_moved()"""


def close_for_good(tx: Transaction, tables: Iterable[str], elsewhere: str) -> None:
    """Refuse every later write of a book.

    Args:
        tx: a write transaction of it.
        tables: its tables.
        elsewhere: where it is now, without secrets.
    """
    row = {"name": MOVED + elsewhere, "now": tx.now_us}
    tx.execute("INSERT INTO bespeak_migrations (component, version, applied_us) VALUES (:name, 1, :now)", row)
    if tx.dialect == "sqlite":
        tx.execute("PRAGMA user_version = 1")
        return
    tx.execute(_FUNCTION)
    for name in tables:
        tx.execute(_TRIGGER.format(table=name))
