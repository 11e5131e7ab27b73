"""Maintenance, health, opening hours, pauses, wholes and parts: what keeps a resource from being given out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bespeak.base.clock import DAY_US, FOREVER_US, HOUR_US, MINUTE_US, SECOND_US, of_datetime
from bespeak.base.errors import BusyError, NotAllowedError, NotFoundError, UsageError, WrongStateError
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Mode, Need, Request, State
from bespeak.ledger.policy import parse_value
from bespeak.ledger.write_operations import resource_topic
from support import replay

ALICE, BOB, ROOT = Holder("alice"), Holder("bob"), Holder("root")


def ask(*names, who=ALICE, at=None, hours=1.0, **more):
    return Request(names, who, starts_us=at, duration_us=int(hours * HOUR_US), **more)


def refused(book, *names, **more):
    with pytest.raises(RefusedError) as told:
        book.reserve(ask(*names, **more))
    return told.value.refusal


def why(book, *names, **more):
    return [booking.closed or booking.holder for booking in refused(book, *names, **more).conflicts]


def test_maintenance_names_whom_it_hits_and_plans_nothing_by_itself(book, clock):
    book.inventory_add(["a"], ROOT, {})
    held = book.reserve(ask("a"))
    booked = book.reserve(ask("a", who=BOB, at=clock.now + 5 * HOUR_US))
    plan = book.maintenance_add(["a"], ROOT, ends_us=clock.now + 6 * HOUR_US, reason="fan")
    assert not plan.made
    assert [hit.before.id for hit in plan.hits] == [held.id, booked.id]
    assert book.maintenance_list() == []
    assert book.get(booked.id).ends_us == booked.ends_us


def test_maintenance_wins_and_each_one_hit_has_its_row_in_the_log(book, clock):
    book.inventory_add(["a"], ROOT, {})
    held = book.reserve(ask("a", hours=3))
    booked = book.reserve(ask("a", who=BOB, at=clock.now + 5 * HOUR_US))
    start, end = clock.now + 2 * HOUR_US, clock.now + 6 * HOUR_US
    plan = book.maintenance_add(["a"], ROOT, starts_us=start, ends_us=end, reason="fan", hit="move")
    assert [(hit.after.starts_us, hit.after.ends_us) for hit in plan.hits] == [
        (held.starts_us, start),
        (end, end + HOUR_US),
    ]
    assert book.get(booked.id).starts_us == end
    assert [entry.action.value for entry in book.log(reservation_id=booked.id)] == ["reserved", "moved"]
    assert [entry.action.value for entry in book.log(reservation_id=held.id)] == ["reserved", "shortened"]
    refusal = refused(book, "a", at=start)
    assert refusal.conflicts[0].closed == "maintenance"
    assert refusal.conflicts[0].purpose == "fan"
    assert refusal.next_free_us == end + HOUR_US
    assert book.engine.read(replay.compare) == []
    (window,) = book.maintenance_list()
    assert (window.resource, window.starts_us, window.ends_us, window.who) == ("a", start, end, "root")
    assert book.maintenance_cancel(["a"], ROOT) == [window]
    assert book.reserve(ask("a", at=start))
    assert book.engine.read(replay.compare) == []


def test_who_is_hit_may_lose_the_reservation_instead(book, clock):
    book.inventory_add(["a"], ROOT, {})
    held = book.reserve(ask("a"))
    plan = book.maintenance_add(["a"], ROOT, ends_us=FOREVER_US, reason="fan", hit="end")
    assert plan.hits[0].after.ended_note == "maintenance: fan"
    assert book.get(held.id).state(clock.now) is State.ENDED
    assert refused(book, "a").next_free_us is None


def test_a_waiter_is_promised_the_time_behind_maintenance(book, clock):
    book.inventory_add(["a"], ROOT, {})
    book.maintenance_add(["a"], ROOT, ends_us=clock.now + HOUR_US)
    waiting = book.queue_join(ask("a"), "0190a0b0-0000-7000-8000-000000000001")
    assert waiting.starts_us == clock.now + HOUR_US
    book.maintenance_cancel(["a"], ROOT)
    assert not book.queue_look(waiting.id).reservation.waiting


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda b, t: b.maintenance_add(["a"], ROOT, starts_us=t - 1, ends_us=t + HOUR_US), UsageError),
        (lambda b, t: b.maintenance_add(["a"], ROOT, ends_us=t), UsageError),
        (lambda b, t: b.maintenance_add(["a"], ROOT, ends_us=t + 1, hit="perhaps"), UsageError),
        (lambda b, t: b.maintenance_add(["x"], ROOT, ends_us=t + 1), NotFoundError),
        (lambda b, t: b.maintenance_cancel(["a"], ROOT), NotFoundError),
        (lambda b, t: b.resource_mark(["x"], ROOT, health="sick"), NotFoundError),
        (lambda b, t: b.resource_mark(["a"], ROOT, health="tired"), UsageError),
    ],
)
def test_what_cannot_be_is_refused(book, clock, change, error):
    book.inventory_add(["a"], ROOT, {})
    with pytest.raises(error):
        change(book, clock.now)


@pytest.mark.parametrize("health", ["sick", "offline"])
def test_what_is_not_well_is_given_to_nobody(book, clock, health):
    book.inventory_add(["a"], ROOT, {})
    held = book.reserve(ask("a"))
    (entry,) = book.resource_mark(["a"], ROOT, health=health, reason="it smells")
    assert (entry.resource.health.value, entry.properties.health_note) == (health, "it smells")
    assert book.get(held.id).state(clock.now) is State.ACTIVE
    clock.now += 2 * HOUR_US
    assert why(book, "a") == [health]
    assert why(book, "a", at=clock.now + 90 * DAY_US) == [health]
    waiting = book.queue_join(ask("a"), "0190a0b0-0000-7000-8000-000000000001")
    assert waiting.starts_us == FOREVER_US
    book.resource_mark(["a"], ROOT, health="ok")
    assert not book.queue_look(waiting.id).reservation.waiting
    assert book.engine.read(replay.compare) == []


def test_a_check_takes_back_its_own_word_alone(book):
    book.inventory_add(["a"], ROOT, {})

    def said(health, check="", **more):
        (entry,) = book.resource_mark(["a"], ROOT, health=health, reason="it smells", check=check, **more)
        return entry.resource.health.value, entry.properties.health_note

    assert said("sick", "ping") == ("sick", "check ping: it smells")
    assert said("ok", "boot") == said("offline", "boot") == ("sick", "check ping: it smells")
    assert said("ok", "ping") == ("ok", "")
    assert said("sick", "ping", stays=True) == ("sick", "check ping, stays until a person marks it ok: it smells")
    assert said("ok", "ping")[0] == "sick"
    assert said("ok") == ("ok", "")
    assert said("offline") == ("offline", "it smells")
    assert said("ok", "ping") == ("offline", "it smells")
    assert refused(book, "a").conflicts[0].purpose == "it smells"
    assert book.engine.read(replay.compare) == []


def test_a_request_by_need_says_what_is_not_fit_for_use(book):
    book.inventory_add(["a", "b"], ROOT, {"labels": {"arm64": True}})
    book.resource_mark(["a"], ROOT, health="sick", reason="it smells")
    with pytest.raises(NotFoundError, match="whoever holds them: 1 suit, 1 more is sick or offline"):
        book.reserve(Request((), ALICE, duration_us=HOUR_US, needs=(Need(2, "arm64"),)))
    with pytest.raises(BusyError, match=r"^a is sick \(it smells\)$"):
        book.reserve(ask("a"))


def test_nobody_asks_for_a_whole_with_its_only_part(book):
    book.inventory_add(["rack", "board"], ROOT, {})
    book.inventory_change(["rack"], ROOT, {"parts": ["board"]})
    for names in (("rack", "board"), ("board", "other", "rack")):
        with pytest.raises(UsageError, match="are whole and part"):
            book.reserve(ask(*names))
        with pytest.raises(UsageError, match="are whole and part"):
            book.queue_join(ask(*names), "0190a0b0-0000-7000-8000-000000000001")
        with pytest.raises(UsageError, match="are whole and part"):
            book.reserve_many([ask(*names)])


def test_whole_and_part_exclude_each_other(book, clock):
    book.inventory_add(["rack", "board", "gpu1", "gpu2"], ROOT, {})
    book.inventory_change(["rack"], ROOT, {"parts": ["board"]})
    book.inventory_change(["board"], ROOT, {"parts": ["gpu1", "gpu2"]})
    part = book.reserve(ask("gpu1"))
    assert book.reserve(ask("gpu2", who=BOB))
    assert why(book, "rack", who=BOB) == ["alice", "bob"]
    assert why(book, "board", who=BOB) == ["alice", "bob"]
    book.release_mine(BOB)
    book.release(part.id, ALICE)
    assert book.reserve(ask("rack", who=BOB))
    assert why(book, "gpu1") == ["bob"]
    with pytest.raises(UsageError, match="board and gpu1 are whole and part"):
        book.reserve(ask("board", "gpu1", at=clock.now + DAY_US))
    assert book.free(["gpu2"])[0].from_us == clock.now + HOUR_US


def test_a_whole_and_its_part_may_both_be_shared(book):
    book.inventory_add(["board", "gpu"], ROOT, {})
    book.inventory_change(["board"], ROOT, {"parts": ["gpu"]})
    assert book.reserve(ask("board", mode=Mode.SHARED))
    assert book.reserve(ask("gpu", who=BOB, mode=Mode.SHARED))
    assert why(book, "gpu") == ["alice", "bob"]


def test_maintenance_of_a_part_keeps_the_whole_from_everybody(book, clock):
    book.inventory_add(["board", "gpu"], ROOT, {})
    book.inventory_change(["board"], ROOT, {"parts": ["gpu"]})
    held = book.reserve(ask("board"))
    plan = book.maintenance_add(["gpu"], ROOT, ends_us=clock.now + HOUR_US, hit="end")
    assert [hit.before.id for hit in plan.hits] == [held.id]
    assert why(book, "board") == ["maintenance"]


def test_a_waiter_for_a_part_gets_it_when_the_whole_is_given_back(book):
    book.inventory_add(["board", "gpu"], ROOT, {})
    book.inventory_change(["board"], ROOT, {"parts": ["gpu"]})
    held = book.reserve(ask("board"))
    waiting = book.queue_join(ask("gpu", who=BOB), "0190a0b0-0000-7000-8000-000000000001")
    seen = book.queue_look(waiting.id)
    assert seen.reservation.starts_us == held.ends_us
    assert seen.look_again_us > 5 * SECOND_US  # nothing but a change wakes it before its place must be renewed
    names = book.candidate_names(ask("gpu", who=BOB))
    assert sorted(names) == ["board", "gpu"]
    listener = book.listen([resource_topic(name) for name in names])
    book.release(held.id, ALICE)
    assert listener.wait(60)
    listener.close()
    assert not book.queue_look(waiting.id).reservation.waiting


def test_a_resource_rests_between_two_holds(book, clock):
    book.inventory_add(["a"], ROOT, {"cooldown": "10m"})
    first = book.reserve(ask("a"))
    assert why(book, "a", at=first.ends_us + 9 * MINUTE_US) == ["alice"]
    assert book.free(["a"])[0].from_us == first.ends_us + 10 * MINUTE_US
    second = book.reserve(ask("a", at=first.ends_us + 10 * MINUTE_US))
    with pytest.raises(RefusedError):
        book.extend(first.id, ALICE, duration_us=MINUTE_US)
    clock.now += 30 * MINUTE_US
    book.release(first.id, ALICE)
    assert why(book, "a", hours=0.25) == ["cooldown"]
    clock.now += 10 * MINUTE_US
    assert book.reserve(ask("a", hours=0.25))
    assert second.starts_us > clock.now


def test_a_resource_is_given_out_in_its_opening_hours_only(book, clock):
    book.inventory_add(["a"], ROOT, {"hours": "mon-fri 08:00-18:00 Europe/Berlin"})
    monday = of_datetime(datetime(2027, 3, 29, tzinfo=UTC))
    assert monday > clock.now
    assert book.reserve(ask("a", at=monday + 6 * HOUR_US, hours=10))
    assert why(book, "a", at=monday + 5 * HOUR_US, hours=0.5) == ["hours"]
    refusal = refused(book, "a", at=monday + 15 * HOUR_US, hours=2)
    assert {booking.closed for booking in refusal.conflicts} == {"", "hours"}
    assert refusal.next_free_us == monday + DAY_US + 6 * HOUR_US
    assert refused(book, "a", hours=11).next_free_us is None
    with pytest.raises(RefusedError) as told:
        book.reserve(Request(("a",), ALICE, ends_us=FOREVER_US))
    assert told.value.refusal.next_free_us is None


def test_a_lapse_that_nobody_wrote_down_needs_a_pause_too(book, clock):
    book.inventory_add(["a"], ROOT, {"cooldown": "10m"})
    book.reserve(ask("a", keepalive_us=MINUTE_US))
    clock.now += 5 * MINUTE_US
    assert book.free(["a"])[0].from_us == clock.now + 6 * MINUTE_US
    assert "alice" in why(book, "a")
    assert book.next_free(ask("a")) == clock.now + 6 * MINUTE_US


def test_who_does_not_come_gives_the_resource_back(book, clock):
    book.inventory_add(["a"], ROOT, {"check_in": "15m"})
    start = clock.now + HOUR_US
    booked = book.reserve(ask("a", at=start))
    assert book.reserve(ask("b", who=BOB)).check_in_us is None
    with pytest.raises(WrongStateError, match="has not begun"):
        book.touch(booked.id, ALICE)
    clock.now = start + 15 * MINUTE_US
    ended = book.get(booked.id)
    assert (ended.state(clock.now), ended.why_ended(clock.now)) == (State.ENDED, "no_show")
    assert book.reserve(ask("a", who=BOB)).check_in_us is None
    assert [entry.action.value for entry in book.log(reservation_id=booked.id)] == ["reserved", "no_show"]
    assert book.engine.read(replay.compare) == []


def test_who_checks_in_keeps_it(book, clock):
    start = clock.now + HOUR_US
    booked = book.reserve(ask("a", at=start, check_in_us=10 * MINUTE_US))
    moved = book.move(booked.id, ALICE, starts_us=start + HOUR_US)
    clock.now = start + HOUR_US + 9 * MINUTE_US
    with pytest.raises(BusyError):
        book.touch(booked.id, BOB)
    touched = book.touch(booked.id, ALICE)
    assert (touched.check_in_us, touched.lease_us) == (None, None)
    clock.now = moved.ends_us - 1
    assert book.get(booked.id).state(clock.now) is State.ACTIVE
    assert "checked_in" in [entry.action.value for entry in book.log(reservation_id=booked.id)]
    assert book.engine.read(replay.compare) == []


def test_an_idle_hold_is_given_back_unless_it_is_touched(book, clock):
    held = book.reserve(ask("a", hours=3, keepalive_us=30 * MINUTE_US))
    clock.now += 29 * MINUTE_US
    assert book.touch(held.id, ALICE).lease_us == clock.now + 30 * MINUTE_US
    clock.now += 29 * MINUTE_US
    book.sign_of_life([held.id])
    clock.now += 29 * MINUTE_US
    assert book.get(held.id).state(clock.now) is State.ACTIVE
    clock.now += MINUTE_US
    assert book.get(held.id).why_ended(clock.now) == "lapsed"


def quota(book, text):
    book.policy_set("quotas", parse_value("quotas", text), ROOT)


def over(book, change, rule):
    with pytest.raises(NotAllowedError, match="policy of the book: quotas") as told:
        change()
    assert told.value.details["rule"] == f"quotas.{rule}"
    return str(told.value)


def test_a_quota_limits_how_long_and_how_far_ahead(book, clock):
    quota(book, "bob=longest:8h;*=longest:2h ahead:7d")
    told = over(book, lambda: book.reserve(ask("a", hours=3)), "longest")
    assert told.endswith("granted would be: 2h")
    over(book, lambda: book.reserve(Request(("a",), ALICE, ends_us=FOREVER_US)), "longest")
    over(book, lambda: book.reserve(ask("a", at=clock.now + 7 * DAY_US + 1)), "ahead")
    booked = book.reserve(ask("c", at=clock.now + DAY_US))
    over(book, lambda: book.move(booked.id, ALICE, starts_us=clock.now + 8 * DAY_US), "ahead")
    over(book, lambda: book.queue_join(ask("a", hours=3), "0190a0b0-0000-7000-8000-000000000001"), "longest")
    held = book.reserve(ask("a", hours=1))
    over(book, lambda: book.extend(held.id, ALICE, duration_us=2 * HOUR_US), "longest")
    assert book.extend(held.id, ALICE, duration_us=HOUR_US)
    assert book.reserve(ask("b", who=BOB, hours=8, at=clock.now + 30 * DAY_US))


def test_a_quota_limits_how_many(book, clock):
    quota(book, "*=active:2")
    first = book.reserve(ask("a"))
    book.reserve(ask("b", at=clock.now + DAY_US))
    over(book, lambda: book.reserve(ask("c")), "active")
    over(book, lambda: book.queue_join(ask("a"), "0190a0b0-0000-7000-8000-000000000001"), "active")
    assert book.reserve(ask("c", who=BOB))
    book.release(first.id, ALICE)
    assert book.reserve(ask("d"))


def test_a_quota_is_asked_again_when_the_turn_comes(book, clock):
    quota(book, "alice=hours:10")
    clock.now = of_datetime(datetime(2027, 3, 29, 6, tzinfo=UTC))
    held = book.reserve(ask("a", who=BOB, hours=8))
    mine, next_one = ("0190a0b0-0000-7000-8000-00000000000" + digit for digit in "12")
    assert book.queue_join(ask("a", hours=6), mine).waiting
    assert book.queue_join(ask("a", who=BOB, hours=6), next_one).waiting
    book.reserve(ask("b", hours=6))
    book.release(held.id, BOB)
    book.queue_look(mine)
    with pytest.raises(WrongStateError, match=r"cancelled: alice has a quota, hours 10 in a week .* would be: 4h"):
        book.queue_look(mine)
    assert book.queue_look(next_one).reservation.state(clock.now) is State.ACTIVE
    (entry,) = [one for one in book.log(reservation_id=mine) if one.action.value == "cancelled"]
    assert entry.after["ended_note"].startswith("alice has a quota, hours 10")


def test_a_turn_within_the_quota_comes(book, clock):
    quota(book, "alice=hours:10 active:2 longest:8h ahead:1d")
    clock.now = of_datetime(datetime(2027, 3, 29, 6, tzinfo=UTC))
    held = book.reserve(ask("a", who=BOB, hours=8))
    mine = "0190a0b0-0000-7000-8000-000000000001"
    book.reserve(ask("b", hours=4))
    book.queue_join(ask("a", hours=6), mine)
    book.release(held.id, BOB)
    assert book.queue_look(mine).reservation.state(clock.now) is State.ACTIVE


def test_a_quota_limits_the_hours_of_a_week(book, clock):
    quota(book, "alice=hours:10")
    monday = of_datetime(datetime(2027, 3, 29, tzinfo=UTC))
    book.reserve(ask("a", "b", at=monday, hours=3))
    told = over(book, lambda: book.reserve(ask("c", at=monday + 6 * DAY_US, hours=4.5)), "hours")
    assert told.endswith("granted would be: 4h")
    last = book.reserve(ask("c", at=monday + 6 * DAY_US, hours=4))
    over(book, lambda: book.extend(last.id, ALICE, duration_us=MINUTE_US), "hours")
    assert book.reserve(ask("c", at=monday + 7 * DAY_US, hours=10))
    assert book.reserve(ask("c", at=monday - DAY_US, hours=10))
    book.release(last.id, ALICE)
    assert book.reserve(ask("c", at=monday + 6 * DAY_US, hours=4))
