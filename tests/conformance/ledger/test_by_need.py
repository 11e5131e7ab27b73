"""Asking for resources by what they are: any so many that match, together, wherever they are."""

from __future__ import annotations

import threading

import pytest

from bespeak.base.clock import FOREVER_US, HOUR_US, MINUTE_US
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.base.ids import new_id
from bespeak.ledger import open_ledger
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Need, Request, State
from support import replay

ALICE, BOB, ROOT = Holder("alice"), Holder("bob"), Holder("root")
BOARDS = {
    "board1": {"arch": "arm64", "ram": 4, "site": "lyon"},
    "board2": {"arch": "arm64", "ram": 8, "site": "oslo"},
    "board10": {"arch": "arm64", "ram": 8, "site": "oslo", "usb2": True},
    "pc1": {"arch": "x86", "ram": 32, "site": "lyon"},
    "analyser": {"kind": "analyser", "site": "oslo"},
}


@pytest.fixture(autouse=True)
def lab(book):
    for name, labels in BOARDS.items():
        book.inventory_add([name], ROOT, {"labels": labels})
    yield
    assert book.engine.read(replay.broken) == []


def ask(*needs, who=ALICE, named=(), **more):
    if "ends_us" not in more:
        more.setdefault("duration_us", HOUR_US)
    wanted = tuple(need if isinstance(need, Need) else Need(1, need) for need in needs)
    return Request(named, who, needs=wanted, **more)


def test_some_of_those_that_match_are_given(book):
    made = book.reserve(ask(Need(2, "arm64 and ram>=4")))
    assert made.resources == ("board1", "board2")
    assert book.reserve(ask("arm64", who=BOB)).resources == ("board10",)
    with pytest.raises(RefusedError) as refused:
        book.reserve(ask("arm64"))
    refusal = refused.value.refusal
    assert refusal.next_free_us == made.ends_us
    assert {booking.resource for booking in refusal.conflicts} == {"board1", "board2", "board10"}


def test_an_assignment_is_found_where_taking_the_first_that_suits_finds_none(book):
    made = book.reserve(ask("arm64", Need(2, "ram=8")))
    assert set(made.resources) == {"board1", "board2", "board10"}


def test_several_groups_with_a_named_one(book):
    made = book.reserve(ask("ram>=16", "usb2", named=("analyser",)))
    assert made.resources == ("analyser", "board10", "pc1")


def test_preferred_ones_are_taken_where_there_is_a_choice(book):
    assert book.reserve(ask("arm64", prefer="usb2")).resources == ("board10",)
    assert book.reserve(ask("arm64", prefer="usb2")).resources == ("board1",)


def test_all_from_one_site(book):
    assert book.reserve(ask(Need(2, "arm64"), same=("site",))).resources == ("board10", "board2")
    with pytest.raises(RefusedError):
        book.reserve(ask(Need(2, "arm64"), same=("site",)))
    assert book.reserve(ask("arch", named=("pc1",), same=("site",))).resources == ("board1", "pc1")


def test_what_the_book_does_not_have_is_said(book):
    for request in (ask(Need(4, "arm64")), ask("sparc"), ask(Need(3, "arm64"), same=("site",))):
        with pytest.raises(NotFoundError, match="the book does not have"):
            book.reserve(request)
    for wrong in (
        ask(Need(0, "arm64")),
        ask("arm64 and"),
        ask("ram>=much"),
        Request(("a",), ALICE, prefer="arm64"),
        Request(("a",), ALICE, same=("site",)),
    ):
        with pytest.raises(UsageError):
            book.reserve(wrong)
    assert book.reservations() == []


def test_a_sick_one_is_not_given(book):
    book.engine.transact([], lambda tx: tx.execute("UPDATE ledger_resources SET health = 'sick' WHERE name = 'board1'"))
    assert book.reserve(ask("arm64")).resources == ("board2",)


def test_the_first_time_at_which_enough_are_free(book, clock):
    for name, minutes in (("board1", 90), ("board2", 30), ("board10", 60)):
        book.reserve(Request((name,), BOB, duration_us=minutes * MINUTE_US))
    book.reserve(Request(("board2",), BOB, starts_us=clock.now + 70 * MINUTE_US, duration_us=HOUR_US))
    made = book.reserve(ask(Need(2, "arm64"), next_fit=True))
    assert (made.starts_us, made.resources) == (clock.now + 90 * MINUTE_US, ("board1", "board10"))


def test_two_at_once_never_get_the_same(book, book_url, clock):
    given, failed = [], []

    def take():
        with open_ledger(book_url, now=clock) as mine:
            try:
                given.append(mine.reserve(ask("arm64", duration_us=365 * 24 * HOUR_US)).resources)
            except RefusedError:
                failed.append(1)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(given) == [("board1",), ("board10",), ("board2",)]
    assert len(failed) == 3
    assert len(book.reservations(states=[State.ACTIVE, State.PENDING])) == 3


