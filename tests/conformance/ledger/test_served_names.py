"""Nobody acts in another's name on a server: whatever an operation does with a holder, it is the caller's own."""

import pytest

from bespeak.access.model import Caller
from bespeak.base.clock import HOUR_US
from bespeak.base.errors import BusyError, NotAllowedError
from bespeak.base.ids import new_id
from bespeak.ledger.host_actions import HostAction
from bespeak.ledger.model import Holder, Request, State
from bespeak.ledger.served import LEDGER_OPERATIONS, holders_in

ALICE, BOB = Holder("alice"), Holder("bob")


@pytest.fixture
def bob(book):
    """The book as bob may use it, whom a server has signed in and no rule knows."""
    return book.as_caller(Caller("bob", "user", "token"))


def test_a_place_in_the_queue_is_left_by_its_own_holder(book, bob):
    book.reserve(Request(("r",), ALICE, duration_us=HOUR_US))
    place = book.queue_join(Request(("r",), ALICE, duration_us=HOUR_US), new_id())
    for by in (ALICE, Holder("alice", "bob")):
        with pytest.raises((NotAllowedError, BusyError), match=r"signed in as bob|bob may not"):
            bob.queue_leave(place.id, by)
    assert [one.id for one in book.reservations(states=[State.WAITING])] == [place.id]
    book.queue_leave(place.id, ALICE)
    assert book.reservations(states=[State.WAITING]) == []


def test_an_action_on_a_host_is_logged_by_who_acts(book, bob):
    action = HostAction("node1", ends=False, resources=("r",), reservation_id=None)
    for by in (ALICE, Holder("alice", "bob")):
        with pytest.raises(NotAllowedError):
            bob.record_host_action(action, by)
    bob.record_host_action(action, BOB)
    assert [entry.who for entry in book.log()] == ["bob"]


def test_every_holder_is_found():
    request = Request(("r",), ALICE)
    assert list(holders_in([request, [BOB, (request,)], {"x": BOB}, "bob", 5, None])) == [ALICE, BOB, ALICE, BOB]
    assert LEDGER_OPERATIONS.effect("reserve")
