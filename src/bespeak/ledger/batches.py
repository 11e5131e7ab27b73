"""Many reservations in one transaction: all of them, or (if asked) those that nobody stands in the way of."""

from __future__ import annotations

from bespeak.base import ids
from bespeak.base.errors import UsageError, WrongStateError
from bespeak.base.frozen import frozen, replace
from bespeak.ledger import (
    change_checks,
    gains,
    grant,
    quotas,
    rebooking,
    releasing,
    rights,
    row_mapping,
    validation,
    write_operations,
)
from bespeak.ledger.actions import Action
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Reservation
from bespeak.ledger.request_checks import checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Booking, Holder, Request
    from bespeak.storage.interface import Transaction

MOST = 1_000


@frozen
class Obstacle:
    """What stands in the way of one of many.

    Args:
        starts_us: the start that was wanted, µs UTC.
        ends_us: its end, µs UTC.
        conflicts: who is in the way.
    """

    starts_us: int
    ends_us: int
    conflicts: tuple[Booking, ...]


@frozen
class Batch:
    """What became of many at once.

    Args:
        done: as they are now; empty where nothing was written.
        obstacles: those that somebody stands in the way of.
    """

    done: tuple[Reservation, ...]
    obstacles: tuple[Obstacle, ...]


class _Undone(Exception):  # noqa: N818 it never leaves this module
    """Rolls a transaction back that would have been done in part."""


def repeated(request: Request, windows_us: Sequence[tuple[int, int]], tags: Sequence[tuple[str, str]]) -> list[Request]:
    """Return the same request for many windows, µs UTC, with more tags."""
    every = (*request.tags, *tags)
    return [replace(request, starts_us=s, ends_us=e, duration_us=None, tags=every) for s, e in windows_us]


def reserve_many(book: LedgerContext, requests: list[Request], *, skip_conflicts: bool = False) -> Batch:
    """Book many requests in one transaction: all, or those that nobody stands in the way of.

    Args:
        book: the open book.
        requests: what is wanted; each is booked as :func:`bespeak.ledger.grant.reserve` would.
        skip_conflicts: leave out those that somebody stands in the way of; else nothing is written then.

    Returns:
        What was booked, and who is in the way of the others.

    Raises:
        UsageError: a request contradicts itself, or there are none, or more than 1,000.
        NotFoundError: the book is strict and a resource is not declared.
    """
    wanted = [checked(request) for request in requests]
    if not 1 <= len(wanted) <= MOST:
        raise UsageError(f"{len(wanted)} reservations at once; 1 to {MOST}")
    new = [ids.new_id() for _ in wanted]
    obstacles: list[Obstacle] = []

    def work(tx: Transaction) -> list[Reservation]:
        obstacles.clear()
        made = []
        for request, identifier in zip(wanted, new, strict=True):
            found = grant.reserve_in(book, tx, request, identifier)
            if isinstance(found, Reservation):
                made.append(found)
            else:
                obstacles.append(Obstacle(request.starts_us or tx.now_us, request.ends_us or 0, tuple(found)))
        return _all_or_none(made, obstacles, skip_conflicts)

    names = {name for request in wanted for name in request.resources}
    return _run(book, names, work, obstacles)


