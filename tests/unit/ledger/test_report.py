"""Reports add up what was held, waited for and not taken up, and say it safely."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import DAY_US, HOUR_US, MINUTE_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.operations.report import report
from bespeak.operations.report_page import page

START = 1_800_000_000_000_000
H = HOUR_US


def lines(found, by, **more):
    return {
        one.name: one
        for one in report(found, by, **({"from_us": START, "to_us": START + DAY_US, "now_us": START + DAY_US} | more))
    }


def used(tmp_path, windows):
    """Reservations of the windows (holder, resources, start, hours), all of them over."""
    clock = [START - DAY_US]
    with open_ledger(str(tmp_path / "book"), now=lambda: clock[0]) as book:
        for holder, names, at, hours in windows:
            book.reserve(Request(names, Holder(holder), starts_us=START + at * H, duration_us=hours * H))
        clock[0] = START + DAY_US
        return book.reservations(include_ended=True)


def test_use_is_what_lies_within_the_time_reported_on(tmp_path):
    found = used(
        tmp_path,
        [("alice", ("a",), 1, 2), ("alice", ("a", "b"), 5, 1), ("bob", ("a",), -2, 3), ("bob", ("b",), 23, 5)],
    )
    by_resource = lines(found, "resource", seats={"a": 1, "b": 2, "c": 1})
    assert {name: one.hours for name, one in by_resource.items()} == {"a": 4, "b": 2, "c": 0}
    assert {name: round(one.share * 24, 6) for name, one in by_resource.items()} == {"a": 4, "b": 1, "c": 0}
    assert {name: one.hours for name, one in lines(found, "user").items()} == {"alice": 4, "bob": 2}
    by_team = lines(found, "team", teams={"bringup": ["alice"]})
    assert {name: one.hours for name, one in by_team.items()} == {"bringup": 4, "(none)": 2}
    assert list(lines(found, "week")) == ["2027-01-11"]
    half = lines(found, "resource", seats={"a": 1}, now_us=START + 2 * H)
    assert half["a"].hours == 2


def test_waiting_and_no_shows(tmp_path):
    clock = [START]
    with open_ledger(str(tmp_path / "book"), now=lambda: clock[0]) as book:
        held = book.reserve(Request(("a",), Holder("alice"), duration_us=H))
        from bespeak.base import ids

        waiting = book.queue_join(Request(("a",), Holder("bob"), duration_us=H), ids.new_id())
        clock[0] += 20_000_000
        book.release(held.id, Holder("alice"))
        book.queue_look(waiting.id)
        book.queue_join(Request(("a",), Holder("carol"), duration_us=H), ids.new_id())
        clock[0] += 10 * MINUTE_US
        book.reserve(Request(("other",), Holder("dave"), duration_us=H))
        book.who("a")
        found = book.reservations(include_ended=True)
        by_user = lines(found, "user", now_us=clock[0])
    assert (by_user["bob"].waits, by_user["bob"].waited_us) == (1, 20_000_000)
    assert by_user["alice"].waits == 0


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.names, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_name_is_text_and_nothing_else_on_the_page(name):
    from bespeak.operations.report import Use

    text = page([Use(name, 1, H, 0.5, 1, H, H, 0)], "Use", ("NAME", "HOURS"), [(name, "1")])
    tags = Tags()
    tags.feed(text)
    assert set(tags.names) <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "svg", "text", "rect", "p"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert not [value for key, value in tags.attributes if key in ("src", "href") or key.startswith("on")]
    assert re.search(r"https?://", text.replace(name, "")) is None
