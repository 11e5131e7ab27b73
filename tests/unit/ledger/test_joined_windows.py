"""Windows that follow each other are entered as one, and the load of the timeline is the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US, MINUTE_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Mode
from bespeak.ledger.occupancy import Occupancy, _Joined
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


@settings(max_examples=200, deadline=None)
@given(windows, st.integers(1, 2), st.sampled_from([0, 1]), st.sampled_from(Mode), st.integers(0, 8), st.integers(1, 3))
def test_who_is_said_to_stay_has_its_seat_and_no_earlier_one(found, capacity, cooldown_us, mode, starts_us, length_us):
    timeline = Timeline(capacity, cooldown_us)
    for _, other, from_us, for_us in found:
        timeline.change(other, from_us, min(from_us + for_us, FOREVER_US))
    ends_us = starts_us + length_us
    timeline.change(mode, starts_us, ends_us)
    has_seat, has_gap = timeline.seats_all(mode, starts_us, ends_us), timeline.has_room_within(mode, 0, starts_us)
    timeline.change(mode, starts_us, ends_us, -1)
    earliest_us = timeline.first_fit(mode, 0, length_us)
    assert has_seat == (timeline.first_fit(mode, starts_us, length_us) == starts_us)
    assert has_gap or earliest_us >= starts_us


def test_of_a_line_without_gaps_everybody_stays(tmp_path):
    with open_ledger(str(tmp_path / "book")) as book:
        assert book.engine.read(lambda tx: stays_of_three(tx, gap_us=0)) == [True, True, True]
        assert book.engine.read(lambda tx: stays_of_three(tx, gap_us=1)) == [True, False, False]


def stays_of_three(tx, gap_us):
    """Enter three who wait for a minute each, with a gap behind the first, and ask whether each stays."""
    now_us = tx.now_us
    starts_us = [now_us, now_us + MINUTE_US + gap_us, now_us + 2 * MINUTE_US + gap_us]
    entries = [(("a",), Mode.EXCLUSIVE, (at_us, at_us + MINUTE_US)) for at_us in starts_us]
    board = Occupancy(tx, {}, ["a"], now_us, for_waiters=True)
    board.enter(entries)
    return [board.stays(names, mode, window, now_us) for names, mode, window in entries]
