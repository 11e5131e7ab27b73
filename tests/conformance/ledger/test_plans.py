"""On a book of fifty thousand reservations, what runs often seeks by index."""

from __future__ import annotations

import contextlib
import re

import pytest

from bespeak.access.schema import ANY_RULE
from bespeak.base.clock import HOUR_US, MINUTE_US
from bespeak.base.errors import BespeakError
from bespeak.base.ids import new_id
from bespeak.ledger import gate_queries, queue, row_mapping
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.request_checks import checked
from bespeak.ledger.write_operations import resource_topic
from support.engines import on_databases

ROWS, RESOURCES = 50_000, 2_000
ALICE = Holder("alice")


class Recorder:
    """A transaction that remembers its statements."""

    def __init__(self, tx, statements):
        self._tx = tx
        self._statements = statements

    def __getattr__(self, name):
        return getattr(self._tx, name)

    def fetch_all(self, sql, params=()):
        self._statements[sql] = params
        return self._tx.fetch_all(sql, params or {})

    def fetch_one(self, sql, params=()):
        self._statements[sql] = params
        return self._tx.fetch_one(sql, params or {})

    def fetch_batch(self, queries):
        self._statements.update(queries)
        return self._tx.fetch_batch(queries)

    def execute(self, sql, params=()):
        self._statements[sql] = params
        return self._tx.execute(sql, params or {})

    def execute_deferred(self, sql, many):
        if many:
            self._statements[sql] = many[-1]
        self._tx.execute_deferred(sql, many)


def fill(tx, now):
    """Mostly history, with a tail of what is booked next and a line of waiters elsewhere."""
    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
        if tx.dialect == "sqlite"
        else f"WITH n AS (SELECT generate_series(1, {ROWS}) AS i)"
    )
    window = f"{now} - 50 * {HOUR_US} + (i / {RESOURCES}) * 2 * {HOUR_US}"
    names = f"'s' || (i % {RESOURCES})"
    tail = "substr('000000000000' || i, length('000000000000' || i) - 11)"
    waits = f"(CASE WHEN i > {ROWS - 2_000} THEN 1 ELSE 0 END)"
    tx.execute(
        "INSERT INTO ledger_reservations (seq, id, tail, fencing_token, holder, resources, mode, starts_us, ends_us, created_us, "
        f"waiting) {numbers} SELECT i, '01a20148-4fb7-7ee4-9334-' || {tail}, {tail}, i, 'u' || (i % 100), "
        f"'[\"' || {names} || '\"]', 'exclusive', {window}, {window} + {HOUR_US}, 0, {waits} FROM n"
    )
    tx.execute(
        f"INSERT INTO ledger_bookings (resource, starts_us, ends_us, reservation) {numbers} "
        f"SELECT {names}, {window}, {window} + {HOUR_US}, i FROM n WHERE i <= {ROWS - 2_000}"
    )
    tx.execute(
        f"INSERT INTO ledger_resources (name, longest_us) {numbers} SELECT {names}, {HOUR_US} FROM n WHERE i <= {RESOURCES}"
    )
    tx.execute(
        f"INSERT INTO ledger_queue (resource, rank, reservation) {numbers} SELECT {names}, i, i FROM n WHERE i > {ROWS - 2_000}"
    )
    tx.execute(
        "INSERT INTO ledger_log (at_us, action, reservation, resources, who, before, after) "
        f"{numbers} SELECT 0, 'reserved', '01a20148-4fb7-7ee4-9334-' || {tail}, '[]', 'x', '{{}}', '{{}}' FROM n"
    )
    tx.execute(
        "UPDATE ledger_counter SET last = 1000000"
        if tx.dialect == "sqlite"
        else "SELECT setval('ledger_counter', 1000000)"
    )


