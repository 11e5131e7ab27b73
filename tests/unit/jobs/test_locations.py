"""Where the reservations are, which runner is meant, and what a log does that nobody reads."""

import contextlib
import json
import os
import sqlite3

import pytest

from bespeak.base import paths
from bespeak.base.errors import UnavailableError
from bespeak.jobs import events, locations
from bespeak.jobs.events import EventLog
from bespeak.jobs.runner_client import location
from bespeak.jobs.runner_client.location import own_location
from bespeak.jobs.schema import COMPONENT
from bespeak.runner.service import default_home
from bespeak.storage.sqlite_readonly import ReadOnlySqliteEngine
from support.job_sites import Site

BOOK = "postgresql://book/jobs"
CASES = [
    ({}, None, None, locations.DOCUMENTED_PROGRAM, "/var/lib/orchesjob/reserver.sqlite3"),
    ({"BESPEAK_LEDGER": BOOK}, None, None, locations.DOCUMENTED_PROGRAM, "/var/lib/orchesjob/reserver.sqlite3"),
    ({"BESPEAK_LEDGER": BOOK}, None, None, "bespeak job", BOOK),
    ({"BESPEAK_LEDGER": BOOK, "ORCHESJOB_HOME": "/h"}, None, None, "bespeak job", "/h/reserver.sqlite3"),
    ({"ORCHESJOB_HOME": "/h"}, None, BOOK, "bespeak job", "/h/reserver.sqlite3"),
    ({}, None, BOOK, "bespeak job", BOOK),
    ({"ORCHESJOB_HOME": "/h"}, "/x.db", BOOK, "bespeak job", "/x.db"),
    ({"ORCHESJOB_HOME": "/h", "ORCHESJOB_RESERVER_HOME": "/r"}, None, None, "bespeak job", "/r/reserver.sqlite3"),
    ({"ORCHESJOB_HOME": "", "ORCHESJOB_RESERVER_HOME": "/r"}, None, None, "bespeak job", "/r/reserver.sqlite3"),
]


@pytest.mark.parametrize(("environ", "db", "ledger", "prog", "url"), CASES)
def test_store_url(environ: dict[str, str], db: str | None, ledger: str | None, prog: str, url: str) -> None:
    assert locations.store_url(db, ledger, environ, prog) == url


def test_without_the_right_to_the_systems_folder_it_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths.os, "access", lambda path, mode: False)
    environ = {"HOME": "/home/u"}
    assert locations.home(environ, "bespeak job") == "/home/u/.local/state/bespeak"
    assert locations.home(environ, locations.DOCUMENTED_PROGRAM) == "/var/lib/orchesjob"


def test_the_runner_then_keeps_its_jobs_in_the_same_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths.os, "access", lambda path, mode: False)
    monkeypatch.setenv("HOME", "/home/u")
    assert default_home() == "/home/u/.local/state/bespeak"
    embedded = location.embedded_runner()
    assert own_location(embedded, os.environ).home == "/home/u/.local/state/bespeak"
    monkeypatch.setenv("ORCHESJOB_HOME", "/h")
    assert default_home() == "/h"
    assert own_location(embedded, os.environ).home == "/h"


def test_the_embedded_runner_is_used_when_there_is_no_other(tmp_path) -> None:
    assert location.find_runner(None, {"PATH": str(tmp_path)}).embedded
    script = tmp_path / "orchesjob"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert location.find_runner(None, {"PATH": str(tmp_path)}).words == ("orchesjob",)
    assert location.find_runner("embedded", {"PATH": str(tmp_path)}).embedded
    assert location.find_runner("/x", {"ORCHESJOB_BIN": "/y"}).words == ("/x",)


def test_a_reader_that_is_back_is_told_what_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BUFFER_LIMIT", 200_000)
    reading, writing = os.pipe()
    log = EventLog(writing)
    for number in range(100):
        log.emit("event", {"n": number, "text": "x" * 5_000})
        log.flush()
    seen = b""
    while not seen.endswith(b'"events_dropped"}\n') and b"events_dropped" not in seen:
        seen += os.read(reading, 1 << 20)
        log.flush()
        log.emit("later", {})
        log.flush()
    os.close(writing)
    os.close(reading)
    found = [json.loads(line) for line in seen.decode().split("\n")[:-1]]
    (dropped,) = [event["count"] for event in found if event["event"] == "events_dropped"]
    assert dropped == 100 - len([event for event in found if event["event"] == "event"])


def test_what_lies_due_too_long_is_unhealthy(site: Site) -> None:
    dispatcher = site.run("--site", "elsewhere")
    site.reserve("k")
    assert site.call("health").code == 0
    from bespeak.jobs.locations import open_store

    engine = open_store(site.url)
    engine.transact((), lambda tx: tx.execute("UPDATE reservations SET created_at = created_at - 100"))
    engine.close()
    health = site.call("health")
    assert (health.code, health.json["overdue"]) == (1, 1)
    assert site.call("health", "--site", "elsewhere").json["dispatcher"] == "alive"
    assert dispatcher.stop() == 0


SLOW = "instr(printf('%.*c', 50000000, 'a'), printf('%.*c', 25000000, 'b'))"


@pytest.mark.parametrize(
    "statements",
    [
        ("ALTER TABLE reservations RENAME TO x", "CREATE VIEW reservations AS SELECT x.* FROM x"),
        ("CREATE TRIGGER t AFTER INSERT ON dispatch_log BEGIN DELETE FROM reservations; END",),
        (
            "DROP TRIGGER reservations_from_elsewhere",
            f"CREATE TRIGGER reservations_from_elsewhere AFTER INSERT ON reservations BEGIN SELECT {SLOW}; END",
        ),
        ("DROP TRIGGER reservations_from_elsewhere", f"CREATE INDEX i ON reservations (seq) WHERE {SLOW}"),
        (f"CREATE INDEX i ON reservations (seq) WHERE seq > 3 AND {SLOW}",),
        (f"ALTER TABLE reservations ADD COLUMN x AS ({SLOW})",),
        (f"CREATE TABLE x (y CHECK ({SLOW}))",),
    ],
)
def test_a_store_that_computes_is_not_read(tmp_path, statements):
    path = str(tmp_path / "reserver.sqlite3")
    locations.open_store(path).close()
    locations.open_store(path).close()  # the trigger that bespeak makes there itself is no reason
    ReadOnlySqliteEngine(path, [COMPONENT], foreign=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    for opened in (locations.open_store, lambda name: ReadOnlySqliteEngine(name, [COMPONENT], foreign=True)):
        with pytest.raises(UnavailableError, match="computed columns or computed conditions, and bespeak makes none"):
            opened(path)


def test_a_database_of_the_documented_program_is_upgraded(tmp_path):
    path = str(tmp_path / "reserver.sqlite3")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in COMPONENT.steps[0].sqlite:
            connection.execute(statement)
    locations.open_store(path).close()
