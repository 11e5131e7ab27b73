"""A booking moved to other resources: the same reservation under a new number, asked all that a new one is asked."""

from __future__ import annotations

import pytest

from bespeak import Holder, RefusedError, Request, UsageError, WrongStateError
from bespeak.base.clock import DAY_US, HOUR_US
from bespeak.base.errors import BusyError, NotAllowedError, NotFoundError
from bespeak.ledger import open_ledger
from bespeak.ledger.policy import parse_value
from support import history, replay
from support.engines import on_databases

ALICE, BOB, ROOT = Holder("alice"), Holder("bob"), Holder("root")
H = HOUR_US


@pytest.fixture(autouse=True)
def explained(book):
    """Whatever a test did, the log explains the book, and no promise was broken."""
    yield
    assert book.engine.read(replay.compare) == []
    history.check(history.entries(book.log()))


def booked(book, *names, at=1, hours=1, by=ALICE, **more):
    now = book.now_us()
    return book.reserve(Request(names, by, starts_us=now + at * H, duration_us=hours * H, **more))


def test_a_booking_gets_another_resource_at_its_time(book, clock):
    first = booked(book, "rack1", "scope1", purpose="p", tags=(("k", "1"),))
    moved = book.move(first.id, ALICE, resources=["rack2", "scope1"], reason="rack1 is loud")
    assert (moved.id, moved.resources) == (first.id, ("rack2", "scope1"))
    assert (moved.starts_us, moved.ends_us, moved.purpose, moved.tags) == (
        first.starts_us,
        first.ends_us,
        "p",
        first.tags,
    )
    assert moved.fencing_token > first.fencing_token
    assert book.get(first.id) == moved
    with pytest.raises(WrongStateError, match="is stale"):
        book.release(first.id, ALICE, fencing_token=first.fencing_token)
    assert booked(book, "rack1", by=BOB).resources == ("rack1",), "what it was of is free"
    with pytest.raises(RefusedError, match="rack2 is held by alice"):
        booked(book, "rack2", by=BOB)
    clock.now += H
    assert [one.holder for name in ("rack1", "rack2") for one in book.who(name)] == ["bob", "alice"]
    assert book.release(moved.id, ALICE, fencing_token=moved.fencing_token).end_reason.value == "released"
    assert booked(book, "rack2", "scope1", at=0)


def test_the_row_of_the_log_is_found_by_either_resource(book):
    first = booked(book, "rack1")
    book.move(first.id, ALICE, resources=["rack2"], reason="r")
    (row,) = (one for one in book.log(resource="rack1") if one.action.value == "moved")
    assert book.log(resource="rack2") == [row]
    assert row.resources == ("rack1", "rack2")
    assert (row.before["resources"], row.after["resources"], row.after["reason"]) == (["rack1"], ["rack2"], "r")


def test_time_and_resource_change_together_or_not_at_all(book):
    mine, other = booked(book, "rack1"), booked(book, "rack2", at=4, hours=2, by=BOB)
    with pytest.raises(RefusedError) as refused:
        book.move(mine.id, ALICE, starts_us=other.starts_us + H, resources=["rack2"])
    assert [one.reservation_id for one in refused.value.refusal.conflicts] == [other.id]
    assert (refused.value.request.resources, refused.value.refusal.next_free_us) == (("rack2",), other.ends_us)
    assert book.get(mine.id) == mine
    moved = book.move(mine.id, ALICE, starts_us=other.ends_us, duration_us=2 * H, resources=["rack2"])
    assert (moved.resources, moved.starts_us, moved.ends_us) == (("rack2",), other.ends_us, other.ends_us + 2 * H)


def test_it_can_become_more_or_less_and_overlap_what_it_was(book):
    mine = booked(book, "rack1")
    assert book.move(mine.id, ALICE, resources=["rack1", "rack2"]).resources == ("rack1", "rack2")
    assert book.move(mine.id, ALICE, resources=("rack2",)).resources == ("rack2",)
    same = book.move(mine.id, ALICE, resources=["rack2"])
    assert same.resources == ("rack2",)
    assert booked(book, "rack1", by=BOB)


