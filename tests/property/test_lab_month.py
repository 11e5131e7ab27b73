"""A week of a small lab on both engines: the log explains every state, and both tell the same story.

The month of a large one is run by hand: ``python tests/support/lab_month.py``.
"""

from __future__ import annotations

from shutil import copyfile
from typing import Any

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from support.lab_audit import Had, crowded, had_while_closed, is_open, no_pause
from support.lab_month import START, Lab, Size, simulate

SMALL = Size(days=7, resources=18, users=40)
SMALLEST = Size(days=2, resources=12, users=50)
HAPPENS = (
    *("approve", "extend", "granted in line", "health check", "health check failed", "join", "keep alive", "leave"),
    *("look", "move", "refuse", "release", "reserve", "reserve by need", "reserve: NotAllowedError", "shorten"),
    *("reserve: RefusedError", "run", "series", "series, one cancelled", "series, the rest moved", "touch", "transfer"),
)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Lab]:
    """A book of SQLite on which a lab lived, and the lab."""
    path = f"{tmp_path_factory.mktemp('lab')}/book.db"
    return path, simulate(path, SMALL, seed=2)


def test_a_week_of_a_lab_is_told_by_its_log(lived: tuple[str, Lab]) -> None:
    _, lab = lived
    assert [what for what in HAPPENS if not lab.tally[what]] == []


@pytest.mark.postgres
def test_both_engines_tell_the_same_story(tmp_path: Any, postgres_schemas: Any) -> None:
    one, other = (simulate(url, SMALLEST, seed=6) for url in (f"{tmp_path}/book.db", postgres_schemas()))
    assert one.tally["granted in line"]
    assert other.tally == one.tally
    assert other.story == one.story


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM ledger_log WHERE seq = (SELECT MAX(seq) FROM ledger_log WHERE action = 'released')",
        "UPDATE ledger_reservations SET ends_us = ends_us + 1 WHERE seq = (SELECT MIN(seq) FROM ledger_reservations WHERE fencing_token IS NOT NULL)",
        "UPDATE ledger_resources SET health = 'offline' WHERE name = 'board0' AND health <> 'offline'",
        "DELETE FROM ledger_bookings WHERE ends_us > 0",
        "UPDATE ledger_log SET resources = '[\"board0\"]' WHERE action = 'reserved'",
    ],
)
def test_what_the_log_does_not_explain_is_found(lived: tuple[str, Lab], tmp_path: Any, sql: str) -> None:
    path, lab = lived
    copy = tmp_path / "copy.db"
    with open_ledger(path, now=lambda: lab.now) as book:
        assert lab.audit_of(book) == []
    copyfile(path, copy)
    with open_ledger(str(copy), now=lambda: lab.now) as book:
        book.engine.transact([], lambda tx: tx.execute(sql, {}))
        assert lab.audit_of(book) != []


def had(start: int, end: int, who: str = "a", mode: str = "exclusive") -> Had:
    return Had("x", who, mode, START + start * HOUR_US, START + end * HOUR_US)


def test_the_auditor_sees_what_was_had_twice() -> None:
    assert crowded("x", [had(1, 3), had(3, 4, "b")], 1) == []
    assert crowded("x", [had(1, 3), had(2, 4, "b")], 2) == []
    assert len(crowded("x", [had(1, 3), had(2, 4, "b")], 1)) == 1
    assert crowded("x", [had(1, 3, mode="shared"), had(2, 4, "b", "shared")], 1) == []
    assert len(crowded("x", [had(1, 3, mode="shared"), had(2, 4, "b")], 3)) == 1


def test_the_auditor_sees_a_missing_pause_and_closed_times() -> None:
    assert no_pause([had(1, 2), had(3, 4, "b")], HOUR_US) == []
    assert len(no_pause([had(1, 2), had(3, 4, "b")], 2 * HOUR_US)) == 1
    assert (is_open(had(8, 18)), is_open(had(7, 9)), is_open(had(17, 19)), is_open(had(5 * 24 + 9, 5 * 24 + 10))) == (
        True,
        False,
        False,
        False,
    )
    window = ("x", START + HOUR_US, START + 2 * HOUR_US)
    assert had_while_closed({"x": [had(2, 3), had(0, 1)]}, [window]) == []
    assert len(had_while_closed({"x": [had(0, 2)]}, [window])) == 1
