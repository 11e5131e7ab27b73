"""Another time, another holder, less of it, or somebody else's turn; numbers, log and rights stay true."""

from __future__ import annotations

import pytest

from bespeak import Holder, RefusedError, Request, State, UsageError, WrongStateError
from bespeak.base.clock import FOREVER_US, HOUR_US
from bespeak.base.errors import BusyError
from support import history, replay

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


def test_a_booking_gets_another_time_and_a_new_number(book):
    first = booked(book, "rack1", "rack2", purpose="p")
    now = book.now_us()
    moved = book.move(first.id, ALICE, starts_us=now + 5 * H)
    assert (moved.starts_us, moved.ends_us, moved.purpose) == (now + 5 * H, now + 6 * H, "p")
    assert moved.fencing_token > first.fencing_token
    assert book.get(first.id) == moved
    assert booked(book, "rack1").id != first.id
    with pytest.raises(RefusedError, match="rack2 is held by alice"):
        booked(book, "rack2", at=5, by=BOB)
    with pytest.raises(WrongStateError, match="is stale"):
        book.release(first.id, ALICE, fencing_token=first.fencing_token)
    longer = book.move(first.id, ALICE, starts_us=now + 5 * H + 1, duration_us=3 * H, fencing_token=moved.fencing_token)
    assert longer.ends_us - longer.starts_us == 3 * H
    assert book.move(first.id, ALICE, starts_us=now + 7 * H, ends_us=FOREVER_US).ends_us == FOREVER_US
    assert book.move(first.id, ALICE, starts_us=now + 8 * H).ends_us == FOREVER_US


