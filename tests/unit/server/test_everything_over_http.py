"""Everything the book's commands do has a path: changes, series, rights, inventory, files, notices, calendars."""

from __future__ import annotations

import httpx
import pytest

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import NotAllowedError
from bespeak.base.http_url import parse_http_url
from bespeak.base.ids import new_id
from bespeak.client.requests import Requests
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.remote import RemoteLedger
from bespeak.server.sign_in.authenticator import SignIn
from bespeak.server.sign_in.settings import SignInSettings
from support.server import SECONDS, Bearer, serving

MAY = "2091-05-01T{}:00:00+00:00"


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    """A server with rules and real tokens, and a client of its administrator."""
    path = str(tmp_path_factory.mktemp("ruled") / "book.db")
    with (
        serving(path, authenticator=SignIn(SignInSettings())) as running,
        running.client() as admin,
        open_ledger(path) as book,
    ):
        me = admin.get("/me").json()["holder"]
        book.rights_grant(me, "admin", Holder(me))
        yield running, admin


def booked(client, *names, hour="08", **more):
    made = client.post("/reservations", json={"resources": names, "starts": MAY.format(hour), "duration": "1h", **more})
    assert made.status_code == 201, made.text
    return made.json()


def test_a_reservation_is_moved_transferred_swapped_and_given_back_in_part(alice, bob):
    mine = booked(alice, "ch1", "ch2")
    moved = alice.post(f"/reservations/{mine['id']}/move", json={"starts": MAY.format("10"), "duration": "2h"}).json()
    assert (moved["starts"], moved["number"] > mine["number"]) == (MAY.format("10"), True)
    stale = alice.post(
        f"/reservations/{mine['id']}/move",
        json={"starts": MAY.format("12")},
        headers={"If-Match": f'"{mine["number"]}"'},
    )
    assert stale.status_code == 412
    elsewhere = alice.post(f"/reservations/{mine['id']}/move", json={"resources": ["ch9", "ch2"]}).json()
    assert (elsewhere["resources"], elsewhere["starts"]) == (["ch2", "ch9"], moved["starts"])
    assert alice.post(f"/reservations/{mine['id']}/move", json={"reason": "r"}).status_code == 400
    moved = alice.post(f"/reservations/{mine['id']}/move", json={"resources": ["ch1", "ch2"]}).json()
    part = alice.post(f"/reservations/{mine['id']}/release-part", json={"resources": ["ch2"]}).json()
    assert (part["resources"], part["number"]) == (["ch1"], moved["number"])
    other = booked(bob, "ch3")
    both = alice.post(f"/reservations/{mine['id']}/swap", json={"other": other["id"], "reason": "agreed"}).json()
    assert {tuple(one["resources"]): one["holder"] for one in both["reservations"]} == {
        ("ch1",): "bob",
        ("ch3",): "alice",
    }
    given = alice.post(f"/reservations/{other['id']}/transfer", json={"to": "carol"}).json()
    assert given["holder"] == "carol"
    assert alice.post(f"/reservations/{other['id']}/transfer", json={"to": "dave"}).json()["code"] == "busy"


def test_a_hold_is_checked_in(alice):
    made = alice.post("/reservations", json={"resources": ["ci1"], "duration": "1h", "keepalive_us": 60_000_000}).json()
    assert alice.post(f"/reservations/{made['id']}/touch").json()["seen_us"] >= made["seen_us"]


def test_many_are_booked_at_once_or_none(alice, bob):
    booked(bob, "many1")
    wanted = [{"resources": [f"many{n}"], "starts": MAY.format("08"), "duration": "1h"} for n in (1, 2)]
    refused = alice.post("/reservations-many", json={"requests": wanted})
    assert (refused.status_code, refused.json()["code"]) == (409, "busy")
    assert refused.json()["details"]["conflicts"][0]["conflicts"][0]["holder"] == "bob"
    done = alice.post("/reservations-many", json={"requests": wanted, "skip_conflicts": True}).json()
    assert [one["resources"] for one in done["reservations"]] == [["many2"]]


def test_a_series_is_made_shown_changed_and_cancelled(alice):
    asked = {"resources": ["se1"], "starts": MAY.format("00"), "duration": "1h", "every": "daily 22:00", "count": 3}
    first = alice.post("/series", json=asked, headers={"Idempotency-Key": "nightly"})
    assert first.status_code == 201, first.text
    made = first.json()
    assert (made["rule"], len(made["reservations"])) == ("daily 22:00 UTC", 3)
    again = alice.post("/series", json=asked, headers={"Idempotency-Key": "nightly"}).json()
    assert again["id"] == made["id"]
    path = f"/series/{made['short_id']}"
    moved = alice.post(f"{path}/edit", json={"only": "2091-05-02", "time": "21:00", "duration": "2h"}).json()
    assert [one["starts"] for one in moved["reservations"]] == ["2091-05-02T21:00:00+00:00"]
    ended = alice.post(f"{path}/cancel", json={"from": "2091-05-03"}).json()
    assert [one["ended_why"] for one in ended["reservations"]] == ["cancelled"]
    assert len(alice.get(path).json()["reservations"]) == 3
    (left,) = [one for one in alice.get("/series").json()["series"] if one["id"] == made["id"]]
    assert len(left["reservations"]) == 2
    assert alice.post("/series", json={**asked, "every": "now and then"}).json()["code"] == "usage"


