"""The resources of a book: made by their first use, or declared with seats and a description."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import BusyError, NotFoundError, UsageError
from bespeak.ledger import row_mapping, rules, validation, write_operations
from bespeak.ledger.availability import Availability
from bespeak.ledger.model import Action, Mode, Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction

MOST_SEATS = 1_000_000
_DECLARE = """
INSERT INTO ledger_resources (name, capacity, declared, description) VALUES (:name, :cap, 1, :text)
ON CONFLICT (name) DO UPDATE SET capacity = :cap, declared = 1, description = :text"""


def resource_list(book: LedgerContext) -> list[Resource]:
    """Return every resource of the book, by name."""
    sql = f"SELECT {row_mapping.RESOURCE_COLUMNS} FROM ledger_resources ORDER BY name"
    return book.engine.read(lambda tx: [row_mapping.resource(row) for row in tx.fetch_all(sql)])


def resource_set(
    book: LedgerContext, name: str, by: Holder, *, capacity: int | None = None, description: str | None = None
) -> Resource:
    """Declare a resource, or change what was declared.

    Args:
        book: the open book.
        name: which one.
        by: who asks.
        capacity: exclusive holders it seats at once; None leaves it (1 for a new one).
        description: free text; None leaves it.

    Raises:
        UsageError: a value cannot be.
        BusyError: fewer seats than are booked.
    """
    validation.check_name("resource", name)
    if capacity is not None and not 1 <= capacity <= MOST_SEATS:
        raise UsageError(f"resource {name}: capacity {capacity} must be 1 to {MOST_SEATS}")
    if description is not None:
        validation.check_text("description", description)

    def work(tx: Transaction) -> Resource:
        known = row_mapping.resources(tx, [name]).get(name)
        if known is None:
            validation.check_new_resource(name, declared=True)
        old = known or Resource(name)
        new = Resource(
            name,
            old.capacity if capacity is None else capacity,
            declared=True,
            description=old.description if description is None else description,
            longest_us=old.longest_us,
        )
        if new.capacity < old.capacity:
            _refuse_overfull(tx, name, new.capacity)
        tx.execute(_DECLARE, {"name": name, "cap": new.capacity, "text": new.description})
        before = _resource_facts(known) if known else {}
        _log_resource(tx, Action.RESOURCE_SET, by, name, before, _resource_facts(new))
        return new

    return book.write([name], work)


def resource_remove(book: LedgerContext, name: str, by: Holder) -> None:
    """Forget a resource that nobody holds, waits for or has booked.

    Raises:
        NotFoundError: the book does not know it.
        BusyError: it is in use.
    """

    def work(tx: Transaction) -> None:
        known = row_mapping.resources(tx, [name]).get(name)
        if known is None:
            raise NotFoundError(f"the book knows no resource {name!r}")
        _refuse_overfull(tx, name, 0)
        tx.execute("DELETE FROM ledger_resources WHERE name = :name", {"name": name})
        _log_resource(tx, Action.RESOURCE_REMOVED, by, name, _resource_facts(known), {})

    book.write([validation.check_name("resource", name)], work)


def _resource_facts(of: Resource) -> dict[str, object]:
    return {"capacity": of.capacity, "declared": of.declared, "description": of.description}


def _log_resource(
    tx: Transaction, action: Action, by: Holder, name: str, before: dict[str, object], after: dict[str, object]
) -> None:
    write_operations.log(tx, action, by.user, by.requested_by, None, [name], before, after)
    tx.notify(write_operations.resource_topic(name))


def _refuse_overfull(tx: Transaction, name: str, capacity: int) -> None:
    """Refuse to leave a resource with fewer seats than are booked or waited for.

    Raises:
        BusyError: naming the first booking that would have no seat.
    """
    ground = Availability(tx, [name], sweep=True)
    taken = ground.taken(tx.now_us, FOREVER_US)
    if capacity == 0 and taken:
        raise BusyError(f"resource {name} is in use: {taken[0].holder} has reservation {taken[0].reservation_id}")
    seated = [booking for booking in taken if booking.mode is Mode.EXCLUSIVE and not booking.waiting]
    if capacity and rules.peak(seated, tx.now_us, FOREVER_US) > capacity:
        raise BusyError(f"resource {name}: more than {capacity} holders are booked at one time")
