"""Copying all tables of a book into another one, whatever engines the two are on.

Both have the same components at the same versions, so their tables have the same columns; what one engine has and the
other has not (a sequence here, a table with one number there) is translated. Rows travel in pages in the order of the
primary key, so memory stays flat.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.storage.interface import Row, Transaction

_ENGINES_OWN = frozenset({"bespeak_commits", "bespeak_clock", "bespeak_migrations"})
"""What the engines keep for themselves."""

_COUNTERS = ("ledger_counter",)
"""A table with one number on SQLite, a sequence on PostgreSQL."""

_PAGE = 2_000

_SQLITE_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
_SQLITE_COLUMNS = "SELECT name, pk FROM pragma_table_info(:name) ORDER BY cid"
_POSTGRES_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
_POSTGRES_COLUMNS = """
SELECT a.attname, COALESCE(array_position(string_to_array(i.indkey::text, ' '), a.attnum::text), 0), a.attidentity <> ''
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relname = :name ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a book.

    Attributes:
        name: its name.
        columns: their names; the order differs between engines where a column was added later.
        key: the columns of the primary key, in its order.
        identity: the column whose numbers PostgreSQL gives out itself, if there is one.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    identity: str | None


def tables(tx: Transaction) -> dict[str, Table]:
    """Return the tables of a book that hold what people wrote, by name."""
    names = [str(row[0]) for row in tx.fetch_all(_SQLITE_TABLES if tx.dialect == "sqlite" else _POSTGRES_TABLES)]
    return {name: _table(tx, name) for name in sorted(names) if name not in {*_ENGINES_OWN, *_COUNTERS}}


def _table(tx: Transaction, name: str) -> Table:
    if tx.dialect == "sqlite":
        found = [(str(column), int(place), False) for column, place in tx.fetch_all(_SQLITE_COLUMNS, {"name": name})]
    else:
        found = [(str(c), int(place), bool(own)) for c, place, own in tx.fetch_all(_POSTGRES_COLUMNS, {"name": name})]
    key = [column for _, column in sorted((place, column) for column, place, _ in found if place)]
    identity = next((column for column, _, own in found if own), None)
    return Table(name, tuple(column for column, _, _ in found), tuple(key), identity)


def has_rows(tx: Transaction, names: tuple[str, ...]) -> bool:
    """Tell whether one of these tables, where it is there, has a row."""
    there = tables(tx)
    return any(name in there and tx.fetch_one(f'SELECT 1 FROM "{name}" LIMIT 1') for name in names)


def lock_all(tx: Transaction) -> None:
    """Keep all other writers out until the transaction is over; SQLite does so anyway."""
    if tx.dialect == "postgresql" and (names := ", ".join(f'"{name}"' for name in tables(tx))):
        tx.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


def copy(source: Transaction, target: Transaction) -> dict[str, int]:
    """Replace all rows of one book by those of another, and move its counters up; return rows by table.

    Raises:
        UnavailableError: the books do not have the same tables.
    """
    there = tables(target)
    for name in there:
        target.execute(f'DELETE FROM "{name}"')
    copied = {}
    for name, table in tables(source).items():
        into = there.get(name)
        if into is None or set(into.columns) != set(table.columns):
            raise UnavailableError(f"the table {name} is not the same in both books; upgrade both with one bespeak")
        copied[name] = _copy_table(source, target, table, into)
    for name in _COUNTERS:
        if (last := counter(source, name)) is not None:
            raise_counter(target, name, last)
    return copied


def _copy_table(source: Transaction, target: Transaction, table: Table, into: Table) -> int:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    given = "OVERRIDING SYSTEM VALUE " if target.dialect == "postgresql" else ""
    places = ", ".join(f":c{number}" for number in range(len(table.columns)))
    insert = f'INSERT INTO "{table.name}" ({columns}) {given}VALUES ({places})'
    rows = 0
    for page in _pages(source, table, columns):
        target.execute_many(insert, [{f"c{n}": value for n, value in enumerate(row)} for row in page])
        rows += len(page)
    if into.identity is not None:
        target.fetch_one(
            f"SELECT setval(pg_get_serial_sequence('\"{into.name}\"', '{into.identity}'), "
            f'GREATEST((SELECT MAX("{into.identity}") FROM "{into.name}"), '
            f"nextval(pg_get_serial_sequence('\"{into.name}\"', '{into.identity}'))))"
        )
    return rows


def _pages(tx: Transaction, table: Table, columns: str) -> Iterator[list[Row]]:
    """Yield all rows in pages, each from behind the last row of the one before."""
    begin = f'SELECT {columns} FROM "{table.name}"'
    if not table.key:
        yield tx.fetch_all(begin)
        return
    key = ", ".join(f'"{column}"' for column in table.key)
    at = [table.columns.index(column) for column in table.key]
    behind = ", ".join(f":k{number}" for number in range(len(at)))
    page = tx.fetch_all(f"{begin} ORDER BY {key} LIMIT {_PAGE}")
    while page:
        yield page
        if len(page) < _PAGE:
            return
        last = {f"k{number}": page[-1][place] for number, place in enumerate(at)}
        page = tx.fetch_all(f"{begin} WHERE ({key}) > ({behind}) ORDER BY {key} LIMIT {_PAGE}", last)


def counter(tx: Transaction, name: str) -> int | None:
    """Return the last number that a counter gave out; None where the book has no such counter."""
    if tx.dialect == "sqlite":
        if tx.fetch_one("SELECT 1 FROM sqlite_schema WHERE name = :name", {"name": name}) is None:
            return None
        row = tx.fetch_one(f"SELECT last FROM {name}")
        return int(row[0]) if row else 0
    there = tx.fetch_one("SELECT to_regclass(:name)", {"name": name})
    if there is None or there[0] is None:
        return None
    row = tx.fetch_one(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}")
    return int(row[0]) if row else 0


def raise_counter(tx: Transaction, name: str, last: int) -> None:
    """Let a counter go on behind ``last``, unless it is further already."""
    if tx.dialect == "sqlite":
        tx.execute(f"UPDATE {name} SET last = :last WHERE last < :last", {"last": last})
    elif last > (counter(tx, name) or 0):
        tx.fetch_one("SELECT setval(:name, :last)", {"name": name, "last": last})


def same(one: Transaction, other: Transaction) -> bool:
    """Tell whether two books have the same rows."""
    left, right = tables(one), tables(other)
    if left.keys() != right.keys():
        return False
    for table in left.values():
        columns = ", ".join(f'"{column}"' for column in table.columns)
        both = itertools.zip_longest(_pages(one, table, columns), _pages(other, table, columns))
        if any(first != second for first, second in both):
            return False
    return True
