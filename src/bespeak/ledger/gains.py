"""What a reservation that gets more, or another holder, is asked as a new one is: rights, quotas, approval."""

from __future__ import annotations

from bespeak.ledger import approvals, quotas, rights, row_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.storage.interface import Transaction


def check_gain(
    book: LedgerContext,
    tx: Transaction,
    found: Reservation,
    holder: str,
    window_us: tuple[int, int],
    by: Holder,
    doing: str,
    *,
    instead: Reservation | None = None,
    names: tuple[str, ...] | None = None,
) -> None:
    """Refuse to give a reservation to somebody who may not have it: by the rules, by a quota, or without an approval.

    Args:
        book: the open book.
        tx: the transaction, before its first change.
        found: the reservation.
        holder: who has it then.
        window_us: when it is then, µs UTC.
        by: who asks.
        doing: what is done, for messages.
        instead: what its new holder gives away for it.
        names: the resources that it has then; None for those it has now.

    Raises:
        NotAllowedError: naming the rule, or who may approve.
    """
    changed = found.id if holder == found.holder else None if instead is None else instead.id
    names = names or found.resources
    if holder != found.holder:
        rights.check_may_have(book, tx, by, holder, names)
    quotas.check(tx, book.policy_in(tx), holder, window_us, len(names), changed=changed)
    known = row_mapping.resources(tx, names)
    approvals.require(book, tx, by, known.values(), doing)
