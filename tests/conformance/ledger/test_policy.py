"""The policy of a book counts from everywhere, whatever the settings of a folder say; each change is in the log."""

from __future__ import annotations

import pytest

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import BusyError, NotFoundError, UnavailableError, UsageError
from bespeak.ledger import open_ledger
from bespeak.ledger.actions import Action
from bespeak.ledger.model import Holder, Request
from support import replay
from support.engines import on_databases

ALICE, BOB, ROOT = Holder("alice"), Holder("bob"), Holder("root")


def length_us(made):
    return made.ends_us - made.starts_us


@on_databases
def test_what_the_book_says_counts_for_whoever_opens_it(book_url, book, clock):
    book.policy_set("strict", True, ALICE)
    book.policy_set("default_for", "90m", ALICE)
    book.policy_set("kickers", ["bob"], ALICE)
    book.resource_set("rack", ALICE)
    with open_ledger(book_url, now=clock, default_for_us=HOUR_US, kickers=frozenset({"root"})) as other:
        with pytest.raises(NotFoundError, match="not declared"):
            other.reserve(Request(("board",), ALICE))
        with pytest.raises(NotFoundError, match="not declared"):
            other.queue(Request(("board",), ALICE))
        made = other.reserve(Request(("rack",), ALICE))
        assert length_us(made) == HOUR_US * 3 // 2
        with pytest.raises(BusyError, match="policy of the book"):
            other.kick(made.id, ROOT, "mine")
        assert other.kick(made.id, BOB, "fire").ended_note == "fire"
        waited = other.queue(Request(("rack",), ALICE), timeout_us=1)
        assert length_us(waited) == HOUR_US * 3 // 2


@on_databases
def test_what_the_book_says_no_more_is_up_to_the_settings_again(book_url, book, clock):
    book.policy_set("default_for", "90m", ALICE)
    assert book.policy_unset("default_for", ALICE).stored == {}
    with open_ledger(book_url, now=clock, default_for_us=HOUR_US) as other:
        assert length_us(other.reserve(Request(("rack",), ALICE))) == HOUR_US


def test_each_change_is_in_the_log_and_no_change_is_not(book):
    book.policy_set("kickers", ["bob", "alice", "bob"], Holder("bob", requested_by="alice"))
    book.policy_set("kickers", ["alice", "bob"], ALICE)
    book.policy_set("kickers", [], ALICE)
    book.policy_unset("kickers", ALICE)
    book.policy_unset("kickers", ALICE)
    changes = [(entry.who, entry.requested_by, entry.before, entry.after) for entry in book.log()]
    assert {entry.action for entry in book.log()} == {Action.POLICY_CHANGED}
    assert changes == [
        ("bob", "alice", {}, {"kickers": ["alice", "bob"]}),
        ("alice", None, {"kickers": ["alice", "bob"]}, {"kickers": []}),
        ("alice", None, {"kickers": []}, {}),
    ]
    assert book.engine.read(replay.compare) == []


def test_who_may_use_priority_and_how_much(book):
    book.policy_set("priority", {"alice": 5}, ALICE)
    with pytest.raises(BusyError, match="bob may wait with at most 0"):
        book.queue(Request(("rack",), BOB), priority=1, timeout_us=1)
    with pytest.raises(BusyError, match="bob may wait with at most 0"):
        book.queue(Request(("rack",), Holder("alice", requested_by="bob")), priority=5, timeout_us=1)
    assert [entry.action for entry in book.log()] == [Action.POLICY_CHANGED]
    made = book.queue(Request(("rack",), ALICE), priority=5, timeout_us=1)
    assert made.priority == 5
    book.release(made.id, ALICE)
    assert book.queue(Request(("rack",), BOB), timeout_us=1).holder == "bob"


@on_databases
def test_only_who_owns_the_book_or_is_named_changes_it(book):
    with pytest.raises(BusyError, match="bob may not change the policy"):
        book.policy_set("admins", ["bob"], BOB, is_owner=False)
    book.policy_set("admins", ["alice", "bob"], BOB)
    book.policy_set("strict", True, Holder("carol", requested_by="bob"), is_owner=False)
    for what in (lambda: book.policy_unset("admins", ROOT, is_owner=False),):
        with pytest.raises(BusyError, match="root may not change the policy"):
            what()
    assert book.policy().stored == {"admins": ["alice", "bob"], "strict": True}


@pytest.mark.parametrize(
    "change", [("stict", True), ("strict", "perhaps"), ("kickers", "bob"), ("priority", {"a": -1})]
)
def test_what_cannot_be_is_refused_and_changes_nothing(book, change):
    with pytest.raises(UsageError):
        book.policy_set(*change, ALICE)
    assert book.log() == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("tomorrows_key", "1", "a key that this bespeak does not know, 'tomorrows_key'; upgrade bespeak"),
        ("strict", "perhaps", "the book is damaged: row of the policy 'strict'"),
        ("kickers", '"bob"', "the book is damaged: row of the policy 'kickers'"),
        ("teams", "[" * 100_000, "the book is damaged: row of the policy 'teams'"),
    ],
)
def test_a_policy_that_cannot_be_understood_lets_nobody_reserve(book, name, value, told):
    sql = "INSERT INTO ledger_policy (name, value) VALUES (:name, :value)"
    book.engine.transact([], lambda tx: tx.execute(sql, {"name": name, "value": value}))
    with pytest.raises(UnavailableError, match=told):
        book.reserve(Request(("rack",), ALICE, duration_us=HOUR_US))
    assert book.reservations() == []
