"""Many reservations in one transaction: all, none, or those that can be had."""

from __future__ import annotations

import pytest

from bespeak import Holder, Request, UsageError, WrongStateError
from bespeak.base.clock import HOUR_US
from bespeak.base.errors import BusyError
from support import history, replay

ALICE, BOB = Holder("alice"), Holder("bob")
H = HOUR_US


@pytest.fixture(autouse=True)
def explained(book):
    yield
    assert book.engine.read(replay.compare) == []
    history.check(history.entries(book.log()))


def want(book, at, *names, by=ALICE, hours=1):
    now = book.now_us()
    return Request(names or ("rack1",), by, starts_us=now + at * H, ends_us=now + (at + hours) * H)


def test_all_are_booked_or_none(book):
    other = book.reserve(want(book, 5, by=BOB))
    wanted = [want(book, at) for at in (3, 4, 5, 6)]
    refused = book.reserve_many(wanted)
    assert refused.done == ()
    assert [(one.starts_us, one.conflicts[0].reservation_id) for one in refused.obstacles] == [
        (other.starts_us, other.id)
    ]
    assert [one.id for one in book.reservations()] == [other.id]
    batch = book.reserve_many(wanted, skip_conflicts=True)
    assert [one.starts_us for one in batch.done] == [wanted[at].starts_us for at in (0, 1, 3)]
    assert len(batch.obstacles) == 1
    tokens = [one.fencing_token for one in batch.done]
    assert tokens == sorted(set(tokens))
    with pytest.raises(UsageError):
        book.reserve_many([])


def test_a_batch_is_in_its_own_way(book):
    wanted = [want(book, 3, hours=2), want(book, 4)]
    assert book.reserve_many(wanted).done == ()
    assert book.reservations() == []


def test_all_are_moved_or_none_also_into_each_others_old_time(book):
    made = book.reserve_many([want(book, at) for at in (3, 4, 5)]).done
    later = [(one.id, one.starts_us + H, one.ends_us + H) for one in made]
    moved = book.move_many(later, ALICE).done
    assert [one.starts_us for one in moved] == [one.starts_us + H for one in made]
    assert all(new.fencing_token > old.fencing_token for new, old in zip(moved, made, strict=True))
    book.reserve(want(book, 9, by=BOB))
    to = [
        (moved[0].id, *(moved[0].starts_us + 5 * H, moved[0].ends_us + 5 * H)),
        (moved[1].id, moved[1].starts_us + 7 * H, moved[1].ends_us + 7 * H),
    ]
    refused = book.move_many(to, ALICE)
    assert (refused.done, len(refused.obstacles)) == ((), 1)
    assert [book.get(one.id) for one in moved] == list(moved)
    some = book.move_many(to, ALICE, skip_conflicts=True)
    assert [one.id for one in some.done] == [moved[1].id]
    assert book.get(moved[0].id) == moved[0]


def test_who_may_not_move_moves_nothing(book):
    made = book.reserve_many([want(book, 3), want(book, 4)]).done
    with pytest.raises(BusyError):
        book.move_many([(made[0].id, made[0].starts_us + H * 9, made[0].ends_us + H * 9)], BOB)
    active = book.reserve(Request(("rack2",), ALICE, duration_us=H))
    with pytest.raises(WrongStateError, match="has begun"):
        book.move_many([(active.id, active.starts_us + H * 9, active.ends_us + H * 9)], ALICE)
    with pytest.raises(UsageError, match="past or empty"):
        book.move_many([(made[0].id, made[0].starts_us, made[0].starts_us)], ALICE)


def test_many_are_given_back_at_once(book):
    made = book.reserve_many([want(book, at) for at in (3, 4, 5)]).done
    book.release(made[1].id, ALICE)
    ended = book.release_many([one.id for one in made], ALICE)
    assert [one.id for one in ended] == [made[0].id, made[2].id]
    assert book.reservations() == []
    with pytest.raises(BusyError):
        book.release_many([book.reserve(want(book, 3)).id], BOB)
