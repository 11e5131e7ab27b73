"""A book written by an earlier version opens, loses nothing, and goes on."""

import json
from pathlib import Path

import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import EndReason, Holder, Request, State
from bespeak.ledger.schema import LEDGER
from bespeak.storage import open_engine
from bespeak.storage.migrations import Component
from support import replay
from support.engines import on_databases

VERSION_1 = json.loads((Path(__file__).parent / "books" / "version_1.json").read_text())
WRITTEN_US = VERSION_1["ledger_log"]["rows"][-1][1]
ALICE = Holder("alice")


def fill(tx):
    for table, held in VERSION_1.items():
        columns = held["columns"]
        if table == "ledger_ticket":
            ((last,),) = held["rows"]
            if tx.dialect == "sqlite":
                tx.execute("UPDATE ledger_ticket SET last = :last", {"last": last})
            else:
                tx.fetch_all("SELECT setval('ledger_ticket', :last)", {"last": last})
            continue
        overriding = "OVERRIDING SYSTEM VALUE " if table == "ledger_log" and tx.dialect == "postgresql" else ""
        values = ", ".join(f":{name}" for name in columns)
        sql = f"INSERT INTO {table} ({', '.join(columns)}) {overriding}VALUES ({values})"
        for row in held["rows"]:
            tx.execute(sql, dict(zip(columns, row, strict=True)))
    if tx.dialect == "postgresql":
        tx.fetch_all("SELECT setval(pg_get_serial_sequence('ledger_log', 'seq'), (SELECT MAX(seq) FROM ledger_log))")


@pytest.fixture
def old_book(book_url):
    """A book at version 1, with what the program of that version wrote into it."""
    engine = open_engine(book_url, [Component("ledger", LEDGER.steps[:1])], now=lambda: WRITTEN_US)
    engine.transact([], fill)
    engine.close()
    return book_url


@pytest.fixture
def book(old_book):
    with open_ledger(old_book, now=lambda: WRITTEN_US) as opened:
        yield opened


@on_databases
def test_nothing_is_lost(book):
    assert book.engine.read(replay.compare) == []
    assert book.engine.read(replay.broken) == []
    kept = book.reservations(include_ended=True)
    assert [held.id for held in kept] == [row[1] for row in VERSION_1["ledger_reservations"]["rows"]]
    assert [held.fencing_token for held in kept] == [row[3] for row in VERSION_1["ledger_reservations"]["rows"]]
    assert {held.end_reason for held in kept} == {None, EndReason.KICKED, EndReason.RELEASED, EndReason.CANCELLED}
    assert {entry.requested_by for entry in book.log() if entry.who != "root"} == {"root"}


@on_databases
def test_the_book_goes_on(book):
    (held,) = book.reservations(holder="alice")
    assert held.state(WRITTEN_US) is State.ACTIVE
    with pytest.raises(RefusedError, match="rack1 is held by alice"):
        book.reserve(Request(("rack1",), Holder("bob"), duration_us=1_000_000))
    book.release(held.id, ALICE, fencing_token=held.fencing_token)
    (waiter,) = book.reservations(states=[State.WAITING])
    assert book.who("rack1") == [waiter]
    made = book.reserve(Request(("rack3",), ALICE, duration_us=1_000_000))
    assert made.fencing_token > VERSION_1["ledger_ticket"]["rows"][0][0]
