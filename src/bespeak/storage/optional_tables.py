"""Tables that few programs need, made in a book that is open already."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from bespeak.storage.migrations import MIGRATION_KEY, VERSIONS, migrate, up_to_date

if TYPE_CHECKING:
    from bespeak.storage.interface import Engine, Transaction
    from bespeak.storage.migrations import Component

_ensured: WeakKeyDictionary[Engine, set[str]] = WeakKeyDictionary()


def ensure(engine: Engine, component: Component) -> None:
    """Make or upgrade the tables of a component, unless this was done for this engine before.

    Raises:
        UnavailableError: the book cannot be asked or changed, or a newer bespeak wrote it.
    """
    done = _ensured.setdefault(engine, set())
    if component.name in done:
        return

    def present(tx: Transaction) -> bool:
        found = {str(name): int(version) for name, version in tx.fetch_all(VERSIONS)}
        return up_to_date(found, [component], engine.name)

    if not engine.read(present):
        engine.transact([MIGRATION_KEY], lambda tx: migrate(tx, [component], engine.name))
    done.add(component.name)
