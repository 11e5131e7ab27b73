"""A book as a whole: copied while it is used, filled from a copy, moved to the other engine, pruned."""

from __future__ import annotations

import os
import sqlite3
import threading

import pytest

import bespeak
from bespeak import Holder, Request, UnavailableError, WrongStateError
from bespeak.base.errors import BusyError, NotFoundError, UsageError
from bespeak.ledger import open_ledger
from bespeak.ledger.prune import Pruned, prune
from bespeak.operations.backup import backup, restore
from bespeak.operations.relocate import relocate
from bespeak.storage import table_copy
from support import replay

ALICE, BOB = Holder("alice"), Holder("bob")
HOUR = bespeak.duration("1h")
ONE_ROW = ("ledger_identity",)
"""Tables that need no key, because they have one row."""
DAY = 24 * HOUR


def want(*names, by=ALICE, **more):
    return Request(names, by, **({"duration_us": HOUR} | more))


def fill(book, many=40):
    """Reservations that are held, ended, in the queue and shared, and resources of both kinds."""
    book.resource_set("rack1", ALICE, capacity=2, description="Füllstand ≥ 1")
    held = [book.reserve(want(f"board{number}", f"x{number}", tags=(("ci", str(number)),))) for number in range(many)]
    for one in held[::3]:
        book.release(one.id, ALICE)
    kicked = book.reserve(want("rack1", by=BOB, purpose="it's :name\nand %s"))
    book.kick(kicked.id, ALICE, "fire drill")
    return held


def everything(url):
    with open_ledger(url) as book:
        return book.reservations(include_ended=True), book.log(), book.resource_list()


@pytest.fixture
def other_url(request, book_engine, tmp_path):
    """A new place on the other engine."""
    if book_engine == "postgresql":
        return str(tmp_path / "other.sqlite3")
    return request.getfixturevalue("postgres_schemas")()


def test_a_backup_is_a_book_with_the_same_content(book_url, tmp_path):
    with open_ledger(book_url) as book:
        fill(book)
    made = backup(book_url, str(tmp_path / "copy.sqlite3"))
    assert everything(made.path) == everything(book_url)
    assert made.rows["ledger_reservations"] == 41
    assert (os.stat(made.path).st_mode & 0o777, os.listdir(tmp_path)) == (0o600, ["copy.sqlite3"])
    with open_ledger(made.path) as copy:
        assert copy.engine.read(replay.compare) == []


def test_a_backup_has_every_write_that_was_acknowledged_before_it_and_none_in_part(book_url, tmp_path):
    stop = threading.Event()
    done: list[str] = []

    def write():
        with open_ledger(book_url, durable=False) as book:
            while not stop.is_set():
                done.append(book.reserve(want(f"r{len(done)}", f"s{len(done)}")).id)

    with open_ledger(book_url):
        pass
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            while len(done) < 5 * (number + 1):
                stop.wait(0.01)
            before = set(done)
            made = backup(book_url, str(tmp_path / f"{number}.sqlite3"))
            with open_ledger(made.path) as copy:
                found = copy.reservations()
                assert before <= {one.id for one in found}
                assert copy.engine.read(replay.compare) == []
    finally:
        stop.set()
        writer.join()


def test_a_backup_never_overwrites_what_it_does_not_know(book_url, tmp_path):
    with open_ledger(book_url) as book:
        book.reserve(want("rack1"))
    path = tmp_path / "copy.sqlite3"
    backup(book_url, str(path))
    with pytest.raises(WrongStateError, match="there is a file already"):
        backup(book_url, str(path))
    backup(book_url, str(path), replace=True)
    path.write_text("a letter")
    with pytest.raises(WrongStateError, match="not a book of bespeak's; it is left alone"):
        backup(book_url, str(path), replace=True)
    assert path.read_text() == "a letter"
    with pytest.raises(UnavailableError, match="No such file"):
        backup(book_url, str(tmp_path / "no" / "copy.sqlite3"))


def test_a_restore_brings_back_what_was_and_gives_out_no_number_twice(book_url, tmp_path):
    path = str(tmp_path / "copy.sqlite3")
    with open_ledger(book_url) as book:
        fill(book)
        backup(book_url, path)
        before = everything(book_url)
        later = [book.reserve(want(f"later{number}")) for number in range(5)]
        with pytest.raises(WrongStateError, match="is not empty; replace"):
            restore(book_url, path, ALICE)
        restore(book_url, path, Holder("root"), replace=True)
        found = everything(book_url)
        assert (found[0], found[1][:-1], found[2]) == (before[0], before[1], before[2])
        assert found[1][-1].action.value == "restored"
        assert found[1][-1].seq > book.log(newest_first=True, limit=2)[1].seq
        again = book.reserve(want("later0"))
        assert (again.fencing_token or 0) > (later[-1].fencing_token or 0)
        assert book.engine.read(replay.compare) == []


def test_a_backup_fills_a_book_on_the_other_engine(book_url, other_url, tmp_path):
    with open_ledger(book_url) as book:
        fill(book)
    path = str(tmp_path / "copy.sqlite3")
    backup(book_url, path)
    restore(other_url, path, ALICE)
    assert everything(other_url)[0] == everything(book_url)[0]
    with open_ledger(other_url) as other:
        assert other.engine.read(replay.compare) == []
        assert (other.reserve(want("new")).fencing_token or 0) > 41


