"""Maintenance: windows in which a resource is not given out, whoever has booked it; and whether it is healthy.

Maintenance wins over bookings. Who plans it hears which reservations it hits, and says what becomes of them: they end,
or move to the first time behind that they would be granted. Each has its row in the log.
"""

from __future__ import annotations

from bespeak.base import ids
from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.base.frozen import frozen, replace
from bespeak.base.timeparse import show
from bespeak.ledger import rights, row_mapping, rules, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.availability import Availability
from bespeak.ledger.constraints import Constraints
from bespeak.ledger.inventory import read, write
from bespeak.ledger.model import EndReason, Health, State
from bespeak.ledger.rebooking import numbered, rebooked
from bespeak.ledger.request_checks import check_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.model import Holder, Reservation, Resource
    from bespeak.storage.interface import Transaction

MAINTENANCE = "maintenance"
REFUSE, END, MOVE = "refuse", "end", "move"
_INSERT = """
INSERT INTO ledger_closures (id, resource, starts_us, ends_us, kind, reason, made_by)
VALUES (:id, :name, :starts, :ends, :kind, :reason, :who)"""
_UNTIL = "UPDATE ledger_resources SET closed_until_us = :ends WHERE name = :name AND closed_until_us < :ends"
_LIST = """
SELECT id, resource, starts_us, ends_us, reason, made_by FROM ledger_closures
WHERE kind = 'maintenance' AND ends_us > :now ORDER BY starts_us, resource"""


@frozen
class Window:
    """A window of maintenance.

    Attributes:
        id: names it.
        resource: which one is not given out.
        starts_us: from when, µs UTC.
        ends_us: until when, µs UTC; ``FOREVER_US`` for no end.
        reason: why.
        who: who planned it.
    """

    id: str
    resource: str
    starts_us: int
    ends_us: int
    reason: str
    who: str


@frozen
class Hit:
    """A reservation that maintenance hits.

    Attributes:
        before: as it was.
        after: as it is now; the same where nothing was changed.
    """

    before: Reservation
    after: Reservation


@frozen
class Plan:
    """Maintenance, and what it hits.

    Attributes:
        windows: one for each resource.
        hits: the reservations that are in the way, in the order of their starts.
        made: it was planned; False where it only was looked at.
    """

    windows: tuple[Window, ...]
    hits: tuple[Hit, ...]
    made: bool


def maintenance_add(
    book: LedgerContext,
    names: Iterable[str],
    by: Holder,
    *,
    ends_us: int,
    starts_us: int | None = None,
    reason: str = "",
    hit: str = REFUSE,
) -> Plan:
    """Plan maintenance of resources: within the window nobody has them, nor a whole or a part of them.

    Args:
        book: the open book.
        names: which resources.
        by: who asks.
        ends_us: until when, µs UTC; ``FOREVER_US`` for no end.
        starts_us: from when, µs UTC; None means now.
        reason: why; whoever is refused reads it.
        hit: what becomes of reservations in the way: ``refuse`` plans nothing if there are any, ``end`` ends them
            (what has begun keeps the time before the window), ``move`` gives those that have not begun the first time
            behind that they would be granted, and ends the others.

    Returns:
        The plan; where it was refused, with ``made`` False and what is in the way.

    Raises:
        UsageError: the window cannot be.
        NotFoundError: the book does not know a resource.
    """
    wanted = validation.resource_names(names)
    validation.check_text("reason", reason)
    if hit not in (REFUSE, END, MOVE):
        raise UsageError(f"what becomes of reservations in the way: {REFUSE}, {END} or {MOVE}, not {hit!a}")
    for kind, instant_us in (("start", starts_us), ("end", ends_us)):
        if instant_us is not None and instant_us < FOREVER_US:
            check_instant(kind, instant_us)
    identifier = ids.new_id()

    def work(tx: Transaction) -> Plan:
        rights.require(book, tx, by, "resource", wanted)
        known = _known(tx, wanted)
        first_us = tx.now_us if starts_us is None else starts_us
        if first_us < tx.now_us or ends_us <= first_us:
            raise UsageError(f"maintenance from {show(first_us)} to {show(ends_us)}: it must lie ahead, and end later")
        windows = tuple(
            Window(identifier, name, first_us, min(ends_us, FOREVER_US), reason, by.requested_by or by.user)
            for name in wanted
        )
        constraints = Constraints(tx, known)
        constraints.require_locks(wanted)
        found = _in_the_way(tx, constraints.scope(wanted), first_us, ends_us)
        if found and hit == REFUSE:
            return Plan(windows, tuple(Hit(one, one) for one in found), made=False)
        tx.require(write_operations.resource_topic(name) for one in found for name in one.resources)
        for window in windows:
            _close(tx, by, window)
        return Plan(windows, tuple(Hit(one, _displace(tx, by, one, windows[0], hit)) for one in found), made=True)

    return book.write(wanted, work)


