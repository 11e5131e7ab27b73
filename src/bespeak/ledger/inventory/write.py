"""Writing the inventory: what is declared about a resource, and its row in the log, inside the caller's transaction."""

from __future__ import annotations

from bespeak.base.json_text import compact_utf8
from bespeak.ledger import write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.inventory import whole_and_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction

LOCK = "inventory"
"""Who changes which resource is a part of which holds this key."""

_FACTS = (
    *("capacity", "declared", "description", "labels", "owner", "contact", "link", "location", "seats", "group_names"),
    *("cooldown_us", "hours", "check_in_us", "health", "health_note", "approval"),
)
_PUT = (
    f"INSERT INTO ledger_resources (name, {', '.join(_FACTS)}) VALUES (:name, {', '.join(f':{c}' for c in _FACTS)}) "
    f"ON CONFLICT (name) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _FACTS)}"
)


def put(tx: Transaction, by: Holder, new: Entry, old: Entry | None) -> None:
    """Store what is declared about a resource, and log what it was before.

    Whoever changes parts holds :data:`LOCK` and calls :func:`count_related` at the end.
    """
    row = {**facts(new), "name": new.name, "declared": int(new.resource.declared)}
    row |= {key: compact_utf8(row[key]) for key in ("labels", "seats", "group_names")}
    row["approval"] = "" if new.resource.approval is None else compact_utf8(list(new.resource.approval))
    del row["parts"]
    tx.execute_deferred(_PUT, [row])
    before = old.properties.parts if old else ()
    if before != new.properties.parts:
        _put_parts(tx, new.name, new.properties.parts)
    log(tx, Action.RESOURCE_SET, by, new.name, _said(facts(old)) if old else {}, _said(facts(new)))


def remove(tx: Transaction, by: Holder, old: Entry) -> None:
    """Forget a resource that nobody uses and that is part of nothing; the log keeps its past."""
    _put_parts(tx, old.name, ())
    tx.execute("DELETE FROM ledger_resources WHERE name = :name", {"name": old.name})
    log(tx, Action.RESOURCE_REMOVED, by, old.name, _said(facts(old)), {})


def count_related(tx: Transaction) -> None:
    """Store how many wholes and parts each resource has."""
    pairs = tx.fetch_all("SELECT whole, part FROM ledger_parts")
    now = {name: len(others) for name, others in whole_and_parts.related(pairs).items()}
    stored: dict[str, int] = dict(tx.fetch_all("SELECT name, related FROM ledger_resources WHERE related > 0"))
    changed = {name for name in now.keys() | stored.keys() if now.get(name, 0) != stored.get(name, 0)}
    tx.execute_deferred(
        "UPDATE ledger_resources SET related = :count WHERE name = :name",
        [{"name": name, "count": now.get(name, 0)} for name in sorted(changed)],
    )


def facts(of: Entry) -> dict[str, object]:
    """Return all that is declared about a resource, by column and with its parts."""
    resource, known = of.resource, of.properties
    return {
        "capacity": resource.capacity,
        "declared": resource.declared,
        "description": resource.description,
        "labels": dict(known.labels),
        "owner": known.owner,
        "contact": known.contact,
        "link": known.link,
        "location": known.location,
        "seats": list(known.seats),
        "group_names": list(known.groups),
        "cooldown_us": resource.cooldown_us,
        "hours": resource.hours,
        "check_in_us": resource.check_in_us,
        "health": resource.health.value,
        "health_note": known.health_note,
        "approval": None if resource.approval is None else list(resource.approval) or True,
        "parts": list(known.parts),
    }


def log(
    tx: Transaction, action: Action, by: Holder, name: str, before: dict[str, object], after: dict[str, object]
) -> None:
    """Record a change of what is declared about a resource, count it, and wake who follows the resource."""
    write_operations.log(tx, action, by.user, by.requested_by, None, [name], before, after)
    tx.execute_deferred("UPDATE ledger_inventory SET revision = revision + 1", [{}])
    tx.notify(write_operations.resource_topic(name))


def _said(of: dict[str, object]) -> dict[str, object]:
    """Return the facts that the log keeps: what every resource has, and of the rest what is not as usual."""
    always = ("capacity", "declared", "description")
    return {key: value for key, value in of.items() if key in always or (value and value != "ok")}


def _put_parts(tx: Transaction, whole: str, names: tuple[str, ...]) -> None:
    tx.execute("DELETE FROM ledger_parts WHERE whole = :whole", {"whole": whole})
    tx.execute_deferred(
        "INSERT INTO ledger_parts (whole, part) VALUES (:whole, :part)",
        [{"whole": whole, "part": part} for part in names],
    )
