import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.ledger.lookalikes import LookalikeIndex, skeleton


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("rack3", "RACK3"),
        ("rack3", "r\u0430ck3"),  # Cyrillic a
        ("HOPE", "\u041d\u041e\u0420\u0415"),  # all Cyrillic
        ("rack3", "rack\uff13"),  # full width
        ("caf\u00e9", "CAF\u00c9"),
        ("board-1", "board\u20131"),
        ("io", "\u0456o"),
        ("stra\u00dfe", "STRASSE"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(left, right):
    assert skeleton(left) == skeleton(right)


@pytest.mark.parametrize(("left", "right"), [("rack3", "rack4"), ("cafe", "caf\u00e9"), ("a-1", "a1"), ("b1", "bl")])
def test_others_do_not(left, right):
    assert skeleton(left) != skeleton(right)


@given(st.text(max_size=10))
def test_a_skeleton_is_its_own(name):
    assert skeleton(skeleton(name)) == skeleton(name)


def test_an_index_names_the_other():
    names = LookalikeIndex(["rack3"])
    assert names.like("Rack3") == "rack3"
    assert names.like("rack3") is None
    assert names.like("rack4") is None
