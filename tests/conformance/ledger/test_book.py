"""The book's answers, one by one, on both engines."""

from __future__ import annotations

import threading

import pytest

from bespeak.base.clock import DAY_US, FOREVER_US, HOUR_US, MINUTE_US, SECOND_US
from bespeak.base.errors import BusyError, NotFoundError, UsageError, WrongStateError
from bespeak.base.ids import new_id, short_id, tail
from bespeak.ledger import gate_queries, open_ledger, queue, row_mapping
from bespeak.ledger.actions import Action
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import EndReason, Holder, Mode, Request, State
from bespeak.ledger.write_operations import resource_topic
from support import replay

ALICE, BOB, ROOT = Holder("alice"), Holder("bob"), Holder("root")


def take(book, *names, who=ALICE, minutes=60, **more):
    more.setdefault("duration_us", minutes * MINUTE_US)
    return book.reserve(Request(names, who, **more))


def join(book, *names, who=BOB, minutes=10, priority=0, **more):
    request = Request(names, who, duration_us=int(minutes * MINUTE_US), **more)
    return book.queue_join(request, new_id(), priority)


def advance(book, waiter):
    keys = [resource_topic(name) for name in waiter.resources]
    return book.engine.transact(keys, lambda tx: queue.advance(tx, row_mapping.required(tx, waiter.id)))


@pytest.fixture(autouse=True)
def sound(book):
    """Whatever a test does, the log explains the tables and the tables keep the promises."""
    yield
    assert book.engine.read(replay.compare) == []
    assert book.engine.read(replay.broken) == []


def test_a_refusal_says_who_until_when_and_when_it_is_free(book, clock):
    held = take(book, "rack", "scope", purpose="tests")
    with pytest.raises(RefusedError, match=r"rack is held by alice until 20[-0-9]+ [0-9:]+ \w+ \(tests\)") as caught:
        take(book, "rack", "other", who=BOB, minutes=5)
    assert caught.value.refusal.next_free_us == held.ends_us
    assert [b.resource for b in caught.value.refusal.conflicts] == ["rack"]
    assert "other" not in {r.name for r in book.resource_list()}
    assert take(book, "rack", who=BOB, next_fit=True).starts_us == held.ends_us


def test_a_window_in_the_past_or_empty_is_refused(book, clock):
    for request in (
        Request(("r",), ALICE, starts_us=clock.now - 1),
        Request(("r",), ALICE, ends_us=clock.now),
        Request(("r",), ALICE, starts_us=clock.now + 5, ends_us=clock.now + 5),
    ):
        with pytest.raises(UsageError):
            book.reserve(request)
    assert book.log() == []


def test_back_to_back_windows_touch_and_do_not_overlap(book, clock):
    first = take(book, "r", minutes=10)
    second = take(book, "r", who=BOB, starts_us=first.ends_us, minutes=10)
    clock.now = first.ends_us - 1
    assert [(r.id, r.state(clock.now)) for r in book.who("r")] == [(first.id, State.ACTIVE), (second.id, State.PENDING)]
    clock.now += 1
    assert [(r.id, r.state(clock.now)) for r in book.who("r")] == [(second.id, State.ACTIVE)]


def test_find_by_id_prefix_and_short_id(book):
    made = take(book, "r")
    other = take(book, "q")
    for text in (made.id, made.id.upper(), made.id[:35], short_id(made.id), tail(made.id)[:6]):
        assert book.find(text) == made
    with pytest.raises(UsageError, match="several") as caught:
        book.find(made.id[:6])
    assert made.id in str(caught.value)
    assert other.id in str(caught.value)
    with pytest.raises(UsageError, match="at least 6"):
        book.find(made.id[:5])
    for text in ("ffffff", new_id(), "zzzzzz", "100%_a", "\udcff" * 6, "a\0bcdefg", "'; DROP"):
        with pytest.raises(NotFoundError):
            book.find(text)