def maintenance_list(book: LedgerContext, names: Iterable[str] = ()) -> list[Window]:
    """Return the maintenance of now and later, by start.

    Args:
        book: the open book.
        names: only of these resources; empty means all.
    """
    wanted = frozenset(names)
    rows = book.engine.read(lambda tx: tx.fetch_all(_LIST, {"now": tx.now_us}))
    return [Window(*row) for row in rows if not wanted or row[1] in wanted]


def maintenance_cancel(book: LedgerContext, names: Iterable[str], by: Holder) -> list[Window]:
    """End the maintenance of resources, now and later; return what was cancelled.

    Raises:
        NotFoundError: the book does not know a resource, or none is planned for one.
    """
    wanted = validation.resource_names(names)

    def work(tx: Transaction) -> list[Window]:
        rights.require(book, tx, by, "resource", wanted)
        _known(tx, wanted)
        found = [Window(*row) for row in tx.fetch_all(_LIST, {"now": tx.now_us}) if row[1] in wanted]
        for name in wanted:
            if all(window.resource != name for window in found):
                raise NotFoundError(f"no maintenance of {name} is planned")
        for window in found:
            tx.execute("DELETE FROM ledger_closures WHERE resource = :name AND id = :id", _key(window))
            _log(tx, Action.OPENED, by, window)
        return found

    return book.write(wanted, work)


def resource_mark(
    book: LedgerContext,
    names: Iterable[str],
    by: Holder,
    *,
    health: str,
    reason: str = "",
    check: str = "",
    stays: bool = False,
) -> list[Entry]:
    """Say whether resources are well: what is ``sick`` or ``offline`` is given to nobody until it is ``ok`` again.

    What a check says is noted as its word, and it takes back its own word alone: a resource that a person, or another
    check, has marked stays as it is.

    Args:
        book: the open book.
        names: which ones.
        by: who asks.
        health: ``ok``, ``sick`` or ``offline``.
        reason: what is wrong.
        check: the name of the check that says so; empty for a person.
        stays: the check will not take it back; a person has to.

    Returns:
        The resources as they are then.

    Raises:
        UsageError: there is no such state.
        NotFoundError: the book does not know a resource.
    """
    wanted = validation.resource_names(names)
    validation.check_text("reason", reason)
    states = {one.value: one for one in Health}
    if health not in states:
        raise UsageError(f"health {health!a}: it is {', '.join(states)}")

    def work(tx: Transaction) -> list[Entry]:
        rights.require(book, tx, by, "resource", wanted)
        _known(tx, wanted)
        marked = []
        for name, old in read.entries(tx, wanted).items():
            if check and not _may_say(old, check, states[health]):
                marked.append(old)
                continue
            note = _checked(check, reason, stays=stays) if check else reason
            properties = replace(old.properties, health_note="" if health == Health.OK.value else note)
            new = replace(old, resource=replace(old.resource, health=states[health]), properties=properties)
            if new != old:
                write.put(tx, by, new, old)
            marked.append(read.entries(tx, [name])[name])
        return marked

    return book.write(wanted, work)


def _checked(check: str, reason: str, *, stays: bool) -> str:
    held = ", stays until a person marks it ok" if stays else ""
    return f"check {check}{held}: {reason}"


