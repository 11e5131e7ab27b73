"""Making the book's inventory what a file says, in one transaction."""

from __future__ import annotations

from bespeak.base.errors import UsageError, WrongStateError
from bespeak.ledger import lookalikes, rights, validation, write_operations
from bespeak.ledger.inventory import in_use, read, whole_and_parts, write
from bespeak.ledger.inventory.compare import compare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.inventory.compare import Change, Difference
    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction

MOST_LOCKS = 2_000
"""A server has locks for some thousands of resources; nobody removes more at one time by intention."""


def difference(book: LedgerContext, wanted: Mapping[str, Entry], *, prune: bool = True) -> Difference:
    """Return what :func:`sync` would do now; changes nothing.

    Args:
        book: the open book.
        wanted: the resources by name.
        prune: remove declared resources that ``wanted`` does not have.

    Raises:
        UsageError: a new name cannot be, or looks like another one.
    """
    return book.engine.read(lambda tx: _difference(tx, wanted, prune=prune))


def sync(
    book: LedgerContext, wanted: Mapping[str, Entry], by: Holder, *, prune: bool = True, revision: int | None = None
) -> Difference:
    """Make the inventory of the book what ``wanted`` describes; the book is strict from then on.

    What is in use keeps its seats and parts and is not removed; the result says so.

    Args:
        book: the open book.
        wanted: the resources by name.
        by: who asks.
        prune: remove declared resources that ``wanted`` does not have.
        revision: of the inventory for which this was decided; None for whichever there is.

    Raises:
        UsageError: a new name cannot be, or looks like another one; nothing was written.
        WrongStateError: the inventory has changed since ``revision``; nothing was written.
    """
    return write_difference(book, wanted, by, prune=prune, revision=revision, whole=True)


def write_difference(
    book: LedgerContext, wanted: Mapping[str, Entry], by: Holder, *, prune: bool, revision: int | None, whole: bool
) -> Difference:
    """Write what ``wanted`` has otherwise than the book.

    Args:
        book: the open book.
        wanted: the resources by name.
        by: who asks.
        prune: remove declared resources that ``wanted`` does not have.
        revision: of the inventory for which this was decided; None for whichever there is.
        whole: ``wanted`` is an inventory, which makes the book strict; else it is a change of some resources, of which
            nothing is written if something is to be kept.

    Raises:
        UsageError: a new name cannot be, or looks like another one; nothing was written.
        WrongStateError: the inventory has changed since ``revision``; nothing was written.
    """
    while True:
        locked = _in_question(difference(book, wanted, prune=prune))
        if len(locked) > MOST_LOCKS:
            raise UsageError(
                f"{len(locked)} resources would be removed or changed in use; at most {MOST_LOCKS} at once"
            )
        keys = [write.LOCK, *map(write_operations.resource_topic, locked)]

        def apply(tx: Transaction, held: frozenset[str] = locked) -> Difference | None:
            found = _difference(tx, wanted, prune=prune)
            rights.require(book, tx, by, "resource", [*_touched(found), *((None,) if whole else ())])
            if revision is not None and found.revision != revision:
                raise WrongStateError("the inventory of the book has changed meanwhile; look at the difference again")
            if not _in_question(found) <= held:
                return None  # somebody changed the book, and the locks for what is to be done now are not held
            if whole or not found.kept:
                _write(tx, by, found)
                _count(tx, by, found, whole=whole)
            return found

        done = book.engine.transact(keys, apply)
        if done is not None:
            return done


def _difference(tx: Transaction, wanted: Mapping[str, Entry], *, prune: bool) -> Difference:
    known = read.entries(tx)
    found = compare(known, wanted, prune=prune, revision=read.revision(tx))
    _check_names(found, known)
    _check_parts(found, known)
    return in_use.keep_used(tx, found, known)


def _check_names(found: Difference, known: Mapping[str, Entry]) -> None:
    """Refuse new names that are not what they look like."""
    removed = {entry.name for entry in found.removed}
    there = lookalikes.LookalikeIndex(name for name in known if name not in removed)
    for entry in found.added:
        validation.check_new_resource(entry.name, declared=True)
        other = there.like(entry.name)
        if other is not None:
            raise UsageError(lookalikes.refusal("resource", entry.name, other))
        there.add(entry.name)


def _check_parts(found: Difference, known: Mapping[str, Entry]) -> None:
    """Refuse parts that there are not, or that are made of themselves."""
    after = {name: entry.properties.parts for name, entry in known.items()}
    after |= {entry.name: entry.properties.parts for entry in found.added}
    after |= {change.name: change.after.properties.parts for change in found.changed}
    for name in (entry.name for entry in found.removed):
        after.pop(name)
    for name in (*(entry.name for entry in found.added), *(change.name for change in found.changed)):
        for part in after[name]:
            if part not in after:
                raise UsageError(f"resource {name!a}: parts: there is no resource {part!a}")
    chain = whole_and_parts.circle((whole, part) for whole, names in after.items() for part in names)
    if chain:
        raise UsageError(f"resource {chain[0]!a}: parts: it is a part of itself: {' > '.join(map(ascii, chain))}")


def _in_question(found: Difference) -> frozenset[str]:
    """Return the resources that nobody may book while this is decided."""
    names = {entry.name for entry in found.removed} | {kept.name for kept in found.kept}
    for change in found.changed:
        before, after = change.before, change.after
        if before.properties.parts != after.properties.parts:
            names |= {change.name, *before.properties.parts, *after.properties.parts}
        elif after.resource.capacity < before.resource.capacity:
            names.add(change.name)
    for entry in found.added:
        if entry.properties.parts:
            names |= {entry.name, *entry.properties.parts}
    return frozenset(names)


def _touched(found: Difference) -> list[str]:
    """Return the resources that are written, which takes the right to do so."""
    return [entry.name for entry in (*found.added, *found.removed)] + [change.name for change in found.changed]


def _write(tx: Transaction, by: Holder, found: Difference) -> None:
    for entry in found.removed:
        write.remove(tx, by, entry)
    for entry in found.added:
        write.put(tx, by, entry, None)
    for change in found.changed:
        write.put(tx, by, change.after, change.before)


def _count(tx: Transaction, by: Holder, found: Difference, *, whole: bool) -> None:
    if _touches_parts(found.changed) or any(one.properties.parts for one in (*found.added, *found.removed)):
        write.count_related(tx)
    if whole:
        tx.execute(
            "UPDATE ledger_inventory SET synced_us = :now, synced_by = :who",
            {"now": tx.now_us, "who": by.requested_by or by.user},
        )


def _touches_parts(changed: tuple[Change, ...]) -> bool:
    return any(change.before.properties.parts != change.after.properties.parts for change in changed)