def test_pages_and_filters(book, clock):
    made = [take(book, f"r{n}", who=ALICE if n % 2 else BOB) for n in range(7)]
    book.release(made[0].id, BOB)
    later = take(book, "r0", starts_us=clock.now + HOUR_US)
    assert [r.id for r in book.reservations()] == [r.id for r in [*made[1:], later]]
    assert [r.id for r in book.reservations(limit=2, after_id=made[2].id)] == [made[3].id, made[4].id]
    assert [r.id for r in book.reservations(holder="bob")] == [made[n].id for n in (2, 4, 6)]
    assert [r.id for r in book.reservations(resources=["r0"])] == [later.id]
    assert [r.id for r in book.reservations(resources=["r0"], include_ended=True)] == [made[0].id, later.id]
    assert [r.id for r in book.reservations(states=[State.ENDED])] == [made[0].id]
    assert [r.id for r in book.reservations(states=[State.PENDING])] == [later.id]
    assert book.reservations(limit=0) == []
    for bad in (new_id(), "\udcff"):
        with pytest.raises(NotFoundError):
            book.reservations(after_id=bad)
    with pytest.raises(UsageError):
        book.reservations(holder="a\0")


def test_the_log_by_resource_compares_byte_for_byte(book):
    book.resource_set('a","b', ALICE)  # with a comma, a name has to be declared
    for name in ("rack", "rack2", 'a","b', "b", "100%", "1000", "a_c", "abc"):
        take(book, name)
    for name in ("rack", "b", 'a","b', "100%", "a_c"):
        assert {entry.resources for entry in book.log(resource=name)} == {(name,)}
    assert book.log(resource="Rack") == []


def test_the_log_forwards_backwards_and_of_one(book):
    made = take(book, "r")
    book.extend(made.id, ALICE, duration_us=HOUR_US)
    book.release(made.id, ALICE)
    take(book, "q")
    entries = book.log()
    assert [e.action for e in entries] == [Action.RESERVED, Action.EXTENDED, Action.RELEASED, Action.RESERVED]
    assert book.log(newest_first=True, limit=2) == entries[:1:-1]
    assert book.log(after_seq=entries[1].seq) == entries[2:]
    assert book.log(reservation_id=made.id) == entries[:3]
    assert entries[1].before == {"ends_us": made.ends_us}
    assert entries[1].after == {"ends_us": made.ends_us + HOUR_US}


def test_extend_stops_at_the_next_holder(book, clock):
    first = take(book, "r", minutes=10)
    following = take(book, "r", who=BOB, starts_us=first.ends_us + 5 * MINUTE_US, minutes=10)
    assert book.extend(first.id, ALICE, duration_us=5 * MINUTE_US).ends_us == following.starts_us
    with pytest.raises(RefusedError, match="bob"):
        book.extend(first.id, ALICE, duration_us=1)
    with pytest.raises(UsageError):
        book.extend(first.id, ALICE, ends_us=first.ends_us)
    with pytest.raises(UsageError):
        book.extend(first.id, ALICE, ends_us=FOREVER_US - 1)
    with pytest.raises(UsageError):
        book.extend(first.id, ALICE)


def test_extend_does_not_take_what_a_waiter_was_promised(book):
    first = take(book, "r", minutes=10)
    assert join(book, "r").starts_us == first.ends_us
    with pytest.raises(RefusedError, match="promised to bob"):
        book.extend(first.id, ALICE, duration_us=1)


def test_extend_beside_a_waiter_who_keeps_a_seat(book):
    book.resource_set("rack", ROOT, capacity=2)
    first = take(book, "rack", minutes=8)
    slow = take(book, "scope", minutes=10)
    assert join(book, "rack", "scope").starts_us == slow.ends_us
    assert book.extend(first.id, ALICE, duration_us=HOUR_US).ends_us == first.ends_us + HOUR_US
    assert book.reservations(states=[State.WAITING])[0].starts_us == slow.ends_us


def test_what_is_cut_off_is_free_at_once(book, clock):
    held = take(book, "r", minutes=60)
    short = book.shorten(held.id, ALICE, duration_us=30 * MINUTE_US)
    assert take(book, "r", who=BOB, starts_us=short.ends_us, minutes=30).fencing_token > held.fencing_token
    clock.now += MINUTE_US
    for nothing_left in (clock.now, clock.now - 1):
        with pytest.raises(UsageError, match="nothing"):
            book.shorten(held.id, ALICE, ends_us=nothing_left)
    book.release(held.id, ALICE)
    assert take(book, "r", who=BOB, minutes=5).starts_us == clock.now


