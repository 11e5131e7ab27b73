# ruff: noqa: PT012, SIM117 a hold is lost while its block runs
"""``bespeak.hold`` and ``bespeak.ahold``: take, wait, keep alive, give back, and say when the hold is lost."""

from __future__ import annotations

import asyncio
import functools
import threading
import time

import pytest

import bespeak
from bespeak import Holder, Lost, RefusedError, Request, State, UsageError, WaitTimedOutError, WrongStateError
from bespeak.base import ids, timeparse

BOB = Holder("bob")


def in_a_loop(test):
    """Run an asynchronous test in a loop of its own."""

    @functools.wraps(test)
    def run(*args, **named):
        asyncio.run(test(*args, **named))

    return run


def state(book, held):
    return book.get(held.id).state(book.now_us())


def kick(book, held):
    book.kick(held.id, BOB, "fire drill")


@pytest.fixture
def book(book_url):
    with bespeak.open_book(book_url) as book:
        yield book


def test_a_block_holds_and_gives_back(book):
    with bespeak.hold("rack3", "rack4", minutes=20, purpose="soak", tags={"ci": "7"}, book=book) as held:
        found = book.get(held.id)
        assert found.state(book.now_us()) is State.ACTIVE
        assert (held.resources, found.purpose, found.tags) == (("rack3", "rack4"), "soak", (("ci", "7"),))
        assert found.ends_us - found.starts_us == bespeak.duration("20m")
        assert (held.fencing_token, held.lost) == (found.fencing_token, None)
        held.check()
        assert held.environment()["BESPEAK_RESERVATION"] == held.id
    assert book.get(held.id).why_ended(book.now_us()) == "released"


def test_a_hold_is_shown_as_what_it_is(book):
    """As a notebook prints it."""
    hold = bespeak.hold("rack3", "rack4", minutes=20, book=book)
    assert repr(hold) == "<Hold: nothing is taken>"
    with pytest.raises(Lost), hold as held:
        shown = f"<Hold {ids.short_id(held.id)}: rack3, rack4, "
        assert repr(held) == f"{shown}until {timeparse.show(held.reservation.ends_us)}>"
        kick(book, held)
        while held.lost is None:
            time.sleep(0.01)
        assert repr(held) == f"{shown}{held.lost}>"
    assert repr(hold) == f"{shown}released>"


def test_what_is_held_is_asked_for_by_need(book):
    me = Holder("alice")
    for number, site in enumerate(("lyon", "lyon", "kyoto")):
        book.inventory_add([f"board{number}"], me, {"labels": {"arch": "arm64", "ram": 4 * number, "site": site}})
    with bespeak.hold(any=2, label="arm64", same=("site",), minutes=20, book=book) as two:
        assert two.resources == ("board0", "board1")
        with bespeak.hold(label="ram>=4", book=book) as one:
            assert one.resources == ("board2",)
        with pytest.raises(RefusedError), bespeak.hold(label="ram<=4", book=book):
            pytest.fail("the block must not run")


def test_a_failure_of_the_block_gives_back_and_goes_on(book):
    with pytest.raises(ZeroDivisionError), bespeak.hold("rack3", book=book) as held:
        _ = 1 // 0
    assert state(book, held) is State.ENDED


def test_somebody_in_the_way_is_refused_at_once(book, book_url):
    book.reserve(Request(("rack3",), BOB))
    with pytest.raises(RefusedError, match="rack3 is held by bob"), bespeak.hold("rack3", book=book_url):
        pytest.fail("the block must not run")
    with pytest.raises(WaitTimedOutError), bespeak.hold("rack3", wait="1s", book=book_url):
        pytest.fail("the block must not run")
    assert [one.holder for one in book.reservations()] == ["bob"]


def test_it_waits_until_the_other_gives_back(book, book_url):
    other = book.reserve(Request(("rack3",), BOB))
    waiting = threading.Event()
    taken = threading.Event()

    def wait():
        with bespeak.hold("rack3", wait=True, priority=2, book=book_url):
            taken.set()
            waiting.wait(60)

    thread = threading.Thread(target=wait)
    thread.start()
    while not any(one.waiting for one in book.reservations()):
        threading.Event().wait(0.02)
    assert not taken.is_set()
    book.release(other.id, BOB)
    assert taken.wait(60)
    waiting.set()
    thread.join()
    assert book.reservations() == []


def test_a_hold_that_is_taken_away_is_lost(book):
    told = []
    heard = threading.Event()

    def on_lost(why):
        told.append(why)
        heard.set()

    with pytest.raises(Lost, match="fire drill"), bespeak.hold("rack3", book=book, on_lost=on_lost) as held:
        kick(book, held)
        assert heard.wait(60)
        with pytest.raises(Lost, match="fire drill") as lost:
            held.check()
        assert lost.value.details["reservation"] == held.id
        assert "fire drill" in (held.lost or "")
    assert (len(told), Lost.exit_code) == (1, 11)


