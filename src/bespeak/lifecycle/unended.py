"""Hosts whose switching began and has no end in the log: a process that was killed leaves nothing else behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import duration_text
from bespeak.base.display import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.host.base import Host
    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.service import Ledger


def unended_lines(book: Ledger, hosts: Sequence[Host]) -> dict[str, str]:
    """Return, by host id, who began to switch a host and did not say how that ended.

    Args:
        book: the open book.
        hosts: the hosts in question; a host of the same id that needs something else is another one.

    Raises:
        BespeakError: the book cannot be asked.
    """
    switched = {host.id: tuple(sorted(host.required)) for host in hosts if host.power_control is not None}
    if not switched:
        return {}
    found = [one for one in book.unended_actions(list(switched)) if one.resources == switched[str(one.after["host"])]]
    now_us = book.now_us() if found else 0
    return {str(one.after["host"]): _line(one, now_us) for one in found}


def _line(began: LogEntry, now_us: int) -> str:
    what = f"{escape_unprintable(str(began.after.get('action')))} of {escape_unprintable(str(began.after['host']))}"
    ago = duration_text(max(now_us - began.at_us, 0))
    return (
        f"{what} begun by {escape_unprintable(began.who)} {ago} ago has not ended: it still runs, or its process was "
        "killed and may have left the host off"
    )
