"""The checker: reads nothing but the log of a book, and proves what must always be true of it.

Rows of the log are numbered inside the transaction that holds the locks of their resources, so for each resource
the order of the log is the order of what happened. The checker replays that order with rules of its own, far simpler
than the book's: it keeps every window and counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

FOREVER_US = 2**62
LEASE_US = 30_000_000
"""A waiter that was last heard of longer ago may have lost its place before the log says so."""

PAST_US = 60_000_000  # what was over so long before a row is not compared with it any more; no grant begins so far back
ENDS = {"released", "cancelled", "kicked", "lapsed", "no_show"}

_FACTS = ("holder", "mode", "priority", "purpose", "waiting", "number", "starts_us", "ends_us")
_FACTS += ("wanted_us", "not_before_us", "open_end")


class ViolationError(AssertionError):
    """Something that must always be true was not."""


@dataclass(frozen=True)
class Entry:
    """One row of the log."""

    seq: int
    at_us: int
    action: str
    id: str | None
    resources: tuple[str, ...]
    after: dict[str, Any]


@dataclass
class Held:
    """What the log says about one reservation so far."""

    id: str
    arrival: int
    holder: str
    mode: str
    resources: tuple[str, ...]
    priority: int
    purpose: str
    waiting: bool
    number: int | None
    starts_us: int
    ends_us: int
    ended_us: int | None = None
    ended_why: str | None = None
    wanted_us: int = 0
    not_before_us: int = 0
    open_end: bool = False
    heard_us: int = 0

    @property
    def until_us(self) -> int:
        return self.ends_us if self.ended_us is None else min(self.ends_us, self.ended_us)

    def is_promised(self, now_us: int) -> bool:
        """Whether it waits and has a promise that is not wholly past."""
        return self.waiting and self.starts_us < FOREVER_US and self.ends_us > now_us


@dataclass
class History:
    """The book as its log explains it."""

    held: dict[str, Held] = field(default_factory=dict)
    capacity: dict[str, int] = field(default_factory=dict)
    by_resource: dict[str, list[Held]] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)  # windows of a resource before past ones are looked for again
    last_number: dict[str, int] = field(default_factory=dict)
    numbers: set[int] = field(default_factory=set)
    grants: int = 0
    grants_from_line: int = 0
    highest_priority: int = 0


def entries(log: Iterable[Any]) -> list[Entry]:
    """Take the rows of ``Ledger.log()`` over into the checker's own form."""
    return [Entry(e.seq, e.at_us, e.action.value, e.reservation_id, tuple(e.resources), dict(e.after)) for e in log]


def check(log: Sequence[Entry]) -> History:
    """Replay a log and prove invariants 1, 3, 4 and 5 at each row.

    Raises:
        ViolationError: names the row and what is wrong there.
    """
    history = History()
    seqs = [entry.seq for entry in log]
    if seqs != sorted(set(seqs)):
        raise ViolationError("the rows of the log are not in one order")
    for entry in log:
        if entry.action == "resource_set":
            history.capacity[entry.resources[0]] = entry.after["capacity"]
        elif entry.action == "resource_removed":
            history.capacity.pop(entry.resources[0], None)
        elif entry.action in {"reserved", "queued"}:
            _begin(history, entry)
        elif entry.id is not None:  # else a sign-in, a token, a right
            _go_on(history, entry)
    return history


def _begin(history: History, entry: Entry) -> None:
    facts, seq = entry.after, entry.seq
    if entry.id in history.held:
        raise ViolationError(f"row {seq}: {entry.id} is made twice")
    made = Held(
        id=str(entry.id),
        arrival=seq,
        heard_us=entry.at_us,
        resources=entry.resources,
        **{name: facts[name] for name in _FACTS},
    )
    if made.waiting != (entry.action == "queued"):
        raise ViolationError(f"row {seq}: {entry.action}, but waiting is {made.waiting}")
    if made.purpose.startswith("wants ") and made.purpose != "wants " + " ".join(sorted(made.resources)):
        raise ViolationError(f"row {seq}: {made.id} {made.purpose} and got {sorted(made.resources)}")  # invariant 3
    history.held[made.id] = made
    history.highest_priority = max(history.highest_priority, made.priority)
    for name in made.resources:
        _drop_past(history, name, entry.at_us)
        history.by_resource.setdefault(name, []).append(made)
    if not made.waiting:
        _granted(history, entry, made, None)


