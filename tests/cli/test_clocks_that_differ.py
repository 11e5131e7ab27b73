"""Times that are said as a distance from now are counted by the clock of the book, where that is another machine's."""

from __future__ import annotations

import json
import shlex
import sqlite3
from types import SimpleNamespace

import pytest

from bespeak.base import clock
from bespeak.cli.main import main
from bespeak.mcp.ledger_tools import (
    BookExtend,
    BookFree,
    BookReserve,
    book_extend,
    book_free,
    book_reserve,
)
from bespeak.mcp.tool import Call, Setup
from support.repositories import git

HOUR_US = 3600 * 1_000_000
AHEAD_US = 50 * HOUR_US
"""Two days and more: it is another day too."""


@pytest.fixture
def present():
    """The clock of the book."""
    return clock.now


@pytest.fixture
def ahead(postgres_url, present, monkeypatch, capsys):
    """Run a command on a machine whose clock is two days ahead of the book's; return what it prints."""
    monkeypatch.setenv("BESPEAK_LEDGER", postgres_url)
    monkeypatch.setattr(clock, "now", lambda: present() + AHEAD_US)

    def run(*words: str) -> dict[str, object]:
        assert main(["--json", *words]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def lasts_hours(made) -> int:
    return round((made["ends_us"] - made["starts_us"]) / HOUR_US)


@pytest.mark.postgres
def test_a_distance_is_counted_by_the_clock_of_the_book(ahead):
    made = ahead("reserve", "rack1", "--until", "+1h")
    assert lasts_hours(made) == 1
    [longer] = ahead("extend", made["short_id"], "--until", "+3h")["reservations"]
    assert lasts_hours(longer) == 3
    [shorter] = ahead("shorten", made["short_id"], "--until", "+2h")["reservations"]
    assert lasts_hours(shorter) == 2
    later = ahead("reserve", "rack2", "--at", "+1h", "--for", "1h")
    assert round((later["starts_us"] - made["starts_us"]) / HOUR_US) == 1
    [moved] = ahead("move", later["short_id"], "--at", "now+5h")["reservations"]
    assert round((moved["starts_us"] - made["starts_us"]) / HOUR_US) == 5
    [free] = ahead("free", "rack1", "--at", "+4h")["resources"]
    assert round((free["from_us"] - made["starts_us"]) / HOUR_US) == 4


def test_a_refusal_says_what_has_begun_by_the_clock_of_the_book(present, monkeypatch, capsys):
    """A clock that is ten minutes behind takes what is held for what is booked, and offers to end before it."""
    assert main(["--as-user", "alice", "reserve", "rack1", "--for", "2h"]) == 0
    monkeypatch.setattr(clock, "now", lambda: present() - HOUR_US // 6)
    for words in (["reserve", "rack1"], ["run", "rack1", "--", "true"]):
        assert main(["--as-user", "bob", *words]) == 7
        told = capsys.readouterr().err
        assert "rack1 is held by alice until" in told
        assert "or end by" not in told


@pytest.mark.postgres
def test_a_time_of_a_clock_on_the_wall_is_taken_as_it_is_said(ahead):
    made = ahead("reserve", "rack1", "--at", "2040-01-01T10:00Z", "--until", "2040-01-01T12:00Z")
    assert (clock.iso(made["starts_us"]), lasts_hours(made)) == ("2040-01-01T10:00:00+00:00", 2)


@pytest.mark.postgres
def test_tomorrow_is_that_of_the_book(ahead, present):
    days = {clock.iso(present() + 24 * HOUR_US)[:10]}
    made = ahead("reserve", "rack1", "--at", "tomorrow 10:00", "--until", "12:00")
    days.add(clock.iso(present() + 24 * HOUR_US)[:10])  # midnight may pass in between
    assert (clock.iso(made["starts_us"])[:10] in days, lasts_hours(made)) == (True, 2)


@pytest.mark.postgres
def test_a_tool_of_an_agent_counts_by_the_clock_of_the_book(ahead, postgres_url, tmp_path):
    call = Call(Setup(str(tmp_path)), str(tmp_path), "me", SimpleNamespace(request=None), None)
    made = book_reserve(call, BookReserve(resources=["rack1"], until="+1h"))
    assert lasts_hours(made) == 1
    longer = book_extend(call, BookExtend(reservation_id=made["short_id"], until="+3h"))
    assert lasts_hours(longer) == 3
    later = book_reserve(call, BookReserve(resources=["rack2"], start="+1h", duration="1h"))
    assert round((later["starts_us"] - made["starts_us"]) / HOUR_US) == 1
    (free,) = book_free(call, BookFree(resources=["rack1"], start="+4h"))["resources"]
    assert round((free["from_us"] - made["starts_us"]) / HOUR_US) == 4
    evening = book_reserve(call, BookReserve(resources=["rack3"], start="2040-01-01T22:00Z", until="0:00"))
    assert lasts_hours(evening) == 2


@pytest.mark.parametrize("words", [["coord", "reserve", "a.py"], ["reserve", "rack1"]])
def test_the_advice_about_a_clock_that_went_back_names_the_book_it_is_about(
    words, tmp_path, present, monkeypatch, capsys
):
    """Every file book has a clock: of claims too."""
    git(tmp_path, "init", "-q")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BESPEAK_LEDGER", str(tmp_path / "a book"))
    assert main(words) == 0
    monkeypatch.setattr(clock, "now", lambda: present() - AHEAD_US)
    assert main(words) == 9
    advice = capsys.readouterr().err.rpartition("right now: bespeak ")[2]
    assert main(shlex.split(advice)) == 0
    tables = tables_of(shlex.split(advice)[1])
    assert any(name.startswith("ledger_") for name in tables) == (words[0] == "reserve")
    assert main(words) in {0, 7}


def tables_of(path: str) -> list[str]:
    with sqlite3.connect(path) as book:
        return [name for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
