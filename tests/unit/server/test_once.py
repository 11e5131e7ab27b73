"""A change that has a name is made once, however often it is asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.server import serving


def reserve(client, name, key, **more):
    body = {"resources": [name], "duration": "1h", **more}
    return client.post("/reservations", json=body, headers={"Idempotency-Key": key})


def same(one, other):
    return {**one.json(), "now_us": 0} == {**other.json(), "now_us": 0}


def test_the_same_request_has_the_same_answer_also_after_a_restart(tmp_path):
    book = str(tmp_path / "book.db")
    with serving(book) as server, server.client("alice") as alice:
        first = reserve(alice, "rack1", "k1")
        again = reserve(alice, "rack1", "k1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert same(first, again)
        assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    with serving(book) as server, server.client("alice") as alice:
        assert same(reserve(alice, "rack1", "k1"), first)
        assert len(alice.get("/reservations").json()["reservations"]) == 1


def test_another_request_under_the_same_name_is_refused(server):
    with server.client("alice") as alice, server.client("bob") as bob:
        reserve(alice, "a1", "a-k1")
        other = reserve(alice, "a2", "a-k1")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
        assert reserve(bob, "a3", "a-k1").status_code == 201


def test_of_many_at_the_same_time_one_makes_it(server):
    def ask(_):
        with server.client("carol") as carol:
            return reserve(carol, "b1", "same")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.json()["id"] for one in answers}) == 1


def test_a_refusal_is_the_answer_too_and_another_name_asks_again(server):
    with server.client("alice") as alice, server.client("bob") as bob:
        held = reserve(alice, "c1", "c-held").json()
        assert reserve(bob, "c1", "c-mine").status_code == 409
        alice.delete(f"/reservations/{held['id']}", headers={"Idempotency-Key": "c-gone"})
        again = alice.delete(f"/reservations/{held['id']}", headers={"Idempotency-Key": "c-gone"})
        assert (again.status_code, again.json()["ended_why"]) == (200, "released")
        assert reserve(bob, "c1", "c-mine").status_code == 409
        assert reserve(bob, "c1", "c-again").status_code == 201


def test_a_place_in_the_line_is_taken_once_and_waited_at_again(server):
    with server.client("alice") as alice, server.client("bob") as bob:
        held = reserve(alice, "d1", "d-held").json()
        waiting = [reserve(bob, "d1", "d-place", queue=True) for _ in range(2)]
        assert [one.status_code for one in waiting] == [202, 202]
        assert len({one.json()["id"] for one in waiting}) == 1
        alice.delete(f"/reservations/{held['id']}")
        granted = reserve(bob, "d1", "d-place", queue=True)
        assert (granted.status_code, granted.json()["id"]) == (201, waiting[0].json()["id"])


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_what_cannot_be_a_name_is_told(server, key):
    with server.client("alice") as alice:
        refused = reserve(alice, "e1", key)
    assert (refused.status_code, refused.json()["code"]) == (400, "usage")
