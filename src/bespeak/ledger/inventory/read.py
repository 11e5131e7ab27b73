"""Reading the inventory of a book."""

from __future__ import annotations

from bespeak.base.natural_order import natural_key
from bespeak.ledger import row_mapping
from bespeak.ledger.inventory.model import Entry, Properties
from bespeak.storage.row_shape import RowShape, read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.inventory.model import Label
    from bespeak.storage.interface import Row, Transaction

_COLUMNS = "name, labels, owner, contact, link, location, seats, group_names, health_note"
_SHAPE = RowShape("resource", _COLUMNS, "ttttttttt")
_BATCH = 500
"""Names in one query: fewer than any engine has parameters for."""


def entries(tx: Transaction, names: Iterable[str] | None = None) -> dict[str, Entry]:
    """Return the known ones among ``names`` (None for all), by name in natural order."""
    parts: dict[str, list[str]] = {}
    for whole, part in _select(tx, "whole, part", "ledger_parts", "whole", names):
        parts.setdefault(whole, []).append(part)
    columns = row_mapping.RESOURCE_COLUMNS
    width = columns.count(",") + 1
    found: dict[str, Entry] = {}
    for row in _select(tx, f"{columns}, {_COLUMNS}", "ledger_resources", "name", names):
        resource = row_mapping.resource(row[:width])
        properties = _SHAPE.read(row[width:], lambda cells: _properties(cells, parts.get(cells[0], [])))
        found[resource.name] = Entry(resource, properties)
    return dict(sorted(found.items(), key=lambda item: natural_key(item[0])))


def labels_of(tx: Transaction, names: Iterable[str] | None = None) -> dict[str, dict[str, Label]]:
    """Return the labels of the known ones among ``names`` (None for all), by name."""
    rows = _select(tx, "name, labels", "ledger_resources", "name", names)
    return {name: {} if labels == "{}" else read_json(labels) for name, labels in rows}


def revision(tx: Transaction) -> int:
    """Return how often what is declared about any resource has changed: as long as it is the same, so is all that."""
    row = tx.fetch_one("SELECT revision FROM ledger_inventory")
    return int(row[0]) if row else 0


def is_synced(tx: Transaction) -> bool:
    """Tell whether the book has an inventory, so that a name that is not in it is a mistake."""
    row = tx.fetch_one("SELECT synced_us FROM ledger_inventory")
    return row is not None and row[0] is not None


def _select(tx: Transaction, columns: str, table: str, key: str, names: Iterable[str] | None) -> list[Row]:
    if names is None:
        return tx.fetch_all(f"SELECT {columns} FROM {table}")
    wanted = sorted(set(names))
    found: list[Row] = []
    for first in range(0, len(wanted), _BATCH):
        inside, params = row_mapping.in_list("n", wanted[first : first + _BATCH])
        found += tx.fetch_all(f"SELECT {columns} FROM {table} WHERE {key} IN ({inside})", params)
    return found


def _properties(row: Row, parts: list[str]) -> Properties:
    _, labels, owner, contact, link, location, seats, groups, health_note = row
    return Properties(
        labels=tuple(sorted(read_json(labels).items())),
        owner=owner,
        contact=contact,
        link=link,
        location=location,
        seats=tuple(read_json(seats)),
        groups=tuple(read_json(groups)),
        parts=tuple(sorted(parts, key=natural_key)),
        health_note=health_note,
    )
