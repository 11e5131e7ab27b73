"""What became of a transaction whose connection was lost during COMMIT.

The server's own number of a transaction does not tell: a server that recovers after a crash gives the numbers of
transactions whose log was never flushed to others. So each transaction that changes something writes a random marker
of its own, and the fate of the marker is the fate of the transaction.

Asking decides. Whoever asks inserts the same marker as *not made*: while the old transaction is undecided, the unique
index makes that wait; if the old transaction has not come so far yet (its last message is still under way), it will
fail on the marker that is there now. Nothing of this needs a session, so it holds through a connection pooler too.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import psycopg

from bespeak.base.errors import UnavailableError
from bespeak.storage.migrations import Component, Migration
from bespeak.storage.time_limit import left_seconds

if TYPE_CHECKING:
    from bespeak.storage.postgres.connection import Connection
    from bespeak.storage.postgres.pool import ConnectionPool

ASK_SECONDS = 10.0
_PAUSE_SECONDS = 0.1

KEEP_US = 600_000_000
"""How long a marker is kept, µs."""
TRUST_US = KEEP_US // 2
"""For how long, µs, the absence of a marker says that its transaction was not made."""
CLEAN_EVERY = 128
"""One commit in so many removes old markers."""
_CLEAN_ROWS = 1000

COMMITS = Component(
    "commits", [Migration(1, (), ("CREATE TABLE bespeak_commits (marker UUID PRIMARY KEY, made BOOLEAN NOT NULL)",))]
)

# A transaction that changed nothing has no number and needs no marker: its commit then writes nothing either.
MARK = b"""
INSERT INTO bespeak_commits (marker, made)
SELECT %(marker)s::uuid, true WHERE pg_current_xact_id_if_assigned() IS NOT NULL
"""
CLEAN = f"""
DELETE FROM bespeak_commits
WHERE pg_current_xact_id_if_assigned() IS NOT NULL AND marker = ANY(ARRAY(
    SELECT marker FROM bespeak_commits WHERE marker < %(before)s::uuid
    ORDER BY marker LIMIT {_CLEAN_ROWS} FOR UPDATE SKIP LOCKED
))
""".encode()
BEGIN_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
_ASK = b"""
INSERT INTO bespeak_commits AS kept (marker, made) VALUES (%(marker)s::uuid, false)
ON CONFLICT (marker) DO UPDATE SET made = kept.made
RETURNING kept.made, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
"""


def new_marker(server_us: int) -> str:
    """Return the marker of a transaction that began at ``server_us``, µs UTC by the server's clock.

    Markers sort by that instant, so the newest share a few pages of the index and the oldest are found first.
    """
    return f"{server_us:016x}{os.urandom(8).hex()}"


def oldest_kept(marker: str) -> str:
    """Return the marker before which none needs to be kept when the transaction of ``marker`` commits."""
    return f"{_began_us(marker) - KEEP_US:016x}{0:016x}"


def _began_us(marker: str) -> int:
    return int(marker[:16], 16)


def was_committed(connections: ConnectionPool, marker: str) -> bool | None:
    """Tell whether a transaction was committed, and make sure that this stays so; None when it cannot be known.

    Args:
        connections: a way to the server.
        marker: what the transaction wrote if it was committed.
    """
    deadline = time.monotonic() + left_seconds(ASK_SECONDS)
    while True:
        try:
            return _ask(connections, marker)
        except (psycopg.Error, UnavailableError):
            if time.monotonic() > deadline:
                return None
        time.sleep(_PAUSE_SECONDS)


def _ask(connections: ConnectionPool, marker: str) -> bool | None:
    def query(connection: Connection) -> tuple[bool, int]:
        connection.execute((BEGIN_WRITE + connections.settings).encode())
        made, now_us = connection.execute(_ASK, {"marker": marker}).fetchone() or (False, 0)
        connection.execute("COMMIT")
        return bool(made), int(now_us)

    connection, (made, now_us) = connections.acquire(query)
    connections.release(connection)
    if made or abs(now_us - _began_us(marker)) < TRUST_US:
        return made
    return None
