"""Reservations over HTTP: the same book, the same answers, the same refusals."""

from __future__ import annotations

import json
import os
import pwd

import httpx
import pytest

from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder

HOUR_US = 3_600_000_000


def reserve(client, *resources, **more):
    return client.post("/reservations", json={"resources": list(resources), "duration": "1h", **more})


def test_the_account_of_the_unix_socket_is_who_calls(server):
    with server.client() as client:
        me = client.get("/me").json()
    assert (me["holder"], me["method"]) == (pwd.getpwuid(os.geteuid()).pw_name, "peer")


@pytest.mark.parametrize("path", ["/reservations", "/me", "/no/such/path"])
def test_without_a_credential_nothing_below_the_api_is_answered(server, path):
    found = httpx.get(f"{server.url}/api/v1{path}")
    assert (found.status_code, found.json()["code"]) == (401, "not_signed_in")
    assert found.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_reservation_is_made_shown_listed_and_given_back(alice):
    made = reserve(alice, "a1", "a2", purpose="thermal run", tags={"run": "7"}, mode="shared")
    assert made.status_code == 201
    document = made.json()
    assert (document["holder"], document["resources"], document["state"]) == ("alice", ["a1", "a2"], "active")
    assert document["ends_us"] - document["starts_us"] == HOUR_US
    assert made.headers["Bespeak-Number"] == str(document["number"])
    shown = alice.get(made.headers["Location"].removeprefix("/api/v1"))
    assert {**shown.json(), "now_us": 0} == {**document, "now_us": 0}
    assert alice.get(f"/reservations/{document['short_id']}").json()["id"] == document["id"]
    listed = alice.get("/reservations", params={"resource": "a1", "mine": "true"}).json()
    assert [one["id"] for one in listed["reservations"]] == [document["id"]]
    ended = alice.delete(f"/reservations/{document['id']}", headers={"If-Match": f'"{document["number"]}"'})
    assert (ended.status_code, ended.json()["ended_why"]) == (200, "released")


def test_a_refusal_says_who_until_when_why_and_when_it_is_free(alice, bob):
    held = reserve(alice, "b1", purpose="long soak").json()
    refused = reserve(bob, "b1")
    assert (refused.status_code, refused.headers["Content-Type"]) == (409, "application/problem+json")
    problem = refused.json()
    assert (problem["code"], problem["exit_code"], problem["status"]) == ("refused", 7, 409)
    assert (problem["holder"], problem["until_us"], problem["purpose"]) == ("alice", held["ends_us"], "long soak")
    assert problem["next_free_us"] == held["ends_us"]
    assert problem["conflicts"][0]["reservation_id"] == held["id"]
    assert bob.post("/next-free", json={"resources": ["b1"], "duration": "1h"}).json() == {
        "next_free": held["ends"],
        "next_free_us": held["ends_us"],
    }
    in_the_way = bob.post("/in-the-way", json={"resources": ["b1"], "duration": "1h"}).json()["conflicts"]
    assert [one["holder"] for one in in_the_way] == ["alice"]
    later = reserve(bob, "b1", next_fit=True)
    assert (later.status_code, later.json()["starts_us"]) == (201, held["ends_us"])


def test_the_fencing_token_decides_who_may_change_a_reservation(alice):
    made = reserve(alice, "c1").json()
    path = f"/reservations/{made['id']}"
    stale, right = {"If-Match": f'"{made["number"] + 1}"'}, {"If-Match": f'"{made["number"]}"'}
    refused = alice.post(f"{path}/extend", json={"duration": "1h"}, headers=stale)
    assert (refused.status_code, refused.json()["code"]) == (412, "wrong_state")
    assert alice.get(path, headers=stale).status_code == 412
    longer = alice.post(f"{path}/extend", json={"duration": "1h"}, headers=right).json()
    assert longer["ends_us"] == made["ends_us"] + HOUR_US
    shorter = alice.post(f"{path}/shorten", json={"ends_us": made["ends_us"]}, headers=right).json()
    assert shorter["ends_us"] == made["ends_us"]
    assert alice.post(f"{path}/keep-alive", headers=right).status_code == 200
    assert alice.post(f"{path}/keep-alive").status_code == 428
    assert alice.get(path, headers={"If-Match": 'W/"1"'}).json()["code"] == "usage"


