"""The resources of a book: made by their first use, or declared with seats and a description."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import BusyError, NotFoundError, UsageError
from bespeak.base.frozen import replace
from bespeak.base.natural_order import natural_key
from bespeak.ledger import resources_like, rights, row_mapping, rules, validation, visibility
from bespeak.ledger.availability import Availability
from bespeak.ledger.inventory import read, write
from bespeak.ledger.inventory.model import Entry
from bespeak.ledger.model import Mode, Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction


def resource_list(book: LedgerContext) -> list[Resource]:
    """Return every resource of the book in natural order: ``board2`` before ``board10``."""
    sql = f"SELECT {row_mapping.RESOURCE_COLUMNS} FROM ledger_resources"

    def work(tx: Transaction) -> list[Resource]:
        every = [row_mapping.resource(row) for row in tx.fetch_all(sql)]
        seen = set(visibility.names(book, tx, (one.name for one in every)))
        return [one for one in every if one.name in seen]

    return sorted(book.engine.read(work), key=lambda resource: natural_key(resource.name))


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
    if capacity is not None and not 1 <= capacity <= validation.MOST_SEATS:
        raise UsageError(f"resource {name}: capacity {capacity} must be 1 to {validation.MOST_SEATS}")
    if description is not None:
        validation.check_text("description", description)

    def work(tx: Transaction) -> Resource:
        rights.require(book, tx, by, "resource", [name])
        known = read.entries(tx, [name]).get(name)
        if known is None:
            validation.check_new_resource(name, declared=True)
            resources_like.check(tx, name)
        old = known or Entry(Resource(name))
        new = replace(
            old.resource,
            capacity=old.resource.capacity if capacity is None else capacity,
            declared=True,
            description=old.resource.description if description is None else description,
        )
        if new.capacity < old.resource.capacity:
            refuse_overfull(tx, name, new.capacity)
        write.put(tx, by, replace(old, resource=new), known)
        return new

    return book.write([name], work)


def resource_remove(book: LedgerContext, name: str, by: Holder) -> None:
    """Forget a resource that nobody holds, waits for or has booked.

    Raises:
        NotFoundError: the book does not know it.
        BusyError: it is in use.
    """

    def work(tx: Transaction) -> None:
        rights.require(book, tx, by, "resource", [name])
        known = read.entries(tx, [name]).get(name)
        if known is None:
            raise NotFoundError(f"the book knows no resource {name!r}")
        refuse_overfull(tx, name, 0)
        write.remove(tx, by, known)

    book.write([validation.check_name("resource", name)], work)


def refuse_overfull(tx: Transaction, name: str, capacity: int) -> None:
    """Refuse to leave a resource with fewer seats than are booked or waited for.

    Raises:
        BusyError: naming the first booking that would have no seat.
    """
    ground = Availability(tx, [name], sweep=True)
    taken = [one for one in ground.held(tx.now_us, FOREVER_US) if one.resource == name and not one.closed]
    taken += [row_mapping.booking(name, waiter) for other, waiter in ground.line if other == name]
    if capacity == 0 and taken:
        raise BusyError(f"resource {name} is in use: {taken[0].holder} has reservation {taken[0].reservation_id}")
    seated = [booking for booking in taken if booking.mode is Mode.EXCLUSIVE and not booking.waiting]
    if capacity and rules.peak(seated, tx.now_us, FOREVER_US) > capacity:
        raise BusyError(f"resource {name}: more than {capacity} holders are booked at one time")
