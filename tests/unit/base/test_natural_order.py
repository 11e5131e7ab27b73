import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.natural_order import natural_key, natural_order


@pytest.mark.parametrize(
    "ordered",
    [
        ["board2", "board10"],
        ["a", "a1", "a1b", "a1b2", "a1b10", "a2", "b"],
        ["rack1.gpu9", "rack1.gpu10", "rack2.gpu1"],
        ["1", "2", "10", "x"],
        ["a01", "a1", "a2"],
        ["é1", "é2", "é10"],
    ],
)
def test_numbers_count_as_numbers(ordered):
    assert natural_order(reversed(ordered)) == ordered


@given(st.lists(st.text(alphabet="ab019é½²", max_size=6), max_size=8))
def test_it_is_a_total_order_of_names(names):
    assert natural_order(names) == natural_order(reversed(names))
    assert sorted(natural_order(names)) == sorted(names)


def test_a_name_of_very_many_digits_is_no_number():
    assert natural_key("9" * 10_000) > natural_key("8" * 10_000)