def join(book, *needs, who=BOB, priority=0, **more):
    return book.queue_join(ask(*needs, who=who, **more), new_id(), priority)


def look(book, waiter):
    return book.queue_look(waiter.id, with_held=True)


def test_in_the_queue_a_time_is_promised_and_the_names_are_fixed_at_the_grant(book, clock):
    ends = {name: book.reserve(Request((name,), ALICE, duration_us=minutes * MINUTE_US)).ends_us
            for name, minutes in (("board1", 30), ("board2", 60), ("board10", 90))}  # fmt: skip
    waiter = join(book, Need(2, "arm64"))
    assert (waiter.waiting, waiter.starts_us) == (True, ends["board2"])
    first = next(r for r in book.reservations(resources=["board10"]) if r.holder == "alice")
    book.release(first.id, ALICE)
    assert look(book, waiter).reservation.starts_us == ends["board1"]
    other = next(r for r in book.reservations(resources=["board2"]) if not r.waiting)
    book.release(other.id, ALICE)
    granted = look(book, waiter).reservation
    assert (granted.waiting, granted.resources, granted.starts_us) == (False, ("board10", "board2"), clock.now)
    assert book.extend(granted.id, BOB, duration_us=MINUTE_US).resources == granted.resources
    book.release(granted.id, BOB)


def test_what_is_free_is_had_at_once_by_the_queue_too(book):
    made = book.queue(ask("arm64", prefer="usb2"), timeout_us=1)
    assert (made.waiting, made.resources) == (False, ("board10",))


def test_who_waits_by_need_comes_before_whoever_comes_later(book):
    holds = [book.reserve(ask("arm64")) for _ in range(3)]
    waiter = join(book, Need(2, "arm64"))
    named = book.queue_join(Request(("board1",), Holder("carol"), duration_us=HOUR_US), new_id())
    assert named.starts_us >= waiter.ends_us or "board1" not in book.get(waiter.id).resources
    for hold in holds[:2]:
        book.release(hold.id, ALICE)
    with pytest.raises(RefusedError) as refused:
        book.reserve(Request((holds[0].resources[0],), ALICE, duration_us=MINUTE_US))
    assert {booking.holder for booking in refused.value.refusal.conflicts} == {"bob"}
    assert look(book, named).reservation.waiting
    assert set(look(book, waiter).reservation.resources) == {*holds[0].resources, *holds[1].resources}


def test_a_named_waiter_is_not_overtaken_by_one_that_takes_any(book):
    held = book.reserve(Request(("board1",), ALICE, duration_us=HOUR_US))
    named = book.queue_join(Request(("board1",), Holder("carol"), duration_us=HOUR_US), new_id())
    for name in ("board2", "board10"):
        book.reserve(Request((name,), ALICE, duration_us=5 * HOUR_US))
    waiter = join(book, "arm64")
    assert waiter.starts_us == named.ends_us
    book.release(held.id, ALICE)
    assert look(book, waiter).reservation.waiting
    assert not look(book, named).reservation.waiting


def test_with_nothing_to_promise_it_waits_without_names(book):
    for name in ("board1", "board2", "board10"):
        book.reserve(Request((name,), ALICE, ends_us=FOREVER_US))
    waiter = join(book, "arm64", named=("analyser",))
    assert (waiter.resources, waiter.starts_us) == ((), FOREVER_US)
    assert look(book, waiter).position.promised_us is None
    taken = book.reserve(Request(("analyser",), ALICE, duration_us=HOUR_US))
    book.release(next(r.id for r in book.reservations(resources=["board2"])), ALICE)
    assert look(book, waiter).reservation.starts_us == taken.ends_us
    assert book.get(waiter.id).resources == ("analyser", "board2")
    book.release(waiter.id, BOB)
    assert book.reserve(Request(("board2",), ALICE, duration_us=HOUR_US)).resources == ("board2",)


def test_what_has_become_sick_is_exchanged(book):
    held = [book.reserve(Request((name,), ALICE, duration_us=HOUR_US)) for name in ("board1", "board2", "board10")]
    waiter = join(book, "arm64")
    assert waiter.resources == ("board1",)
    book.engine.transact([], lambda tx: tx.execute("UPDATE ledger_resources SET health = 'sick' WHERE name = 'board1'"))
    assert look(book, waiter).reservation.resources == ("board2",)
    for hold in held:
        book.release(hold.id, ALICE)
    assert look(book, waiter).reservation.resources == ("board2",)
