"""Making a reservation: the request checked, its row, and its first line in the log."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import Field, UsageError
from bespeak.base.frozen import replace
from bespeak.base.process_identity import this_host
from bespeak.ledger import validation, write_operations
from bespeak.ledger.model import HolderKind, Origin, Reservation, Selection
from bespeak.ledger.row_mapping import selection_facts
from bespeak.ledger.rules import LAST_US

"""The words before the colon of a holder's name."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.actions import Action
    from bespeak.ledger.model import Holder, Request
    from bespeak.storage.interface import Transaction


MOST_WANTED = 1_000
"""Resources of one kind in one request."""


def with_times(request: Request, starts_us: int | None, ends_us: int | None) -> Request:
    """Return the request with another beginning and another end, µs UTC."""
    return replace(request, starts_us=starts_us, ends_us=ends_us)


def checked(request: Request, *, here: bool = True) -> Request:
    """Return the request with its parts checked and in order.

    Args:
        request: what is asked.
        here: it is made on this machine, if it does not say where; a server does not know where its callers are.

    Raises:
        UsageError: a name, text or duration in it cannot be.
    """
    if request.duration_us is not None and request.ends_us is not None:
        raise UsageError("a reservation ends after a duration or at an instant; both were given")
    if request.duration_us is not None and request.duration_us <= 0:
        raise UsageError("the duration must be greater than zero")
    if request.starts_us is not None:
        check_instant("start", request.starts_us)
    if request.ends_us is not None and request.ends_us < FOREVER_US:
        check_instant("end", request.ends_us)
    if request.keepalive_us is not None and request.keepalive_us <= 0:
        raise UsageError("the keep-alive must be greater than zero")
    if request.check_in_us is not None and request.check_in_us <= 0:
        raise UsageError("the time to check in must be greater than zero")
    holder = checked_holder(request.holder)
    origin = request.origin or Origin(this_host() if here else "")
    for name in (origin.host, origin.process):
        if name:
            validation.check_name("origin", name)
    if request.needs or request.prefer or request.same:
        _check_needs(request)
    by_name = request.resources or not request.needs
    return replace(
        request,
        holder=holder,
        origin=origin,
        resources=validation.resource_names(request.resources) if by_name else (),
        purpose=validation.check_text("purpose", request.purpose),
        tags=validation.check_tags(request.tags),
    )


def _check_needs(request: Request) -> None:
    """Refuse needs that nothing could ever meet.

    Raises:
        UsageError: a count, a label expression or a key cannot be.
    """
    from bespeak.base import label_expression

    if not request.needs:
        wanted = (Field("prefer"), " and ", Field("same"), " choose among resources; say how many with ", Field("any"))
        raise UsageError(*wanted, " and which with ", Field("label"))
    if not all(1 <= need.count <= MOST_WANTED for need in request.needs):
        raise UsageError(Field("any"), f": between 1 and {MOST_WANTED} resources")
    for need in request.needs:
        if need.label:
            label_expression.parse(need.label)
    if request.prefer:
        label_expression.parse(request.prefer, "prefer")
    for key in request.same:
        validation.check_name("label", key)


def checked_holder(of: Holder) -> Holder:
    """Return who asks, with a user called by the plain name.

    Raises:
        UsageError: a name cannot be, or is a kind without a name.
    """
    validation.check_new_user(of.name)
    if of.requested_by is not None:
        validation.check_name("user", of.requested_by)
    if of.user.endswith(":") and of.user.removesuffix(":") in {kind.value for kind in HolderKind}:
        raise UsageError(f"user {of.user!a}: a name has to follow")
    return replace(of, user=of.name)


def check_instant(kind: str, instant_us: int) -> None:
    """Refuse an instant that no calendar names.

    Raises:
        UsageError: it lies before 1970 or after the year 9999.
    """
    if not 0 <= instant_us <= LAST_US:
        raise UsageError(f"the {kind} must lie between the years 1970 and 9999")


def new(
    request: Request,
    identifier: str,
    seq: int,
    now_us: int,
    window_us: tuple[int, int],
    wanted_us: int,
) -> Reservation:
    """Return the reservation that ``request`` asks for, granted for ``window_us`` with the fencing token ``seq``.

    Who takes it at once is there, and need not check in.
    """
    check_in_us = request.check_in_us if window_us[0] > now_us and window_us[0] < FOREVER_US else None
    lease_us = None if request.keepalive_us is None else now_us + request.keepalive_us
    return Reservation(
        seq=seq,
        id=identifier,
        fencing_token=seq,
        holder=request.holder.user,
        requested_by=request.holder.requested_by,
        resources=request.resources,
        mode=request.mode,
        starts_us=window_us[0],
        ends_us=window_us[1],
        created_us=now_us,
        ended_us=None,
        end_reason=None,
        ended_note="",
        purpose=request.purpose,
        tags=request.tags,
        priority=0,
        lease_us=lease_us if check_in_us is None else window_us[0] + check_in_us,
        waiting=False,
        rank=0,
        wanted_us=wanted_us,
        not_before_us=0,
        keepalive_us=request.keepalive_us,
        open_end=request.open_end,
        origin=request.origin or Origin(),
        gate_seen_us=None,
        check_in_us=check_in_us,
        selection=Selection(request.resources, request.needs, request.prefer, request.same) if request.needs else None,
    )


def announce(tx: Transaction, action: Action, by: Holder, made: Reservation) -> None:
    """Log a reservation just written, and wake whoever follows its resources."""
    write_operations.log_by(tx, action, by, made, {}, facts(made))
    write_operations.wake(tx, made)


def facts(made: Reservation) -> dict[str, object]:
    """Return the facts of a reservation for the log; from these the book can be rebuilt."""
    return {
        "number": made.fencing_token,
        "holder": made.holder,
        "acting": made.requested_by,
        "mode": made.mode.value,
        **write_operations.window(made),
        "created_us": made.created_us,
        "purpose": made.purpose,
        "tags": [list(tag) for tag in made.tags],
        "priority": made.priority,
        "waiting": made.waiting,
        "rank": made.rank,
        "wanted_us": made.wanted_us,
        "not_before_us": made.not_before_us,
        "keepalive_us": made.keepalive_us,
        "open_end": made.open_end,
        "check_in_us": made.check_in_us,
        "host": made.origin.host,
        "process": made.origin.process,
        "selection": None if made.selection is None else selection_facts(made.selection),
        **({"approval": made.approval.value} if made.approval.value else {}),
    }
