"""How an SQLite book is opened: journal, durability, the mark in its header."""

import pytest

from bespeak.storage.sqlite import APPLICATION_ID
from support.storage_jobs import open_things


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_a_book_is_in_wal_mode_marked_and_as_durable_as_asked(tmp_path, durable, synchronous):
    engine = open_things(str(tmp_path / "book.db"), durable=durable)
    asked = ["journal_mode", "application_id", "synchronous", "foreign_keys"]
    found = [engine.read(lambda tx, name=name: tx.fetch_one(f"PRAGMA {name}")[0]) for name in asked]
    assert found == ["wal", APPLICATION_ID, synchronous, 1]
    engine.close()


def test_a_foreign_file_keeps_its_own_mark(tmp_path):
    engine = open_things(str(tmp_path / "theirs.db"), foreign=True)
    assert engine.read(lambda tx: tx.fetch_one("PRAGMA application_id")) == (0,)
    engine.close()


@pytest.mark.parametrize(("durable", "answer"), [(True, "on"), (False, "off")])
def test_a_postgresql_book_is_as_durable_as_asked(postgres_url, durable, answer):
    engine = open_things(postgres_url, durable=durable)
    assert engine.transact([], lambda tx: tx.fetch_one("SHOW synchronous_commit")) == (answer,)
    engine.close()
