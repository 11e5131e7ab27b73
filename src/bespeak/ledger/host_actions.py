"""Actions on hosts as the log has them: what began, and what has ended.

Two rows each, because a process can be killed in between, and then the log has to say that something was begun.
"""

from __future__ import annotations

from bespeak.base.clock import duration_text
from bespeak.base.display import escape_unprintable
from bespeak.base.frozen import field, frozen
from bespeak.ledger import rights, row_mapping, visibility, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.errors import HostBusyError
from bespeak.ledger.gate_queries import reservations_on
from bespeak.storage.row_shape import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction

_NEWEST = 2_000
_MOST_RESERVATIONS = 1_000
"""More reservations are not in force on the resources of one host, and engines limit the number of parameters."""
_ACTIONS = f"""
SELECT l.at_us, l.action, l.who, l.after
FROM ledger_log l
WHERE l.reservation IN (SELECT r.id FROM ledger_reservations r WHERE r.seq IN ({{inside}}))
  AND l.action IN ('acting', 'acted')
ORDER BY l.seq DESC
LIMIT {_NEWEST}
"""
_NEWEST_OF_ALL = f"""
SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log WHERE action IN ('acting', 'acted') ORDER BY seq DESC LIMIT {_NEWEST}
"""


@frozen
class HostAction:
    """What the log keeps of the beginning or the end of an action on a host.

    Attributes:
        host: which one.
        ends: it has ended; else it begins.
        resources: what the host needs.
        reservation_id: the grant that it is done under, if there is one.
        before: facts from before, for the log.
        after: facts for the log; ``instead_of``, a list of pairs of who acts and ``started_us``, names actions that
            began and will never end by themselves, because their processes are gone.
        alone: the host is to be left to this action alone until its end.
    """

    host: str
    ends: bool
    resources: tuple[str, ...]
    reservation_id: str | None
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)
    alone: bool = False


@frozen
class ActionRow:
    """A row of the log that says that an action on a host began or ended.

    Attributes:
        at_us: when, µs UTC.
        action: ``acting`` or ``acted``.
        who: who acts.
        after: what the row says.
    """

    at_us: int
    action: str
    who: str
    after: dict[str, object]


def action_rows(tx: Transaction, resources: Sequence[str]) -> list[ActionRow]:
    """Return the newest rows about actions on hosts, oldest first, under reservations in force on ``resources``."""
    holding = reservations_on(tx, resources)[:_MOST_RESERVATIONS]
    if not holding:
        return []
    params: dict[str, object] = {f"s{index}": seq for index, seq in enumerate(holding)}
    found = tx.fetch_all(_ACTIONS.format(inside=", ".join(f":{name}" for name in params)), params)
    return [ActionRow(row[0], row[1], row[2], read_json(row[3])) for row in reversed(found)]


def unended_actions(book: LedgerContext, hosts: Sequence[str]) -> list[LogEntry]:
    """Return which of some hosts began to be switched and have no row of the end: it runs, or its process was killed.

    Args:
        book: the open book.
        hosts: their ids.

    Returns:
        The row of the beginning, at most one for each host: that of the newest action.
    """

    def work(tx: Transaction) -> list[LogEntry]:
        rows = [row_mapping.log_entry(row) for row in tx.fetch_all(_NEWEST_OF_ALL, {})]
        return visibility.kept(book, tx, _unended(rows, frozenset(hosts)))

    return book.engine.read(work)


def _unended(newest_first: list[LogEntry], hosts: frozenset[str]) -> list[LogEntry]:
    ended: set[tuple[object, ...]] = set()
    told: set[object] = set()
    found = []
    for entry in newest_first:
        host = entry.after.get("host")
        if host not in hosts or host in told:
            continue
        key = (host, entry.resources, entry.who, entry.after.get("started_us"))
        if entry.action is Action.ACTED:
            ended.add(key)
            if entry.after.get("power") is not None:
                told.add(host)
        elif "alone_us" in entry.after:
            told.add(host)
            if key not in ended:
                found.append(entry)
    return found


def record_host_action(book: LedgerContext, action: HostAction, by: Holder) -> None:
    """Write the beginning or the end of an action on a host into the log.

    Args:
        book: the open book.
        action: the action.
        by: who acts.

    Raises:
        HostBusyError: another action has the host to itself.
        NotAllowedError: who acts may not reserve what the host needs.
        UnavailableError: the book cannot be written; nothing must be done then.
    """
    resources = sorted(action.resources)
    what = Action.ACTED if action.ends else Action.ACTING

    def work(tx: Transaction) -> None:
        rights.require(book, tx, by, "reserve", resources or (None,))
        if action.alone and not action.ends:
            _refuse_if_busy(tx, action, resources)
        before, after = action.before, action.after
        write_operations.log(tx, what, by.user, by.requested_by, action.reservation_id, resources, before, after)
        for name in resources:
            tx.notify(write_operations.resource_topic(name))

    book.engine.transact([f"host:{action.host}"] if action.alone else [], work)


def _refuse_if_busy(tx: Transaction, action: HostAction, resources: list[str]) -> None:
    """Look for an action that began and has not ended, under any reservation that is in force on ``resources``."""
    running: dict[object, ActionRow] = {}
    for row in action_rows(tx, resources):
        if row.after.get("host") != action.host:
            continue
        key = (row.who, row.after.get("started_us"))
        if row.action == Action.ACTED.value:
            running.pop(key, None)
        else:
            _forget(running, row.after)
            if _alone_until(row) > tx.now_us:
                running[key] = row
    _forget(running, action.after)
    for row in running.values():
        ago = duration_text(max(tx.now_us - row.at_us, 0))
        left = duration_text(_alone_until(row) - tx.now_us)
        raise HostBusyError(
            f"{escape_unprintable(action.host)} is being switched already: {row.after.get('action')} by "
            f"{escape_unprintable(row.who)}, begun {ago} ago; it has the host for at most {left} more"
        )


def _forget(running: dict[object, ActionRow], after: dict[str, object]) -> None:
    """Take away the actions that a row, or one to be written, takes the place of."""
    gone = after.get("instead_of")
    for key in gone if isinstance(gone, list) else ():
        if isinstance(key, list):
            running.pop(tuple(key), None)


def _alone_until(row: ActionRow) -> int:
    """Return until when (µs UTC) an action has its host to itself; 0 for one that runs beside others."""
    alone_us = row.after.get("alone_us")
    return row.at_us + alone_us if isinstance(alone_us, int) else 0
