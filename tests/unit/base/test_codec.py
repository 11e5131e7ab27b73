"""Values that travel as JSON: what goes in comes out, and nothing else is let in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.codec import Codec, DecodeError, encode
from bespeak.ledger.actions import Action, LogEntry
from bespeak.ledger.model import Booking, Holder, Mode, Refusal, Request
from bespeak.ledger.operations import VALUES

STRICT, LENIENT = Codec(VALUES, lenient=False), Codec(VALUES, lenient=True)
NAMES = st.text(max_size=20)
REQUESTS = st.builds(
    Request,
    resources=st.lists(NAMES, max_size=3).map(tuple),
    holder=st.builds(Holder, NAMES, st.none() | NAMES),
    starts_us=st.none() | st.integers(0, 2**62),
    duration_us=st.none() | st.integers(),
    mode=st.sampled_from(Mode),
    purpose=NAMES,
    tags=st.lists(st.tuples(NAMES, NAMES), max_size=3).map(tuple),
    next_fit=st.booleans(),
)


@given(REQUESTS)
def test_a_request_survives_the_journey(request_):
    assert STRICT.decode("Request", json.loads(json.dumps(encode(request_))), "request") == request_


def test_what_is_nested_survives_the_journey():
    taken = Booking("rack", "alice", "id", Mode.SHARED, 1, 2**62)
    for kind, value in (
        ("Refusal", Refusal((taken, taken), None)),
        ("LogEntry", LogEntry(1, 2, Action.LAPSED, "x", None, after={"tags": [["a", "b"]], "n": None})),
        ("tuple[Holder, int]", (Holder("a"), 3)),
        ("dict[str, list[Mode]]", {"a": [Mode.SHARED]}),
        ("set[str]", {"a", "b"}),
        ("Holder | None", None),
        ("Iterable[str]", ("a", "b")),
    ):
        assert STRICT.decode(kind, json.loads(json.dumps(encode(value))), "it") == value


@pytest.mark.parametrize(
    ("kind", "found", "said"),
    [
        ("int", True, "True is not int"),
        ("int", 1.5, "1.5 is not int"),
        ("int | None", "1", "'1' is not int or NoneType"),
        ("str", 5, "5 is not str"),
        ("bool", 1, "1 is not bool"),
        ("tuple[str, ...]", "abc", "'abc' is not an array"),
        ("tuple[int, int]", [1], "is not an array of 2"),
        ("dict[str, int]", {"a": "b"}, "'b' is not int"),
        ("Mode", "odd", "'odd' is not a Mode"),
        ("Mode", [], "is not a Mode"),
        ("Holder", [], "is not the fields of a Holder"),
        ("Holder", {"user": 1}, "it.user: 1 is not str"),
        ("Holder", {}, "missing"),
        ("Holder", {"user": "a", "is_root": True}, "has no field 'is_root'"),
        ("Request", {"resources": ["a"], "holder": {"user": "a"}, "tags": [["a"]]}, "it.tags"),
    ],
)
def test_what_does_not_fit_is_refused(kind, found, said):
    with pytest.raises(DecodeError, match=said.replace("[", r"\[")):
        STRICT.decode(kind, found, "it")


def test_a_newer_program_may_say_more():
    assert LENIENT.decode("Holder", {"user": "a", "new": 1}, "it") == Holder("a")


@pytest.mark.parametrize("kind", ["Callable[[int], int]", "Holder | Mode", "Transaction", "os", "list[Engine]"])
def test_what_is_no_value_is_never_read(kind):
    with pytest.raises(LookupError):
        STRICT.decode(kind, [], "it")


def test_what_is_no_value_is_never_sent():
    with pytest.raises(TypeError, match="object cannot be sent"):
        encode({"a": object()})