def exercise(book, now):
    """Do everything that is done often."""
    held = book.reserve(Request(("mine", "yours"), ALICE, duration_us=HOUR_US, keepalive_us=MINUTE_US))
    with contextlib.suppress(BespeakError):
        book.reserve(Request(("mine", "s5"), ALICE, duration_us=HOUR_US))
    book.keep_alive(held.id, held.fencing_token)
    book.extend(held.id, ALICE, duration_us=HOUR_US)
    book.shorten(held.id, ALICE, duration_us=HOUR_US)
    request = checked(Request(("mine",), Holder("bob"), duration_us=HOUR_US))
    keys = [resource_topic("mine")]
    waiter = book.engine.transact(keys, lambda tx: queue.join(book, tx, request, new_id(), 0))
    book.release(held.id, ALICE)
    book.engine.transact(keys, lambda tx: queue.advance(tx, row_mapping.required(tx, waiter.id)))
    for resource in ("mine", "s7"):
        book.who(resource)
        book.free([resource])
    for ask in (
        lambda tx: gate_queries.held_among(tx, "u7", ["s7", "s8", "mine"], now),
        lambda tx: gate_queries.holders_of(tx, "s7", now),
        lambda tx: gate_queries.held_by(tx, "u7", now),
        lambda tx: gate_queries.windows_of(tx, "u7", now),
    ):
        book.engine.read(ask)
    book.get(held.id)
    book.find(held.id[-12:-2])
    book.log(reservation_id=held.id)
    book.release_resources(["mine"], Holder("bob"))


@pytest.fixture
def statements(book, clock):
    book.engine.transact(["fill"], lambda tx: fill(tx, clock.now))
    if book.engine.dialect == "postgresql":
        book.engine.transact(["fill"], lambda tx: tx.execute("ANALYZE"))
    found = {}
    engine = book.engine
    transact, read = engine.transact, engine.read
    engine.transact = lambda keys, work: transact(keys, lambda tx: work(Recorder(tx, found)))
    engine.read = lambda work: read(lambda tx: work(Recorder(tx, found)))
    exercise(book, clock.now)
    engine.transact, engine.read = transact, read
    return found


@on_databases
def test_no_hot_path_scans_a_table(book, statements):
    assert len(statements) > 15
    explain = "EXPLAIN QUERY PLAN " if book.engine.dialect == "sqlite" else "EXPLAIN "
    for sql, params in statements.items():
        rows = book.engine.read(lambda tx, sql=sql, params=params: tx.fetch_all(explain + sql, params or {}))
        plan = "\n".join(str(row[-1]) for row in rows)
        scans = re.findall(r"^.*(?:Seq Scan on|SCAN) (?:ledger_)?\w+.*$", plan, re.MULTILINE)
        scans = [
            scan
            for scan in scans
            if not re.search(
                r"SCAN (?:ledger_counter|ledger_policy|CONSTANT|r USING INDEX ledger_reservations_needy)|Seq Scan on ledger_(?:counter|inventory|policy)",
                scan,
            )
            and sql != ANY_RULE  # reads the first row
        ]
        assert scans == [], f"{sql}\n{plan}"


@on_databases
def test_the_list_of_what_lives_does_not_read_the_history(book, statements, clock):
    book.engine.transact(
        ["fill"],
        lambda tx: tx.execute(
            f"UPDATE ledger_reservations SET ended_us = 1, end_reason = 'released' WHERE seq < {ROWS - 100}"
        ),
    )
    if book.engine.dialect == "postgresql":
        book.engine.transact(["fill"], lambda tx: tx.execute("ANALYZE"))
    found = {}
    read = book.engine.read
    book.engine.read = lambda work: read(lambda tx: work(Recorder(tx, found)))
    book.reservations(limit=20)
    book.reservations(holder="u7")
    book.engine.read = read
    explain = "EXPLAIN QUERY PLAN " if book.engine.dialect == "sqlite" else "EXPLAIN "
    for sql, params in found.items():
        rows = read(lambda tx, sql=sql, params=params: tx.fetch_all(explain + sql, params))
        plan = "\n".join(str(row[-1]) for row in rows)
        assert "ledger_reservations_open" in plan or "ledger_reservations_holder" in plan, plan
