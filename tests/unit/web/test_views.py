"""What pages show, as values."""

from __future__ import annotations

from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from bespeak.base.clock import DAY_US, HOUR_US
from bespeak.ledger.model import Holder, Mode, Request
from bespeak.web import queue_keeper, read
from bespeak.web.views import details, now, timeline
from bespeak.web.wallclock import WallClock, zone_named
from support.desk import Desk, viewer, waiting


def _now(desk: Desk, user: str | None = "alice", **more: bool) -> dict[str, now.NowRow]:
    view = now.now_view(read.board(desk.book), viewer(user, **more), WallClock(UTC, desk.clock.now_us))
    return {row.name: row for row in view.rows}


def test_rows_are_in_the_order_people_expect(desk: Desk) -> None:
    for name in ("rack10", "rack2", "rack1", "board"):
        desk.book.resource_set(name, Holder("boss"))
    assert list(_now(desk)) == ["board", "rack1", "rack2", "rack10"]


def test_a_row_tells_who_holds_it_until_when_and_why(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=2, purpose="bring-up")
    row = _now(desk)["rack1"]
    (held,) = row.holders
    assert (row.state, held.holder, held.ends.text, held.purpose) == ("held", "bob", "14:00", "bring-up")
    assert (row.may_reserve, row.may_join, held.may_end) == (False, True, False)


def test_what_is_mine_can_be_extended_and_released(desk: Desk) -> None:
    made = desk.reserve("rack1", "alice")
    row = _now(desk)["rack1"]
    assert (row.state, row.may_join) == ("mine", False)
    assert (row.holders[0].may_extend, row.holders[0].may_end) == (True, True)
    assert row.holders[0].key == f"{made.id}.{made.fencing_token}"


def test_nobody_signed_in_can_look_but_not_press(desk: Desk) -> None:
    desk.book.resource_set("rack1", Holder("boss"))
    row = _now(desk, None)["rack1"]
    assert (row.state, row.may_reserve, row.may_join) == ("free", False, False)


def test_a_free_resource_tells_when_it_is_booked_next(desk: Desk) -> None:
    desk.reserve("rack1", "bob", start_hours=3)
    row = _now(desk)["rack1"]
    assert row.state == "free"
    assert row.next is not None
    assert row.next.text == "15:00"
    assert row.changes_us == desk.clock.now_us + 3 * HOUR_US


def test_seats_are_counted(desk: Desk) -> None:
    desk.book.resource_set("pool", Holder("boss"), capacity=2)
    desk.reserve("pool", "bob")
    assert (_now(desk)["pool"].state, _now(desk)["pool"].seats) == ("free", "1 of 2")
    desk.reserve("pool", "carol")
    assert _now(desk)["pool"].state == "held"


def test_sharers_are_all_named(desk: Desk) -> None:
    for user in ("bob", "carol"):
        desk.reserve("rack1", user, mode=Mode.SHARED)
    row = _now(desk)["rack1"]
    assert [one.holder for one in row.holders] == ["bob", "carol"]


def test_who_waits_is_counted_and_sees_the_promise(desk: Desk) -> None:
    desk.reserve("rack1", "bob")
    queue_keeper.join(desk.book, waiting(("rack1",), Holder("alice"), duration_us=HOUR_US))
    row = _now(desk)["rack1"]
    assert (row.waiting, row.may_join) == (1, False)
    assert row.my_place is not None
    assert row.my_place.starts.text == "14:00"
    assert _now(desk, "carol")["rack1"].my_place is None


def test_hidden_names_hide_purposes_too_but_not_ones_own(desk: Desk) -> None:
    desk.reserve("rack1", "bob", purpose="secret product")
    desk.reserve("rack2", "alice", purpose="mine")
    rows = _now(desk, names_hidden=True)
    assert (rows["rack1"].holders[0].holder, rows["rack1"].holders[0].purpose, rows["rack1"].holders[0].url) == (
        "somebody",
        "",
        "",
    )
    assert (rows["rack2"].holders[0].holder, rows["rack2"].holders[0].purpose) == ("alice", "mine")