def test_only_the_holder_changes(book):
    held = take(book, "r")
    for change in (
        lambda: book.release(held.id, BOB),
        lambda: book.extend(held.id, BOB, duration_us=1),
        lambda: book.shorten(held.id, BOB, duration_us=1),
    ):
        with pytest.raises(BusyError, match="alice's"):
            change()
    assert book.release(held.id, Holder("alice", "root"), reason="fire drill").ended_us
    assert book.log(newest_first=True, limit=1)[0].requested_by == "root"


def test_a_kick_needs_the_right_of_who_asks_and_a_reason(book):
    held = take(book, "r")
    for holder in (BOB, Holder("root", "bob")):
        with pytest.raises(BusyError, match="bob may not"):
            book.kick(held.id, holder, "mine now")
    with pytest.raises(UsageError, match="reason"):
        book.kick(held.id, ROOT, "  ")
    assert book.kick(held.id, ROOT, "fire drill").ended_note == "fire drill"
    with pytest.raises(WrongStateError, match="fire drill"):
        book.release(held.id, ALICE)
    assert book.log(newest_first=True, limit=1)[0].who == "root"


def test_a_stale_number_does_nothing(book):
    held = take(book, "r", keepalive_us=30 * SECOND_US)
    for change in (
        lambda number: book.release(held.id, ALICE, fencing_token=number),
        lambda number: book.extend(held.id, ALICE, duration_us=1, fencing_token=number),
        lambda number: book.shorten(held.id, ALICE, duration_us=1, fencing_token=number),
        lambda number: book.keep_alive(held.id, number),
    ):
        with pytest.raises(WrongStateError, match="stale"):
            change(held.fencing_token - 1)
    assert book.release(held.id, ALICE, fencing_token=held.fencing_token).ended_us
    assert take(book, "r").fencing_token > held.fencing_token


def test_a_hold_without_a_sign_of_life_lapses(book, clock):
    held = take(book, "r", ends_us=FOREVER_US, duration_us=None, keepalive_us=30 * SECOND_US)
    clock.now += 29 * SECOND_US
    renewed = book.keep_alive(held.id, held.fencing_token)
    assert renewed.lease_us == clock.now + 30 * SECOND_US
    clock.now = renewed.lease_us - 1
    with pytest.raises(RefusedError):
        take(book, "r", who=BOB)
    clock.now = renewed.lease_us
    with pytest.raises(WrongStateError, match="lapsed"):
        book.keep_alive(held.id, held.fencing_token)
    taken = take(book, "r", who=BOB)
    assert taken.fencing_token > held.fencing_token
    lapse = book.log(reservation_id=held.id)[-1]
    assert (lapse.action, lapse.who, lapse.after["ended_us"]) == (Action.LAPSED, "bespeak", renewed.lease_us)


def test_release_by_name_gives_back_whole_reservations(book, clock):
    both = take(book, "a", "b")
    third = take(book, "c")
    with pytest.raises(WrongStateError, match="also holds b"):
        book.release_resources(["a", "c"], ALICE)
    with pytest.raises(NotFoundError, match="does not hold d"):
        book.release_resources(["c", "d"], ALICE)
    with pytest.raises(NotFoundError):
        book.release_resources(["c"], BOB)
    assert {r.id for r in book.release_resources(["a", "b", "c"], ALICE)} == {both.id, third.id}
    assert book.reservations() == []


def test_release_mine_leaves_the_others(book, clock):
    take(book, "a")
    take(book, "b", starts_us=clock.now + HOUR_US)
    other = take(book, "c", who=BOB)
    join(book, "c", who=ALICE)
    assert {r.end_reason.value for r in book.release_mine(ALICE)} == {"released", "cancelled"}
    assert [r.id for r in book.reservations()] == [other.id]


