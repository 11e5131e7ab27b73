"""Reserving: a request is granted as a whole, or refused with who is in the way and when it could be granted.

Each change of the book is one transaction that holds the locks of the resources it decides over: read what matters,
ask the rules, write the facts, the index and the log. Nothing outside the database is touched while one is open.
"""

from __future__ import annotations

from bespeak.base import ids
from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError
from bespeak.base.frozen import replace
from bespeak.base.timeparse import show
from bespeak.ledger import approvals, quotas, rights, row_mapping, rules, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.availability import Availability
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Refusal, Reservation
from bespeak.ledger.request_checks import announce, checked, new

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.candidates import Candidates
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Booking, Request
    from bespeak.storage.interface import Transaction

_MOST_NAMED = 10


def reserve(book: LedgerContext, request: Request) -> Reservation:
    """Book all of ``request.resources``, or none.

    Raises:
        UsageError: the request contradicts itself; nothing was written.
        NotFoundError: the book is strict and a resource is not declared.
        BusyError: it is for a team that whoever asks is not in.
        RefusedError: somebody is in the way; carries who, until when, and the first time all are free.
    """
    request = checked(request, here=book.caller is None)
    identifier = ids.new_id()

    def work(tx: Transaction) -> Reservation | list[Booking]:
        return reserve_in(book, tx, request, identifier)

    result = book.write_new(request.resources, identifier, work)
    if isinstance(result, Reservation):
        return book.remember(result)
    raise RefusedError(Refusal(tuple(result), _next_free(book, request, is_offer=True)), request)


def reserve_in(book: LedgerContext, tx: Transaction, request: Request, identifier: str) -> Reservation | list[Booking]:
    """Book a checked request in a transaction that holds the locks of its resources, or return who is in the way."""
    if request.needs:
        return _reserve_by_need(book, tx, request, identifier)
    return _reserve_named(book, tx, request, identifier)


def _reserve_named(
    book: LedgerContext, tx: Transaction, request: Request, identifier: str
) -> Reservation | list[Booking]:
    rights.require(book, tx, request.holder, "reserve", request.resources)
    starts_us, ends_us = _window(book, tx, request)
    ground = Availability(tx, request.resources, sweep=True, first=(starts_us, ends_us))
    policy = ground.policy(book.defaults)
    if policy.strict:
        ground.require_known()
    ground.check_new()
    blocking = ground.blockers(request.mode, starts_us, ends_us)
    if blocking and request.next_fit:
        fit_us = ground.first_fit(request.mode, starts_us, ends_us - starts_us)
        if fit_us is not None:
            starts_us, ends_us = fit_us, rules.window_end(fit_us, ends_us - starts_us)
            blocking = ground.blockers(request.mode, starts_us, ends_us)
    if blocking:
        return blocking
    quotas.check(tx, policy, request.holder.user, (starts_us, ends_us), len(request.resources))
    made = new(
        ground.with_check_in(request),
        identifier,
        ground.next_number(),
        tx.now_us,
        (starts_us, ends_us),
        ends_us - starts_us,
    )
    if approvals.is_needed(book, tx, request.holder, ground.known.values()):
        made = approvals.awaiting(made, policy)
    write_operations.insert(tx, made)
    write_operations.book(tx, made, ground.known)
    announce(tx, Action.APPROVAL_ASKED if made.waiting else Action.RESERVED, request.holder, made)
    return made


def _reserve_by_need(
    book: LedgerContext, tx: Transaction, request: Request, identifier: str
) -> Reservation | list[Booking]:
    starts_us, ends_us = _window(book, tx, request)
    wanted_us = FOREVER_US if ends_us >= FOREVER_US else ends_us - starts_us
    candidates = candidates_for(book, tx, request)
    ground = Availability(tx, candidates.names, sweep=False)
    before_us = FOREVER_US if request.next_fit else starts_us + 1
    fit_us, names = ground.pick(candidates, request.mode, starts_us, wanted_us, before_us)
    if not names:
        return _soonest(ground.blockers(request.mode, starts_us, ends_us))
    tx.require(map(write_operations.resource_topic, names))
    ends_us = rules.window_end(fit_us, wanted_us)
    named = replace(
        request, resources=tuple(sorted(names)), needs=(), starts_us=fit_us, duration_us=None, ends_us=ends_us
    )
    return _reserve_named(book, tx, named, identifier)


