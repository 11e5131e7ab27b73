"""Every action in the log of the book: one row when it begins, one when it has ended.

Two rows, because a process can be killed in between, and then the log has to say that something was begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US, duration_text
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError
from bespeak.ledger import write_operations
from bespeak.ledger.host_actions import action_rows
from bespeak.ledger.model import Action
from bespeak.lifecycle.model import spent_text

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.ledger.host_actions import ActionRow
    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger
    from bespeak.lifecycle.model import Hold, Outcome
    from bespeak.storage.interface import Transaction

_TEXT_LIMIT = 500


class HostBusyError(BespeakError):
    """Another action switches the host at this moment."""


class AuditLog:
    """Writes actions on hosts into the book.

    Args:
        book: opens the book, at the first row.
        holder: who acts.
        skipped: the gate's check was skipped, which the log has to say.
    """

    def __init__(self, book: Callable[[], Ledger], holder: Holder, *, skipped: bool = False) -> None:
        self._book = book
        self._holder = holder
        self._skipped = skipped

    def begin(self, host: Host, outcome: Outcome, *, alone_seconds: float | None = None) -> None:
        """Write that an action begins.

        Args:
            host: the host.
            outcome: the action, and the grants it is done under.
            alone_seconds: the host is to be left to this action until its end, and at most so long; None for an
                action that may run beside others.

        Raises:
            HostBusyError: another action has the host to itself.
            UnavailableError: the book cannot be written; nothing must be done then.
        """
        facts: dict[str, object] = {
            "host": host.id,
            "action": outcome.action,
            "controller": outcome.controller,
            "note": f"{outcome.action} {host.id}",
            "started_us": outcome.started_us,
        }
        if alone_seconds is not None:
            facts["alone_us"] = int(alone_seconds * SECOND_US)
        self._write(Action.ACTING, host, outcome.holds, {}, facts, alone=alone_seconds is not None)

    def end(self, host: Host, outcome: Outcome) -> None:
        """Write what came of it.

        Raises:
            UnavailableError: the book cannot be written.
        """
        after: dict[str, object] = {
            "host": outcome.host,
            "action": outcome.action,
            "controller": outcome.controller,
            "power": outcome.after,
            "result": outcome.status.name,
            "started_us": outcome.started_us,
            "duration_us": outcome.duration_us,
            "text": outcome.text[:_TEXT_LIMIT],
            "note": _note(outcome) + (", check skipped" if self._skipped else ""),
        }
        self._write(Action.ACTED, host, outcome.holds, {"power": outcome.before}, after)

    def _write(
        self,
        action: Action,
        host: Host,
        holds: tuple[Hold, ...],
        before: dict[str, object],
        after: dict[str, object],
        *,
        alone: bool = False,
    ) -> None:
        resources = sorted(host.required)
        after["numbers"] = sorted({hold.fencing_token for hold in holds})
        if self._skipped:
            after["check_skipped"] = True
        reservation = holds[0].reservation_id if holds else None

        def work(tx: Transaction) -> None:
            if alone:
                _refuse_if_busy(tx, host.id, resources)
            holder = self._holder
            write_operations.log(tx, action, holder.user, holder.requested_by, reservation, resources, before, after)
            for name in resources:
                tx.notify(write_operations.resource_topic(name))

        self._book().engine.transact([f"host:{host.id}"] if alone else [], work)


def _refuse_if_busy(tx: Transaction, host: str, resources: list[str]) -> None:
    """Look for an action that began and has not ended, under any reservation that is in force on ``resources``."""
    running: dict[object, ActionRow] = {}
    for row in action_rows(tx, resources):
        if row.after.get("host") != host:
            continue
        key = (row.who, row.after.get("started_us"))
        if row.action == Action.ACTED.value:
            running.pop(key, None)
        elif _alone_until(row) > tx.now_us:
            running[key] = row
    for row in running.values():
        ago = duration_text(max(tx.now_us - row.at_us, 0))
        left = duration_text(_alone_until(row) - tx.now_us)
        raise HostBusyError(
            f"{escape_unprintable(host)} is being switched already: {row.after.get('action')} by "
            f"{escape_unprintable(row.who)}, begun {ago} ago; it has the host for at most {left} more"
        )


def _alone_until(row: ActionRow) -> int:
    """Return until when (µs UTC) an action has its host to itself; 0 for one that runs beside others."""
    alone_us = row.after.get("alone_us")
    return row.at_us + alone_us if isinstance(alone_us, int) else 0


def _note(outcome: Outcome) -> str:
    """Return the line that a reader of the log sees."""
    change = f"{outcome.before or '?'} -> {outcome.after or '?'}, " if outcome.before or outcome.after else ""
    by = f" by {outcome.controller}" if outcome.controller else ""
    return f"{outcome.action} {outcome.host}{by}: {change}{outcome.status.name}, {spent_text(outcome.duration_us)}"