def test_fewer_seats_than_holders_is_refused(book, clock):
    book.resource_set("r", ROOT, capacity=3, description="licences")
    for _ in range(3):
        take(book, "r")
    with pytest.raises(BusyError):
        book.resource_set("r", ROOT, capacity=2)
    with pytest.raises(BusyError, match="in use"):
        book.resource_remove("r", ROOT)
    clock.now += 2 * HOUR_US
    assert book.resource_set("r", ROOT, capacity=1).description == "licences"
    book.resource_remove("r", ROOT)
    with pytest.raises(NotFoundError):
        book.resource_remove("r", ROOT)
    for seats in (0, -1, 10**7):
        with pytest.raises(UsageError):
            book.resource_set("r", ROOT, capacity=seats)


def test_free_until_something_takes_the_last_seat(book, clock):
    book.resource_set("r", ROOT, capacity=2)
    now = clock.now
    take(book, "r", starts_us=now + 10 * MINUTE_US, minutes=30)
    (free,) = book.free(["r"])
    assert (free.from_us, free.until_us) == (now, None)
    take(book, "r", starts_us=now + 20 * MINUTE_US, minutes=10)
    (free,) = book.free(["r"])
    assert (free.from_us, free.until_us) == (now, now + 20 * MINUTE_US)
    (free,) = book.free(["r"], duration_us=25 * MINUTE_US)
    assert (free.from_us, free.until_us) == (now + 30 * MINUTE_US, None)
    take(book, "s", minutes=120)
    assert join(book, "q", "s", starts_us=now + HOUR_US).starts_us == now + 2 * HOUR_US
    (free,) = book.free(["q"])
    assert (free.from_us, free.until_us) == (now, now + 2 * HOUR_US)


def test_a_booking_of_a_year_is_found_and_does_not_widen_every_look(book, clock):
    take(book, "r", minutes=60)
    year = take(book, "r", starts_us=clock.now + HOUR_US, duration_us=365 * DAY_US)
    assert [r.longest_us for r in book.resource_list()] == [HOUR_US]
    clock.now += 300 * DAY_US
    with pytest.raises(RefusedError):
        take(book, "r", who=BOB)
    assert book.engine.read(lambda tx: gate_queries.holders_of(tx, "r", clock.now)) == [("alice", year.ends_us)]
    short = book.shorten(year.id, ALICE, ends_us=clock.now + HOUR_US)
    assert take(book, "r", who=BOB, starts_us=short.ends_us).starts_us == short.ends_us
    assert book.engine.read(lambda tx: gate_queries.held_among(tx, "alice", ["r"], clock.now)) == {"r"}


def test_places_in_line(book):
    take(book, "r", minutes=10)
    first, second, urgent = join(book, "r"), join(book, "r", who=ALICE), join(book, "r", who=ROOT, priority=1)

    def place(waiter):
        return book.engine.read(
            lambda tx: queue.position_of(
                queue.Availability(tx, waiter.resources, sweep=False), row_mapping.required(tx, waiter.id)
            )
        )

    assert (place(urgent).position, place(urgent).ahead) == (1, ())
    assert (place(first).position, place(first).ahead) == (2, ("root",))
    assert (place(second).position, place(second).ahead) == (3, ("root", "bob"))


def test_a_waiter_that_woke_late_does_not_delay_the_next(book, clock):
    held = take(book, "r", duration_us=20 * SECOND_US)
    first, second = join(book, "r", minutes=10), join(book, "r", who=ALICE, minutes=10)
    clock.now = held.ends_us - SECOND_US
    advance(book, first)
    advance(book, second)
    clock.now = held.ends_us + 2 * SECOND_US
    granted = advance(book, first)
    assert not granted.waiting
    assert granted.ends_us == first.ends_us == second.starts_us
    assert advance(book, second).starts_us == second.starts_us


def test_a_waiter_that_slept_through_its_promise_keeps_its_turn(book, clock):
    held = take(book, "r", duration_us=20 * SECOND_US)
    waiter = join(book, "r", minutes=1 / 60)
    clock.now = held.ends_us - SECOND_US
    advance(book, waiter)
    clock.now = held.ends_us + 10 * SECOND_US
    with pytest.raises(RefusedError, match="promised to bob"):
        take(book, "r")
    assert [r.id for r in book.reservations()] == [waiter.id]
    assert not advance(book, waiter).waiting