def _may_say(old: Entry, check: str, health: Health) -> bool:
    """Tell whether a check may mark a resource: one that is well, or that it has marked itself and may take back."""
    if old.resource.health is Health.OK:
        return health is not Health.OK
    return old.properties.health_note.startswith(_checked(check, "", stays=False))


def _known(tx: Transaction, names: Sequence[str]) -> dict[str, Resource]:
    known = row_mapping.resources(tx, names)
    for name in names:
        if name not in known:
            raise NotFoundError(f"the book knows no resource {name!a}")
    return known


def _in_the_way(tx: Transaction, names: Sequence[str], starts_us: int, ends_us: int) -> list[Reservation]:
    found = {one.id: one for _, one in row_mapping.overlapping(tx, names, starts_us, ends_us)}
    live = [one for one in found.values() if one.state(tx.now_us) is not State.ENDED]
    return sorted(live, key=lambda one: (one.starts_us, one.seq))


def _close(tx: Transaction, by: Holder, window: Window) -> None:
    row = {**_key(window), "starts": window.starts_us, "ends": window.ends_us, "kind": MAINTENANCE}
    tx.execute(_INSERT, {**row, "reason": window.reason, "who": window.who})
    tx.execute(_UNTIL, {"name": window.resource, "ends": window.ends_us})
    _log(tx, Action.CLOSED, by, window)


def _key(window: Window) -> dict[str, object]:
    return {"id": window.id, "name": window.resource}


def _log(tx: Transaction, action: Action, by: Holder, window: Window) -> None:
    facts = {"kind": MAINTENANCE, "starts_us": window.starts_us, "ends_us": window.ends_us, "reason": window.reason}
    before, after = ({}, facts) if action is Action.CLOSED else (facts, {})
    write_operations.log(tx, action, by.user, by.requested_by, None, [window.resource], before, after)
    tx.notify(write_operations.resource_topic(window.resource))


def _displace(tx: Transaction, by: Holder, found: Reservation, window: Window, hit: str) -> Reservation:
    """End, shorten or move a reservation in the way of maintenance; return it as it is then."""
    if found.is_awaiting:
        return _end(tx, by, found, window)
    begun = found.state(tx.now_us) is State.ACTIVE
    if begun and window.starts_us > tx.now_us:
        return _shorten(tx, by, found, window)
    if hit == MOVE and not begun:
        return _move(tx, by, found, window)
    return _end(tx, by, found, window)


def _note(window: Window) -> str:
    return f"maintenance: {window.reason}" if window.reason else MAINTENANCE


def _end(tx: Transaction, by: Holder, found: Reservation, window: Window) -> Reservation:
    note = _note(window)
    write_operations.end(tx, found, tx.now_us, EndReason.KICKED, note, unheard=rights.asker(by) != found.holder)
    after = {"ended_us": tx.now_us, "ended_why": EndReason.KICKED.value, "ended_note": note}
    write_operations.log_by(tx, Action.KICKED, by, found, write_operations.window(found), after)
    return replace(found, ended_us=tx.now_us, end_reason=EndReason.KICKED, ended_note=note)


def _shorten(tx: Transaction, by: Holder, found: Reservation, window: Window) -> Reservation:
    write_operations.rebook(tx, found, window.starts_us, row_mapping.resources(tx, found.resources))
    write_operations.log_by(tx, Action.SHORTENED, by, found, {"ends_us": found.ends_us}, {"ends_us": window.starts_us})
    write_operations.wake(tx, found)
    return replace(found, ends_us=window.starts_us)


def _move(tx: Transaction, by: Holder, found: Reservation, window: Window) -> Reservation:
    """Give a reservation that has not begun the first time at which it would be granted; end it where there is none."""
    length_us = FOREVER_US if found.ends_us >= FOREVER_US else found.ends_us - found.starts_us
    write_operations.unbook(tx, found, found.resources)
    ground = Availability(tx, found.resources, sweep=True)
    starts_us = ground.first_fit(found.mode, found.starts_us, length_us)
    if starts_us is None:
        return _end(tx, by, found, window)
    moved = rebooked(tx, found, (starts_us, rules.window_end(starts_us, length_us)), by)
    write_operations.log_by(tx, Action.MOVED, by, found, numbered(found), numbered(moved))
    return moved
