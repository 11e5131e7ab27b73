"""What of a difference cannot be applied now, because somebody holds, waits for or has booked it."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BusyError
from bespeak.base.frozen import replace
from bespeak.ledger import resources
from bespeak.ledger.availability import Availability
from bespeak.ledger.inventory import whole_and_parts
from bespeak.ledger.inventory.compare import Change, Difference, Kept
from bespeak.ledger.model import Mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.model import Booking
    from bespeak.storage.interface import Transaction

Parts = dict[str, tuple[str, ...]]


def keep_used(tx: Transaction, found: Difference, known: Mapping[str, Entry]) -> Difference:
    """Return the difference without what is in use, which is named as kept.

    Args:
        tx: the transaction.
        found: what the file changes.
        known: what the book has, by name.
    """
    kept: list[Kept] = []
    made: Parts = {name: entry.properties.parts for name, entry in known.items()}
    made |= {entry.name: entry.properties.parts for entry in found.added}
    changed = [_changeable(tx, change, made, kept) for change in found.changed]
    removed = _removable(tx, found.removed, made, kept)
    return replace(
        found,
        removed=removed,
        changed=tuple(change for change in changed if change.values()),
        kept=tuple(kept),
    )


def _removable(tx: Transaction, entries: tuple[Entry, ...], made: Parts, kept: list[Kept]) -> tuple[Entry, ...]:
    """Return what can be removed: what nobody uses, and nothing that stays is made of."""
    reasons = {entry.name: reason for entry in entries if (reason := _holder(tx, entry.name))}
    going = {entry.name for entry in entries} - reasons.keys()
    ahead = [name for name in made if name not in going]
    while ahead:
        for part in going.intersection(made[ahead.pop()]):
            reasons[part] = "something that stays is made of it"
            going.remove(part)
            ahead.append(part)
    kept += [Kept(entry.name, f"not removed: {reasons[entry.name]}") for entry in entries if entry.name in reasons]
    return tuple(entry for entry in entries if entry.name in going)


def _changeable(tx: Transaction, change: Change, made: Parts, kept: list[Kept]) -> Change:
    """Return what can be applied of a change, and note its parts in ``made``."""
    before, after = change.before, change.after
    if after.resource.capacity < before.resource.capacity:
        try:
            resources.refuse_overfull(tx, change.name, after.resource.capacity)
        except BusyError as busy:
            kept.append(Kept(change.name, f"seats stay: {busy}"))
            seats = replace(after.properties, seats=before.properties.seats)
            after = replace(
                after, resource=replace(after.resource, capacity=before.resource.capacity), properties=seats
            )
    if after.properties.parts != before.properties.parts:
        reason = _booked_together(tx, made, {**made, change.name: after.properties.parts})
        if reason:
            kept.append(Kept(change.name, f"parts stay: {reason}"))
            after = replace(after, properties=replace(after.properties, parts=before.properties.parts))
    made[change.name] = after.properties.parts
    return Change(before, after)


def _holder(tx: Transaction, name: str) -> str:
    """Return who holds, waits for or has booked a resource, as the end of a sentence; empty where nobody does."""
    taken = _taken(tx, name)
    if not taken:
        return ""
    first = min(taken, key=lambda booking: (booking.waiting, booking.starts_us))
    return f"{escape_unprintable(first.holder)} has reservation {first.reservation_id}"


def _booked_together(tx: Transaction, before: Parts, after: Parts) -> str:
    """Return which two resources, that would be whole and part, are booked at one time; empty where none are."""
    old = whole_and_parts.related(_pairs(before))
    for name, others in sorted(whole_and_parts.related(_pairs(after)).items()):
        for other in sorted(others - old.get(name, frozenset())):
            if name < other and _meet(_taken(tx, name), _taken(tx, other)):
                return f"{escape_unprintable(name)} and {escape_unprintable(other)} are booked at one time"
    return ""


def _pairs(of: Parts) -> list[tuple[str, str]]:
    return [(whole, part) for whole, names in of.items() for part in names]


def _meet(left: list[Booking], right: list[Booking]) -> bool:
    return any(
        one.starts_us < other.ends_us and other.starts_us < one.ends_us
        for one in left
        for other in right
        if not (one.waiting or other.waiting or one.mode is other.mode is Mode.SHARED)
    )


def _taken(tx: Transaction, name: str) -> list[Booking]:
    taken = Availability(tx, [name], sweep=False).taken(tx.now_us, FOREVER_US)
    return [booking for booking in taken if booking.resource == name and not booking.closed]
