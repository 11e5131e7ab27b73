"""What somebody in the queue is promised, what it keeps others from, and who may move a promise."""

from __future__ import annotations

import pytest

from bespeak.base.clock import FOREVER_US, HOUR_US, MINUTE_US, SECOND_US
from bespeak.base.errors import BusyError
from bespeak.base.ids import new_id
from bespeak.ledger.actions import Action
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Request
from support import replay

ALICE, BOB, CAROL, DAVE = Holder("alice"), Holder("bob"), Holder("carol"), Holder("dave")


@pytest.fixture(autouse=True)
def sound(book):
    """Whatever a test does, the log explains the tables and the tables keep the promises."""
    yield
    assert book.engine.read(replay.compare) == []
    assert book.engine.read(replay.broken) == []


def take(book, *names, who=ALICE, minutes=60, **more):
    if "ends_us" not in more:
        more.setdefault("duration_us", minutes * MINUTE_US)
    return book.reserve(Request(names, who, **more))


def join(book, *names, who=BOB, minutes=60, priority=0, **more):
    return book.queue_join(Request(names, who, duration_us=minutes * MINUTE_US, **more), new_id(), priority)


def look(book, waiter):
    return book.queue_look(waiter.id, with_held=True)


def test_who_can_be_promised_nothing_freezes_nothing(book, clock):
    for_ever = take(book, "a", ends_us=FOREVER_US)
    frozen = join(book, "a", "b")
    assert frozen.starts_us == FOREVER_US
    given = take(book, "b", who=CAROL)
    behind = join(book, "b", who=DAVE)
    assert behind.starts_us == given.ends_us
    assert book.next_free(Request(("b",), CAROL, duration_us=HOUR_US)) == behind.ends_us
    book.release(for_ever.id, ALICE)
    clock.now += SECOND_US
    assert look(book, frozen).reservation.starts_us == behind.ends_us
    assert look(book, behind).reservation.starts_us == behind.starts_us


def test_of_two_that_become_promisable_the_first_goes_first_whoever_looks_first(book):
    for_ever = take(book, "a", ends_us=FOREVER_US)
    first, second = join(book, "a", "b"), join(book, "a", "b", who=CAROL)
    book.release(for_ever.id, ALICE)
    with pytest.raises(RefusedError) as refused:
        take(book, "b", who=DAVE, minutes=1)
    assert [booking.holder for booking in refused.value.refusal.conflicts] == ["bob"]
    assert look(book, second).reservation.waiting
    assert not look(book, first).reservation.waiting
    assert look(book, second).reservation.starts_us == book.get(first.id).ends_us


def test_what_fits_before_a_promise_is_given_out(book, clock):
    held = take(book, "a", minutes=120)
    waiter = join(book, "a", "b")
    assert waiter.starts_us == held.ends_us
    with pytest.raises(RefusedError):
        take(book, "b", who=CAROL, minutes=121)
    take(book, "b", who=CAROL, minutes=60)
    small = join(book, "b", who=DAVE, minutes=60)
    assert small.starts_us == clock.now + HOUR_US
    book.release(held.id, ALICE)
    assert look(book, small).reservation.starts_us == small.starts_us
    assert look(book, waiter).reservation.starts_us == waiter.starts_us


def test_what_is_given_back_goes_first_to_whoever_came_first(book):
    held = take(book, "a")
    long, short = join(book, "a", minutes=60), join(book, "a", who=CAROL, minutes=10)
    book.release(held.id, ALICE)
    with pytest.raises(RefusedError):
        take(book, "a", who=DAVE, minutes=5)
    assert look(book, short).reservation.waiting
    assert not look(book, long).reservation.waiting


def test_a_promise_taken_by_priority_is_told_with_who_has_it(book):
    held = take(book, "a")
    plain, next_one = join(book, "a"), join(book, "a", who=DAVE)
    urgent = join(book, "a", who=CAROL, priority=2)
    assert urgent.starts_us == held.ends_us
    seen = look(book, plain)
    assert seen.reservation.starts_us == urgent.ends_us
    position = seen.position
    assert (position.promised_us, position.moved_from_us, position.moved_by) == (
        urgent.ends_us,
        held.ends_us,
        "carol",
    )
    assert look(book, plain).position.moved_by is None
    assert look(book, next_one).reservation.starts_us == seen.reservation.ends_us
    told = [entry for entry in book.log(reservation_id=plain.id) if entry.action is Action.PROMISED][-1]
    assert (told.after["moved_by"], told.after["moved_by_holder"]) == (urgent.id, "carol")
    assert told.before["starts_us"] == held.ends_us


def test_nothing_is_promised_behind_a_run_without_an_end(book, clock):
    run = take(book, "a", open_end=True, keepalive_us=HOUR_US, minutes=240)
    waiter = join(book, "a", "b")
    assert waiter.starts_us == FOREVER_US
    booked = take(book, "a", who=DAVE, starts_us=run.ends_us)
    with pytest.raises(BusyError, match="dave"):
        book.extend(run.id, ALICE, duration_us=HOUR_US)
    book.release(booked.id, DAVE)
    assert book.extend(run.id, ALICE, duration_us=HOUR_US).ends_us == run.ends_us + HOUR_US
    assert look(book, waiter).position.expected_us is None
    book.release(run.id, ALICE)
    clock.now += SECOND_US
    assert not look(book, waiter).reservation.waiting


def test_the_length_of_earlier_runs_tells_when_this_one_will_end(book, clock):
    for minutes in (10, 12, 11):
        run = take(book, "a", open_end=True, minutes=240)
        clock.now += minutes * MINUTE_US
        book.release(run.id, ALICE)
    run = take(book, "a", open_end=True, minutes=240)
    waiter = join(book, "a")
    position = look(book, waiter).position
    assert (position.promised_us, position.expected_us) == (None, run.starts_us + 18 * MINUTE_US)
    assert [booking.reservation_id for booking in position.held] == [run.id]
    clock.now += 20 * MINUTE_US  # longer than any before
    again = join(book, "a", who=CAROL)
    assert look(book, again).position.expected_us is None