def test_a_token_is_made_used_listed_and_revoked(ruled):
    running, admin = ruled
    made = admin.post(
        "/tokens",
        json={"user": "alice", "scopes": ["read"], "duration": "1h"},
        headers={"Idempotency-Key": "for-alice"},
    ).json()
    again = admin.post(
        "/tokens",
        json={"user": "alice", "scopes": ["read"], "duration": "1h"},
        headers={"Idempotency-Key": "for-alice"},
    ).json()
    assert (again["id"], again["token"]) == (made["id"], None)
    named = {"Authorization": f"Bearer {made['token']}"}
    with httpx.Client(base_url=f"{running.url}/api/v1", headers=named, timeout=SECONDS) as alice:
        assert alice.get("/me").json()["scopes"] == ["read"]
        assert [one["id"] for one in alice.get("/tokens").json()["tokens"]] == [made["id"]]
        assert alice.post("/tokens", json={"user": "mallory"}).json()["code"] == "not_allowed"
        gone = admin.delete(f"/tokens/{made['id']}").json()
        assert gone["revoked_us"] is not None
        assert alice.get("/me").status_code == 401
    assert made["token"] not in admin.get("/tokens").text


def test_rights_are_granted_explained_and_revoked(ruled):
    _, admin = ruled
    asked = {"principal": "erin", "role": "booker", "on": "rack*"}
    made = admin.post("/rights/rules", json=asked)
    assert (made.status_code, admin.post("/rights/rules", json=asked).status_code) == (201, 200)
    question = {"user": "erin", "action": "reserve", "resource": "rack1"}
    answer = admin.get("/rights/check", params=question).json()
    assert (answer["allowed"], answer["rule"]) == (True, made.json()["id"])
    group = admin.post("/rights/groups/bringup", json={"add": ["erin", "frank"]}).json()
    assert group["members"] == ["erin", "frank"]
    mapped = admin.post(
        "/rights/workloads",
        json={
            "issuer": "https://gitlab.com",
            "claims": {"project_path": "org/x"},
            "holder": "ci:org-x",
            "role": "booker",
        },
    ).json()
    every = admin.get("/rights").json()
    assert {mapped["id"]} == {one["id"] for one in every["workloads"]}
    assert every["groups"]["bringup"] == ["erin", "frank"]
    for identifier in (mapped["id"], made.json()["id"]):
        assert admin.delete(f"/rights/{identifier}").json()["revoked"] == identifier
    assert admin.get("/rights/check", params=question).json()["allowed"] is False


def test_the_book_decides_what_it_is_told(ruled):
    _, admin = ruled
    assert admin.put("/policy/default_for", json={"value": "2h"}).json() == {"policy": {"default_for": "2h"}}
    assert admin.get("/policy").json()["policy"]["default_for"] == "2h"
    assert admin.delete("/policy/default_for").json() == {"policy": {"default_for": None}}
    assert admin.put("/policy/nothing", json={"value": 1}).json()["code"] == "usage"


def test_the_inventory_is_declared_changed_and_synced(alice):
    made = alice.post("/inventory", json={"resources": ["in1", "in2"], "about": {"labels": {"arch": "arm64"}}})
    assert (made.status_code, made.json()["resources"][0]["labels"]) == (201, {"arch": "arm64"})
    changed = alice.patch("/inventory", json={"resources": ["in1"], "about": {"owner": "hw"}, "without": ["arch"]})
    assert (changed.json()["resources"][0]["owner"], changed.json()["resources"][0]["labels"]) == ("hw", {})
    found = alice.get("/inventory", params={"label": "arch=arm64"}).json()["resources"]
    assert [one["name"] for one in found] == ["in2"]
    look = alice.put("/inventory", json={"resources": {"in1": {"seats": 2}}, "keep": True, "dry_run": True}).json()
    assert ([one["name"] for one in look["changed"]], look["applied"]) == (["in1"], False)
    stale = {"resources": {"in1": {"seats": 2}}, "keep": True, "revision": look["revision"] + 7}
    assert alice.put("/inventory", json=stale).json()["code"] == "wrong_state"