def _go_on(history: History, entry: Entry) -> None:
    known = history.held.get(str(entry.id))
    if known is None:
        raise ViolationError(f"row {entry.seq}: {entry.action} of {entry.id}, which nothing made")
    if known.ended_us is not None:
        raise ViolationError(f"row {entry.seq}: {entry.action} of {entry.id}, which has ended")
    others = tuple(name for name in entry.after.get("resources", ()) if name not in known.resources)
    if entry.resources != known.resources + (others if entry.action == "moved" else ()):
        raise ViolationError(f"row {entry.seq}: {entry.id} is about {known.resources}, here {entry.resources}")  # 3
    if entry.action == "granted":
        if not known.waiting:
            raise ViolationError(f"row {entry.seq}: {entry.id} is granted and does not wait")
        before = replace(known)
        known.waiting, known.number = False, entry.after["number"]
        known.starts_us, known.ends_us = entry.after["starts_us"], entry.after["ends_us"]
        history.grants_from_line += 1
        _granted(history, entry, known, before)
    elif entry.action == "promised":
        _promised(history, entry, known)
    elif entry.action in {"extended", "shortened"}:
        known.ends_us = entry.after["ends_us"]
        _check_seats(history, entry, known)
        _check_promises(history, entry, known)
    elif entry.action in ENDS:
        known.ended_us, known.ended_why = entry.after["ended_us"], entry.after["ended_why"]
        known.waiting = False
    else:
        _changed(history, entry, known)


def _changed(history: History, entry: Entry, known: Held) -> None:
    """Follow a reservation that changed its time, its holder or its resources."""
    if entry.action == "moved" and "resources" in entry.after:
        _of_others(history, known, tuple(entry.after["resources"]))
    if entry.action in {"moved", "transferred", "swapped"}:
        for name in ("starts_us", "ends_us", "holder", "number"):
            setattr(known, name, entry.after.get(name, getattr(known, name)))
        known.purpose = entry.after.get("purpose", "")
        _check_number(history, entry, known)
        _check_seats(history, entry, known)
        _check_promises(history, entry, known)
    elif entry.action == "part_released":
        known.purpose = ""
        _of_others(history, known, tuple(entry.after["resources"]))
    else:
        raise ViolationError(f"row {entry.seq}: unknown action {entry.action}")


def _drop_past(history: History, name: str, at_us: int) -> None:  # so a row of a long log costs as one of a short log
    held = history.by_resource.get(name, [])
    if len(held) >= history.room.get(name, 64):
        history.by_resource[name] = held = [one for one in held if one.waiting or one.until_us > at_us - PAST_US]
        history.room[name] = 2 * len(held) + 64


def _of_others(history: History, known: Held, names: tuple[str, ...]) -> None:
    for name in known.resources:
        history.by_resource[name] = [one for one in history.by_resource[name] if one is not known]
    known.resources = names
    for name in names:
        history.by_resource.setdefault(name, []).append(known)


def _granted(history: History, entry: Entry, made: Held, before: Held | None) -> None:
    history.grants += 1
    _check_number(history, entry, made)
    _check_seats(history, entry, made)
    _check_promises(history, entry, made)
    _check_turn(history, entry, made, before)


def _promised(history: History, entry: Entry, known: Held) -> None:
    """Follow a promise: it never moves later, unless somebody of a higher priority took it."""
    before = replace(known)
    known.starts_us, known.ends_us = entry.after["starts_us"], entry.after["ends_us"]
    known.heard_us = entry.at_us
    pushed = "moved_by" in entry.after and _can_be_pushed(history, known)
    if before.is_promised(entry.at_us) and known.starts_us > before.starts_us and not pushed:
        raise ViolationError(f"row {entry.seq}: the promise of {known.id} moves later, to {known.starts_us}")
    if known.is_promised(entry.at_us):
        _check_seats(history, entry, known)
        _check_promises(history, entry, known)
        _check_turn(history, entry, known, before)


def _check_number(history: History, entry: Entry, made: Held) -> None:
    """Invariant 5: the fencing number of a later grant of a resource is greater, and none is given twice."""
    if made.number is None or made.number in history.numbers:
        raise ViolationError(f"row {entry.seq}: {made.id} has the number {made.number}, which is none or used")
    history.numbers.add(made.number)
    for name in made.resources:
        if made.number <= history.last_number.get(name, 0):
            raise ViolationError(f"row {entry.seq}: {name} is granted with {made.number} after a greater number")
        history.last_number[name] = made.number


