"""Holders have a kind, teams are acted for by their members alone, and a hold says where it is used."""

from __future__ import annotations

import pytest

from bespeak.base.clock import HOUR_US, MINUTE_US, SECOND_US
from bespeak.base.errors import BusyError, NotAllowedError, NotFoundError, UsageError, WrongStateError
from bespeak.base.process_identity import this_host
from bespeak.ledger import current_hold
from bespeak.ledger.current_hold import CurrentHold
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, HolderKind, Mode, Origin, Request, State, holder_kind
from bespeak.ledger.serialize import refusal_json, reservation_json
from support.engines import on_databases

TEAM = "team:bringup"
ALICE = Holder("alice")
ALICE_FOR_TEAM, EVE_FOR_TEAM = Holder(TEAM, "alice"), Holder(TEAM, "eve")


def take(book, *names, who=ALICE, **more):
    return book.reserve(Request(names, who, duration_us=HOUR_US, **more))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("alice", "user"), ("team:x", "team"), ("ci:x", "ci"), ("agent:x", "agent"), ("mars:x", "user"), ("team", "user")],
)
def test_the_kind_of_a_holder_is_the_word_before_the_colon(book, name, kind):
    assert holder_kind(name) is Holder(name).kind is HolderKind(kind)
    made = take(book, "rack", who=Holder(name))
    assert (made.holder, made.kind) == (name, HolderKind(kind))
    assert reservation_json(made, book.now_us())["holder_kind"] == kind


@on_databases
def test_a_user_has_one_name_with_and_without_the_kind(book):
    made = take(book, "rack", who=Holder("user:alice"))
    assert made.holder == "alice"
    book.extend(made.id, Holder("user:alice"), duration_us=SECOND_US)
    assert [one.id for one in book.release_resources(["rack"], Holder("user:alice"))] == [made.id]
    assert {entry.who for entry in book.log()} == {"alice"}


@pytest.mark.parametrize("name", ["team:", "ci:", "agent:", "user:"])
def test_a_kind_without_a_name_is_nobody(book, name):
    with pytest.raises((UsageError, NotAllowedError)):
        take(book, "rack", who=Holder(name))


@on_databases
def test_only_members_that_the_policy_names_act_for_a_team(book):
    with pytest.raises(BusyError, match=r"alice may not act for team:bringup \(policy of the book: teams\)"):
        take(book, "rack", who=ALICE_FOR_TEAM)
    book.policy_set("teams", {"bringup": ["alice", "bob"], "qa": ["eve"]}, ALICE)
    made = take(book, "rack", who=ALICE_FOR_TEAM)
    for what in (
        lambda: take(book, "board", who=EVE_FOR_TEAM),
        lambda: book.queue(Request(("board",), EVE_FOR_TEAM), timeout_us=1),
        lambda: book.extend(made.id, EVE_FOR_TEAM, duration_us=1),
    ):
        with pytest.raises(BusyError, match="eve may not act for team:bringup"):
            what()
    for what in (
        lambda: book.shorten(made.id, EVE_FOR_TEAM, duration_us=1, reason="mine"),
        lambda: book.release(made.id, EVE_FOR_TEAM, reason="mine"),
        lambda: book.release_resources(["rack"], EVE_FOR_TEAM, reason="mine"),
        lambda: book.release_mine(EVE_FOR_TEAM, reason="mine"),
        lambda: book.kick(made.id, EVE_FOR_TEAM, "mine"),
    ):
        with pytest.raises(BusyError, match="eve may not take reservations away"):
            what()
    bob = Holder(TEAM, "bob")
    assert book.extend(made.id, bob, duration_us=1).ends_us == made.ends_us + 1
    ended = book.release(made.id, bob)
    assert ended.end_reason.value == "released", "a colleague of the team needs no right to kick"


def test_a_hold_says_where_it_is_used_and_by_what(book):
    made = take(book, "rack", origin=Origin("lab1", "pid 4711"), keepalive_us=MINUTE_US)
    assert book.get(made.id).origin == Origin("lab1", "pid 4711")
    with pytest.raises(RefusedError, match=r"rack is held by alice \[pid 4711 on lab1\] until") as refused:
        take(book, "rack", who=Holder("alice"))
    (told,) = refusal_json(refused.value.refusal)["conflicts"]
    assert (told["host"], told["process"], told["seen_us"]) == ("lab1", "pid 4711", book.now_us())
    with pytest.raises(UsageError, match="origin"):
        take(book, "stand", origin=Origin("a\nb"))


@on_databases
def test_a_hold_is_made_on_this_machine_if_nobody_says_otherwise(book):
    assert take(book, "board").origin == Origin(this_host())
    assert book.queue(Request(("rack",), ALICE), timeout_us=1).origin == Origin(this_host())


def test_the_last_sign_of_life_is_that_of_who_keeps_or_uses_it(book, clock):
    kept, plain = take(book, "rack", keepalive_us=MINUTE_US), take(book, "board")
    began_us = clock.now
    assert (kept.seen_us, plain.seen_us) == (began_us, began_us)
    clock.now += 10 * SECOND_US
    book.keep_alive(kept.id, kept.fencing_token)
    assert (book.get(kept.id).seen_us, book.get(plain.id).seen_us) == (clock.now, began_us)
    book.sign_of_life([plain.id])
    assert book.get(plain.id).seen_us == clock.now
    book.release(plain.id, ALICE)
    clock.now += SECOND_US
    book.sign_of_life([plain.id, "unknown"])
    assert book.get(plain.id).seen_us == clock.now - SECOND_US
    assert len(book.log()) == 3, "a sign of life is no change for the log"


