"""A user begins with a name that no reader takes for another one."""

import pytest

from bespeak import Holder, Request, UsageError

LATIN = "alice"
CYRILLIC_A = "\u0430lice"
FULL_WIDTH = "\uff41lice"
NOT_COMPOSED = "rene\u0301"
LOOKS = r"looks like|mixes letters|nobody sees"
UNSEEN = "alice\ufe0f"


@pytest.mark.parametrize("name", [CYRILLIC_A, FULL_WIDTH, NOT_COMPOSED, UNSEEN, f"agent:{CYRILLIC_A}"])
def test_who_looks_like_another_gets_nothing(book, name):
    with pytest.raises(UsageError, match=LOOKS):
        book.reserve(Request(("rack1",), Holder(name), duration_us=60_000_000))
    held = book.reserve(Request(("rack1",), Holder(LATIN), duration_us=60_000_000))
    with pytest.raises(UsageError, match=LOOKS):
        book.transfer(held.id, name, Holder(LATIN))
    assert [each.holder for each in book.reservations(include_ended=True)] == [LATIN]


@pytest.mark.parametrize(
    "name", ["ren\u00e9", "\u0412\u0435\u0440\u0430", "\u674e\u96f7", "team:\u03a9\u03bc\u03b5\u03b3\u03b1"]
)
def test_a_name_of_one_alphabet_is_a_name(book, name):
    assert book.reserve(Request(("rack1",), Holder(name), duration_us=60_000_000)).holder == name
