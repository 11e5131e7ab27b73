"""Times that are said as a distance from now are counted by the clock of the book, where that is another machine's."""

from __future__ import annotations

import json

import pytest

from bespeak.base import clock
from bespeak.cli.main import main

HOUR_US = 3600 * 1_000_000
AHEAD_US = 2 * HOUR_US


@pytest.fixture
def ahead(postgres_url, monkeypatch, capsys):
    """Run a command on a machine whose clock is two hours ahead of the book's; return what it prints."""
    present = clock.now
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


@pytest.mark.postgres
def test_a_time_of_a_clock_on_the_wall_is_taken_as_it_is_said(ahead):
    made = ahead("reserve", "rack1", "--at", "2040-01-01T10:00Z", "--until", "2040-01-01T12:00Z")
    assert (clock.iso(made["starts_us"]), lasts_hours(made)) == ("2040-01-01T10:00:00+00:00", 2)