def test_what_cannot_be_moved_to_another(book):
    mine = booked(book, "rack1")
    active = booked(book, "rack3", at=0)
    with pytest.raises(WrongStateError, match="has begun"):
        book.move(active.id, ALICE, resources=["rack2"])
    with pytest.raises(BusyError, match="is alice's; bob cannot"):
        book.move(mine.id, BOB, resources=["rack2"])
    with pytest.raises(WrongStateError, match="is stale"):
        book.move(mine.id, ALICE, resources=["rack2"], fencing_token=mine.fencing_token - 1)
    for wrong, text in (([], "no resource named"), (["\n"], "resource"), ("rack2", "must be several|is not an array")):
        with pytest.raises(UsageError, match=text):
            book.move(mine.id, ALICE, resources=wrong)
    with pytest.raises(UsageError, match="to when, or to which resources"):
        book.move(mine.id, ALICE)
    assert book.get(mine.id) == mine


def test_the_rules_of_a_new_reservation_are_asked_of_the_new_resources(book, clock):
    book.inventory_add(["rack1", "rack2", "rack3", "rack4"], ROOT, {})
    mine = booked(book, "rack1")
    book.inventory_change(["rack2"], ROOT, {"approval": ["carol"]})
    with pytest.raises(NotAllowedError, match="only carol may move it"):
        book.move(mine.id, ALICE, resources=["rack2"])
    book.maintenance_add(["rack3"], ROOT, starts_us=mine.starts_us, ends_us=mine.ends_us)
    with pytest.raises(BusyError, match="maintenance"):
        book.move(mine.id, ALICE, resources=["rack3"])
    book.policy_set("quotas", parse_value("quotas", "alice=hours:1"), ROOT)
    with pytest.raises(NotAllowedError, match="alice has a quota, hours 1"):
        book.move(mine.id, ALICE, resources=["rack1", "rack4"])
    assert book.move(mine.id, ALICE, resources=["rack4"]).resources == ("rack4",)
    book.policy_set("strict", True, ROOT)
    with pytest.raises(NotFoundError, match=r"'rakc1' is not declared.*did you mean 'rack1'"):
        book.move(mine.id, ALICE, resources=["rakc1"])
    assert book.get(mine.id).resources == ("rack4",)


def test_who_is_promised_the_new_resource_keeps_it_and_who_waits_for_the_old_one_gets_it(book, clock):
    mine = booked(book, "rack1", at=1, hours=2)
    booked(book, "rack2", at=0, hours=1, by=ROOT)
    waits = book.queue_join(Request(("rack2",), BOB, duration_us=2 * H), "0" * 7 + "1")
    assert book.queue_look(waits.id).reservation.starts_us == clock.now + H
    with pytest.raises(RefusedError, match="bob"):
        book.move(mine.id, ALICE, resources=["rack2"])
    other = book.queue_join(Request(("rack1",), ROOT, duration_us=2 * H), "0" * 7 + "2")
    assert book.queue_look(other.id).reservation.starts_us == mine.ends_us
    book.move(mine.id, ALICE, resources=["rack3"])
    assert book.queue_look(other.id).reservation.starts_us == clock.now


def test_seats_and_the_time_to_check_in_are_those_of_the_new_resource(book):
    book.inventory_add(["pool"], ROOT, {"seats": 2, "check_in": "10m"})
    first, second, third = (booked(book, name) for name in ("rack1", "rack2", "rack3"))
    moved = book.move(first.id, ALICE, resources=["pool"])
    assert (moved.check_in_us, moved.lease_us) == (600_000_000, moved.starts_us + 600_000_000)
    assert book.move(second.id, ALICE, resources=["pool"]).resources == ("pool",)
    with pytest.raises(RefusedError, match="pool is held"):
        book.move(third.id, ALICE, resources=["pool"])


@on_databases
def test_a_book_that_remembers_the_old_resources_still_takes_the_locks_of_the_new_ones(book, book_url, clock):
    mine = booked(book, "rack1")
    with open_ledger(book_url, now=clock) as other:
        assert other.get(mine.id) == mine
        book.move(mine.id, ALICE, resources=["rack2"])
        clock.now += DAY_US // 48
        assert other.move(mine.id, ALICE, starts_us=clock.now + 5 * H).resources == ("rack2",)
        assert other.release(mine.id, ALICE).resources == ("rack2",)
        assert booked(other, "rack2", at=5, by=BOB)
