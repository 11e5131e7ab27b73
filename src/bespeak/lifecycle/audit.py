"""Every action in the log of the book: one row when it begins, one when it has ended.

Two rows, because a process can be killed in between, and then the log has to say that something was begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US
from bespeak.base.process_identity import this_process
from bespeak.ledger.errors import HostBusyError
from bespeak.ledger.host_actions import HostAction
from bespeak.lifecycle.model import spent_text
from bespeak.lifecycle.unended import killed_action

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger
    from bespeak.lifecycle.model import HostGrant, Outcome

_TEXT_LIMIT = 500


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

    def begin(self, host: Host, outcome: Outcome, *, alone_seconds: float | None = None) -> str:
        """Write that an action begins.

        An action that has the host to itself takes the place of one whose process is seen to be gone.

        Args:
            host: the host.
            outcome: the action, and the grants it is done under.
            alone_seconds: the host is to be left to this action until its end, and at most so long; None for an
                action that may run beside others.

        Returns:
            In one line which action it takes the place of; empty when there is none.

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
            facts["process"] = this_process()
        alone = alone_seconds is not None
        try:
            self._write(host, outcome.holds, {}, facts, alone=alone)
        except HostBusyError:
            killed = killed_action(self._book(), host) if alone else None
            if killed is None:
                raise
            state = f"the host is {outcome.before}" if outcome.before else "the state of the host is unknown"
            took_over = f"{killed.text}; {state}"
            facts |= {"instead_of": [[killed.who, killed.started_us]], "note": f"{facts['note']}: {took_over}"}
            self._write(host, outcome.holds, {}, facts, alone=alone)
            return took_over
        return ""

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
        self._write(host, outcome.holds, {"power": outcome.before}, after, ends=True)

    def _write(
        self,
        host: Host,
        holds: tuple[HostGrant, ...],
        before: dict[str, object],
        after: dict[str, object],
        *,
        ends: bool = False,
        alone: bool = False,
    ) -> None:
        after["numbers"] = sorted({hold.fencing_token for hold in holds})
        if self._skipped:
            after["check_skipped"] = True
        reservation = holds[0].reservation_id if holds else None
        action = HostAction(host.id, ends, tuple(sorted(host.required)), reservation, before, after, alone)
        self._book().record_host_action(action, self._holder)


def _note(outcome: Outcome) -> str:
    """Return the line that a reader of the log sees."""
    change = f"{outcome.before or '?'} -> {outcome.after or '?'}, " if outcome.before or outcome.after else ""
    by = f" by {outcome.controller}" if outcome.controller else ""
    return f"{outcome.action} {outcome.host}{by}: {change}{outcome.status.name}, {spent_text(outcome.duration_us)}"
