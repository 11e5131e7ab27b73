import itertools

from hypothesis import given
from hypothesis import strategies as st

from bespeak.ledger.inventory import whole_and_parts

NAMES = "abcdef"
pairs = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=9)


def below(pairs, name):
    """Everything that can be reached downwards, by trying every chain."""
    found = set()
    for _ in NAMES:
        found |= {part for whole, part in pairs if whole == name or whole in found}
    return found


@given(pairs)
def test_relatives_are_what_can_be_reached_upwards_or_downwards(pairs):
    found = whole_and_parts.related(pairs)
    for name in NAMES:
        upwards = {other for other in NAMES if name in below(pairs, other)}
        assert found.get(name, frozenset()) == (below(pairs, name) | upwards) - {name}


@given(pairs)
def test_a_circle_is_found_where_there_is_one(pairs):
    found = whole_and_parts.circle(pairs)
    assert bool(found) == any(name in below(pairs, name) for name in NAMES)
    assert set(itertools.pairwise(found)) <= pairs
    if found:
        assert found[0] == found[-1]


def test_siblings_are_not_related():
    found = whole_and_parts.related([("board", "gpu1"), ("board", "gpu2"), ("rack", "board")])
    assert found["gpu1"] == {"board", "rack"}
    assert found["rack"] == {"board", "gpu1", "gpu2"}


def test_a_long_chain_is_no_trouble():
    chain = [(str(number), str(number + 1)) for number in range(5000)]
    assert whole_and_parts.circle(chain) == []
    assert whole_and_parts.circle([*chain, ("5000", "0")])[0] == "0"
