"""Every action in the log of the book: one row when it begins, one when it has ended.

Two rows, because a process can be killed in between, and then the log has to say that something was begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bespeak.ledger import write_operations
from bespeak.ledger.model import Action
from bespeak.lifecycle.model import spent_text

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.ledger.model import Holder
    from bespeak.ledger.service import Ledger
    from bespeak.lifecycle.model import Hold, Outcome
    from bespeak.storage.interface import Transaction

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

    def begin(self, host: Host, action: str, controller: str | None, holds: Iterable[Hold]) -> None:
        """Write that ``action`` begins.

        Raises:
            UnavailableError: the book cannot be written; nothing must be done then.
        """
        facts: dict[str, object] = {"host": host.id, "action": action, "controller": controller}
        self._write(Action.ACTING, host, tuple(holds), {}, facts | {"note": f"{action} {host.id}"})

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
    ) -> None:
        resources = sorted(host.resources)
        after["numbers"] = sorted({hold.fencing_token for hold in holds})
        if self._skipped:
            after["check_skipped"] = True
        reservation = holds[0].reservation_id if holds else None

        def work(tx: Transaction) -> None:
            holder = self._holder
            write_operations.log(tx, action, holder.user, holder.requested_by, reservation, resources, before, after)
            for name in resources:
                tx.notify(write_operations.resource_topic(name))

        self._book().engine.transact([], work)


def _note(outcome: Outcome) -> str:
    """Return the line that a reader of the log sees."""
    change = f"{outcome.before or '?'} -> {outcome.after or '?'}, " if outcome.before or outcome.after else ""
    by = f" by {outcome.controller}" if outcome.controller else ""
    return f"{outcome.action} {outcome.host}{by}: {change}{outcome.status.name}, {spent_text(outcome.duration_us)}"
