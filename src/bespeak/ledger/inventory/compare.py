"""What an inventory file would change in the book: a pure comparison."""

from __future__ import annotations

import json

from bespeak.base.frozen import frozen, replace
from bespeak.base.natural_order import natural_order
from bespeak.ledger.inventory.table import table_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bespeak.ledger.inventory.model import Entry

DECLARED = "declared"


@frozen
class Change:
    """A resource that the book describes otherwise than the file.

    Attributes:
        before: as the book has it.
        after: as the file has it, with what only the book knows.
    """

    before: Entry
    after: Entry

    @property
    def name(self) -> str:
        """The name of the resource."""
        return self.after.name

    def values(self) -> dict[str, tuple[Any, Any]]:
        """Return, by key, what differs: (before, after), None for what is as usual."""
        old, new = table_of(self.before), table_of(self.after)
        found = {
            key: (old.get(key), new.get(key)) for key in (*old, *new) if _text(old.get(key)) != _text(new.get(key))
        }
        if not self.before.resource.declared:
            found[DECLARED] = (False, True)
        return found


@frozen
class Kept:
    """Something that stays as the book has it, because it is in use."""

    name: str
    reason: str


@frozen
class Difference:
    """What an inventory file changes.

    Attributes:
        added: resources that the book does not have, in natural order.
        changed: resources that it describes otherwise.
        removed: declared resources that the file does not have.
        kept: what would be changed or removed, and is in use.
        same: how many resources are as the file has them.
        undeclared: resources that the file does not have and nobody declared; they stay.
        revision: of the book's inventory that was compared.
    """

    added: tuple[Entry, ...]
    changed: tuple[Change, ...]
    removed: tuple[Entry, ...]
    kept: tuple[Kept, ...] = ()
    same: int = 0
    undeclared: tuple[str, ...] = ()
    revision: int = 0

    @property
    def empty(self) -> bool:
        """Tell whether nothing is to be changed."""
        return not (self.added or self.changed or self.removed)


def compare(book: Mapping[str, Entry], wanted: Mapping[str, Entry], *, prune: bool, revision: int = 0) -> Difference:
    """Return what has to change in ``book`` so that it has what ``wanted`` describes.

    Args:
        book: what the book has, by name.
        wanted: what the file has.
        prune: declared resources that the file does not have are to go.
        revision: of the book's inventory.
    """
    changes = [
        Change(book[name], _merged(book[name], wanted[name])) for name in natural_order(book.keys() & wanted.keys())
    ]
    changed = tuple(change for change in changes if change.values())
    others = natural_order(book.keys() - wanted.keys())
    return Difference(
        added=tuple(wanted[name] for name in natural_order(wanted.keys() - book.keys())),
        changed=changed,
        removed=tuple(book[name] for name in others if prune and book[name].resource.declared),
        same=len(changes) - len(changed),
        undeclared=tuple(name for name in others if not book[name].resource.declared),
        revision=revision,
    )


def _merged(known: Entry, wanted: Entry) -> Entry:
    """Return what the file says with what only the book knows: bookings, and whether the resource is sick."""
    resource = replace(
        wanted.resource,
        longest_us=known.resource.longest_us,
        related=known.resource.related,
        health=known.resource.health,
    )
    return replace(
        wanted, resource=resource, properties=replace(wanted.properties, health_note=known.properties.health_note)
    )


def _text(value: Any) -> str:
    """Return a value so that 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def difference_json(of: Difference) -> dict[str, Any]:
    """Return a difference for programs."""
    return {
        "added": [{"name": entry.name, **table_of(entry)} for entry in of.added],
        "changed": [
            {
                "name": change.name,
                "before": {key: values[0] for key, values in change.values().items()},
                "after": {key: values[1] for key, values in change.values().items()},
            }
            for change in of.changed
        ],
        "removed": [entry.name for entry in of.removed],
        "kept": [{"name": kept.name, "reason": kept.reason} for kept in of.kept],
        "same": of.same,
        "undeclared": list(of.undeclared),
    }