def test_maintenance_is_planned_around_bookings_and_health_is_marked(alice, bob):
    mine = booked(bob, "ma1")
    asked = {"resources": ["ma1"], "starts": MAY.format("08"), "duration": "4h", "reason": "firmware"}
    refused = alice.post("/maintenance", json=asked)
    assert (refused.status_code, refused.json()["details"]["reservations"]) == (409, [mine["id"]])
    planned = alice.post("/maintenance", json={**asked, "hit": "move"}).json()
    assert planned["hits"][0]["after"]["starts"] == MAY.format("12")
    assert [one["reason"] for one in alice.get("/maintenance", params={"resource": "ma1"}).json()["maintenance"]] == [
        "firmware"
    ]
    assert len(alice.delete("/maintenance", params={"resource": "ma1"}).json()["maintenance"]) == 1
    sick = alice.post("/health", json={"resources": ["ma1"], "health": "sick", "reason": "no boot"}).json()
    assert (sick["resources"][0]["health"], sick["reservations"][0]["holder"]) == ("sick", "bob")
    alice.post("/health", json={"resources": ["ma1"], "health": "ok"})


def test_reservations_go_out_as_a_file_and_come_back(alice, bob):
    mine = booked(alice, "ex1", purpose="out and back")
    text = alice.get("/export", params={"format": "csv"}).text
    assert "out and back" in text
    alice.delete(f"/reservations/{mine['id']}")
    wanted = "\n".join([text.splitlines()[0], *(line for line in text.splitlines() if "out and back" in line)])
    back = alice.post("/import", json={"format": "csv", "text": wanted})
    assert (back.status_code, back.json()["reservations"][0]["purpose"]) == (201, "out and back")
    in_the_way = bob.post("/import", json={"format": "csv", "text": wanted})
    assert (in_the_way.status_code, in_the_way.json()["code"]) == (409, "busy")


def test_use_is_reported(alice):
    alice.post("/reservations", json={"resources": ["re1"], "duration": "1h"})
    lines = {one["name"]: one for one in alice.get("/report").json()["lines"]}
    assert lines["re1"]["holds"] == 1
    assert alice.get("/report", params={"label": "name=nothing"}).json()["lines"] == []


def test_the_gate_is_asked(alice, bob):
    alice.post("/reservations", json={"resources": ["ga1"], "duration": "1h"})
    assert alice.post("/gate", json={"resources": ["ga1"]}).json()["allowed"] is True
    refused = bob.post("/gate", json={"resources": ["ga1", "ga2"]}).json()
    assert (refused["allowed"], refused["missing"]) == (False, ["ga1", "ga2"])
    assert refused["others"]["ga1"][0]["holder"] == "alice"


def test_notices_and_calendars_are_ones_own(alice, bob):
    made = alice.post("/notice-targets", json={"channel": "webhook", "target": "https://hooks.example.com/x"}).json()
    assert made["secret"].startswith("whsec_")
    assert [one["id"] for one in alice.get("/notice-targets").json()["targets"]] == [made["id"]]
    assert bob.get("/notice-targets").json()["targets"] == []
    assert alice.post(f"/notice-targets/{made['id']}/replay", json={}).json() == {"notices": 0}
    assert alice.get("/notices").json()["notices"] == []
    assert bob.delete(f"/notice-targets/{made['id']}").json()["code"] == "not_found"
    assert alice.delete(f"/notice-targets/{made['id']}").status_code == 200
    link = alice.post("/calendars", json={"shows": "resource", "target": "ga1"}).json()
    assert link["path"].startswith("/calendar/")
    assert link["path"] not in alice.get("/calendars").text
    assert bob.delete(f"/calendars/{link['id']}").json()["code"] == "not_found"
    assert alice.delete(f"/calendars/{link['id']}").json()["id"] == link["id"]
    assert alice.post("/calendars", json={"shows": "user", "target": "ga1"}).json()["code"] == "usage"


def test_who_waits_needs_the_right_at_each_look(ruled):
    running, admin = ruled
    admin.post("/reservations", json={"resources": ["wait1"], "duration": "1h"})
    rule = admin.post("/rights/rules", json={"principal": "gina", "role": "booker", "on": "wait*"}).json()
    secret = admin.post("/tokens", json={"user": "gina"}).json()["token"]
    gina, identifier = RemoteLedger(Requests(parse_http_url(running.url), Bearer(secret))), new_id()
    try:
        gina.queue_join(Request(("wait1",), Holder("gina"), duration_us=HOUR_US), identifier, 0)
        assert gina.queue_look(identifier).reservation.waiting
        admin.delete(f"/rights/{rule['id']}")
        with pytest.raises(NotAllowedError):
            gina.queue_look(identifier)
    finally:
        gina.close()
