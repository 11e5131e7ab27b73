"""Hosts whose switching began and has no end in the log: a process that was killed leaves nothing else behind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.clock import duration_text
from bespeak.base.display import escape_unprintable
from bespeak.base.process_identity import is_gone, with_variable
from bespeak.host.local import ACTING_PROCESS, acting_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.host.base import Host
    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.service import Ledger


@dataclass(frozen=True, slots=True)
class KilledAction:
    """An action that began and whose process is gone.

    Attributes:
        who: who acted.
        started_us: when it was begun, µs UTC, as its row says.
        text: one line for people.
    """

    who: str
    started_us: int
    text: str


def killed_action(book: Ledger, host: Host) -> KilledAction | None:
    """Return the action that has ``host`` to itself, if its process was killed on this machine; else None.

    Raises:
        BespeakError: the book cannot be asked.
    """
    for began in _unended(book, [host]):
        started_us = began.after.get("started_us")
        if isinstance(started_us, int) and _is_gone(began):
            return KilledAction(began.who, started_us, _killed(began, book.now_us()))
    return None


def unended_lines(book: Ledger, hosts: Sequence[Host]) -> dict[str, str]:
    """Return, by host id, who began to switch a host and did not say how that ended.

    Args:
        book: the open book.
        hosts: the hosts in question; a host of the same id that needs something else is another one.

    Raises:
        BespeakError: the book cannot be asked.
    """
    found = _unended(book, hosts)
    now_us = book.now_us() if found else 0
    return {str(one.after["host"]): _line(one, now_us) for one in found}


def _unended(book: Ledger, hosts: Sequence[Host]) -> list[LogEntry]:
    switched = {host.id: tuple(sorted(host.required)) for host in hosts if host.power_control is not None}
    found = book.unended_actions(list(switched)) if switched else []
    return [one for one in found if one.resources == switched[str(one.after["host"])]]


def _is_gone(began: LogEntry) -> bool:
    """Tell whether the process of an action has ended, and every command that it left running here."""
    process = began.after.get("process")
    if not is_gone(process) or not isinstance(process, dict):
        return False
    return not with_variable(os.fsencode(ACTING_PROCESS), acting_process(process["pid"], process["ticks"]))


def _line(began: LogEntry, now_us: int) -> str:
    if _is_gone(began):
        return f"{_killed(began, now_us)} and may have left the host off"
    doubt = "it still runs, or its process was killed and may have left the host off"
    return f"{_begun(began, now_us)} has not ended: {doubt}"


def _killed(began: LogEntry, now_us: int) -> str:
    process = began.after["process"]
    pid = process["pid"] if isinstance(process, dict) else "?"
    return f"{_begun(began, now_us)} was broken off: its process {pid} was killed"


def _begun(began: LogEntry, now_us: int) -> str:
    what = f"{escape_unprintable(str(began.after.get('action')))} of {escape_unprintable(str(began.after['host']))}"
    ago = duration_text(max(now_us - began.at_us, 0))
    return f"{what} begun by {escape_unprintable(began.who)} {ago} ago"
