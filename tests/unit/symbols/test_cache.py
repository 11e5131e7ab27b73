"""The cache file under many first users at once."""

from __future__ import annotations

import os
import sqlite3
import threading

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
