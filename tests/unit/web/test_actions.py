"""What the buttons of pages do, and what they say."""

from __future__ import annotations

import pytest

from bespeak.access.tokens import hashed, new_token
from bespeak.base import ids
from bespeak.base.clock import HOUR_US, SECOND_US
from bespeak.integrations import calendar_links
from bespeak.ledger.actions import Action
from bespeak.ledger.model import Holder, Request, State
from bespeak.notices import outbox, store
from bespeak.web import pages, queue_keeper
from bespeak.web.form import local_path
from support.desk import START_US, Desk, asked


def test_one_press_reserves(desk: Desk) -> None:
    said = desk.press("alice", "reserve:rack1", **{"for": "2h", "purpose": " bring-up "})
    (made,) = desk.book.reservations()
    assert (made.holder, made.ends_us - made.starts_us, made.purpose) == ("alice", 2 * HOUR_US, "bring-up")
    assert (said.kind, said.title, said.text, said.status) == ("done", "rack1 is yours:", "until 14:00", 200)


def test_a_drawn_booking_has_the_times_of_the_viewers_zone(desk: Desk) -> None:
    said = desk.press("alice", "reserve:rack1", starts="2026-11-30T15:00", ends="2026-11-30T16:30")
    (made,) = desk.book.reservations()
    assert (made.starts_us, made.ends_us) == (START_US + 3 * HOUR_US, START_US + 9 * HOUR_US // 2)
    assert said.text == "from 15:00 until 16:30"


def test_a_booking_drawn_over_the_present_begins_now(desk: Desk) -> None:
    desk.press("alice", "reserve:rack1", starts="2026-11-30T11:45", ends="2026-11-30T13:00")
    (made,) = desk.book.reservations()
    assert (made.starts_us, made.ends_us) == (START_US, START_US + HOUR_US)


def test_a_refusal_is_explained_and_helps_on(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=2, purpose="bring-up")
    desk.reserve("rack1", "carol", hours=1, start_hours=3)
    said = desk.press("alice", "reserve:rack1", **{"for": "2h", "purpose": "mine"}, back="/timeline?span=day")
    assert (said.kind, said.title, said.status, said.back) == ("refused", "rack1 is taken.", 409, "/timeline?span=day")
    assert (
        said.lines
        == (
            "rack1 is held by bob until 14:00 (bring-up)",
            "rack1 is booked by carol from 15:00 until 16:00",
            "free for 2h from 16:00",
        )[: len(said.lines)]
        or "free for 2h from 16:00" in said.lines
    )
    offers = {offer.label: offer.action for offer in said.offers}
    assert offers == {"Book from 16:00": "reserve:rack1", "Join the line": "join:rack1"}
    said = desk.press("alice", "reserve:rack1", **dict(said.fields))
    assert (said.kind, said.text) == ("done", "from 16:00 until 18:00")


def test_what_awaits_approval_is_approved_or_refused_with_a_reason(desk: Desk) -> None:
    desk.book.inventory_add(["rack1"], Holder("boss"), {"approval": ["carol"]})
    one, other = desk.reserve("rack1"), desk.reserve("rack1", start_hours=5)
    said = desk.press("bob", f"approve:{one.id}")
    assert (said.kind, said.status) == ("error", 403)
    assert desk.book.get(one.id).is_awaiting
    said = desk.press("carol", f"approve:{one.id}")
    assert (said.kind, said.title, said.text) == ("done", "rack1 approved for alice:", "until 14:00")
    assert desk.book.get(one.id).state(desk.clock.now_us) is State.ACTIVE
    assert desk.press("carol", f"refuse:{other.id}", reason=" ").status == 400
    said = desk.press("carol", f"refuse:{other.id}", reason="audit")
    assert (said.kind, said.title) == ("done", "rack1 refused to alice")
    assert (desk.book.get(other.id).ended_note, desk.press("carol", f"approve:{other.id}").status) == ("audit", 409)


def test_the_line_is_joined_kept_and_granted(desk: Desk) -> None:
    desk.reserve("rack1", "bob", hours=2)
    said = desk.press("alice", "join:rack1", **{"for": "1h"})
    assert (said.title, said.text) == ("You are in line for rack1:", "promised for 14:00")
    for _ in range(9):
        desk.clock.now_us += 20 * SECOND_US
        queue_keeper.keep(desk.book)
    (place,) = desk.book.reservations(holder="alice")
    assert place.waiting
    desk.book.release_mine(Holder("bob"))
    queue_keeper.keep(desk.book)
    (place,) = desk.book.reservations(holder="alice")
    assert place.state(desk.clock.now_us) is State.ACTIVE
    assert desk.book.log(newest_first=True, limit=1)[0].action is Action.GRANTED


def test_a_free_resource_is_had_at_once_by_joining(desk: Desk) -> None:
    assert desk.press("alice", "join:rack1").title == "rack1 is yours:"


def test_a_place_that_nobody_keeps_lapses(desk: Desk) -> None:
    desk.reserve("rack1", "bob")
    desk.press("alice", "join:rack1")
    desk.clock.now_us += 31 * SECOND_US
    assert queue_keeper.keep(desk.book) == queue_keeper.RENEW_SECONDS
    assert desk.book.reservations(holder="alice") == []


def test_places_of_commands_are_not_kept(desk: Desk) -> None:
    desk.reserve("rack1", "bob")
    request = Request(("rack1",), Holder("carol"), duration_us=HOUR_US, tags=(("note", '"kept-by","server"'),))
    identifier = desk.book.queue_join(request, ids.new_id()).id
    before = desk.book.get(identifier).lease_us
    desk.clock.now_us += 20 * SECOND_US
    queue_keeper.keep(desk.book)
    assert desk.book.get(identifier).lease_us == before


def test_extend_shorten_and_release(desk: Desk) -> None:
    made = desk.reserve("rack1", "alice", hours=2)
    key = f"{made.id}.{made.fencing_token}"
    assert desk.press("alice", f"extend:{key}", **{"for": "1h"}).text == "until 15:00"
    assert desk.press("alice", f"shorten:{key}", **{"for": "30m"}).text == "until 14:30"
    assert desk.press("alice", f"release:{key}").title == "rack1 released"
    said = desk.press("alice", f"release:{key}")
    assert (said.kind, said.status) == ("error", 409)
    assert "ended at" in said.text


def test_a_stale_page_changes_nothing(desk: Desk) -> None:
    made = desk.reserve("rack1", "alice")
    said = desk.press("alice", f"release:{made.id}.{(made.fencing_token or 0) + 1}")
    assert (said.kind, said.status) == ("error", 409)
    assert len(desk.book.reservations()) == 1


def test_nobody_changes_what_is_somebody_elses(desk: Desk) -> None:
    made = desk.reserve("rack1", "bob")
    said = desk.press("alice", f"release:{made.id}.{made.fencing_token}")
    assert (said.kind, said.status) == ("error", 409)
    assert "alice cannot change it" in said.text


def test_kick_needs_a_reason(desk: Desk) -> None:
    made = desk.reserve("rack1", "bob")
    assert desk.press("boss", f"kick:{made.id}", reason=" ").status == 400
    assert desk.press("boss", f"kick:{made.id}", reason="power outage").title == "rack1 was taken from bob"
    assert desk.book.get(made.id).ended_note == "power outage"


@pytest.mark.parametrize(
    ("do", "fields"),
    [
        ("", {}),
        ("reserve", {}),
        ("reserve:", {}),
        ("unknown:rack1", {}),
        ("reserve:rack1", {"for": "soon"}),
        ("reserve:rack1", {"for": "-1h"}),
        ("reserve:rack1", {"for": "2y"}),
        ("reserve:rack1", {"for": "forever"}),
        ("reserve:rack1", {"starts": "yesterday"}),
        ("reserve:rack1", {"starts_us": "9" * 20}),
        ("reserve:rack1", {"starts_us": "-1"}),
        ("reserve:rack1", {"ends": "2026-11-30T09:00"}),
        ("reserve:" + "x" * 300, {}),
        ("reserve:a\nb", {}),
        ("release:abc", {}),
        ("release:abc.1", {}),
        ("extend:.", {}),
        ("kick:../../x", {"reason": "x"}),
        ("join:*", {}),
        ("reserve:rack1", {"purpose": "x" * 3000}),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(desk: Desk, do: str, fields: dict[str, str]) -> None:
    said = desk.press("alice", do, **fields)
    assert said.kind == "error"
    assert said.status in (400, 404)
    assert desk.book.log() == []


def test_those_not_signed_in_change_nothing(desk: Desk) -> None:
    assert desk.press(None, "reserve:rack1").kind == "error"
    assert desk.book.log() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\\b",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "now",
    ],
)
def test_pages_never_send_people_elsewhere(text: str) -> None:
    assert local_path(text) == "/now"


def test_local_pages_are_gone_back_to() -> None:
    assert local_path("/timeline?span=week&day=2026-11-30") == "/timeline?span=week&day=2026-11-30"


def test_being_told_when_it_is_free(desk: Desk) -> None:
    desk.reserve("rack1", "bob")
    assert desk.press("alice", "notify:rack1").title == "You will be told when rack1 is free."
    outbox.collect(desk.book)
    assert store.notices(desk.book, "alice") == []
    desk.book.release_mine(Holder("bob"))
    outbox.collect(desk.book)
    assert [one.text for one in store.notices(desk.book, "alice")] == ["rack1 is free."]


def test_calendar_links_are_made_and_revoked(desk: Desk) -> None:
    said = desk.press("alice", "calendar:resource:rack1", hide="yes")
    assert said.title == "Calendar: resource rack1, without names."
    (link,) = calendar_links.links(desk.book, "alice")
    token = said.lines[0].rpartition("/")[2].removesuffix(".ics")
    assert calendar_links.find(desk.book, token) == link
    assert desk.press("bob", f"calendar-revoke:{link.id}").status == 404
    assert desk.press("alice", f"calendar-revoke:{link.id}").kind == "done"
    assert desk.press("alice", "calendar:everything").status == 400


def test_being_told_elsewhere(desk: Desk) -> None:
    assert desk.press("alice", "tell:mail", target="alice@example.com").kind == "done"
    said = desk.press("alice", "tell:webhook", target="https://hooks.example.com/x?key=secret")
    assert said.title == "You will be told by webhook to https://hooks.example.com/x."
    assert said.lines[0].startswith("whsec_")
    for one in store.subscriptions(desk.book, "alice"):
        assert desk.press("bob", f"untell:{one.id}").status == 404
        assert desk.press("alice", f"untell:{one.id}").kind == "done"
    assert desk.press("alice", "tell:mail", target="no address").status == 400
    assert desk.press("alice", "tell:chat", target="slack://a/b/c").status == 400


def test_resources_are_administered(desk: Desk) -> None:
    said = desk.press("boss", "resource-set:new", name="rack9", capacity="3", description="new")
    assert said.title == "rack9 is declared."
    (found,) = desk.book.resource_list()
    assert (found.name, found.capacity, found.description) == ("rack9", 3, "new")
    assert desk.press("boss", "resource-set:new", name="rack9", capacity="many").status == 400
    desk.reserve("rack9", "bob")
    assert desk.press("boss", "resource-remove:rack9").status == 409
    desk.book.release_mine(Holder("bob"))
    assert desk.press("boss", "resource-remove:rack9").title == "rack9 is removed."


def test_rights_are_granted_and_revoked(desk: Desk) -> None:
    said = desk.press("boss", "rights-grant:new", principal="group:lab", role="booker", selector="rack*")
    assert said.title == "Granted: group:lab is booker of rack*."
    assert desk.press("boss", "rights-grant:new", principal="x", role="king").status == 400
    rule = next(one for one in desk.book.rights_list().rules if one.principal == "group:lab")
    assert desk.press("alice", f"rights-revoke:{rule.id}").status == 403
    assert desk.press("boss", f"rights-revoke:{rule.id}").kind == "done"


def test_tokens_are_revoked(desk: Desk) -> None:
    made = desk.book.token_create(Holder("boss"), "ci:nightly", hashed(new_token()))
    assert desk.press("boss", f"token-revoke:{made.id}").title == f"Token {made.id} of ci:nightly is revoked."
    assert desk.press("boss", f"token-revoke:{made.id}").status == 409
    assert desk.press("boss", "token-revoke:unknown").status == 404


def test_maintenance_explains_a_refusal(desk: Desk) -> None:
    desk.book.resource_set("rack1", Holder("boss"))
    end_us = desk.clock.now_us + 2 * HOUR_US
    desk.book.maintenance_add(["rack1"], Holder("boss"), ends_us=end_us, reason="new PSU")
    said = desk.press("alice", "reserve:rack1", **{"for": "1h"})
    assert said.status == 409
    assert "until 14:00 (new PSU)" in said.lines[0]
    assert said.lines[1] == "free for 1h from 14:00"


def test_a_booking_is_moved_and_a_refusal_offers_the_next_time(desk: Desk) -> None:
    mine = desk.reserve("rack1", hours=2, start_hours=4)
    key = f"{mine.id}.{mine.fencing_token}"
    said = desk.press("alice", f"move:{key}", starts="2026-11-30T18:00", ends="2026-11-30T19:00")
    assert (said.kind, said.title, said.text) == ("done", "rack1 moved:", "from 18:00 until 19:00")
    assert "is stale" in desk.press("alice", f"move:{key}", starts="2026-11-30T21:00").text
    desk.reserve("rack1", "bob", hours=2, start_hours=10)
    (mine,) = desk.book.reservations(holder="alice")
    key = f"{mine.id}.{mine.fencing_token}"
    refused = desk.press("alice", f"move:{key}", starts="2026-11-30T22:30", ends="2026-11-30T23:30")
    assert (refused.kind, refused.status) == ("refused", 409)
    (offer,) = refused.offers
    moved = desk.press("alice", offer.action, **dict(refused.fields))
    assert (moved.kind, moved.text) == ("done", "from Tue 1 Dec 00:00 until Tue 1 Dec 01:00")


def test_a_booking_is_moved_to_another_resource(desk: Desk) -> None:
    mine = desk.reserve("rack1", hours=2, start_hours=4)
    window = {"starts_us": str(mine.starts_us), "ends_us": str(mine.ends_us), "from": "rack1"}
    said = desk.press("alice", f"move:{mine.id}.{mine.fencing_token}", to="rack2", **window)
    assert (said.kind, said.title, said.text) == ("done", "rack2 moved:", "from 16:00 until 18:00")
    (mine,) = desk.book.reservations(holder="alice")
    assert "from rack1 to rack2" in pages.log_page(desk.book, asked("alice"))
    desk.reserve("rack3", "bob", hours=2, start_hours=4)
    key = f"move:{mine.id}.{mine.fencing_token}"
    assert "does not have 'rack1'" in desk.press("alice", key, to="rack3", **window).text
    window["from"] = "rack2"
    refused = desk.press("alice", key, to="rack3", **window)
    assert (refused.status, refused.title) == (409, "rack3 is taken.")
    (offer,) = refused.offers
    moved = desk.press("alice", offer.action, **dict(refused.fields))
    assert (moved.title, moved.text) == ("rack3 moved:", "from 18:00 until 20:00")
    (mine,) = desk.book.reservations(holder="alice")
    key = f"move:{mine.id}.{mine.fencing_token}"
    window = {"starts_us": str(mine.starts_us + HOUR_US), "from": "rack3", "to": "rack3"}
    assert desk.press("alice", key, **window).text == "from 19:00 until 21:00"


def test_a_hold_is_checked_in(desk: Desk) -> None:
    made = desk.reserve("rack1", hours=2, start_hours=1, check_in_us=HOUR_US // 2)
    desk.later(1.1)
    assert "Check in rack1" in pages.now_page(desk.book, asked("alice"))
    assert "Check in rack1" not in pages.now_page(desk.book, asked("bob"))
    said = desk.press("alice", f"check-in:{made.id}.{made.fencing_token}")
    assert (said.kind, desk.book.get(made.id).check_in_us) == ("done", None)
    assert "Check in rack1" not in pages.now_page(desk.book, asked("alice"))


def test_a_reservation_is_handed_over_and_given_back_in_part(desk: Desk) -> None:
    made = desk.book.reserve(Request(("rack1", "rack:2"), Holder("alice"), duration_us=HOUR_US))
    key = f"{made.id}.{made.fencing_token}"
    assert f'value="part:{key}:rack:2"' in pages.reservation_page(desk.book, asked("alice"), made.id)
    assert desk.press("bob", f"part:{key}:rack:2").kind == "error"
    assert desk.press("alice", f"part:{key}:rack:2").title == "rack:2 given back;"
    assert desk.press("alice", f"transfer:{key}", to="bob").title == "rack1 is bob's now."
    assert desk.book.get(made.id).holder == "bob"
    assert desk.press("alice", f"transfer:{key}", to="").kind == "error"


def test_what_comes_again_is_booked_all_or_none_and_cancelled(desk: Desk) -> None:
    drawn = {"starts": "2026-12-01T10:00", "ends": "2026-12-01T11:30", "repeat": "week", "count": "3"}
    said = desk.press("alice", "reserve:rack1", **drawn)
    assert (said.kind, said.title) == ("done", "rack1 is yours 3 times:"), said
    made = desk.book.reservations(holder="alice")
    assert [one.starts_us - START_US for one in made] == [(22 + week * 168) * HOUR_US for week in range(3)]
    assert {one.ends_us - one.starts_us for one in made} == {3 * HOUR_US // 2}
    refused = desk.press("bob", "reserve:rack1", **drawn | {"repeat": "day", "count": "2"})
    assert (refused.kind, refused.lines) == ("refused", ("Tue 1 Dec 10:00: alice is in the way",))
    assert desk.book.reservations(holder="bob") == []
    page = pages.reservation_page(desk.book, asked("alice"), made[0].id)
    action = page.partition('value="series-cancel:')[2].partition('"')[0]
    assert desk.press("alice", f"series-cancel:{action}").title.startswith("3 of series")
    assert desk.press("alice", "reserve:rack1", **drawn | {"count": "0"}).kind == "error"


def test_what_begins_now_comes_again_from_now_on(desk: Desk) -> None:
    said = desk.press("alice", "reserve:rack1", **{"for": "1h", "repeat": "day", "count": "2"})
    assert said.kind == "done", said
    assert [one.starts_us - START_US for one in desk.book.reservations()] == [0, 24 * HOUR_US]
