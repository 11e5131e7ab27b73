"""Resources whose reservations somebody approves: what such a request blocks, who answers it, and what becomes of it."""

from __future__ import annotations

import pytest

from bespeak.base.clock import DAY_US, FOREVER_US, HOUR_US, MINUTE_US
from bespeak.base.errors import NotAllowedError, NotFoundError, UsageError, WrongStateError
from bespeak.base.ids import new_id
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Approval, EndReason, Holder, Need, Request, State
from support import replay

ALICE, BOB, CAROL, ROOT = Holder("alice"), Holder("bob"), Holder("carol"), Holder("root")


@pytest.fixture
def lab(book):
    """A book in which carol, and the team of leads (root), approve reservations of rack1."""
    book.policy_set("teams", {"leads": ["root"]}, ROOT)
    book.inventory_add(["rack1"], ROOT, {"approval": ["carol", "team:leads"]})
    book.inventory_add(["rack2"], ROOT, {})
    return book


def ask(*names, who=ALICE, at=None, hours=1.0, **more):
    return Request(names or ("rack1",), who, starts_us=at, duration_us=int(hours * HOUR_US), **more)


def actions(book, of):
    return [entry.action.value for entry in book.log(reservation_id=of.id)]


def test_a_request_keeps_its_time_and_is_nobodys_hold(lab, clock):
    asked = lab.reserve(ask("rack1", "rack2"))
    assert asked.state(clock.now) is State.AWAITING
    assert (asked.approval, asked.fencing_token) == (Approval.ASKED, None)
    assert lab.get(asked.id) == asked
    with pytest.raises(RefusedError) as told:
        lab.reserve(ask("rack2", who=BOB))
    (booking,) = told.value.refusal.conflicts
    assert (booking.holder, booking.awaiting, booking.waiting) == ("alice", True, False)
    assert told.value.refusal.next_free_us == asked.ends_us
    assert [one.id for one in lab.who("rack1")] == [asked.id]
    assert lab.reservations(states=[State.ACTIVE]) == []
    assert [one.id for one in lab.reservations(states=[State.AWAITING])] == [asked.id]
    assert lab.engine.read(replay.compare) + lab.engine.read(replay.broken) == []


def test_who_waits_in_the_queue_is_not_promised_the_time_of_a_request(lab, clock):
    asked = lab.reserve(ask("rack1", "rack2"))
    waiter = lab.queue_join(ask("rack2", who=BOB), new_id())
    assert waiter.starts_us == asked.ends_us
    lab.refuse(asked.id, CAROL, "audit")
    assert not lab.queue_look(waiter.id).reservation.waiting
    assert lab.engine.read(replay.compare) + lab.engine.read(replay.broken) == []


def test_approved_it_is_a_hold_from_then_on(lab, clock):
    asked = lab.reserve(ask())
    assert [one.id for one in lab.to_approve(CAROL)] == [one.id for one in lab.to_approve(ROOT)] == [asked.id]
    assert lab.to_approve(ALICE) == lab.to_approve(BOB) == []
    clock.now += 20 * MINUTE_US
    given = lab.approve(asked.id, CAROL)
    assert (given.state(clock.now), given.approval) == (State.ACTIVE, Approval.GIVEN)
    assert (given.starts_us, given.ends_us, given.lease_us) == (clock.now, asked.ends_us, None)
    assert given.fencing_token
    assert lab.get(asked.id) == given
    assert actions(lab, asked) == ["approval_asked", "approved"]
    assert [told.action.value for told in lab.take_kick_notices(ALICE)] == ["approved"]
    assert lab.take_kick_notices(ALICE) == []
    with pytest.raises(WrongStateError, match="does not await approval: it is active"):
        lab.approve(asked.id, CAROL)
    assert lab.engine.read(replay.compare) + lab.engine.read(replay.broken) == []


def test_refused_its_time_is_free_and_the_reason_is_told(lab, clock):
    asked = lab.reserve(ask(at=clock.now + HOUR_US))
    with pytest.raises(UsageError, match="reason"):
        lab.refuse(asked.id, CAROL, " ")
    ended = lab.refuse(asked.id, Holder("root"), "audit")
    assert (ended.end_reason, ended.ended_note) == (EndReason.REFUSED, "audit")
    assert lab.get(asked.id).why_ended(clock.now) == "refused"
    (told,) = lab.take_kick_notices(ALICE)
    assert (told.action.value, told.who, told.after["ended_note"]) == ("refused", "root", "audit")
    assert lab.reserve(ask(at=clock.now + HOUR_US, who=BOB)).is_awaiting
    assert lab.engine.read(replay.compare) + lab.engine.read(replay.broken) == []


UNANSWERED = ((0, 8, 4), (0, 1, 1), (2, 8, 4), (2, 1, 3), (9, 1, 9))
"""In hours: when it is to begin, how long it is to last, and when it expires."""