def test_what_has_lapsed_or_expired_is_free(desk: Desk) -> None:
    desk.reserve("rack1", "bob", keepalive_us=HOUR_US // 2)
    desk.reserve("rack2", "bob", hours=1)
    assert _now(desk)["rack1"].state == "held"
    desk.later(1)
    assert {row.state for row in _now(desk).values()} == {"free"}


def test_only_some_resources_are_read(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        desk.reserve(name, "bob")
    board = read.board(desk.book, only=["b", "unknown"])
    assert board.names == ("b",)
    assert list(board.booked) == ["b"]


# --- times ---


@pytest.mark.parametrize(
    ("away_us", "text"),
    [
        (0, "12:00"),
        (3 * HOUR_US, "15:00"),
        (DAY_US, "Tue 1 Dec 12:00"),
        (400 * DAY_US, "Tue 4 Jan 2028 12:00"),
        (2**62, "no end"),
    ],
)
def test_a_moment_is_as_long_as_it_must_be(desk: Desk, away_us: int, text: str) -> None:
    assert WallClock(UTC, desk.clock.now_us).moment(desk.clock.now_us + away_us).text == text


def test_times_are_in_the_zone_of_the_viewer(desk: Desk) -> None:
    assert WallClock(ZoneInfo("Asia/Tokyo"), desk.clock.now_us).moment(desk.clock.now_us).text == "21:00"


@pytest.mark.parametrize("name", [None, "", "Nowhere/City", "../../etc/passwd", "x" * 100, "\0", "/etc/localtime"])
def test_an_unknown_zone_is_the_default(name: str | None) -> None:
    assert zone_named(name, UTC) is UTC


# --- the timeline ---


def _timeline(
    desk: Desk, span: timeline.Span = timeline.Span.DAY, day: date = date(2026, 11, 30), zone: str = "UTC"
) -> timeline.TimelineView:
    clock = WallClock(ZoneInfo(zone), desk.clock.now_us)
    board = read.board(desk.book, window_us=timeline.window(span, day, clock))
    return timeline.timeline_view(board, viewer("alice"), clock, span, day)


def test_a_bar_is_where_its_time_is(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=6)
    view = _timeline(desk)
    (bar,) = view.lanes[0].bars
    assert (bar.x, bar.width, bar.kind) == ("50.000", "25.000", "held")
    assert bar.label == "rack1: bob, held 12:00 to 18:00"
    assert view.now_x == "50.000"


def test_a_bar_is_cut_at_the_edges(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=48)
    (bar,) = _timeline(desk).lanes[0].bars
    assert (bar.x, bar.width) == ("50.000", "50.000")
    (bar,) = _timeline(desk, day=date(2026, 12, 1)).lanes[0].bars
    assert (bar.x, bar.width) == ("0.000", "100.000")
    assert _timeline(desk, day=date(2026, 12, 3)).lanes[0].bars == ()


def test_bookings_at_one_time_lie_below_each_other(desk: Desk) -> None:
    desk.book.resource_set("pool", Holder("boss"), capacity=3)
    for user in ("bob", "carol"):
        desk.reserve("pool", user, hours=2)
    desk.reserve("pool", "dave", start_hours=3)
    lane = _timeline(desk).lanes[0]
    assert [bar.y for bar in lane.bars] == [3, 33, 3]
    assert lane.height == 60


def test_a_promised_place_is_a_bar_of_its_own_kind(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=2)
    queue_keeper.join(desk.book, waiting(("rack1",), Holder("carol"), duration_us=HOUR_US))
    bars = _timeline(desk).lanes[0].bars
    assert [(bar.kind, bar.text) for bar in bars] == [("held", "bob"), ("promised", "carol")]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 30), 24)]
)
def test_a_day_of_a_clock_change_has_its_own_length(desk: Desk, day: date, hours: int) -> None:
    view = _timeline(desk, day=day, zone="Europe/Berlin")
    assert view.ends_us - view.starts_us == hours * HOUR_US
    assert len(view.ticks) == hours


@pytest.mark.parametrize(
    ("span", "title", "ticks", "later"),
    [
        (timeline.Span.DAY, "Monday 30 November 2026", 24, "2026-12-01"),
        (timeline.Span.WEEK, "30 Nov to 6 Dec 2026, week 49", 7, "2026-12-07"),
        (timeline.Span.MONTH, "November 2026", 30, "2026-12-01"),
    ],
)
def test_spans(desk: Desk, span: timeline.Span, title: str, ticks: int, later: str) -> None:
    view = _timeline(desk, span)
    assert (view.title, len(view.ticks), view.later) == (title, ticks, later)


def test_december_ends_in_the_next_year() -> None:
    assert timeline.Span.MONTH.days(date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))


# --- one resource ---


def test_use_tells_who_held_it_how_long(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=72)
    desk.later(72)
    desk.reserve("rack1", "carol", hours=100)
    desk.later(36)
    desk.book.release_mine(Holder("carol"))
    usage = read.usage(desk.book, "rack1", details.USAGE_WINDOW_US)
    assert usage.held_us == {"bob": 72 * HOUR_US, "carol": 36 * HOUR_US}


def test_cancelled_and_waiting_count_as_no_use(desk: Desk) -> None:
    desk.reserve("rack1", "bob", start_hours=5)
    desk.book.release_mine(Holder("bob"))
    queue_keeper.join(
        desk.book, Request(("rack1",), Holder("alice"), duration_us=HOUR_US, starts_us=desk.clock.now_us + HOUR_US)
    )
    desk.later(10)
    assert read.usage(desk.book, "rack1", details.USAGE_WINDOW_US).held_us == {}


def test_maintenance_is_on_both_pages(desk: Desk) -> None:
    desk.book.resource_set("rack1", Holder("boss"))
    end_us = desk.clock.now_us + 2 * HOUR_US
    desk.book.maintenance_add(["rack1"], Holder("boss"), ends_us=end_us, reason="new PSU")
    row = _now(desk)["rack1"]
    assert (row.state, row.closed, row.may_reserve) == ("closed", "maintenance until 14:00: new PSU", False)
    (bar,) = _timeline(desk).lanes[0].bars
    assert (bar.kind, bar.x, bar.label) == ("blocked", "50.000", "rack1: maintenance: new PSU, 12:00 to 14:00")
    desk.later(2)
    assert _now(desk)["rack1"].state == "free"


def test_what_is_sick_is_not_offered(desk: Desk) -> None:
    desk.book.resource_set("rack1", Holder("boss"))
    desk.book.resource_mark(["rack1"], Holder("boss"), health="sick", reason="no boot")
    row = _now(desk)["rack1"]
    assert (row.state, row.may_reserve) == ("sick", False)