def test_a_dead_waiter_loses_its_place(book, clock):
    take(book, "r", minutes=10)
    waiter = join(book, "r")
    clock.now = waiter.lease_us
    assert take(book, "r", next_fit=True).starts_us == waiter.starts_us
    assert book.log(reservation_id=waiter.id)[-1].action is Action.NO_SHOW


def test_shared_and_alone(book):
    take(book, "r", mode=Mode.SHARED)
    take(book, "r", who=BOB, mode=Mode.SHARED)
    with pytest.raises(RefusedError):
        take(book, "r", who=ROOT)


def test_watch_tells_each_change_at_once(book_url, book, clock):
    with open_ledger(book_url, now=clock) as other:
        seen = []
        enough = threading.Event()
        ready = threading.Event()

        def follow():
            for entry in other.watch(["r"], after_seq=0, stop=enough.is_set):
                seen.append((entry.action, entry.resources))
                ready.set()
                if len(seen) == 3:
                    return

        watcher = threading.Thread(target=follow)
        made = take(book, "r")
        watcher.start()
        assert ready.wait(60)
        take(book, "not-watched")
        book.release(made.id, ALICE)
        take(book, "r", "s")
        watcher.join(60)
        enough.set()
        assert seen == [
            (Action.RESERVED, ("r",)),
            (Action.RELEASED, ("r",)),
            (Action.RESERVED, ("r", "s")),
        ]


def test_watch_refuses_what_can_be_no_name(book):
    with pytest.raises(UsageError):
        next(book.watch(["a\n"]))


def test_acting_for_a_holder_is_no_way_around_the_right_to_kick(book):
    theirs, ours = Holder("alice"), Holder("alice", requested_by="mallory")
    held = take(book, "r", who=theirs)
    made = take(book, "q", who=ours)
    for end in (
        lambda: book.release(held.id, ours),
        lambda: book.shorten(held.id, ours, duration_us=1),
        lambda: book.release_resources(["r"], ours),
    ):
        with pytest.raises(BusyError, match="mallory may not take reservations away"):
            end()
    assert book.release(made.id, ours).end_reason is EndReason.RELEASED
    root = Holder("alice", requested_by="root")
    for end in (
        lambda: book.release(held.id, root),
        lambda: book.shorten(held.id, root, duration_us=1, reason=" "),
        lambda: book.release_resources(["r"], root),
        lambda: book.release_mine(root),
    ):
        with pytest.raises(UsageError, match="alice has reserved it, and not root: a reason must be given"):
            end()
    assert book.shorten(held.id, root, duration_us=1, reason="fire drill").ended_us is None
    taken = book.release(held.id, root, reason="fire drill")
    assert (taken.end_reason, taken.ended_note) == (EndReason.KICKED, "fire drill")
    shortened, kicked = book.log(reservation_id=held.id)[1:]
    assert shortened.after["reason"] == "fire drill"
    assert (kicked.action, kicked.who, kicked.requested_by) == (Action.KICKED, "alice", "root")
    assert book.engine.read(replay.compare) == []


def test_names_that_nobody_used_are_free_and_known_ones_are_looked_at(book, clock):
    book.inventory_add(["board/ch1"], ROOT, {})
    book.inventory_add(["board"], ROOT, {"parts": ["board/ch1"]})
    held = book.reserve(Request(("board",), ALICE, duration_us=HOUR_US))
    unknown = [f"x{number}" for number in range(200)]
    take(book, "s", minutes=120)
    assert join(book, "q", "s", starts_us=clock.now + HOUR_US).starts_us == clock.now + 2 * HOUR_US
    assert {one.resource: one.until_us for one in book.free([*unknown, "q"])}["q"] == clock.now + 2 * HOUR_US
    for names in (["board/ch1", "x1"], [*unknown, "board/ch1"]):
        found = {one.resource: (one.from_us, one.until_us) for one in book.free(names)}
        assert found.pop("board/ch1") == (held.ends_us, None)
        assert set(found.values()) == {(clock.now, None)}
        assert len(found) == len(names) - 1