def test_what_happens_just_after_the_taking_is_heard(book):
    """The next renewal is 20 minutes away, so only a sleeper hears of it."""
    for number in range(5):
        heard = threading.Event()
        with (
            pytest.raises(Lost, match="fire drill"),
            bespeak.hold(
                f"rack{number}", book=book, keepalive="1h", on_lost=lambda _, heard=heard: heard.set()
            ) as held,
        ):
            kick(book, held)
            assert heard.wait(60)


def test_the_failure_of_a_block_that_lost_its_hold_says_so(book):
    heard = threading.Event()
    with (
        pytest.raises(OSError, match="gone") as raised,
        bespeak.hold("rack3", book=book, on_lost=lambda _: heard.set()) as held,
    ):
        kick(book, held)
        heard.wait(60)
        raise OSError("gone")
    assert "fire drill" in raised.value.__notes__[0]


def test_a_hold_that_was_taken_away_unnoticed_is_lost_at_the_end(book_url):
    with bespeak.open_book(book_url) as other, pytest.raises(Lost), bespeak.hold("rack3", book=book_url) as held:
        kick(other, held)


def test_the_time_is_over_before_another_may_have_it(book):
    with pytest.raises(Lost, match="the time is over"), bespeak.hold("rack3", minutes=3 / 60, book=book) as held:
        while held.lost is None:
            threading.Event().wait(0.02)
        assert state(book, held) is State.ACTIVE


def test_the_end_moves_on_without_minutes(book):
    with bespeak.hold("rack3", book=book) as held:
        before = held.reservation.ends_us
        assert before - held.reservation.starts_us == book.policy().default_for_us
        assert held.reservation.keepalive_us == bespeak.duration("60s")


def test_without_a_block(book):
    held = bespeak.hold("rack3", book=book)
    with pytest.raises(WrongStateError, match="nothing is held yet"):
        held.check()
    assert held.take() is held
    with pytest.raises(WrongStateError, match="taken once"):
        held.take()
    held.release()
    held.release()
    assert state(book, held) is State.ENDED


def test_inside_a_run_the_hold_around_it_is_used(book, monkeypatch):
    with bespeak.hold("rack3", "rack4", book=book) as outer:
        for name, value in outer.environment().items():
            monkeypatch.setenv(name, value)
        with bespeak.hold("rack3", book=book) as inner:
            assert inner.id == outer.id
        assert state(book, outer) is State.ACTIVE


def test_for_somebody_else(book):
    with bespeak.hold("rack3", user="carol", book=book) as held:
        assert held.reservation.holder == "carol"
        assert held.reservation.requested_by not in (None, "carol")


@pytest.mark.parametrize(
    "wrong",
    [{"minutes": 0}, {"minutes": -1}, {"wait": "soon"}, {"keepalive": "10"}, {"keepalive": "forever"}],
)
def test_arguments_that_make_no_sense(wrong):
    with pytest.raises(UsageError):
        bespeak.hold("rack3", **wrong)


def test_a_hold_that_is_not_renewed_counts_as_lost_before_it_lapses(book):
    with pytest.raises(Lost, match="no sign of life"), bespeak.hold("rack3", keepalive="2s", book=book) as held:
        lease = held._lease
        lease._every_us = lease._keepalive_us * 100  # as where the book hangs
        lease._set(lease.held, *lease._view[1:])
        while held.lost is None:
            threading.Event().wait(0.02)
        held.check()


@in_a_loop
async def test_asynchronous(book_url):
    async with bespeak.ahold("rack3", minutes=20, book=book_url) as held:
        with bespeak.open_book(book_url) as other:
            assert state(other, held) is State.ACTIVE
    with bespeak.open_book(book_url) as other:
        assert other.reservations() == []


@in_a_loop
async def test_a_lost_hold_cancels_the_block(book_url):
    with bespeak.open_book(book_url) as other:
        with pytest.raises(Lost, match="fire drill"):
            async with bespeak.ahold("rack3", book=book_url) as held:
                kick(other, held)
                await asyncio.sleep(120)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


@in_a_loop
async def test_cancelling_a_block_gives_back(book_url):
    inside = asyncio.Event()

    async def work():
        async with bespeak.ahold("rack3", book=book_url):
            inside.set()
            await asyncio.sleep(120)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with bespeak.open_book(book_url) as other:
        assert other.reservations() == []


@in_a_loop
async def test_cancelling_a_wait_leaves_the_queue(book_url):
    with bespeak.open_book(book_url) as other:
        other.reserve(Request(("rack3",), BOB))

        async def work():
            async with bespeak.ahold("rack3", wait=True, book=book_url):
                pytest.fail("it is never free")

        task = asyncio.create_task(work())
        while not any(one.waiting for one in other.reservations()):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [one.holder for one in other.reservations()] == ["bob"]


@in_a_loop
async def test_many_asynchronous_holds_take_turns(book_url):
    order = []

    async def work(number):
        async with bespeak.ahold("rack3", wait=True, book=book_url):
            order.append((number, "in"))
            await asyncio.sleep(0.01)
            order.append((number, "out"))

    await asyncio.gather(*(work(number) for number in range(6)))
    assert [(a[0], a[1], b[1]) for a, b in zip(order[::2], order[1::2], strict=True)] == [
        (b[0], "in", "out") for b in order[1::2]
    ]