def _can_be_pushed(history: History, waiter: Held) -> bool:
    return history.highest_priority > waiter.priority


def _check_seats(history: History, entry: Entry, made: Held) -> None:
    """Invariant 1: never more exclusive holders than seats, never an exclusive and a shared one."""
    for name in made.resources:
        held = [other for other in history.by_resource[name] if other is made or not other.waiting]
        _check_room(history, entry, made, name, held)


def _check_promises(history: History, entry: Entry, made: Held) -> None:
    """Invariant 4, first half: time that is promised to somebody is given and promised to nobody else."""
    for name in made.resources:
        taken = [
            other
            for other in history.by_resource[name]
            if other is made or not other.waiting or _keeps_off(history, entry, other, made)
        ]
        _check_room(history, entry, made, name, taken)


def _keeps_off(history: History, entry: Entry, other: Held, made: Held) -> bool:
    """Whether what is promised to ``other`` is taken for ``made``; between priorities, the book decides by waiting time."""
    if not other.is_promised(entry.at_us) or other.priority != made.priority:
        return False
    return other.arrival < made.arrival or not _can_be_pushed(history, other)


def _check_room(history: History, entry: Entry, made: Held, name: str, taken: list[Held]) -> None:
    present = [other for other in taken if other.starts_us < made.until_us and other.until_us > made.starts_us]
    # The fullest moment of a set of windows is the start of one of them.
    for moment in {max(other.starts_us, made.starts_us) for other in present}:
        now = [other for other in present if other.starts_us <= moment < other.until_us]
        alone = sum(other.mode == "exclusive" for other in now)
        who = [f"{other.id} (promised)" if other.waiting else other.id for other in now]
        if alone > history.capacity.get(name, 1):
            raise ViolationError(f"row {entry.seq}: at {moment} {name} has {alone} holders: {who}")
        if alone and alone < len(now):
            raise ViolationError(f"row {entry.seq}: at {moment} {name} is held alone and shared: {who}")


def _check_turn(history: History, entry: Entry, made: Held, before: Held | None) -> None:
    """Invariant 4, second half: nobody gets time that an earlier waiter could have instead of its promise.

    The earlier one may look a little later, so its time is kept for longer. What ``made`` was promised ``before`` is
    its own; if it woke after its promised start, only the promised end is judged, as what is beyond is an extension.

    This is proved for those who are first in the queue of each of their resources, and whose resources ``made`` has
    locked. What others would move to depends on rows that another process may be writing.
    """
    promised = before if before is not None and before.is_promised(entry.at_us) else None
    if promised is not None and promised.starts_us < entry.at_us:
        made = replace(made, ends_us=min(made.ends_us, promised.ends_us))
    waiting = {other.id: other for name in made.resources for other in history.by_resource[name] if other.waiting}
    for other in waiting.values():
        if other.arrival >= made.arrival or not set(other.resources) <= set(made.resources):
            continue
        if other.priority != made.priority or entry.at_us - other.heard_us > LEASE_US:
            continue
        if any(rival.waiting and rival.arrival < other.arrival for rival in _rivals(history, other)):
            continue
        starts_us = _first_fit(history, entry.at_us, other, made, promised)
        moved = replace(other, starts_us=starts_us, ends_us=starts_us + other.wanted_us + LEASE_US)
        if starts_us < other.starts_us and _collide(history, moved, made):
            raise ViolationError(
                f"row {entry.seq}: {made.id} gets {made.resources} from {made.starts_us} and overtakes {other.id}, "
                f"which was promised {other.starts_us} and could have {other.resources} from {starts_us}"
            )


def _rivals(history: History, waiter: Held) -> list[Held]:
    rivals = {one.id: one for name in waiter.resources for one in history.by_resource[name]}
    return [one for one in rivals.values() if one.id != waiter.id]


def _first_fit(history: History, now_us: int, waiter: Held, without: Held, instead: Held | None) -> int:
    """Return where ``waiter`` could start, µs UTC, if ``without`` were still as it was: ``instead``, or not there."""
    taken = [
        replace(one, ends_us=FOREVER_US) if one.open_end and one.ended_us is None else one
        for one in _rivals(history, waiter)
        if one.id != without.id and one.until_us > now_us and (not one.waiting or one.is_promised(now_us))
    ]
    taken += [] if instead is None else [instead]
    earliest_us = max(now_us, waiter.not_before_us)
    for starts_us in sorted({earliest_us, *(one.until_us for one in taken if one.until_us > earliest_us)}):
        moved = replace(waiter, starts_us=starts_us, ends_us=starts_us + waiter.wanted_us)
        if not _collide(history, moved, *taken):
            return starts_us
    return FOREVER_US


