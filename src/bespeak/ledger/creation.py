"""Making a reservation: the request checked, its row, and its first line in the log."""

from __future__ import annotations

from dataclasses import replace

from bespeak.errors import UsageError
from bespeak.ledger import names, rows, writes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.model import Action, Actor, Request, Reservation
    from bespeak.storage.port import Transaction


def checked(request: Request) -> Request:
    """Return the request with its parts checked and in order.

    Raises:
        UsageError: a name, text or duration in it cannot be.
    """
    if request.duration_us is not None and request.ends_us is not None:
        raise UsageError("a reservation ends after a duration or at an instant; both were given")
    if request.duration_us is not None and request.duration_us <= 0:
        raise UsageError("the duration must be longer than nothing")
    if request.keepalive_us is not None and request.keepalive_us <= 0:
        raise UsageError("the keep-alive must be longer than nothing")
    names.check_name("user", request.holder.user)
    if request.holder.acting is not None:
        names.check_name("user", request.holder.acting)
    return replace(
        request,
        resources=names.resource_names(request.resources),
        purpose=names.check_text("purpose", request.purpose),
        tags=names.check_tags(request.tags),
    )


def new_facts(request: Request, identifier: str, now_us: int) -> dict[str, object]:
    """Return the columns of a new reservation that do not depend on whether it is granted or waits."""
    return {
        "id": identifier,
        "number": None,
        "holder": request.holder.user,
        "acting": request.holder.acting,
        "mode": request.mode.value,
        "created_us": now_us,
        "purpose": request.purpose,
        "tags": writes.dump(request.tags),
        "priority": 0,
        "lease_us": None,
        "waiting": 0,
        "rank": 0,
        "not_before_us": 0,
        "keepalive_us": request.keepalive_us,
    }


def announce(tx: Transaction, action: Action, actor: Actor, identifier: str) -> Reservation:
    """Log and announce a reservation just written, and return it as the book has it."""
    made = rows.by_id(tx, identifier)
    if made is None:
        raise AssertionError(f"reservation {identifier} is not in the transaction that wrote it")
    writes.log_by(tx, action, actor, made, {}, facts(made))
    writes.wake(tx, made)
    return made


def facts(made: Reservation) -> dict[str, object]:
    """Return the facts of a new reservation for the log; from these the book can be rebuilt."""
    return {
        "number": made.number,
        "holder": made.holder,
        "acting": made.acting,
        "mode": made.mode.value,
        "starts_us": made.starts_us,
        "ends_us": made.ends_us,
        "created_us": made.created_us,
        "purpose": made.purpose,
        "tags": [list(tag) for tag in made.tags],
        "priority": made.priority,
        "waiting": made.waiting,
    }
