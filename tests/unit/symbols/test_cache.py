"""The cache file under many first users at once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading

import pytest

from bespeak_symbols import cache
from bespeak_symbols.cache import Cache


def test_folder_that_another_process_makes_at_the_same_moment(tmp_path, monkeypatch):
    real = os.mkdir

    def overtaken(path, *rest):
        real(path, *rest)
        real(path, *rest)

    monkeypatch.setattr(cache.os, "mkdir", overtaken)
    made = Cache(str(tmp_path / "bespeak" / "cache.sqlite3"))
    assert made.notice == ""
    assert made.on_disk


def test_new_file_that_another_process_is_writing_is_waited_for(tmp_path):
    path = tmp_path / "cache.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE elsewhere (x)")
    other.execute("DROP TABLE elsewhere")
    end = threading.Timer(0.3, other.execute, ["COMMIT"])
    end.start()
    made = Cache(str(path))
    end.join()
    other.close()
    assert made.notice == ""
    assert made.on_disk


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP TABLE name", "CREATE VIEW name AS SELECT 1 AS id, 'x' AS text"),
        ("CREATE TRIGGER t AFTER INSERT ON source BEGIN DELETE FROM source; END",),
        ("CREATE INDEX i ON source (suffix) WHERE abs(id) > 1",),
    ],
)
def test_a_file_that_computes_is_made_anew(tmp_path, statements):
    path = str(tmp_path / "cache.sqlite3")
    Cache(path).close()
    with contextlib.closing(sqlite3.connect(path)) as hostile:
        for statement in statements:
            hostile.execute(statement)
        hostile.commit()
    made = Cache(path)
    (computing,) = made.connection.execute(
        "SELECT count(*) FROM sqlite_schema WHERE type IN ('view', 'trigger') OR name = 'i'"
    ).fetchone()
    assert computing == 0
    assert made.on_disk
    assert made.notice == ""