def _collide(history: History, wanted: Held, *taken: Held) -> bool:
    """Whether ``taken`` leaves no room for ``wanted``."""
    for name in wanted.resources:
        there = [one for one in taken if name in one.resources]
        there = [one for one in there if one.starts_us < wanted.ends_us and one.until_us > wanted.starts_us]
        if any(one.mode != wanted.mode for one in there):
            return True
        moments = {max(one.starts_us, wanted.starts_us) for one in there} if wanted.mode == "exclusive" else set()
        for moment in moments:
            if sum(one.starts_us <= moment < one.until_us for one in there) >= history.capacity.get(name, 1):
                return True
    return False


def check_book(ledger: Any) -> History:
    """Check a book's log, and that it explains the book's tables: invariant 6, and nothing half-done.

    Raises:
        ViolationError: the log breaks a rule, or a table says something else than the log.
    """
    tables = ledger.engine.read(_read_tables)
    history = check(tables["log"])
    facts = {held.id: _stored(held) for held in history.held.values()}
    for key, stored in tables["reservations"].items():
        if facts.pop(key, None) != stored:
            raise ViolationError(f"reservation {key}: the table says {stored}, the log {history.held.get(key)}")
    if facts:
        raise ViolationError(f"in the log but not in the table: {sorted(facts)}")
    _check_index(history, tables)
    return history


def _stored(held: Held) -> Held:
    """Return what the tables keep of it; the end of a promise is not a fact but follows from its start."""
    asked = {"wanted_us": 0, "not_before_us": 0, "open_end": False, "arrival": 0, "heard_us": 0, "purpose": ""}
    return replace(held, **asked, ends_us=0 if held.number is None else held.ends_us)


def _read_tables(tx: Any) -> dict[str, Any]:
    import json

    log = [
        Entry(seq, at, action, rid, tuple(json.loads(resources)), json.loads(after))
        for seq, at, action, rid, resources, after in tx.fetch_all(
            "SELECT seq, at_us, action, reservation, resources, after FROM ledger_log ORDER BY seq"
        )
    ]
    columns = "id, holder, mode, resources, priority, waiting, fencing_token, starts_us, ends_us, ended_us, end_reason"
    reservations = {
        row[0]: _stored(Held(row[0], 0, row[1], row[2], tuple(json.loads(row[3])), row[4], "", bool(row[5]), *row[6:]))
        for row in tx.fetch_all(f"SELECT {columns} FROM ledger_reservations")
    }
    bookings = tx.fetch_all(
        "SELECT b.resource, r.id, b.starts_us, b.ends_us FROM ledger_bookings b "
        "JOIN ledger_reservations r ON r.seq = b.reservation"
    )
    line = tx.fetch_all(
        "SELECT l.resource, r.id FROM ledger_queue l JOIN ledger_reservations r ON r.seq = l.reservation"
    )
    (total,) = tx.fetch_one("SELECT (SELECT COUNT(*) FROM ledger_bookings) + (SELECT COUNT(*) FROM ledger_queue)")
    if total != len(bookings) + len(line):
        raise ViolationError("an index names a reservation that does not exist")
    return {"log": log, "reservations": reservations, "bookings": set(bookings), "line": set(line)}


def _check_index(history: History, tables: dict[str, Any]) -> None:
    granted = [held for held in history.held.values() if held.number is not None]
    windows = {(name, h.id, h.starts_us, h.until_us) for h in granted for name in h.resources}
    live = {(name, h.id, h.starts_us, h.until_us) for h in granted for name in h.resources if h.ended_us is None}
    # What has ended may stay in the index with its true end, or go.
    if wrong := sorted(live - tables["bookings"]) + sorted(tables["bookings"] - windows):
        raise ViolationError(f"the index of windows differs from the log: {wrong[:3]}")
    waiting = {(name, held.id) for held in history.held.values() if held.waiting for name in held.resources}
    if waiting != tables["line"]:
        raise ViolationError(f"the line differs from the log: {waiting ^ tables['line']}")