def candidates_for(book: LedgerContext, tx: Transaction, request: Request) -> Candidates:
    """Return what a request by need can be given.

    Raises:
        NotFoundError: the book has fewer resources than are wanted.
    """
    from bespeak.ledger.candidates import Candidates

    return Candidates(tx, request, lambda names: rights.permitted(book, tx, request.holder, "reserve", names))


def _soonest(blocking: list[Booking]) -> list[Booking]:
    """Return, of all that is in the way of a request by need, what ends first."""
    return sorted(blocking, key=lambda booking: (booking.ends_us, booking.resource))[:_MOST_NAMED]


def length_us(book: LedgerContext, tx: Transaction, request: Request) -> int:
    """Return how long a request lasts, µs, that names no end instant."""
    return book.policy_in(tx).default_for_us if request.duration_us is None else request.duration_us


def _window(book: LedgerContext, tx: Transaction, request: Request) -> tuple[int, int]:
    """Return the window, µs UTC, that a request means now.

    Raises:
        UsageError: it is empty, or begins in the past.
    """
    now_us = tx.now_us
    starts_us = now_us if request.starts_us is None else request.starts_us
    ends_us = request.ends_us
    if ends_us is None:
        ends_us = rules.window_end(starts_us, length_us(book, tx, request))
    if starts_us < now_us:
        raise UsageError(f"the start {show(starts_us)} is in the past (now {show(now_us)})")
    if ends_us <= starts_us:
        raise UsageError(f"the end {show(ends_us)} is not after the start {show(starts_us)}")
    return starts_us, min(ends_us, FOREVER_US)


def next_free(book: LedgerContext, request: Request) -> int | None:
    """Return the first start, µs UTC, at which ``request`` would be granted, or None."""
    return _next_free(book, request, is_offer=False)


def _next_free(book: LedgerContext, request: Request, *, is_offer: bool) -> int | None:
    def work(tx: Transaction) -> int | None:
        is_past = (request.starts_us or tx.now_us) < tx.now_us
        starts_us, ends_us = _window(book, tx, replace(request, starts_us=None) if is_past else request)
        wanted_us = FOREVER_US if ends_us >= FOREVER_US else ends_us - starts_us
        if request.needs:
            candidates = candidates_for(book, tx, request)
            ground = Availability(tx, candidates.names, sweep=False)
            fit_us, _ = ground.pick(candidates, request.mode, starts_us, wanted_us)
            return None if fit_us >= FOREVER_US else fit_us
        ground = Availability(tx, request.resources, sweep=False)
        return (ground.offer if is_offer else ground.first_fit)(request.mode, starts_us, wanted_us)

    return book.engine.read(work)


def candidate_names(book: LedgerContext, request: Request) -> tuple[str, ...]:
    """Return the resources whose changes concern a request: what it names or could be given, its wholes and parts.

    Raises:
        NotFoundError: the book has fewer resources than are wanted.
    """

    def work(tx: Transaction) -> tuple[str, ...]:
        names = candidates_for(book, tx, request).names if request.needs else request.resources
        known = row_mapping.resources(tx, names)
        if not any(one.related for one in known.values()):
            return names
        from bespeak.ledger import visibility
        from bespeak.ledger.constraints import Constraints

        others = set(Constraints(tx, known).scope(names)).difference(names)
        return (*names, *visibility.names(book, tx, sorted(others), asked=False))

    return book.engine.read(work)


def in_the_way(book: LedgerContext, request: Request) -> tuple[Booking, ...]:
    """Return what keeps ``request`` from being granted at this instant; changes nothing."""

    def work(tx: Transaction) -> list[Booking]:
        starts_us, ends_us = _window(book, tx, replace(request, starts_us=None))
        if request.needs:
            names = candidates_for(book, tx, request).names
            return _soonest(Availability(tx, names, sweep=False).blockers(request.mode, starts_us, ends_us))
        return Availability(tx, request.resources, sweep=False).blockers(request.mode, starts_us, ends_us)

    return tuple(book.engine.read(work))