def move_many(
    book: LedgerContext, moves: list[tuple[str, int, int]], by: Holder, *, skip_conflicts: bool = False
) -> Batch:
    """Give many reservations that have not begun other times, in one transaction.

    Args:
        book: the open book.
        moves: the full id, the new start and the new end (µs UTC) of each.
        by: who asks.
        skip_conflicts: leave those where they are that somebody stands in the way of; else nothing is moved then.

    Returns:
        What was moved, and who is in the way of the others.

    Raises:
        NotFoundError: no such reservation.
        BusyError: one is somebody else's.
        WrongStateError: one has begun or ended, or waits.
        UsageError: a new time is past or empty.
    """
    names = {name for identifier, _, _ in moves for name in book.resources_of(identifier)}
    obstacles: list[Obstacle] = []

    def work(tx: Transaction) -> list[Reservation]:
        obstacles.clear()
        found = [change_checks.live(tx, identifier, None) for identifier, _, _ in moves]
        for one in found:
            change_checks.check_owner(one, by)
            rights.check_may_end(book, tx, one, by, "", "move")
            rights.require(book, tx, by, "reserve", one.resources)
            quotas.lock(tx, one.holder)
        moved = []
        for one, starts_us, ends_us in _in_order(found, moves):
            if starts_us < tx.now_us or ends_us <= starts_us:
                raise UsageError(f"reservation {one.id}: the new time is past or empty")
            gains.check_gain(book, tx, one, one.holder, (starts_us, ends_us), by, "move it")
            try:
                new = rebooking.rebooked(tx, one, (starts_us, ends_us), by)
            except RefusedError as refused:
                write_operations.book(tx, one, row_mapping.resources(tx, one.resources))
                obstacles.append(Obstacle(starts_us, ends_us, refused.refusal.conflicts))
                continue
            before, after = rebooking.numbered(one), {**rebooking.numbered(new), "reason": ""}
            write_operations.log_by(tx, Action.MOVED, by, one, before, after)
            moved.append(new)
        moved.sort(key=lambda one: one.starts_us)
        obstacles.sort(key=lambda one: one.starts_us)
        return _all_or_none(moved, obstacles, skip_conflicts)

    return _run(book, names, work, obstacles)


def _in_order(
    found: Sequence[Reservation], moves: Sequence[tuple[str, int, int]]
) -> list[tuple[Reservation, int, int]]:
    """Return the moves so that each finds its new time left by another: what moves later, the last first."""
    each = [(one, starts_us, ends_us) for one, (_, starts_us, ends_us) in zip(found, moves, strict=True)]
    later = [move for move in each if move[1] > move[0].starts_us]
    others = [move for move in each if move[1] <= move[0].starts_us]
    return [
        *sorted(later, key=lambda move: -move[0].starts_us),
        *sorted(others, key=lambda move: move[0].starts_us),
    ]


def release_many(book: LedgerContext, identifiers: list[str], by: Holder, *, reason: str = "") -> list[Reservation]:
    """Give many reservations back in one transaction; those that have ended by themselves are left out.

    Args:
        book: the open book.
        identifiers: their full ids.
        by: who asks.
        reason: why, for the log; must be given by whoever acts for the holder and has not reserved them.

    Raises:
        NotFoundError: no such reservation.
        BusyError: one is somebody else's, or who asks for them may not take it away.
        UsageError: the reason is missing.
    """
    validation.check_text("reason", reason)
    names = {name for identifier in identifiers for name in book.resources_of(identifier)}

    def work(tx: Transaction) -> list[Reservation]:
        found = [write_operations.locked(tx, identifier) for identifier in identifiers]
        ended = []
        for one in found:
            change_checks.check_owner(one, by)
            ending = rights.check_may_end(book, tx, one, by, reason, "release")
            try:
                change_checks.check_live(one, tx.now_us, None)
            except WrongStateError:
                continue  # it ended by itself in between
            ended.append(releasing.end(tx, one, by, ending))
        return ended

    return book.write(names, work)


def _all_or_none(done: list[Reservation], obstacles: list[Obstacle], skip_conflicts: bool) -> list[Reservation]:
    if obstacles and not (skip_conflicts and done):
        raise _Undone
    return done


def _run(
    book: LedgerContext,
    names: set[str],
    work: Callable[[Transaction], list[Reservation]],
    obstacles: list[Obstacle],
) -> Batch:
    try:
        done = book.write(names, work)
    except _Undone:
        return Batch((), tuple(obstacles))
    return Batch(tuple(map(book.remember, done)), tuple(obstacles))