def test_nobody_changes_what_is_somebody_elses_and_a_kick_has_a_reason(alice, bob):
    path = f"/reservations/{reserve(alice, 'd1').json()['id']}"
    assert bob.delete(path).json()["code"] == "busy"
    assert bob.post(f"{path}/kick", json={"reason": ""}).status_code == 400
    kicked = bob.post(f"{path}/kick", json={"reason": "fire drill"}).json()
    assert (kicked["ended_why"], kicked["ended_note"]) == ("kicked", "fire drill")
    assert alice.delete(path).json()["code"] == "wrong_state"


def test_what_awaits_approval_is_answered(server, alice, bob):
    with server.client() as manager:
        assert manager.put("/resources/appr1", json={}).status_code == 201
    with open_ledger(server.book_url) as book:
        book.inventory_change(["appr1"], Holder("root"), {"approval": ["bob"]})
    asked = reserve(alice, "appr1")
    assert (asked.status_code, asked.json()["state"], asked.json()["number"]) == (202, "awaiting", None)
    path = f"/reservations/{asked.json()['id']}"
    assert alice.post(f"{path}/approve").json()["code"] == "not_allowed"
    given = bob.post(f"{path}/approve").json()
    assert (given["state"], given["approval"]) == ("active", "given")
    assert alice.post(f"{path}/touch").json()["state"] == "active"
    assert alice.delete(path).status_code == 200
    path = f"/reservations/{reserve(alice, 'appr1').json()['id']}"
    refused = bob.post(f"{path}/refuse", json={"reason": "audit"}).json()
    assert (refused["ended_why"], refused["ended_note"]) == ("refused", "audit")


def test_resources_or_everything_of_ones_own_is_given_back_at_once(alice):
    for name in ("e1", "e2", "e3"):
        reserve(alice, name)
    first = alice.post("/release", json={"resources": ["e1"]}).json()["reservations"]
    assert [one["resources"] for one in first] == [["e1"]]
    every = alice.post("/release", json={"mine": True}).json()["reservations"]
    assert {"e2", "e3"} <= {name for one in every for name in one["resources"]}
    assert alice.get("/reservations", params={"mine": "true"}).json()["reservations"] == []


def test_a_list_is_read_in_pages(alice):
    made = [reserve(alice, f"f{number}").json()["id"] for number in range(5)]
    found, cursor = [], None
    while True:
        query = {"mine": "true", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = alice.get("/reservations", params=query).json()
        found += [one["id"] for one in page["reservations"]]
        cursor = page["cursor"]
        if not page["more"]:
            break
    assert found == made
    assert alice.get("/reservations", params={"cursor": "%%%"}).json()["code"] == "usage"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"resources": []},
        {"resources": "rack3"},
        {"resources": ["x"], "unknown": 1},
        {"resources": ["x"], "starts": "2030-05-01T14:00"},
        {"resources": ["x"], "starts": "tomorrow"},
        {"resources": ["x"], "duration": "2 parsecs"},
        {"resources": ["x"], "duration_us": -1},
        {"resources": ["x"], "duration": "1h", "duration_us": 1},
        {"resources": ["x"], "mode": "half"},
        {"resources": ["x"], "tags": {"a": 1}},
        {"resources": ["\ud800"]},
        {"resources": ["x" * 300]},
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(alice, body):
    before = alice.get("/log", params={"newest_first": "true", "limit": 1}).json()
    refused = alice.post("/reservations", content=json.dumps(body))
    assert (refused.status_code, refused.json()["code"]) == (400, "usage")
    assert alice.get("/log", params={"newest_first": "true", "limit": 1}).json() == before


