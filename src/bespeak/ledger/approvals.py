"""Approval: a reservation of a resource that asks for it keeps its time, and is a hold only once somebody approved it.

It blocks its window for everybody else as a booking does: nobody can reserve that time, and nobody in the queue is
promised it. Nobody holds it: the gate stays shut, nothing is switched on, no job starts. Unanswered, it expires at its
start, but not before the policy's ``approval_within`` has passed since it was asked for, and at its end at the latest.

Whoever may approve a reservation needs no approval for one of their own.
"""

from __future__ import annotations

from functools import partial

from bespeak.access.schema import ANY_RULE
from bespeak.base.errors import NotAllowedError, UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.ledger import rights, row_mapping, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.model import Approval, EndReason, State
from bespeak.ledger.request_checks import facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation, Resource
    from bespeak.ledger.policy import Policy
    from bespeak.storage.interface import Transaction

_ASKED = (
    f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r"
    " WHERE r.approval = 'asked' AND r.waiting = 1 AND r.lease_us > :now ORDER BY r.seq"
)
_EXPIRED = (
    f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r"
    " WHERE r.approval = 'asked' AND r.waiting = 1 AND r.ended_us IS NULL AND r.lease_us <= :now"
)
_TEAM, _GROUP = "team:", "group:"
_MEMBERS = "SELECT member FROM access_members WHERE group_name = :name"
_GRANT = """
UPDATE ledger_reservations SET fencing_token = :token, starts_us = :starts, lease_us = :lease, waiting = 0,
    approval = 'given', unheard = :unheard
WHERE seq = :seq AND waiting = 1 AND ended_us IS NULL
"""


def is_needed(book: LedgerContext, tx: Transaction, by: Holder, known: Iterable[Resource]) -> bool:
    """Tell whether a reservation of some resources has to wait for somebody's approval."""
    asked = [one for one in known if one.approval is not None]
    return bool(asked) and not all(_may_approve(book, tx, rights.asker(by), one, None) for one in asked)


def require(book: LedgerContext, tx: Transaction, by: Holder, known: Iterable[Resource], doing: str) -> None:
    """Refuse what gives somebody more of a resource that needs approval to whoever may not approve it.

    Args:
        book: the open book.
        tx: the transaction.
        by: who asks.
        known: the resources.
        doing: what is done, for messages.

    Raises:
        NotAllowedError: naming who may.
    """
    for one in known:
        if one.approval is not None and not _may_approve(book, tx, rights.asker(by), one, None):
            raise NotAllowedError(
                f"{one.name} needs approval: only {one.approved_by} may {doing}; a reservation of a time of its"
                " own can be asked for",
                rule="approval",
            )


def awaiting(made: Reservation, policy: Policy) -> Reservation:
    """Return a new reservation as one that keeps its time until somebody approves it.

    Raises:
        NotAllowedError: a process keeps it alive, and cannot wait for that.
    """
    if made.keepalive_us is not None:
        raise NotAllowedError(
            f"{', '.join(made.resources)}: a hold that something keeps alive cannot wait for approval; reserve a time"
            " first, and use it once it was approved",
            rule="approval",
        )
    expires_us = min(max(made.starts_us, made.created_us + policy.approval_within_us), made.ends_us)
    return replace(made, fencing_token=None, waiting=True, approval=Approval.ASKED, lease_us=expires_us)


def approve(book: LedgerContext, identifier: str, by: Holder) -> Reservation:
    """Approve a reservation that awaits it: from now on, or from its start on, it is a hold.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        by: who asks.

    Raises:
        NotFoundError: no such reservation.
        NotAllowedError: who asks may not approve reservations of one of its resources.
        WrongStateError: it does not await approval, or not any more.
    """

    def work(tx: Transaction) -> Reservation:
        found = _answerable(book, tx, identifier, by, "approve")
        starts_us = max(found.starts_us, tx.now_us)
        write_operations.unbook(tx, found, found.resources)
        given = replace(
            found,
            fencing_token=write_operations.next_number(tx),
            starts_us=starts_us,
            lease_us=None if found.check_in_us is None else starts_us + found.check_in_us,
            waiting=False,
            approval=Approval.GIVEN,
        )
        unheard = int(rights.asker(by) != found.holder)
        row = {"seq": found.seq, "token": given.fencing_token, "starts": starts_us, "lease": given.lease_us}
        tx.execute_deferred(_GRANT, [row | {"unheard": unheard}])
        write_operations.book(tx, given, row_mapping.resources(tx, found.resources))
        write_operations.log_by(tx, Action.APPROVED, by, found, write_operations.window(found), facts(given))
        write_operations.wake(tx, given)
        return given

    return book.write(book.resources_of(identifier), work)


def refuse(book: LedgerContext, identifier: str, by: Holder, reason: str) -> Reservation:
    """Refuse a reservation that awaits approval; its time is free at once.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        by: who asks.
        reason: why; whoever asked for it reads it.

    Raises:
        UsageError: no reason is given.
        NotFoundError: no such reservation.
        NotAllowedError: who asks may not approve reservations of one of its resources.
        WrongStateError: it does not await approval, or not any more.
    """
    if not validation.check_text("reason", reason).strip():
        raise UsageError("refuse: a reason must be given; whoever asked for it will read it")

    def work(tx: Transaction) -> Reservation:
        found = _answerable(book, tx, identifier, by, "refuse")
        why = EndReason.REFUSED
        write_operations.end(tx, found, tx.now_us, why, reason, unheard=rights.asker(by) != found.holder)
        after = {"ended_us": tx.now_us, "ended_why": why.value, "ended_note": reason, "approval": "refused"}
        write_operations.log_by(tx, Action.REFUSED, by, found, write_operations.window(found), after)
        return replace(
            found,
            waiting=False,
            approval=Approval.REFUSED,
            ended_us=tx.now_us,
            end_reason=why,
            ended_note=reason,
        )

    return book.write(book.resources_of(identifier), work)


