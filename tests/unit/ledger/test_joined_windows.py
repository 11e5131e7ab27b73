"""Windows that follow each other are entered as one, and the load of the timeline is the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US
from bespeak.ledger.model import Mode
from bespeak.ledger.occupancy import _Joined
from bespeak.ledger.timeline import Timeline

windows = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(Mode), st.integers(0, 8), st.sampled_from([0, 1, 2, FOREVER_US])),
    max_size=10,
)


@settings(max_examples=150, deadline=None)
@given(windows, st.integers(1, 2), st.sampled_from([0, 1]))
def test_the_load_is_the_same(found, capacity, cooldown_us):
    one_by_one, joined = ({name: Timeline(capacity, cooldown_us) for name in "ab"} for _ in range(2))
    joining = _Joined(joined)
    for name, mode, starts_us, length_us in found:
        ends_us = min(starts_us + length_us, FOREVER_US)
        one_by_one[name].change(mode, starts_us, ends_us)
        joining.add(name, mode, starts_us, ends_us)
    joining.flush()
    for name in "ab":
        for mode in Mode:
            for at_us in range(12):
                for length_us in (1, 2, 5, FOREVER_US):
                    expected = one_by_one[name].first_fit(mode, at_us, length_us)
                    assert joined[name].first_fit(mode, at_us, length_us) == expected
                assert joined[name].free_until(mode, at_us) == one_by_one[name].free_until(mode, at_us)


def test_bookings_back_to_back_are_one_stretch():
    timeline = Timeline(1)
    joining = _Joined({"a": timeline})
    for at_us in range(1, 1_000):
        joining.add("a", Mode.EXCLUSIVE, at_us, at_us + 1)
    joining.flush()
    assert timeline.first_fit(Mode.EXCLUSIVE, 1, 5) == 1_000
    assert len(timeline._times) == 3
