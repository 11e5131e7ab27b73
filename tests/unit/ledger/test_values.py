"""What a reservation is at each instant, its JSON form, and what may be named."""

from __future__ import annotations

import pytest

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError
from bespeak.base.frozen import replace
from bespeak.ledger import request_checks, serialize, validation
from bespeak.ledger.actions import Action, LogEntry
from bespeak.ledger.model import Booking, EndReason, Free, Holder, Mode, Origin, Refusal, Request, Resource, State

ID = "01a20148-4fb7-7ee4-9334-5faaf29b78d0"
PLAIN = request_checks.new(
    Request(("a", "b"), Holder("alice", "root"), purpose="p", origin=Origin("lab1")), ID, 7, 50, (100, 200), 100
)
LEASED = replace(PLAIN, lease_us=150, keepalive_us=30)
WAITER = replace(PLAIN, waiting=True, fencing_token=None, lease_us=300)


@pytest.mark.parametrize(
    ("of", "now", "state", "end", "why"),
    [
        (PLAIN, 99, State.PENDING, 200, None),
        (PLAIN, 100, State.ACTIVE, 200, None),
        (PLAIN, 199, State.ACTIVE, 200, None),
        (PLAIN, 200, State.ENDED, 200, "expired"),
        (LEASED, 149, State.ACTIVE, 200, None),
        (LEASED, 150, State.ENDED, 150, "lapsed"),
        (LEASED, 999, State.ENDED, 150, "lapsed"),
        (replace(LEASED, lease_us=99), 99, State.ENDED, 99, "lapsed"),  # before it began
        (replace(LEASED, lease_us=200), 200, State.ENDED, 200, "expired"),  # the end came first
        (replace(LEASED, lease_us=250), 999, State.ENDED, 200, "expired"),
        (WAITER, 99, State.WAITING, 200, None),
        (WAITER, 250, State.WAITING, 200, None),  # late, but alive
        (WAITER, 300, State.ENDED, 300, "no_show"),
        (replace(PLAIN, ended_us=120, end_reason=EndReason.KICKED), 110, State.ENDED, 120, "kicked"),
        (
            replace(WAITER, ended_us=120, end_reason=EndReason.CANCELLED, waiting=False),
            99,
            State.ENDED,
            120,
            "cancelled",
        ),
        (replace(PLAIN, ends_us=FOREVER_US), FOREVER_US - 1, State.ACTIVE, FOREVER_US, None),
    ],
)
def test_state_at_an_instant(of, now, state, end, why):
    assert of.state(now) is state
    assert of.why_ended(now) == why
    if state is State.ENDED:
        assert of.end_us(now) == end


def test_json_of_a_reservation():
    shown = serialize.reservation_json(replace(PLAIN, tags=(("k", "v"),)), 150)
    assert shown == {
        "id": ID,
        "short_id": "5faaf29b",
        "number": 7,
        "state": "active",
        "holder": "alice",
        "holder_kind": "user",
        "acting": "root",
        "host": "lab1",
        "process": None,
        "seen": "1970-01-01T00:00:00.000050+00:00",
        "seen_us": 50,
        "resources": ["a", "b"],
        "mode": "exclusive",
        "starts": "1970-01-01T00:00:00.000100+00:00",
        "starts_us": 100,
        "ends": "1970-01-01T00:00:00.000200+00:00",
        "ends_us": 200,
        "created": "1970-01-01T00:00:00.000050+00:00",
        "created_us": 50,
        "ended_at": None,
        "ended_at_us": None,
        "ended_why": None,
        "ended_note": "",
        "purpose": "p",
        "tags": {"k": "v"},
        "priority": 0,
        "open_end": False,
        "approval": None,
        "needs": [],
    }
    assert serialize.reservation_json(LEASED, 160)["ended_at_us"] == 150
    assert serialize.reservation_json(replace(PLAIN, ends_us=FOREVER_US), 160)["ends_us"] is None


def test_json_of_the_rest():
    booking = Booking("a", "bob", ID, Mode.SHARED, 1, FOREVER_US, waiting=True)
    shown = serialize.refusal_json(Refusal((booking,), None))
    assert (shown["next_free"], shown["next_free_us"]) == (None, None)
    assert shown["conflicts"] == [serialize.booking_json(booking)]
    assert serialize.booking_json(booking)["ends"] is None
    assert serialize.free_json(Free("a", 1, None)) == {
        "resource": "a",
        "from": "1970-01-01T00:00:00.000001+00:00",
        "from_us": 1,
        "until": None,
        "until_us": None,
    }
    assert serialize.resource_json(Resource("a", 2, declared=True, description="d")) == {
        "name": "a",
        "capacity": 2,
        "declared": True,
        "description": "d",
    }
    entry = serialize.log_json(LogEntry(3, 1, Action.KICKED, "root", None, ID, ("a",), {"x": 1}, {"x": 2}))
    assert (entry["seq"], entry["action"], entry["before"], entry["after"]) == (3, "kicked", {"x": 1}, {"x": 2})


@pytest.mark.parametrize("name", ["a", "rack 3", "räck", "a" * 255, 'q"uote', "-x", "100%", "a_b"])
def test_names_that_can_be(name):
    assert validation.check_name("resource", name) == name


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "\x1b[31m", "a\0", "\udcff", "a" * 256, "a\u202eb"])
def test_names_that_cannot_be(name):
    with pytest.raises(UsageError, match="resource"):
        validation.check_name("resource", name)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"resources": ()}, "no resource"),
        ({"resources": tuple(map(str, range(1001)))}, "at most 1000"),
        ({"duration_us": 0}, "duration"),
        ({"duration_us": 1, "ends_us": 5}, "both"),
        ({"keepalive_us": 0}, "keep-alive"),
        ({"starts_us": -1}, "start"),
        ({"starts_us": FOREVER_US}, "start"),
        ({"ends_us": FOREVER_US - 1}, "end"),
        ({"purpose": "x\0"}, "purpose"),
        ({"purpose": "x" * 2001}, "purpose"),
        ({"purpose": "\udcff"}, "purpose"),
        ({"tags": (("a", "1"), ("a", "2"))}, "twice"),
        ({"tags": (("", "1"),)}, "tag"),
        ({"tags": tuple((str(n), "") for n in range(65))}, "65 tags"),
        ({"holder": Holder("")}, "user"),
        ({"holder": Holder("a", "b\n")}, "user"),
    ],
)
def test_requests_that_cannot_be(changes, word):
    with pytest.raises(UsageError, match=word):
        request_checks.checked(replace(Request(("a",), Holder("alice")), **changes))


def test_a_request_is_put_in_order():
    asked = request_checks.checked(Request(("b", "a", "b"), Holder("x"), tags=(("k", "2"), ("a", "1"))))
    assert asked.resources == ("a", "b")
    assert asked.tags == (("a", "1"), ("k", "2"))
