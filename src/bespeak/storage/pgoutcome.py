"""What became of a transaction whose connection was lost during COMMIT.

The server remembers the fate of recent transactions by number, so a new connection can ask. The answer counts only
on the same timeline: a standby that took over may have given the number to somebody else.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg

from bespeak.errors import UnavailableError

if TYPE_CHECKING:
    from bespeak.storage.pgconnections import Connection, Connections

ASK_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
_FATE = b"SELECT pg_xact_status(%(number)s::text::xid8)"


def was_committed(connections: Connections, timeline: str, number: str) -> bool | None:
    """Tell whether a transaction was committed; None when that cannot be known.

    Args:
        connections: a way to the server.
        timeline: the timeline on which the transaction ran; empty when unknown.
        number: the transaction's number.
    """
    deadline = time.monotonic() + ASK_SECONDS
    while timeline and time.monotonic() < deadline:
        try:
            fate = _ask(connections, number)
        except (psycopg.Error, UnavailableError):
            fate = "in progress"
        if connections.timeline not in {timeline, ""}:
            return None
        if fate != "in progress":
            return {"committed": True, "aborted": False}.get(fate)
        time.sleep(_PAUSE_SECONDS)
    return None


def _ask(connections: Connections, number: str) -> str:
    def query(connection: Connection) -> str:
        row = connection.execute(_FATE, {"number": number}).fetchone()
        return str(row[0]) if row else ""

    connection, fate = connections.lend(query)
    connections.give_back(connection)
    return fate