def test_unanswered_it_expires(lab, clock):
    for starts, hours, expires in UNANSWERED:
        begin = clock.now
        asked = lab.reserve(ask(at=begin + starts * HOUR_US if starts else None, hours=hours))
        clock.now = begin + expires * HOUR_US - 1
        assert lab.get(asked.id).state(clock.now) is State.AWAITING
        clock.now += 1
        assert lab.get(asked.id).why_ended(clock.now) == "unanswered"
        assert lab.to_approve(CAROL) == []
        with pytest.raises(WrongStateError, match="it is unanswered"):
            lab.approve(asked.id, CAROL)
        after = lab.reserve(ask(who=BOB, hours=12))
        assert [told.action.value for told in lab.take_kick_notices(ALICE)] == ["unanswered"]
        assert lab.take_kick_notices(ALICE) == []
        assert actions(lab, asked)[-1] == "unanswered"
        assert lab.get(asked.id).why_ended(clock.now) == "unanswered"
        lab.release(after.id, BOB)
    assert lab.engine.read(replay.compare) + lab.engine.read(replay.broken) == []


def test_the_policy_says_how_long_a_request_is_kept(lab, clock):
    lab.policy_set("approval_within", "1d", ROOT)
    assert lab.reserve(ask(hours=72)).lease_us == clock.now + DAY_US


def test_whoever_may_approve_needs_no_approval(lab, clock):
    assert lab.reserve(ask(who=CAROL)).state(clock.now) is State.ACTIVE


def test_others_cannot_answer(lab):
    asked = lab.reserve(ask())
    for who in (ALICE, BOB, Holder("carol", "bob")):
        with pytest.raises(NotAllowedError, match="rack1: carol or team:leads"):
            lab.approve(asked.id, who)
        with pytest.raises(NotAllowedError, match="rack1: carol or team:leads"):
            lab.refuse(asked.id, who, "no")
    with pytest.raises(NotFoundError):
        lab.approve(new_id(), CAROL)


def test_its_holder_can_give_it_up_and_others_can_take_it_away(lab, clock):
    first = lab.reserve(ask())
    assert lab.release(first.id, ALICE).end_reason is EndReason.CANCELLED
    second = lab.reserve(ask())
    assert lab.kick(second.id, ROOT, "fire").end_reason is EndReason.KICKED
    third = lab.reserve(ask())
    plan = lab.maintenance_add(["rack1"], ROOT, ends_us=FOREVER_US, hit="move")
    assert [hit.after.end_reason for hit in plan.hits] == [EndReason.KICKED]
    assert lab.get(third.id).state(clock.now) is State.ENDED
    assert lab.engine.read(replay.compare) + lab.engine.read(replay.broken) == []


def test_a_request_is_changed_by_asking_again(lab, clock):
    asked = lab.reserve(ask(at=clock.now + HOUR_US))
    for change in (
        lambda: lab.extend(asked.id, ALICE, duration_us=1),
        lambda: lab.shorten(asked.id, ALICE, duration_us=1),
        lambda: lab.move(asked.id, ALICE, starts_us=clock.now + 2 * HOUR_US),
        lambda: lab.transfer(asked.id, "bob", ALICE),
    ):
        with pytest.raises(WrongStateError, match="awaits approval"):
            change()
    assert lab.get(asked.id) == asked


def test_what_something_keeps_alive_cannot_wait_for_approval(lab):
    with pytest.raises(NotAllowedError, match="cannot wait for approval"):
        lab.reserve(ask(keepalive_us=HOUR_US))
    with pytest.raises(NotAllowedError, match="wait in the queue"):
        lab.queue_join(ask(), new_id())
    assert lab.reservations() == []


def test_by_need_only_what_needs_no_approval_is_given(lab):
    made = lab.reserve(Request((), ALICE, duration_us=HOUR_US, needs=(Need(1),)))
    assert made.resources == ("rack2",)
    with pytest.raises(NotFoundError, match="1 suit"):
        lab.reserve(Request((), BOB, duration_us=HOUR_US, needs=(Need(2),)))


def test_nobody_named_means_whoever_did_not_ask_for_it_where_the_book_names_nobody(book, clock):
    book.inventory_add(["rack1"], ROOT, {"approval": True})
    for_bob = book.reserve(ask(who=Holder("bob", "alice")))
    for who in (ALICE, BOB):
        with pytest.raises(NotAllowedError, match=rf", for {who.name} has asked for it \(rack1: whoever manages it\)"):
            book.approve(for_bob.id, who)
    assert book.approve(for_bob.id, CAROL).state(clock.now) is State.ACTIVE


def test_rules_say_who_manages_a_resource(book, clock):
    book.inventory_add(["rack1"], ROOT, {"approval": True})
    book.rights_grant("user:root", "admin", ROOT)
    book.rights_grant("*", "booker", ROOT)
    book.rights_grant("user:carol", "manager", ROOT, selector="rack*")
    asked = book.reserve(ask())
    assert book.to_approve(BOB) == []
    with pytest.raises(NotAllowedError):
        book.approve(asked.id, BOB)
    assert book.approve(asked.id, CAROL).state(clock.now) is State.ACTIVE


def test_a_reservation_that_needs_check_in_needs_it_from_its_start(lab, clock):
    asked = lab.reserve(ask(at=clock.now + HOUR_US, check_in_us=10 * MINUTE_US))
    given = lab.approve(asked.id, CAROL)
    assert given.lease_us == asked.starts_us + 10 * MINUTE_US
    clock.now = given.lease_us
    assert lab.get(asked.id).why_ended(clock.now) == "no_show"


def test_an_inventory_keeps_who_approves(lab):
    (entry,) = lab.inventory(["rack1"])
    assert entry.resource.approval == ("carol", "team:leads")
    (entry,) = lab.inventory_change(["rack1"], ROOT, {"approval": False})
    assert entry.resource.approval is None
    assert not lab.reserve(ask()).is_awaiting
