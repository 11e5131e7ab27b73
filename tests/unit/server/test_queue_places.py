"""The line over HTTP: joined, waited in, granted, left; and no waiter costs a thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bespeak.server.book import READING_THREADS

WAIT = {"Prefer": "wait=30"}


def reserve(client, name, headers=None, **more):
    body = {"resources": [name], "duration": "1h", **more}
    return client.post("/reservations", json=body, headers=headers or {})


def test_what_is_free_is_granted_at_once(alice):
    made = reserve(alice, "free", queue=True)
    assert (made.status_code, made.json()["state"]) == (201, "active")


def test_who_waits_is_told_the_position_and_goes_on_waiting_by_the_id(alice, bob):
    held = reserve(alice, "two", purpose="soak").json()
    waiting = reserve(bob, "two", queue=True, headers={"Prefer": "wait=0"})
    assert (waiting.status_code, waiting.headers["Preference-Applied"]) == (202, "wait=0")
    document = waiting.json()
    assert (document["state"], document["number"], document["position"]["position"]) == ("waiting", None, 1)
    assert document["position"]["promised_us"] == held["ends_us"]
    assert [one["purpose"] for one in document["position"]["held"]] == ["soak"]
    path = waiting.headers["Location"].removeprefix("/api/v1")
    assert bob.get(path, headers={"Prefer": "wait=0"}).status_code == 202
    assert bob.get(path).status_code == 200
    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(bob.get, path, headers=WAIT)
        alice.delete(f"/reservations/{held['id']}")
        granted = going_on.result()
    assert (granted.status_code, granted.json()["state"]) == (200, "active")
    assert granted.headers["Bespeak-Number"] == str(granted.json()["number"])


def test_somebody_else_looks_and_does_not_keep_the_place(alice, bob):
    reserve(alice, "three")
    path = reserve(bob, "three", queue=True).headers["Location"].removeprefix("/api/v1")
    seen = alice.get(path, headers=WAIT)
    assert (seen.status_code, seen.json()["state"]) == (200, "waiting")


def test_a_place_that_is_given_up_is_gone(alice, bob):
    reserve(alice, "four")
    path = reserve(bob, "four", queue=True).headers["Location"].removeprefix("/api/v1")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bob.get, path, headers=WAIT)
        assert alice.get(path).json()["state"] == "waiting"
        assert bob.delete(path).json()["ended_why"] == "cancelled"
        assert waiting.result().json()["state" if waiting.result().status_code == 200 else "code"] in (
            "ended",
            "wrong_state",
        )


@pytest.mark.parametrize("body", [{"next_fit": True}, {"duration": None, "ends": "2030-01-01T00:00+00:00"}])
def test_who_waits_asks_for_a_duration_and_takes_the_first_turn(alice, body):
    refused = reserve(alice, "five", queue=True, **body)
    assert (refused.status_code, refused.json()["code"]) == (400, "usage")


def test_many_wait_and_all_get_their_turn_in_order_without_a_thread_each(server, alice):
    held = reserve(alice, "six").json()

    def take_turn(number):
        with server.client(f"user{number}") as client:
            made = reserve(client, "six", queue=True, headers=WAIT).json()
            client.delete(f"/reservations/{made['id']}")
            return made

    count = 20
    with ThreadPoolExecutor(count) as pool:
        turns = [pool.submit(take_turn, number) for number in range(count)]
        path = {"resource": "six"}
        while (
            not any(turn.done() for turn in turns)
            and len(alice.get("/who", params=path).json()["reservations"]) <= count
        ):
            pass
        ours = [thread.name for thread in threading.enumerate() if thread.name.startswith("bespeak")]
        assert len(ours) <= READING_THREADS + 8, ours
        alice.delete(f"/reservations/{held['id']}")
        made = [turn.result() for turn in turns]
    assert {one["state"] for one in made} == {"active"}
    ordered = sorted(made, key=lambda one: one["number"])
    assert [one["created_us"] for one in ordered] == sorted(one["created_us"] for one in made)


def test_who_waits_by_need_is_granted_whichever_comes_first(alice, bob):
    for name in ("either1", "either2"):
        alice.put(f"/resources/{name}", json={"description": "of either"})
    first = reserve(alice, "either1", duration="1h").json()
    second = reserve(alice, "either2", duration="2h").json()
    body = {"needs": [{"label": "name=either1 or name=either2"}], "duration": "1h", "queue": True}
    waiting = bob.post("/reservations", json=body)
    assert (waiting.status_code, waiting.json()["resources"]) == (202, ["either1"])
    path = waiting.headers["Location"].removeprefix("/api/v1")
    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(bob.get, path, headers=WAIT)
        alice.delete(f"/reservations/{second['id']}")
        granted = going_on.result()
    assert (granted.status_code, granted.json()["resources"]) == (200, ["either2"])
    assert alice.get(f"/reservations/{first['id']}").json()["state"] == "active"
