"""Calendars: as the reference reader of Python reads them, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest

from bespeak.base.clock import FOREVER_US, HOUR_US
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.integrations import calendar_links, ical
from bespeak.integrations.calendar_links import CalendarLink, Shows
from bespeak.ledger.model import Holder, Request
from bespeak.web import queue_keeper
from support.desk import Desk, waiting


@pytest.fixture
def desk(book_url: str) -> Iterator[Desk]:
    """An empty book, on each engine in turn."""
    made = Desk(book_url)
    yield made
    made.book.close()


def _link(desk: Desk, owner: str, shows: Shows, target: str = "", **more: bool) -> tuple[CalendarLink, str]:
    token = calendar_links.new_secret()
    return calendar_links.make(desk.book, owner, calendar_links.hashed(token), shows, target, **more), token


def _events(desk: Desk, shows: Shows, target: str = "", owner: str = "alice", **more: bool) -> list[Any]:
    link, token = _link(desk, owner, shows, target, **more)
    assert calendar_links.find(desk.book, token) == link
    return _read(ical.calendar(desk.book, link))


def _read(text: bytes) -> list[Any]:
    assert text.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert b"\n" not in text.replace(b"\r\n", b"")
    calendar = icalendar.Calendar.from_ical(text)
    assert calendar.errors == []
    events = list(calendar.walk("VEVENT"))
    assert all(event.errors == [] for event in events)
    return events


def test_an_event_says_when_where_who_and_why(desk: Desk) -> None:
    made = desk.reserve("rack1", "alice", start_hours=2, purpose="bring-up; of rev C, \\ twice")
    (event,) = _events(desk, Shows.USER)
    assert event["UID"] == f"{made.id}@bespeak"
    assert event.decoded("DTSTART") == datetime(2026, 11, 30, 14, tzinfo=UTC)
    assert event.decoded("DTEND") == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert str(event["SUMMARY"]) == "rack1: alice"
    assert str(event["LOCATION"]) == "rack1"
    assert str(event["DESCRIPTION"]) == "bring-up; of rev C, \\ twice"
    assert event["STATUS"] == "CONFIRMED"


def test_a_change_keeps_the_uid_and_counts_up(desk: Desk) -> None:
    made = desk.reserve("rack1", "alice", start_hours=2)
    before = _events(desk, Shows.USER)[0]
    desk.later(1)
    desk.book.extend(made.id, Holder("alice"), duration_us=HOUR_US)
    after = _events(desk, Shows.USER)[0]
    assert before["UID"] == after["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after.decoded("LAST-MODIFIED") == datetime(2026, 11, 30, 13, tzinfo=UTC)
    assert after.decoded("DTEND") == datetime(2026, 11, 30, 17, tzinfo=UTC)


def test_what_did_not_take_place_is_not_there(desk: Desk) -> None:
    desk.book.release(desk.reserve("rack1", "alice", start_hours=2).id, Holder("alice"))
    assert _events(desk, Shows.USER) == []
    held = desk.reserve("rack1", "alice", hours=5)
    desk.later(2)
    desk.book.release(held.id, Holder("alice"))
    (event,) = _events(desk, Shows.USER)
    assert event.decoded("DTEND") == datetime(2026, 11, 30, 14, tzinfo=UTC)
    desk.later(24 * 40)
    assert _events(desk, Shows.USER) == []


def test_a_promised_place_is_tentative(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=2)
    queue_keeper.join(desk.book, waiting(("rack1",), Holder("alice"), duration_us=HOUR_US))
    (event,) = _events(desk, Shows.USER)
    assert (event["STATUS"], event["TRANSP"]) == ("TENTATIVE", "TRANSPARENT")
    assert event.decoded("DTSTART") == datetime(2026, 11, 30, 14, tzinfo=UTC)


def test_an_open_end_is_said(desk: Desk) -> None:
    desk.book.reserve(Request(("rack1",), Holder("alice"), ends_us=FOREVER_US))
    (event,) = _events(desk, Shows.USER)
    assert str(event["DESCRIPTION"]) == "no end"


def test_a_calendar_of_a_resource_of_a_group_and_of_all(desk: Desk) -> None:
    desk.reserve("rack1", "alice")
    desk.reserve("rack2", "bob")
    desk.book.reserve(Request(("rack3", "rack4"), Holder("carol"), duration_us=HOUR_US))
    assert [str(one["SUMMARY"]) for one in _events(desk, Shows.RESOURCE, "rack2")] == ["rack2: bob"]
    assert len(_events(desk, Shows.ALL)) == 3
    assert _events(desk, Shows.GROUP, "lab-a") == []


def test_names_can_be_hidden(desk: Desk) -> None:
    desk.reserve("rack1", "bob", purpose="secret")
    (event,) = _events(desk, Shows.RESOURCE, "rack1", names_hidden=True)
    assert str(event["SUMMARY"]) == "rack1: taken"
    assert "DESCRIPTION" not in event
    link, _ = _link(desk, "alice", Shows.ALL, names_hidden=True)
    assert b"bob" not in ical.calendar(desk.book, link)
    assert b"secret" not in ical.calendar(desk.book, link)


def test_no_text_of_users_begins_a_line(desk: Desk) -> None:
    evil = "x\r\nEND:VEVENT\nBEGIN:VEVENT;\\,\u2028" + "\u00e4\U0001f600" * 200
    desk.book.resource_set("r\u00e4ck;1,\\", Holder("boss"))
    desk.reserve("r\u00e4ck;1,\\", "al;ice,\\n", purpose=evil)
    (event,) = _events(desk, Shows.ALL)
    assert str(event["SUMMARY"]) == "r\u00e4ck;1,\\: al;ice,\\n"
    assert "\U0001f600" * 1 in str(event["DESCRIPTION"])
    assert "\\r\\nEND:VEVENT\\nBEGIN" in str(event["DESCRIPTION"])


def test_a_revoked_link_shows_nothing_at_once(desk: Desk) -> None:
    link, token = _link(desk, "alice", Shows.USER)
    with pytest.raises(NotFoundError):
        calendar_links.revoke(desk.book, "bob", link.id)
    calendar_links.revoke(desk.book, "alice", link.id[:10])
    for text in (token, "", "x" * 500, "\udc80"):
        with pytest.raises(NotFoundError):
            calendar_links.find(desk.book, text)
    assert calendar_links.links(desk.book, "alice") == []


def test_the_book_does_not_keep_the_secret(desk: Desk) -> None:
    _, token = _link(desk, "alice", Shows.USER)
    rows = desk.book.engine.read(lambda tx: tx.fetch_all("SELECT * FROM calendars_links"))
    assert token not in str(rows)


def test_links_are_few(desk: Desk) -> None:
    for _ in range(calendar_links.MOST_LINKS):
        _link(desk, "alice", Shows.USER)
    with pytest.raises(UsageError, match="the most"):
        _link(desk, "alice", Shows.USER)


def test_a_link_shows_what_its_owner_may_see(desk: Desk) -> None:
    desk.reserve("rack1", "bob")
    desk.reserve("scope1", "bob")
    desk.book.rights_grant("user:boss", "admin", Holder("boss"))
    desk.book.rights_grant("user:alice", "viewer", Holder("boss"), selector="rack*")
    assert [str(one["LOCATION"]) for one in _events(desk, Shows.ALL)] == ["rack1"]
    assert _events(desk, Shows.RESOURCE, "scope1") == []
    assert len(_events(desk, Shows.ALL, owner="boss")) == 2
