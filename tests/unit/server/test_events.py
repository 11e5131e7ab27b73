"""Events over HTTP: each change once, in order, and none lost over a reconnection."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from bespeak.server.events import EventHub


def reserve(client, name):
    return client.post("/reservations", json={"resources": [name], "duration": "1h"}).json()


@contextmanager
def stream(client, **query):
    headers = query.pop("headers", {})
    with client.stream("GET", "/events", params=query, headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        yield events(lines)


def events(lines):
    """Yield the number and the data of each event."""
    event = {}
    for line in lines:
        if line:
            key, _, value = line.partition(": ")
            event[key] = value
        elif "id" in event:
            assert event["event"] == "change"
            yield int(event["id"]), json.loads(event["data"])
            event = {}


def test_a_change_is_sent_when_it_is_made_with_its_number_in_the_log(alice, bob):
    with stream(bob, resource="a1") as found:
        reserve(alice, "other")
        made = reserve(alice, "a1")
        number, entry = next(found)
    assert (entry["action"], entry["reservation_id"], entry["seq"]) == ("reserved", made["id"], number)
    assert bob.get("/log", params={"id": made["id"]}).json()["entries"] == [entry]


def test_who_comes_back_with_the_last_id_gets_everything_behind_it(alice, bob):
    with stream(bob, resource="b1") as found:
        made = [reserve(alice, "b1")]
        last, _ = next(found)
    for _ in range(3):
        alice.delete(f"/reservations/{made[-1]['id']}")
        made.append(reserve(alice, "b1"))
    with stream(bob, resource="b1", headers={"Last-Event-ID": str(last)}) as found:
        seen = [next(found)[1] for _ in range(6)]
    assert [one["action"] for one in seen] == ["released", "reserved"] * 3
    assert [one["reservation_id"] for one in seen[1::2]] == [one["id"] for one in made[1:]]


def test_what_is_no_longer_in_memory_is_read_from_the_book(server, alice, monkeypatch):
    made = [reserve(alice, f"c{number}") for number in range(4)]
    first = alice.get("/log", params={"id": made[0]["id"]}).json()["entries"][0]["seq"]
    monkeypatch.setattr(EventHub, "since", lambda hub, after: () if after >= hub.last else None)
    with stream(alice, after=first) as found:
        assert [next(found)[1]["reservation_id"] for _ in range(3)] == [one["id"] for one in made[1:]]


def test_one_reservation_can_be_followed(alice):
    made = reserve(alice, "d1")
    with stream(alice, id=made["short_id"]) as found:
        reserve(alice, "d2")
        alice.delete(f"/reservations/{made['id']}")
        assert next(found)[1]["action"] == "released"


@pytest.mark.parametrize("number", ["x", "-1", "1" * 30])
def test_a_number_that_is_none_is_refused(alice, number):
    refused = alice.get("/events", headers={"Last-Event-ID": number})
    assert (refused.status_code, refused.json()["code"]) == (400, "usage")
