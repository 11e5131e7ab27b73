"""A book is somebody else's data: whatever stands in a column of claims or jobs, no command fails in an unknown way."""

from __future__ import annotations

import os
import shutil
import sqlite3

import pytest

from bespeak.cli.main import main
from support.repositories import git

VALUES = ("'x'", "0.5", "-9223372036854775808", "9223372036854775807", "x'ff00'", "NULL", "'[['", "'{\"a\": 1}'")
VALUES += ("char(27) || '[31m'", "'[1, [2]]'")
COORD = (
    "coord list",
    "coord list --json",
    "coord check src/a.py",
    "coord reserve src/a.py --run-id other",
    "coord forecast",
    "coord dag",
)
JOBS = ("job list", "--json job list", "job list --text", "job status k1", "job health", "job cancel k1")
RUNNER = ("runner status rk", "runner history rk", "runner clean --all", "runner result rk")


def commands(table):
    return COORD if table.startswith("coord") else RUNNER if table.startswith("runner") else JOBS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("BESPEAK", "XDG"))]:
        monkeypatch.delenv(name)
    for name, at in {"HOME": ".", "BESPEAK_LEDGER": "book.sqlite3", "ORCHESJOB_HOME": "jobs"}.items():
        monkeypatch.setenv(name, str(tmp_path / at))
    source = tmp_path / "repo" / "src" / "a.py"
    source.parent.mkdir(parents=True)
    source.write_text("def f():\n    return 1\n")
    monkeypatch.chdir(tmp_path / "repo")
    git(tmp_path / "repo", "init", "-q")
    git(tmp_path / "repo", "add", ".")
    git(tmp_path / "repo", "commit", "-qm", "one")
    return tmp_path


@pytest.mark.parametrize(
    ("book", "making"),
    [
        (
            "repo/.git/bespeak/coord.sqlite3",
            ["coord reserve src/a.py::f --run-id r1", "coord intent src/b.py --op delete --run-id r1"],
        ),
        ("jobs/reserver.sqlite3", ['job reserve --run-key k1 --not-before 2090-01-01 --metadata-json {"a":1} -- true']),
        ("jobs/runner.sqlite3", ["runner start --sync --run-key rk -- true"]),
    ],
)
def test_every_column_may_hold_anything(folder, capfd, book, making):
    for words in making:
        assert main(words.split()) == 0
    path, sound = folder / book, folder / "sound.sqlite3"
    capfd.readouterr()
    tried = 0
    for table, column in _columns(path):
        for value in VALUES:
            _copy(path, sound)
            if _spoil(path, table, column, value):
                for words in commands(table):
                    main(words.split())
                    said = "".join(capfd.readouterr())
                    assert "internal error" not in said, (table, column, value, words, said)
                    assert "\x1b[31m" not in said, (table, column, value, words)
                    tried += 1
            _copy(sound, path)
    assert tried > 500


def _columns(path):
    connection = sqlite3.connect(path)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    own = [name for name in tables if not name.startswith(("sqlite_", "bespeak_"))]
    found = [(name, row[1]) for name in own for row in connection.execute(f"PRAGMA table_info({name})")]
    connection.close()
    return found


def _spoil(path, table, column, value):
    """Put a value into a column of every row; False where the table cannot take it or has no row."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        return connection.execute(f"UPDATE {table} SET {column} = {value}").rowcount > 0
    except sqlite3.IntegrityError:
        return False
    finally:
        connection.close()


def _copy(one, two):
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(f"{one}{suffix}"):
            shutil.copy(f"{one}{suffix}", f"{two}{suffix}")
        elif os.path.exists(f"{two}{suffix}"):
            os.unlink(f"{two}{suffix}")
