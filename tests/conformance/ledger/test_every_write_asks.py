"""Every method that writes, and that can be called from another machine, refuses a caller without rights.

A method that is new has to be written down here, or a test fails.
"""

from __future__ import annotations

import pytest

from bespeak.access import tokens
from bespeak.access.model import Caller
from bespeak.base.clock import HOUR_US
from bespeak.base.errors import BusyError, NotAllowedError, NotFoundError
from bespeak.base.ids import new_id
from bespeak.ledger.host_actions import HostAction
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.operations import ONCE, REPEATABLE
from bespeak.ledger.service import Ledger

ALICE, ROOT = Holder("alice"), Holder("root")
ROW = "SELECT COUNT(*), MAX(seq) FROM ledger_log"

CALLS = {
    "reserve": lambda b, held, by: b.reserve(Request(("x",), by, duration_us=HOUR_US)),
    "queue_join": lambda b, held, by: b.queue_join(Request(("x",), by, duration_us=HOUR_US), new_id()),
    "queue_look": lambda b, held, by: b.queue_look(held["waiting"].id),
    "queue_leave": lambda b, held, by: b.queue_leave(held["waiting"].id, by),
    "touch": lambda b, held, by: b.touch(held["active"].id, by),
    "sign_of_life": lambda b, held, by: b.sign_of_life([held["active"].id]),
    "reserve_many": lambda b, held, by: b.reserve_many([Request(("x",), by, duration_us=HOUR_US)]),
    "move_many": lambda b, held, by: b.move_many([(held["booked"].id, held["booked"].starts_us + 1, 2**61)], by),
    "release_many": lambda b, held, by: b.release_many([held["active"].id], by),
    "maintenance_add": lambda b, held, by: b.maintenance_add(["spare"], by, ends_us=held["booked"].ends_us),
    "maintenance_cancel": lambda b, held, by: b.maintenance_cancel(["spare"], by),
    "resource_mark": lambda b, held, by: b.resource_mark(["spare"], by, health="sick"),
    "keep_alive": lambda b, held, by: b.keep_alive(held["active"].id, held["active"].fencing_token),
    "extend": lambda b, held, by: b.extend(held["active"].id, by, duration_us=HOUR_US),
    "shorten": lambda b, held, by: b.shorten(held["active"].id, by, duration_us=1),
    "release": lambda b, held, by: b.release(held["active"].id, by),
    "release_resources": lambda b, held, by: b.release_resources(["rack1", "rack2"], by),
    "approve": lambda b, held, by: b.approve(held["asked"].id, by),
    "refuse": lambda b, held, by: b.refuse(held["asked"].id, by, "x"),
    "kick": lambda b, held, by: b.kick(held["active"].id, by, "x"),
    "move": lambda b, held, by: b.move(held["booked"].id, by, starts_us=held["booked"].starts_us + 1),
    "transfer": lambda b, held, by: b.transfer(held["plain"].id, "mallory", by),
    "swap": lambda b, held, by: b.swap(held["plain"].id, held["other"].id, by),
    "release_part": lambda b, held, by: b.release_part(held["active"].id, ("rack1",), by),
    "resource_set": lambda b, held, by: b.resource_set("x", by),
    "resource_remove": lambda b, held, by: b.resource_remove("spare", by),
    "record_host_action": lambda b, held, by: b.record_host_action(
        HostAction("host1", ends=False, resources=("rack1",), reservation_id=None), by
    ),
    "inventory_sync": lambda b, held, by: b.inventory_sync({}, by),
    "inventory_add": lambda b, held, by: b.inventory_add(["x"], by, {}),
    "inventory_change": lambda b, held, by: b.inventory_change(["spare"], by, {"description": "x"}),
    "policy_set": lambda b, held, by: b.policy_set("strict", True, by),
    "policy_unset": lambda b, held, by: b.policy_unset("strict", by),
    "token_create": lambda b, held, by: b.token_create(by, "alice", tokens.hashed(tokens.new_token())),
    "token_revoke": lambda b, held, by: b.token_revoke(held["token"].id, by),
    "rights_grant": lambda b, held, by: b.rights_grant("mallory", "admin", by),
    "rights_revoke": lambda b, held, by: b.rights_revoke("x", by),
    "rights_group": lambda b, held, by: b.rights_group("lab", by, add=("mallory",)),
    "rights_map": lambda b, held, by: b.rights_map("https://gitlab.com", (("a", "b"),), "ci:x", "admin", by),
}
ALSO = {"release_resources": (NotFoundError,)}
"""In one's own name nothing of it is held."""

HARMLESS = {"release_mine", "take_kick_notices"}
"""They concern what the name that is used has: the first asks for each as ``release`` does, the second who calls."""


def test_each_operation_is_here():
    assert CALLS.keys() | HARMLESS == {*ONCE, *REPEATABLE}


@pytest.fixture
def held(book, clock):
    """What others have in the book."""
    facts = {
        "active": book.reserve(Request(("rack1", "rack2"), ALICE, duration_us=HOUR_US, keepalive_us=HOUR_US)),
        "other": book.reserve(Request(("rack3",), Holder("bob"), duration_us=HOUR_US)),
        "booked": book.reserve(Request(("rack4",), ALICE, starts_us=clock.now + HOUR_US, duration_us=HOUR_US)),
        "plain": book.reserve(Request(("rack5",), ALICE, duration_us=HOUR_US)),
        "token": book.token_create(ROOT, "alice", tokens.hashed(tokens.new_token())),
    }
    book.resource_set("spare", ROOT)
    book.inventory_add(["asked"], ROOT, {"approval": ["carol"]})
    facts["asked"] = book.reserve(Request(("asked",), ALICE, duration_us=HOUR_US))
    book.policy_set("strict", False, ROOT)
    waiting = Request(("rack1",), ALICE, duration_us=HOUR_US)
    facts["waiting"] = book.queue_join(waiting, new_id())
    return facts


@pytest.mark.parametrize("ruled", [False, True], ids=["no rules", "rules"])
def test_a_caller_without_rights_changes_nothing(book, held, ruled):
    if ruled:
        book.rights_grant("root", "admin", ROOT)
    inside = Ledger(book.engine)
    before = inside.engine.read(lambda tx: tx.fetch_one(ROW))
    mallory = book.as_caller(Caller("mallory", "user", "token", unruled=None))
    for name, call in CALLS.items():
        for by in (Holder("mallory"), ALICE, Holder("alice", "mallory"), Holder("mallory", "alice")):
            with pytest.raises((NotAllowedError, BusyError, *ALSO.get(name, ()))):
                call(mallory, held, by)
        assert inside.engine.read(lambda tx: tx.fetch_one(ROW)) == before, name
