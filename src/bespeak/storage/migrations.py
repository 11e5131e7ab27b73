"""Numbered migrations, applied when a book is opened.

Each component (the ledger, dispatch, ...) owns its tables and numbers its steps from 1. A step is applied in the
same transaction that records it, so a process killed in between leaves the earlier version whole, and of many
processes that open an empty book at once each step is applied by exactly one.
"""

from __future__ import annotations

from bespeak.base.errors import UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.storage.interface import Transaction

MIGRATION_KEY = "bespeak:migrations"
VERSIONS = "SELECT component, MAX(version) FROM bespeak_migrations GROUP BY component"
_CREATE = """
CREATE TABLE IF NOT EXISTS bespeak_migrations (
    component TEXT NOT NULL,
    version INTEGER NOT NULL,
    applied_us BIGINT NOT NULL,
    PRIMARY KEY (component, version)
)
"""


_SAME_READERS = """
DO $$
DECLARE reader text;
BEGIN
    FOR reader IN
        SELECT r.rolname FROM pg_catalog.pg_class AS c
        CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
        JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
        WHERE c.oid = pg_catalog.to_regclass('{like}') AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE pg_catalog.format('GRANT SELECT ON TABLE {table} TO %I', reader);
    END LOOP;
END $$
"""


def same_readers(table: str, like: str) -> str:
    """Return the statement of PostgreSQL that lets every role look into a new table that may look into another one.

    Without it, who was granted the use of a book could not use it any more once its owner has upgraded it.

    Args:
        table: the new one.
        like: the other one.
    """
    return _SAME_READERS.format(table=table, like=like)


class Migration:
    """One migration.

    Args:
        version: its number within the component, from 1 without gaps.
        sqlite: statements for SQLite, each a string.
        postgresql: statements for PostgreSQL; None where they are the same.
    """

    __slots__ = ("postgresql", "sqlite", "version")

    def __init__(self, version: int, sqlite: Sequence[str], postgresql: Sequence[str] | None = None) -> None:
        self.version = version
        self.sqlite = tuple(sqlite)
        self.postgresql = tuple(postgresql) if postgresql is not None else self.sqlite


class Component:
    """The tables of one room of the house, and how they came to be.

    Args:
        name: unique among the components of a book.
        steps: its migrations, in order.
        steady_time: time in its transactions must never go back; see :mod:`bespeak.storage.steady_clock`.
    """

    __slots__ = ("name", "steady_time", "steps")

    def __init__(self, name: str, steps: Sequence[Migration], *, steady_time: bool = False) -> None:
        self.name = name
        self.steps = tuple(steps)
        self.steady_time = steady_time

    @property
    def version(self) -> int:
        """The version that this program knows."""
        return self.steps[-1].version if self.steps else 0


def up_to_date(found: dict[str, int], components: Sequence[Component], book: str) -> bool:
    """Tell whether every component is at the version this program knows.

    Raises:
        UnavailableError: the book was written by a newer bespeak.
    """
    for component in components:
        version = found.get(component.name, 0)
        if version > component.version:
            raise UnavailableError(
                f"book {book}: its {component.name} tables are version {version}, and this bespeak knows "
                f"version {component.version}; upgrade bespeak"
            )
        if version < component.version:
            return False
    return True


MOVED = "moved to "
"""A component of this beginning says where a book has moved to (:mod:`bespeak.storage.relocation`)."""


def moved_to(components: Iterable[str]) -> str | None:
    """Return where the book with these components has moved to; None while it is in use."""
    return next((name.removeprefix(MOVED) for name in components if name.startswith(MOVED)), None)


def moved(book: str, elsewhere: str) -> UnavailableError:
    """Return what a write of a book that has moved fails with."""
    return UnavailableError(f"book {book}: it has moved to {elsewhere}; nothing is written here any more")


def migrate(tx: Transaction, components: Sequence[Component], book: str) -> None:
    """Apply the missing steps inside ``tx``, which holds :data:`MIGRATION_KEY`."""
    tx.execute(_CREATE)
    found = {str(name): int(version) for name, version in tx.fetch_all(VERSIONS)}
    if up_to_date(found, components, book):
        return
    for component in components:
        for step in component.steps[found.get(component.name, 0) :]:
            for statement in step.sqlite if tx.dialect == "sqlite" else step.postgresql:
                tx.execute(statement)
            tx.execute(
                "INSERT INTO bespeak_migrations (component, version, applied_us) VALUES (:c, :v, :t)",
                {"c": component.name, "v": step.version, "t": tx.now_us},
            )
