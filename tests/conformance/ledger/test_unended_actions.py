"""What began on a host and has no end in the log."""

from __future__ import annotations

from typing import Any

from bespeak.base.clock import HOUR_US
from bespeak.ledger.host_actions import HostAction
from bespeak.ledger.model import Holder, Request

ALICE, BOB = Holder("alice"), Holder("bob")


def note(book: Any, host: str, by: Holder, started_us: int, *, ends: bool = False, alone: bool = True, **more: Any):
    facts: dict[str, object] = {"host": host, "action": "cycle", "started_us": started_us, **more}
    if alone and not ends:
        facts["alone_us"] = 1
    book.record_host_action(HostAction(host, ends, ("rack1",), None, {}, facts, False), by)


def begun(book: Any, *hosts: str) -> list[tuple[str, str]]:
    return [(str(one.after["host"]), one.who) for one in book.unended_actions(hosts or ("r1", "r2"))]


def test_only_what_has_no_end_is_found(book: Any) -> None:
    note(book, "r1", ALICE, 1)
    note(book, "r2", ALICE, 2)
    note(book, "other", ALICE, 3)
    note(book, "r2", ALICE, 2, ends=True, power="on")
    assert begun(book) == [("r1", "alice")]
    note(book, "r1", ALICE, 1, ends=True, power=None)
    assert begun(book) == []


def test_what_does_not_switch_is_no_switching(book: Any) -> None:
    note(book, "r1", ALICE, 1, alone=False)
    assert begun(book) == []
    note(book, "r1", ALICE, 2)
    note(book, "r1", BOB, 3, alone=False)
    note(book, "r1", BOB, 3, ends=True, power=None)
    assert begun(book) == [("r1", "alice")]


def test_a_later_action_that_knows_the_state_settles_it(book: Any) -> None:
    note(book, "r1", ALICE, 1)
    note(book, "r1", BOB, 2)
    assert begun(book) == [("r1", "bob")]
    note(book, "r1", BOB, 2, ends=True, power="on")
    assert begun(book) == []


def test_the_hold_need_not_be_in_force_any_more(book: Any) -> None:
    held = book.reserve(Request(("rack1",), ALICE, duration_us=HOUR_US))
    facts: dict[str, object] = {"host": "r1", "action": "cycle", "started_us": 1, "alone_us": 1}
    book.record_host_action(HostAction("r1", False, ("rack1",), held.id, {}, facts, True), ALICE)
    book.release(held.id, ALICE)
    assert begun(book) == [("r1", "alice")]