def test_acting_for_somebody_else_is_recorded(server):
    with server.client("alice", **{"Bespeak-As-User": "j%C3%BCrgen"}) as client:
        made = reserve(client, "g1").json()
    assert (made["holder"], made["acting"]) == ("jürgen", "alice")


def test_who_free_log_and_time_answer(alice):
    held = reserve(alice, "h1").json()
    assert [one["id"] for one in alice.get("/who", params={"resource": "h1"}).json()["reservations"]] == [held["id"]]
    assert alice.get("/free", params={"resource": "h1"}).json()["resources"][0]["from_us"] == held["ends_us"]
    entries = alice.get("/log", params={"id": held["id"]}).json()["entries"]
    assert [one["action"] for one in entries] == ["reserved"]
    assert alice.get("/time").json()["now_us"] >= held["created_us"]
    assert alice.get("/book").json()["engine"] == "sqlite"


def test_resources_are_declared_shown_and_removed(alice):
    declared = alice.put("/resources/lab/rack%204", json={"capacity": 2, "description": "two seats"})
    assert (declared.status_code, declared.json()["name"]) == (201, "lab/rack 4")
    changed = alice.put("/resources/lab/rack%204", json={"capacity": 3})
    assert (changed.status_code, changed.json()["description"]) == (200, "two seats")
    shown = alice.get("/resources/lab/rack%204")
    assert shown.json()["capacity"] == 3
    assert alice.get("/resources/lab/rack%204", headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304
    assert "lab/rack 4" in [one["name"] for one in alice.get("/resources").json()["resources"]]
    assert alice.delete("/resources/lab/rack%204").status_code == 204
    assert alice.get("/resources/lab/rack%204").json()["code"] == "not_found"


def test_pages_of_resources_have_each_one_once_in_natural_order(alice):
    for name in ("page2", "page10", "page1"):
        alice.put(f"/resources/{name}", json={"description": "of pages"})
    found, cursor = [], None
    while True:
        page = alice.get("/resources", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        found += [one["name"] for one in page["resources"]]
        if not page["more"]:
            break
        cursor = page["cursor"]
    assert [name for name in found if name.startswith("page")] == ["page1", "page2", "page10"]
    assert len(found) == len(set(found))


def test_resources_by_label(alice):
    alice.put("/resources/label1", json={"description": "of labels"})
    found = alice.get("/resources", params={"label": "name=label1 or name=label2"}).json()["resources"]
    assert [one["name"] for one in found] == ["label1"]
    wrong = alice.get("/resources", params={"label": "ram>"})
    assert wrong.json()["code"] == "usage"
    assert "label 'ram>'" in wrong.json()["detail"]


def test_a_request_by_need(alice, bob):
    for name in ("need1", "need2", "other"):
        alice.put(f"/resources/{name}", json={"description": "of needs"})
    body = {"needs": [{"count": 2, "label": "name=need1 or name=need2"}], "duration": "1h", "same": ["location"]}
    assert alice.post("/reservations", json=body).json()["code"] == "not_found"  # none of them has a location
    del body["same"]
    made = alice.post("/reservations", json=body).json()
    assert made["resources"] == ["need1", "need2"]
    refused = bob.post("/reservations", json={**body, "resources": ["other"]})
    assert (refused.status_code, refused.json()["next_free_us"]) == (409, made["ends_us"])
    assert bob.post("/next-free", json=body).json()["next_free_us"] == made["ends_us"]
    assert {one["resource"] for one in bob.post("/in-the-way", json=body).json()["conflicts"]} <= {"need1", "need2"}
    wrong = bob.post("/reservations", json={"duration": "1h"})
    assert (wrong.json()["code"], "name at least one" in wrong.json()["detail"]) == ("usage", True)
    assert bob.post("/reservations", json={"needs": [{"count": 0}], "duration": "1h"}).json()["code"] == "usage"