def test_a_hold_that_its_own_book_knows_no_more_narrows_to_nothing(book, fresh_book):
    from bespeak.ledger import open_ledger

    made = take(book, "rack")
    gone = CurrentHold("01a2015b-8aed-784a-834b-8ef7639a6e17", 1, book.identity())
    with pytest.raises(NotFoundError, match="not under that of the bespeak run around"):
        book.release_resources(["rack"], ALICE, within=gone)
    assert book.release_mine(ALICE, within=gone) == []
    with open_ledger(fresh_book()) as other:
        assert other.identity() != book.identity()
        elsewhere = CurrentHold(gone.reservation_id, 1, other.identity())
        assert book.engine.read(lambda tx: current_hold.only_seq(tx, elsewhere)) is None
    assert book.release_resources(["rack"], ALICE, within=elsewhere)[0].id == made.id


def agents_hold(book, agent, *names, **more):
    return take(book, *names, origin=Origin(this_host(), agent), **more)


@on_databases
def test_an_agent_gives_back_by_name_what_it_has_made(book, clock):
    one, two = agents_hold(book, "agent one", "rack", "board"), agents_hold(book, "agent two", "scope")
    plain = take(book, "plain")
    for names in (["rack", "board"], ["scope", "rack", "board"], ["plain"]):
        with pytest.raises(BusyError, match="not by this session; its id ends it all the same: "):
            book.release_resources(names, ALICE, made_by="agent two")
    with pytest.raises(NotFoundError, match="alice does not hold free now"):
        book.release_resources(["free"], ALICE, made_by="agent two")
    with pytest.raises(WrongStateError, match="also holds board"):
        book.release_resources(["rack"], ALICE, made_by="agent one")
    assert [found.id for found in book.release_resources(["rack", "board"], ALICE, made_by="agent one")] == [one.id]
    waiting = book.queue_join(
        Request(("plain",), ALICE, duration_us=HOUR_US, origin=Origin("", "agent two")), "a" * 32, 0
    )
    assert {found.id for found in book.release_mine(ALICE, made_by="agent two")} == {two.id, waiting.id}
    around = CurrentHold(plain.id, plain.fencing_token)
    assert [found.id for found in book.release_mine(ALICE, made_by="agent two", within=around)] == [plain.id]


def test_of_a_shared_resource_an_agent_gives_back_its_own_part(book):
    one, two = (agents_hold(book, f"agent {name}", "rack", mode=Mode.SHARED) for name in ("one", "two"))
    assert [found.id for found in book.release_resources(["rack"], ALICE, made_by="agent two")] == [two.id]
    assert book.get(one.id).state(book.now_us()) is State.ACTIVE


def test_the_listing_has_the_present_first_and_never_hides_it_behind_the_past(book, clock):
    def past():
        clock.now += SECOND_US
        return book.release(take(book, "rack").id, ALICE).id

    ended = [past() for _ in range(5)]
    later = book.reserve(Request(("rack",), ALICE, starts_us=clock.now + HOUR_US, duration_us=HOUR_US))
    held = take(book, "rack")
    other = take(book, "board", who=Holder("bob"))
    listed = [one.id for one in book.listing(include_ended=True)]
    assert listed == [held.id, other.id, later.id, *reversed(ended)]
    assert [one.id for one in book.listing(include_ended=True, limit=4)] == [held.id, other.id, later.id, ended[-1]]
    assert [one.id for one in book.listing(include_ended=True, limit=2)] == [held.id, other.id]
    assert [one.id for one in book.listing()] == [held.id, other.id, later.id]
    assert [one.id for one in book.listing(states=[State.ENDED], limit=2)] == [ended[4], ended[3]]
    assert [one.id for one in book.listing(states=[State.PENDING], include_ended=True)] == [later.id]
    assert [one.id for one in book.listing(holder="bob", resources=["board"])] == [other.id]
    newest = book.reservations(include_ended=True, newest_first=True)
    assert [one.id for one in newest[:2]] == [other.id, held.id]
    assert book.reservations(include_ended=True, newest_first=True, after_id=held.id) == newest[2:]


def test_a_kicked_holder_is_told_once_by_whom_and_why(book):
    held, own = take(book, "rack"), take(book, "board", who=Holder("root"))
    book.kick(held.id, Holder("root"), "fire drill")
    book.kick(own.id, Holder("root"), "changed my mind")
    assert book.take_kick_notices(Holder("bob")) == []
    assert book.take_kick_notices(Holder("root")) == [], "who did it knows it"
    (told,) = book.take_kick_notices(ALICE)
    assert (told.reservation_id, told.resources, told.who) == (held.id, ("rack",), "root")
    assert told.after["ended_note"] == "fire drill"
    assert book.take_kick_notices(ALICE) == []
    again = take(book, "rack")
    book.release(again.id, Holder("alice", "root"), reason="fire again")
    assert [(one.who, one.requested_by) for one in book.take_kick_notices(ALICE)] == [("alice", "root")]
    assert book.release(take(book, "rack").id, ALICE)
    assert book.take_kick_notices(ALICE) == []
