"""Books of a given size, filled in bulk, kept under ``.cache/`` and copied for each use.

A book is filled around a fixed instant, half of it past (of that, half given back early) and half to come, and
opened with a clock that starts at that instant; so a cached book does not age. Every resource is free from the
instant on for an hour and more.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.schema import LEDGER
from harness.bench import CACHE

if TYPE_CHECKING:
    from bespeak.base.clock import Clock
    from harness.bench import Bench

INSTANT_US = 1_800_000_000_000_000
_USERS = 200
_SPACING_US = 3 * HOUR_US
_LENGTH_US = HOUR_US * 3 // 2
_FACTS = """
CREATE TEMP TABLE made AS
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count),
placed AS (
    SELECT i, printf('r%05d', i % :resources) AS resource, i / :resources - :count / :resources / 2 AS slot,
           lower(hex(randomblob(6))) AS tail
    FROM n
)
SELECT i + 1 AS seq, resource, tail, printf('%08x-%04x-7000-8000-', i >> 16, i & 65535) || tail AS id,
       printf('user%03d', (i * 7919) % :users) AS holder, slot < 0 AND i % 2 = 0 AS released,
       :instant + (slot + (slot >= 0)) * :spacing AS starts_us
FROM placed
"""
_RESERVATIONS = """
INSERT INTO ledger_reservations (seq, id, tail, fencing_token, holder, resources, mode, starts_us, ends_us, created_us,
    ended_us, end_reason, wanted_us)
SELECT seq, id, tail, seq, holder, json_array(resource), 'exclusive', starts_us, starts_us + :length,
    :instant - 90000000000 + seq, CASE WHEN released THEN starts_us + :length - 1 END,
    CASE WHEN released THEN 'released' END, :length
FROM made
"""
_BOOKINGS = """
INSERT INTO ledger_bookings (resource, starts_us, ends_us, reservation)
SELECT resource, starts_us, starts_us + :length, seq FROM made WHERE NOT released ORDER BY resource, starts_us
"""
_RESOURCES = "INSERT INTO ledger_resources (name, longest_us) SELECT DISTINCT resource, :length FROM made"
_LOG = """
INSERT INTO ledger_log (at_us, action, reservation, resources, who, before, after)
SELECT :instant - 90000000000 + seq, 'reserved', id, json_array(resource), holder, '{}',
    json_object('starts_us', starts_us, 'ends_us', starts_us + :length, 'mode', 'exclusive', 'number', seq)
FROM made
"""
_WAITING = f"""
INSERT INTO ledger_reservations (id, tail, holder, resources, mode, starts_us, ends_us, created_us, lease_us, waiting,
    rank, wanted_us)
VALUES (?1, ?2, ?3, '["rig"]', 'exclusive', ?4, ?4 + {HOUR_US}, {INSTANT_US}, {INSTANT_US} + 30000000, 1,
    {INSTANT_US} + ?5, {HOUR_US})
"""


def name(number: int) -> str:
    """Return the name of a resource of a filled book."""
    return f"r{number:05}"


def clock_from_instant() -> Clock:
    """Return a clock that starts at the instant around which books are filled."""
    started = time.time_ns() // 1000 - INSTANT_US
    return lambda: time.time_ns() // 1000 - started


def filled(bench: Bench, resources: int, reservations: int) -> str:
    """Return the path of a book of its own with so many past and future reservations."""
    words = repr([(step.version, step.sqlite) for step in LEDGER.steps]) + _FACTS + _RESERVATIONS + _LOG
    digest = hashlib.sha256(words.encode()).hexdigest()[:10]
    sort = f"book-{resources}-{reservations}-"
    kept = os.path.join(CACHE, f"{sort}{digest}.db")
    if not os.path.exists(kept):
        os.makedirs(CACHE, exist_ok=True)
        for old in os.listdir(CACHE):
            if old.startswith(sort):
                os.unlink(os.path.join(CACHE, old))
        half = os.path.join(CACHE, f"{sort}half-{os.getpid()}")
        _fill(half, resources, reservations)
        os.rename(half, kept)
    path = bench.path("book.db")
    shutil.copyfile(kept, path)
    with open(path, "rb") as file:
        os.fsync(file.fileno())  # or the first commits that are measured would pay for the copy
    return path


def with_line(bench: Bench, waiting: int) -> str:
    """Return the path of a book of its own in which so many wait, an hour each, for the resource ``rig`` of alice."""
    path = bench.path("book.db")
    with open_ledger(path, now=lambda: INSTANT_US) as ledger:
        ledger.reserve(Request(("rig",), Holder("alice"), duration_us=HOUR_US))
    connection = sqlite3.connect(path)
    connection.executemany(
        _WAITING,
        (
            (
                f"0190a0b0-0000-7000-8000-{n:012x}",
                f"{n:012x}",
                f"user{n % _USERS:03}",
                INSTANT_US + (n + 1) * HOUR_US,
                n,
            )
            for n in range(waiting)
        ),
    )
    connection.execute(
        "INSERT INTO ledger_queue (resource, rank, reservation)"
        " SELECT 'rig', rank, seq FROM ledger_reservations WHERE waiting = 1"
    )
    connection.execute("UPDATE ledger_counter SET last = last + ?", (waiting,))
    connection.commit()
    connection.close()
    return path


def _fill(path: str, resources: int, reservations: int) -> None:
    open_ledger(path, now=lambda: INSTANT_US).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=DELETE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name LIKE 'ledger_%'"
    ).fetchall()
    for index, _ in indexes:
        connection.execute(f"DROP INDEX {index}")
    params = {
        "count": reservations,
        "resources": resources,
        "users": _USERS,
        "instant": INSTANT_US,
        "spacing": _SPACING_US,
        "length": _LENGTH_US,
    }
    for statement in (_FACTS, _RESERVATIONS, _BOOKINGS, _RESOURCES, _LOG):
        connection.execute(statement, params)
    connection.execute("UPDATE ledger_counter SET last = :count", params)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("DROP TABLE made")
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.close()
