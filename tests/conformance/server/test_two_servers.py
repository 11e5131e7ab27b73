"""Two servers of one book, on each engine: nothing that one of them knows is kept from the other."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.server import serving


@pytest.fixture
def servers(book_url):
    with serving(book_url) as one, serving(book_url) as other:
        yield one, other


def reserve(client, name, headers=None, **more):
    return client.post("/reservations", json={"resources": [name], "duration": "1h", **more}, headers=headers or {})


def who(client, name):
    return client.get("/who", params={"resource": name}).json()["reservations"]


def next_event(lines):
    """Return the data of the next event of a stream."""
    return next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def test_what_one_grants_the_other_refuses_lists_and_gives_back(servers):
    with servers[0].client("alice") as alice, servers[1].client("bob") as bob:
        held = reserve(alice, "rack1").json()
        assert reserve(bob, "rack1").json()["holder"] == "alice"
        assert [one["id"] for one in bob.get("/reservations").json()["reservations"]] == [held["id"]]
    with servers[1].client("alice") as alice:
        ended = alice.delete(f"/reservations/{held['id']}", headers={"If-Match": f'"{held["number"]}"'})
        assert ended.json()["ended_why"] == "released"


def test_who_waits_at_one_is_granted_what_is_given_back_at_the_other(servers):
    with servers[0].client("alice") as alice, servers[1].client("bob") as bob, ThreadPoolExecutor(1) as pool:
        held = reserve(alice, "rack2").json()
        waiting = pool.submit(reserve, bob, "rack2", {"Prefer": "wait=50"}, queue=True)
        while not waiting.done() and len(who(alice, "rack2")) < 2:
            pass
        alice.delete(f"/reservations/{held['id']}")
        assert (waiting.result().status_code, waiting.result().json()["state"]) == (201, "active")


def test_events_of_one_are_sent_by_the_other_and_go_on_behind_the_last(servers):
    with servers[0].client("alice") as alice, servers[1].client("bob") as bob:
        with bob.stream("GET", "/events", params={"resource": "rack3"}) as stream:
            made = reserve(alice, "rack3").json()
            seen = next_event(stream.iter_lines())
        assert seen["reservation_id"] == made["id"]
        alice.delete(f"/reservations/{made['id']}")
        with alice.stream("GET", "/events", headers={"Last-Event-ID": str(seen["seq"])}) as stream:
            assert next_event(stream.iter_lines())["action"] == "released"


def test_a_change_with_a_name_is_made_once_by_both(servers):
    with servers[0].client("alice") as one, servers[1].client("alice") as other:
        named = {"Idempotency-Key": "k1"}
        assert reserve(one, "rack4", named).json()["id"] == reserve(other, "rack4", named).json()["id"]