def test_a_move_onto_somebody_changes_nothing_and_says_what_would_be_granted(book):
    mine, other = booked(book, "rack1"), booked(book, "rack1", at=5, hours=2, by=BOB)
    with pytest.raises(RefusedError) as refused:
        book.move(mine.id, ALICE, starts_us=other.starts_us)
    assert [one.reservation_id for one in refused.value.refusal.conflicts] == [other.id]
    assert refused.value.refusal.next_free_us == other.ends_us
    assert book.get(mine.id) == mine
    moved = book.move(mine.id, ALICE, starts_us=other.ends_us)
    assert book.move(moved.id, ALICE, starts_us=moved.starts_us + H // 2).starts_us == moved.starts_us + H // 2


def test_what_cannot_be_moved(book):
    active = book.reserve(Request(("rack1",), ALICE, duration_us=H))
    pending = booked(book, "rack2")
    now = book.now_us()
    with pytest.raises(WrongStateError, match="has begun"):
        book.move(active.id, ALICE, starts_us=now + H)
    with pytest.raises(BusyError, match="is alice's; bob cannot"):
        book.move(pending.id, BOB, starts_us=now + 2 * H)
    with pytest.raises(UsageError, match="is in the past"):
        book.move(pending.id, ALICE, starts_us=now - 1)
    with pytest.raises(UsageError, match="is not after the start"):
        book.move(pending.id, ALICE, starts_us=now + 2 * H, ends_us=now + H)
    with pytest.raises(UsageError, match="both were given"):
        book.move(pending.id, ALICE, starts_us=now + 2 * H, ends_us=now + 3 * H, duration_us=H)
    with pytest.raises(BusyError, match="may not take"):
        book.move(pending.id, Holder("alice", "bob"), starts_us=now + 2 * H, reason="r")
    assert book.move(pending.id, Holder("alice", "root"), starts_us=now + 2 * H, reason="r").holder == "alice"
    book.release(pending.id, ALICE)
    with pytest.raises(WrongStateError, match="ended"):
        book.move(pending.id, ALICE, starts_us=now + 3 * H)


def test_a_hold_changes_hands_and_the_old_holder_is_fenced_off(book):
    held = book.reserve(Request(("rack1",), ALICE, duration_us=H, purpose="p", tags=(("a", "b"),)))
    given = book.transfer(held.id, "team:bringup", ALICE, reason="on holiday")
    assert (given.holder, given.requested_by, given.purpose, given.tags) == ("team:bringup", "alice", "p", held.tags)
    assert given.fencing_token > held.fencing_token
    assert book.get(held.id) == given
    with pytest.raises(BusyError):
        book.release(held.id, ALICE)
    with pytest.raises(WrongStateError, match="is stale"):
        book.hold_in_force(held.id, held.fencing_token)
    assert book.log(newest_first=True)[0].after["reason"] == "on holiday"
    book.release(held.id, Holder("team:bringup"), fencing_token=given.fencing_token)


def test_what_cannot_change_hands(book):
    held = book.reserve(Request(("rack1",), ALICE, duration_us=H))
    with pytest.raises(BusyError, match="bob cannot change it"):
        book.transfer(held.id, "bob", BOB)
    with pytest.raises(WrongStateError, match="is alice's already"):
        book.transfer(held.id, "alice", ALICE)
    with pytest.raises(UsageError, match="begins or ends with a blank"):
        book.transfer(held.id, " bob", ALICE)
    run = book.reserve(Request(("rack2",), ALICE, duration_us=H, keepalive_us=H))
    with pytest.raises(WrongStateError, match="kept alive by a process"):
        book.transfer(run.id, "bob", ALICE)
    with pytest.raises(WrongStateError, match="kept alive by a process"):
        book.swap(held.id, run.id, ALICE)


def test_two_turns_are_swapped(book):
    mine = booked(book, "rack1", purpose="mine", tags=(("k", "1"),))
    other = booked(book, "rack1", "rack2", at=5, by=BOB, purpose="theirs")
    with pytest.raises(BusyError, match="may not take"):
        book.swap(mine.id, other.id, ALICE, reason="r")
    with pytest.raises(UsageError, match="alice will read it"):
        book.swap(booked(book, "rack3", by=ROOT).id, mine.id, ROOT)
    third = booked(book, "rack4", by=ROOT, purpose="roots")
    first, second = book.swap(third.id, mine.id, ROOT, reason="agreed by phone")
    assert (first.id, first.holder, first.purpose, first.tags) == (third.id, "alice", "mine", mine.tags)
    assert (second.id, second.holder, second.purpose, second.starts_us) == (mine.id, "root", "roots", mine.starts_us)
    assert min(first.fencing_token, second.fencing_token) > third.fencing_token
    assert [book.get(third.id), book.get(mine.id)] == [first, second]
    with pytest.raises(UsageError, match="this is one"):
        book.swap(mine.id, mine.id, ROOT)


def test_part_of_a_reservation_is_given_back_and_the_rest_is_the_same_grant(book):
    held = book.reserve(Request(("a", "b", "c"), ALICE, duration_us=H))
    kept = book.release_part(held.id, ["c", "a"], ALICE, fencing_token=held.fencing_token)
    assert (kept.resources, kept.fencing_token, kept.state(book.now_us())) == (("b",), held.fencing_token, State.ACTIVE)
    assert book.get(held.id) == kept
    assert book.reserve(Request(("a", "c"), BOB, duration_us=H)).fencing_token > held.fencing_token
    with pytest.raises(RefusedError, match="b is held by alice"):
        book.reserve(Request(("b",), BOB, duration_us=H))
    with pytest.raises(WrongStateError, match="does not have a"):
        book.release_part(held.id, ["a"], ALICE)
    with pytest.raises(WrongStateError, match="nothing would be left"):
        book.release_part(held.id, ["b"], ALICE)
    with pytest.raises(BusyError):
        book.release_part(held.id, ["b"], BOB)
    assert book.extend(held.id, ALICE, duration_us=H).resources == ("b",)
    book.release(held.id, ALICE)
    book.reserve(Request(("b",), BOB, duration_us=H))


def test_who_waits_gets_what_was_given_back_in_part_or_moved_away(book, book_url):
    import threading

    from bespeak.ledger import open_ledger

    held = book.reserve(Request(("a", "b"), ALICE, duration_us=H))
    got = []

    def wait():
        with open_ledger(book_url, now=book.now_us) as other:
            got.append(other.queue(Request(("a",), BOB, duration_us=H), timeout_us=60_000_000))

    thread = threading.Thread(target=wait)
    thread.start()
    while not any(one.waiting for one in book.reservations()):
        threading.Event().wait(0.02)
    book.release_part(held.id, ["a"], ALICE)
    thread.join()
    assert got[0].resources == ("a",)