def test_what_is_no_backup_is_refused(book_url, tmp_path):
    with open_ledger(book_url):
        pass
    with pytest.raises(NotFoundError, match="there is no such file"):
        restore(book_url, str(tmp_path / "nothing"), ALICE)
    (tmp_path / "letter").write_text("Dear Alice")
    with pytest.raises(UsageError, match="not a book of bespeak's"):
        restore(book_url, str(tmp_path / "letter"), ALICE)
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(UsageError, match="not a book of bespeak's"):
        restore(book_url, str(tmp_path / "other.db"), ALICE)


def test_a_book_moves_to_the_other_engine_and_back(book_url, other_url, fresh_book):
    with open_ledger(book_url) as book:
        held = fill(book)
        before = everything(book_url)
        to, rows = relocate(book_url, other_url, ALICE)
        found = everything(other_url)
        assert (found[0], found[1][:-1], found[2]) == (before[0], before[1], before[2])
        assert rows["ledger_reservations"] == 41
        with pytest.raises(UnavailableError, match=r"it has moved to .*nothing is written here any more"):
            book.release(held[1].id, ALICE)
        with pytest.raises(UnavailableError, match="it has moved to"):
            book.reserve(want("new"))
        assert book.get(held[1].id).ended_us is None
    with open_ledger(book_url) as old:
        assert old.moved_to == to
        with pytest.raises(UnavailableError, match="it has moved to"):
            old.reserve(want("new"))
    with pytest.raises(WrongStateError, match=r"it has moved to .* already"):
        relocate(book_url, other_url, ALICE)
    with open_ledger(other_url) as other:
        assert other.moved_to is None
        released = other.release(held[1].id, ALICE, fencing_token=held[1].fencing_token)
        assert other.reserve(want("new")).seq > held[-1].seq
        assert other.engine.read(replay.compare) == []
    back = fresh_book()
    relocate(other_url, back, ALICE)
    with open_ledger(back) as again:
        assert again.get(released.id) == released
        assert again.engine.read(replay.compare) == []


def test_a_book_moves_only_to_where_nothing_is(book_url, other_url):
    with open_ledger(book_url) as book, open_ledger(other_url) as other:
        fill(book, 3)
        other.reserve(want("rack1"))
        with pytest.raises(WrongStateError, match="is not empty"):
            relocate(book_url, other_url, ALICE)
        with pytest.raises(WrongStateError, match="it is there already"):
            relocate(book_url, book_url, ALICE)
        book.reserve(want("still-here"))


def test_prune_removes_what_has_been_over_for_long_and_nothing_else(book_url):
    now = 1_800_000_000_000_000
    clock = [now - 100 * DAY]
    with open_ledger(book_url, now=lambda: clock[0]) as book:
        held = fill(book)
        long = book.reserve(want("long", duration_us=365 * DAY))
        leased = book.reserve(want("leased", keepalive_us=HOUR, duration_us=365 * DAY))
        clock[0] = now - 10 * DAY
        recent = book.reserve(want("board1", "recent"))
        clock[0] = now
        counted = prune(book, ALICE, before_us=now - 30 * DAY, dry_run=True)
        assert counted.reservations == len(held) + 2
        assert len(book.reservations(include_ended=True)) == len(held) + 4
        found = prune(book, ALICE, before_us=now - 30 * DAY)
        assert (found.reservations, found.log_entries) == (counted.reservations, counted.log_entries)
        assert {one.id for one in book.reservations(include_ended=True)} == {long.id, recent.id}
        assert [one.name for one in book.resource_list()] == ["board1", "long", "rack1", "recent"]
        assert "board2" in found.resources
        assert leased.id not in {entry.reservation_id for entry in book.log()}
        assert book.log(newest_first=True)[0].after["reservations"] == counted.reservations
        assert book.engine.read(replay.compare) == []
        assert prune(book, ALICE, before_us=now - 30 * DAY) == Pruned(0, 0, ())
        with pytest.raises(UsageError, match="still to come"):
            prune(book, ALICE, before_us=now + DAY)


def test_who_is_not_named_neither_prunes_nor_replaces(postgres_url, tmp_path):
    with open_ledger(postgres_url) as book:
        book.reserve(want("rack1"))
        book.policy_set("admins", ["alice"], ALICE)
        path = str(tmp_path / "copy.sqlite3")
        backup(postgres_url, path)
        with pytest.raises(BusyError, match="bob may not prune the book; alice may"):
            prune(book, BOB, before_us=0)
        with pytest.raises(BusyError, match="bob may not throw away what is in the book; alice may"):
            restore(postgres_url, path, BOB, replace=True)
        with pytest.raises(BusyError, match="bob may not move the book; alice may"):
            relocate(postgres_url, str(tmp_path / "other.sqlite3"), BOB)


def test_tables_are_copied_in_pages_in_the_order_of_their_whole_key(book_url, fresh_book, monkeypatch):
    monkeypatch.setattr(table_copy, "_PAGE", 3)
    with open_ledger(book_url) as book:
        fill(book, 12)
        for table in book.engine.read(table_copy.tables).values():
            assert table.key or table.name in ONE_ROW, f"{table.name} has no primary key"
    to = fresh_book()
    relocate(book_url, to, ALICE)
    with open_ledger(to) as other:
        assert other.engine.read(replay.compare) == []
