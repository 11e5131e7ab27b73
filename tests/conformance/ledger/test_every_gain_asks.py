"""Every write that gives somebody more of a resource asks the quota, the closed time, and who has to approve.

A write that is new has to be written down here, or a test fails.
"""

from __future__ import annotations

import pytest

from bespeak.base.clock import DAY_US, HOUR_US
from bespeak.base.errors import BusyError, NotAllowedError
from bespeak.base.ids import new_id
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.operations import ONCE, REPEATABLE
from bespeak.ledger.policy import parse_value

ALICE, BOB, ROOT = Holder("alice"), Holder("bob"), Holder("root")
LONG_US = 3 * HOUR_US


def want(clock, hours):
    return Request(("a",), ALICE, starts_us=clock.now + DAY_US, duration_us=hours * HOUR_US)


GAINS = {
    "reserve": lambda b, c, h: b.reserve(want(c, 3)),
    "reserve_many": lambda b, c, h: b.reserve_many([want(c, 3)]),
    "queue_join": lambda b, c, h: b.queue_join(Request(("a",), ALICE, duration_us=LONG_US), new_id()),
    "extend": lambda b, c, h: b.extend(h["short"].id, ALICE, duration_us=2 * HOUR_US),
    "move": lambda b, c, h: b.move(h["short"].id, ALICE, starts_us=c.now + DAY_US, duration_us=LONG_US),
    "move_many": lambda b, c, h: b.move_many([(h["short"].id, c.now + DAY_US, c.now + DAY_US + LONG_US)], ALICE),
    "transfer": lambda b, c, h: b.transfer(h["long"].id, "alice", BOB),
    "swap": lambda b, c, h: b.swap(h["short"].id, h["long"].id, ALICE, reason="turns"),
}
"""Each gives alice three hours; she has a quota of two."""

ASKED_FOR = {"reserve", "reserve_many"}
"""They make a request of a resource that needs approval; the others are refused."""

NO_GAIN = {
    *("queue_look", "queue_leave", "touch", "sign_of_life", "keep_alive", "take_kick_notices"),
    *("shorten", "release", "release_resources", "release_mine", "release_many", "release_part", "kick", "refuse"),
    *("approve", "resource_set", "resource_remove", "resource_mark", "record_host_action"),
    *("inventory_sync", "inventory_add", "inventory_change", "maintenance_add", "maintenance_cancel"),
    *("policy_set", "policy_unset", "token_create", "token_revoke"),
    *("rights_grant", "rights_revoke", "rights_group", "rights_map"),
}
"""Writes that give nobody more than was asked about: a turn in the queue is asked about again when it comes, an approval
was asked about when it was requested, and maintenance that moves a booking keeps its length."""


def test_each_write_is_here():
    assert GAINS.keys() | NO_GAIN == {*ONCE, *REPEATABLE}


@pytest.fixture
def held(book, clock):
    book.inventory_add(["a", "b"], ROOT, {})
    book.policy_set("kickers", ["alice"], ROOT)
    return {
        "short": book.reserve(Request(("a",), ALICE, starts_us=clock.now + HOUR_US, duration_us=HOUR_US)),
        "long": book.reserve(Request(("b",), BOB, starts_us=clock.now + HOUR_US, duration_us=LONG_US)),
    }


def test_it_asks_the_quota_of_whoever_has_it_then(book, clock, held):
    book.policy_set("quotas", parse_value("quotas", "alice=longest:2h"), ROOT)
    before = book.log(limit=1000)
    for gain in GAINS.values():
        with pytest.raises(NotAllowedError, match="alice has a quota, longest 2h"):
            gain(book, clock, held)
    assert book.log(limit=1000) == before


def test_it_asks_who_has_to_approve(book, clock, held):
    book.inventory_change(["a", "b"], ROOT, {"approval": ["carol"]})
    before = book.log(limit=1000)
    for name in GAINS.keys() - ASKED_FOR:
        with pytest.raises(NotAllowedError, match="only carol may"):
            GAINS[name](book, clock, held)
    assert book.log(limit=1000) == before
    for name in ASKED_FOR:
        GAINS[name](book, clock, held)
        (made,) = (one for one in book.reservations() if one.id not in {of.id for of in held.values()})
        assert made.is_awaiting, name
        book.release(made.id, ALICE)


def test_it_asks_what_is_closed(book, clock, held):
    for start in (clock.now + 2 * HOUR_US, clock.now + DAY_US):
        book.maintenance_add(["a"], ROOT, starts_us=start, ends_us=start + HOUR_US)
    before = book.log(limit=1000)
    for name in ("reserve", "extend", "move"):
        with pytest.raises(BusyError, match="maintenance"):
            GAINS[name](book, clock, held)
    for name in ("reserve_many", "move_many"):
        assert GAINS[name](book, clock, held).done == ()
    assert book.log(limit=1000) == before
