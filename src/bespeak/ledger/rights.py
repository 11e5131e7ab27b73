"""Who may do what in a book: the one place that is asked.

Each function is given the policy of the book and who asks. That is who typed the command, whoever's name it is about:
acting for somebody never gives more rights.
"""

from __future__ import annotations

from bespeak.base.errors import BusyError, UsageError
from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.ledger.policy import Policy


def asker(by: Holder) -> str:
    """Return who really asks."""
    return by.user if by.requested_by is None else by.requested_by


def check_may_take(policy: Policy, by: Holder) -> None:
    """Refuse to take reservations away from others.

    Raises:
        BusyError: it is somebody else's right.
    """
    asks, kickers = asker(by), policy.kickers
    if kickers is not None and asks not in kickers:
        where = "policy of the book" if policy.says("kickers") else "settings, [ledger]"
        raise BusyError(f"{asks} may not take reservations away from others ({where}: kickers)")


@frozen
class Ending:
    """In whose name, and why, a reservation ends before its time.

    Attributes:
        taken: it is taken away by somebody who has not made it, although in its holder's name.
        reason: why.
    """

    taken: bool
    reason: str


def check_may_end(policy: Policy, found: Reservation, by: Holder, reason: str, doing: str) -> Ending:
    """Refuse to give back, in somebody else's name, what whoever asks has not reserved and may not take away.

    Args:
        policy: of the book.
        found: what is to end, wholly or in part.
        by: who asks.
        reason: why, as the holder will read it; needed only where it is taken away.
        doing: the word for it, for messages.

    Raises:
        BusyError: acting for the holder would be a way around the right to kick.
        UsageError: it is taken away, and no reason is given.
    """
    if by.requested_by in (None, found.holder, found.requested_by) or acts_for_team(policy, by):
        return Ending(taken=False, reason=reason)
    check_may_take(policy, by)
    if not reason.strip():
        raise UsageError(
            f"{doing}: {found.holder} has reserved it, and not {by.requested_by}: a reason must be given; the holder"
            " will read it"
        )
    return Ending(taken=True, reason=reason)


def acts_for_team(policy: Policy, by: Holder) -> bool:
    """Tell whether somebody acts for a team that the policy says they are in."""
    kind, _, team = by.user.partition(":")
    return kind == "team" and by.requested_by in policy.team_members(team)


def check_priority(policy: Policy, by: Holder, priority: int) -> None:
    """Refuse a place in the queue before others that whoever asks has no right to.

    Raises:
        BusyError: the policy allows less.
    """
    most = policy.most_priority(asker(by))
    if priority > most:
        raise BusyError(f"priority {priority}: {asker(by)} may wait with at most {most} (policy of the book: priority)")
