"""How much one holder may have: pure rules, and what they count in the book.

A quota is for a holder as the book stores it (``alice``, ``team:bringup``, ``ci:...``), or for everybody who is not
named (``*``). Its rules are all kept: ``active``, how many reservations that have not ended; ``hours``, how many hours
of resources that begin in one week from Monday to Sunday, UTC; ``ahead``, how far ahead a reservation may begin;
``longest``, how long it may last.
"""

from __future__ import annotations

from bespeak.base.clock import DAY_US, FOREVER_US, HOUR_US, duration_text
from bespeak.base.errors import NotAllowedError
from bespeak.base.timeparse import show
from bespeak.storage.row_shape import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.model import Reservation
    from bespeak.ledger.policy import Policy
    from bespeak.storage.interface import Transaction

    Window = tuple[int, int]

RULES = ("active", "hours", "ahead", "longest")
WEEK_US = 7 * DAY_US
_MONDAY_US = 4 * DAY_US
"""The first Monday of the calendar that instants are counted in; 1970 began on a Thursday."""

_ACTIVE = """
SELECT count(*) FROM ledger_reservations
WHERE holder = :holder AND ended_us IS NULL AND ends_us > :now AND (lease_us IS NULL OR lease_us > :now)
"""
_OF_WEEK = """
SELECT id, resources, starts_us, ends_us, ended_us, lease_us FROM ledger_reservations
WHERE holder = :holder AND starts_us >= :from AND starts_us < :until AND (waiting = 0 OR approval = 'asked')
"""


def check(
    tx: Transaction,
    policy: Policy,
    holder: str,
    window_us: Window,
    resources: int,
    *,
    changed: str | None = None,
) -> None:
    """Refuse what is more than the policy of the book gives a holder.

    Args:
        tx: the transaction, before its first change.
        policy: of the book.
        holder: for whom.
        window_us: the window that is wanted, µs UTC.
        resources: how many resources.
        changed: the reservation that exists already and gets this window.

    Raises:
        NotAllowedError: naming the rule and what would be granted.
    """
    quota = policy.quota(holder)
    if not quota:
        return
    lock(tx, holder)
    starts_us, ends_us = window_us
    if "longest" in quota:
        _check_longest(holder, ends_us - starts_us, quota["longest"])
    if "ahead" in quota and starts_us > tx.now_us + quota["ahead"]:
        last_us = tx.now_us + quota["ahead"]
        raise _refusal(
            holder, "ahead", duration_text(quota["ahead"]), f"a start until {show(last_us)}", latest_start_us=last_us
        )
    if "active" in quota and changed is None:
        _check_active(tx, holder, quota["active"])
    if "hours" in quota:
        _check_hours(tx, holder, window_us, resources, quota["hours"], changed)


def lock(tx: Transaction, holder: str) -> None:
    """Take the lock by which what one holder asks for at the same time is counted one after the other."""
    tx.require([f"quota:{holder}"])


def turned_away(
    tx: Transaction, policy: Policy, waiter: Reservation, window_us: Window, resources: int
) -> NotAllowedError | None:
    """Return why somebody whose turn has come in the queue cannot have it after all; None if nothing is against it.

    What was within the quota when the place was taken need not be when the turn comes: others of the same holder were
    granted meanwhile, or it is another week.

    Args:
        tx: the transaction, before its first change.
        policy: of the book.
        waiter: whose turn it is.
        window_us: what would be granted, µs UTC.
        resources: how many resources.
    """
    try:
        check(tx, policy, waiter.holder, window_us, resources, changed=waiter.id)
    except NotAllowedError as refusal:
        return refusal
    return None


def _check_longest(holder: str, length_us: int, most_us: int) -> None:
    if length_us > most_us:
        raise _refusal(holder, "longest", duration_text(most_us), f"{duration_text(most_us)}", duration_us=most_us)


def _check_active(tx: Transaction, holder: str, most: int) -> None:
    row = tx.fetch_one(_ACTIVE, {"holder": holder, "now": tx.now_us})
    if row is not None and row[0] >= most:
        raise _refusal(holder, "active", str(most), "one more as soon as one of them has ended", active=row[0])


def _check_hours(
    tx: Transaction, holder: str, window_us: Window, resources: int, most: int, changed: str | None
) -> None:
    monday_us = week_of(window_us[0])
    rows = tx.fetch_all(_OF_WEEK, {"holder": holder, "from": monday_us, "until": monday_us + WEEK_US})
    used_us = 0
    for identifier, names, starts_us, ends_us, ended_us, lease_us in rows:
        over_us = lease_us if lease_us is not None and lease_us <= tx.now_us else ends_us
        last_us = min(ends_us, over_us) if ended_us is None else ended_us
        if identifier != changed:
            used_us += max(last_us - starts_us, 0) * len(read_json(names))
    left_us = max(most * HOUR_US - used_us, 0) // resources
    if window_us[1] - window_us[0] > left_us:
        granted = duration_text(left_us) if left_us else "nothing more in this week"
        raise _refusal(holder, "hours", f"{most} in a week", granted, duration_us=left_us)


def week_of(instant_us: int) -> int:
    """Return the Monday of an instant, 00:00, in µs UTC."""
    return instant_us - (instant_us - _MONDAY_US) % WEEK_US


def _refusal(holder: str, rule: str, most: str, granted: str, **details: object) -> NotAllowedError:
    return NotAllowedError(
        f"{holder} has a quota, {rule} {most} (policy of the book: quotas); granted would be: {granted}",
        rule=f"quotas.{rule}",
        **{key: value for key, value in details.items() if not isinstance(value, int) or value < FOREVER_US},
    )