def to_approve(book: LedgerContext, by: Holder) -> list[Reservation]:
    """Return what awaits approval and can be approved by who asks, in the order in which it was asked for."""

    def work(tx: Transaction) -> list[Reservation]:
        found = [row_mapping.reservation(row) for row in tx.fetch_all(_ASKED, {"now": tx.now_us})]
        asks = rights.require_identity(book, by)
        return [one for one in found if not _not_approvable(book, tx, asks, one)]

    return book.engine.read(work)


def record_unanswered(book: LedgerContext, holder: str | None = None) -> None:
    """Record that requests which nobody answered in time have expired; without it, whoever looks next does so.

    Args:
        book: the open book.
        holder: only this one's; None for all.
    """
    rows = book.engine.read(lambda tx: tx.fetch_all(_EXPIRED, {"now": tx.now_us}))
    for found in map(row_mapping.reservation, rows):
        if holder in (None, found.holder):
            book.write(found.resources, partial(_expire, found.id))


def _expire(identifier: str, tx: Transaction) -> None:
    found = row_mapping.by_id(tx, identifier)
    if found is not None and found.is_awaiting and found.lapsed(tx.now_us):
        write_operations.record_lapse(tx, found)


def approvers(tx: Transaction, policy: Policy, names: Iterable[str]) -> set[str]:
    """Return the people whom the book names as those who may approve reservations of resources.

    Where a resource names nobody, those are the admins of the policy, and the users whom a rule makes managers of it.
    """
    found: set[str] = set()
    for one in row_mapping.resources(tx, list(names)).values():
        if one.approval:
            for name in one.approval:
                found |= _people(tx, policy, name)
        elif one.approval is not None:
            found |= policy.admins | _managers(tx, one.name)
    return found


def _answerable(book: LedgerContext, tx: Transaction, identifier: str, by: Holder, doing: str) -> Reservation:
    """Return a reservation that awaits approval, and that who asks may approve."""
    found = write_operations.locked(tx, identifier)
    asks = rights.require_identity(book, by)
    if book.caller is not None:
        book.caller.require_scope("manage")
    if found.state(tx.now_us) is not State.AWAITING:
        raise WrongStateError(f"reservation {found.id} does not await approval: it is {_standing(found, tx.now_us)}")
    if others := _not_approvable(book, tx, asks, found):
        who = ", ".join(f"{one.name}: {one.approved_by}" for one in others)
        own = f", for {asks} has asked for it" if asks in (found.holder, found.requested_by) else ""
        raise NotAllowedError(f"{asks} may not {doing} this reservation{own} ({who})", rule="approval")
    return found


def _standing(found: Reservation, now_us: int) -> str:
    return found.why_ended(now_us) or found.state(now_us).value


def _not_approvable(book: LedgerContext, tx: Transaction, asks: str, found: Reservation) -> list[Resource]:
    """Return the resources of a reservation that need approval, and not that of who asks."""
    known = row_mapping.resources(tx, found.resources).values()
    return [one for one in known if one.approval is not None and not _may_approve(book, tx, asks, one, found)]


def _may_approve(book: LedgerContext, tx: Transaction, asks: str, of: Resource, found: Reservation | None) -> bool:
    """Tell whether somebody may approve reservations of a resource.

    Who is named by the resource may, and the admins of the policy, and whom a rule lets change the resource. Where
    neither the resource nor the book says who, anybody may but who asked for it.
    """
    policy = book.policy_in(tx)
    if asks in policy.admins or any(asks in _people(tx, policy, name) for name in of.approval or ()):
        return True
    if tx.fetch_one(ANY_RULE) is not None:
        (answer,) = rights.decisions(book, tx, rights.caller_of(book, asks), "resource", [of.name])
        return answer.allowed
    return (
        not of.approval and not policy.admins and found is not None and asks not in (found.holder, found.requested_by)
    )


def _people(tx: Transaction, policy: Policy, name: str) -> set[str]:
    """Return the people behind a name: itself, or the members of a team or of a group of the rules."""
    if name.startswith(_TEAM):
        return set(policy.team_members(name.removeprefix(_TEAM)))
    if name.startswith(_GROUP):
        rows = tx.fetch_all(_MEMBERS, {"name": name.removeprefix(_GROUP)})
        return {str(row[0]).removeprefix("user:") for row in rows}
    return {name}


def _managers(tx: Transaction, resource: str) -> set[str]:
    """Return the users whom a rule lets change a resource by its name."""
    from fnmatch import fnmatchcase

    from bespeak.access import store
    from bespeak.access.model import Right

    return {
        rule.principal.removeprefix("user:")
        for rule in store.rules(tx)
        if rule.principal.startswith("user:")
        and Right.RESOURCE in rule.role.rights
        and fnmatchcase(resource, rule.selector)
    }
