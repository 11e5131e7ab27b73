"""Each method of the book travels, or is said to stay where it is called; and its annotations can be read."""

import inspect

import pytest

from bespeak.base.codec import Codec
from bespeak.base.errors import UsageError
from bespeak.ledger.operations import LOCAL, OF_THE_MACHINE, ONCE, READS, REPEATABLE, VALUES
from bespeak.ledger.remote import RemoteLedger, open_remote
from bespeak.ledger.served import LEDGER_OPERATIONS
from bespeak.ledger.service import Ledger

TRAVEL = (*READS, *REPEATABLE, *ONCE)
METHODS = {name for name, method in inspect.getmembers(Ledger, callable) if not name.startswith("_")}


def test_each_method_is_on_one_list():
    every = [*TRAVEL, *LOCAL]
    assert sorted(every) == sorted(set(every))
    assert set(every) == METHODS, "list a new method in bespeak/ledger/operations.py"


@pytest.mark.parametrize("name", TRAVEL)
def test_what_travels_can_be_read(name):
    codec = Codec(VALUES, lenient=False)
    for argument, kind in getattr(Ledger, name).__annotations__.items():
        if argument not in ("book", *OF_THE_MACHINE) and kind != "None":
            codec._reader(kind)


def test_an_argument_that_is_not_there_is_refused_as_by_the_method_itself():
    book = open_remote("http://localhost:1")
    for wrong in (book.find, lambda: book.find("a", "b"), lambda: book.find("abcdef", odd=1)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError):
        book.find("abcdef", text="abcdef")


def test_nothing_reaches_below_the_facade_of_a_book_on_a_server():
    book = open_remote("http://localhost:1")
    with pytest.raises(UsageError, match="on the machine of the book"):
        assert book.engine
    assert {name for name in TRAVEL if getattr(RemoteLedger, name) is getattr(Ledger, name)} == set()


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("find", [], "must be an object"),
        ("find", {}, "text is missing"),
        ("find", {"text": 5}, "text: 5 is not str"),
        ("find", {"text": "abcdef", "odd": 1}, "no argument 'odd'"),
        ("policy_set", {"name": "strict", "value": True, "by": {"user": "a"}, "is_owner": True}, "no argument"),
        ("close", {}, "no operation 'close'"),
        ("__init__", {}, "no operation"),
    ],
)
def test_what_no_method_takes_is_refused(name, given, said):
    from bespeak.base.errors import BespeakError

    with pytest.raises(BespeakError, match=said):
        LEDGER_OPERATIONS.perform(None, name, given)
