"""Changing what is declared about some resources, by the keys of inventory files."""

from __future__ import annotations

from bespeak.base.errors import BusyError, NotFoundError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.base.natural_order import natural_order
from bespeak.ledger.inventory import read, sync
from bespeak.ledger.inventory.model import Entry
from bespeak.ledger.inventory.table import Place, entry_of, table_of
from bespeak.ledger.model import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder

_TRIES = 5
_LABELS = "labels"


def add(book: LedgerContext, names: Iterable[str], by: Holder, table: Mapping[str, object]) -> list[Entry]:
    """Declare resources that are not declared yet, all or none, and return them.

    Args:
        book: the open book.
        names: which ones.
        by: who asks.
        table: what is declared about each, as a table of an inventory file has it.

    Raises:
        UsageError: a name or a value cannot be; nothing was written.
        WrongStateError: one is declared already.
    """

    def made(known: Mapping[str, Entry], name: str) -> Entry:
        old = known.get(name)
        if old is not None and old.resource.declared:
            raise WrongStateError(f"resource {name!a} is declared already; change it with 'resource set'")
        return _merged(old or Entry(Resource(name)), table, (), "resource add")

    return _write(book, natural_order(set(names)), by, made)


def change(
    book: LedgerContext, names: Iterable[str], by: Holder, table: Mapping[str, object], *, without: Iterable[str] = ()
) -> list[Entry]:
    """Change what is declared about resources, all or none, and return them as they are then.

    Args:
        book: the open book.
        names: which ones.
        by: who asks.
        table: what changes, as a table of an inventory file has it; labels are added to those that are there.
        without: keys of labels that go.

    Raises:
        UsageError: a value cannot be; nothing was written.
        NotFoundError: the book does not know one of them, or one has no such label.
        BusyError: what is booked does not allow it.
    """
    gone = tuple(without)

    def changed(known: Mapping[str, Entry], name: str) -> Entry:
        if name not in known:
            raise unknown(name, known)
        return _merged(known[name], table, gone, "resource set")

    return _write(book, natural_order(set(names)), by, changed)


def unknown(name: str, known: Iterable[str]) -> NotFoundError:
    """Return the error for a name that the book does not know, with the nearest that it knows."""
    from bespeak.base.display import suggest

    meant = suggest(name, known)
    hint = f"; did you mean {' or '.join(meant)}?" if meant else "; declare it with 'resource add'"
    return NotFoundError(f"the book knows no resource {name!a}{hint}")


def _merged(old: Entry, table: Mapping[str, object], without: tuple[str, ...], command: str) -> Entry:
    values = table_of(old) | dict(table)
    given = table.get(_LABELS, {})
    if isinstance(given, dict) and (
        _LABELS in table or without
    ):  # whatever else it is, it is refused with the other values
        labels = dict(old.properties.labels) | given
        for key in without:
            if key not in labels:
                raise NotFoundError(f"resource {old.name!a} has no label {key!a}")
            del labels[key]
        values[_LABELS] = labels
    new = entry_of(old.name, values, Place(command, old.name))
    resource = replace(
        new.resource, longest_us=old.resource.longest_us, related=old.resource.related, health=old.resource.health
    )
    return replace(new, resource=resource, properties=replace(new.properties, health_note=old.properties.health_note))


def _write(
    book: LedgerContext, names: list[str], by: Holder, entry: Callable[[Mapping[str, Entry], str], Entry]
) -> list[Entry]:
    for attempt in range(1, _TRIES + 1):
        known, revision = book.engine.read(lambda tx: (read.entries(tx), read.revision(tx)))
        wanted = {name: entry(known, name) for name in names}
        try:
            done = sync.write_difference(book, wanted, by, prune=False, revision=revision, whole=False)
        except WrongStateError:
            if attempt == _TRIES:
                raise
            continue  # somebody else changed the inventory in between
        if done.kept:
            raise BusyError(f"resource {done.kept[0].name}: {done.kept[0].reason}")
        break
    return list(book.engine.read(lambda tx: read.entries(tx, names)).values())
