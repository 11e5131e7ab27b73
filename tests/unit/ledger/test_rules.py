"""The rule of seats, case by case, and the first fit against trying every start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US
from bespeak.ledger import rules
from bespeak.ledger.model import Booking, Mode
from bespeak.ledger.timeline import Timeline, first_fit

EX, SH = Mode.EXCLUSIVE, Mode.SHARED


def taken(starts, ends, mode=EX, resource="r", **more):
    return Booking(resource, "bob", "id", mode, starts, ends, **more)


def waits(starts, ends, mode=EX, **more):
    return taken(starts, ends, mode, waiting=True, **more)


@pytest.mark.parametrize(
    ("mode", "seats", "there", "granted"),
    [
        (EX, 1, [], True),
        (EX, 1, [taken(0, 10)], True),  # ends as the window begins
        (EX, 1, [taken(20, 30)], True),  # begins as the window ends
        (EX, 1, [taken(0, 11)], False),
        (EX, 1, [taken(19, 30)], False),
        (EX, 1, [taken(12, 13)], False),
        (EX, 1, [taken(0, FOREVER_US)], False),
        (EX, 2, [taken(0, 30)], True),
        (EX, 2, [taken(0, 30), taken(5, 12)], False),
        (EX, 2, [taken(0, 15), taken(15, 30)], True),  # one after the other need one seat
        (EX, 2, [taken(0, 16), taken(15, 30)], False),
        (EX, 2, [taken(0, 30, SH)], False),  # seats are for those who hold alone
        (SH, 2, [taken(0, 30)], False),
        (SH, 1, [taken(0, 30, SH), taken(0, 30, SH)], True),
        (SH, 1, [taken(0, 30, SH), taken(5, 12)], False),
        (EX, 1, [waits(15, 25)], False),  # promised time
        (EX, 1, [waits(20, 25)], True),  # what fits before its turn is given out
        (EX, 1, [waits(10, 11)], False),
        (EX, 1, [waits(5, 10)], True),
        (EX, 2, [waits(10, 11)], True),
        (EX, 2, [waits(11, 12), taken(9, 13)], False),
        (SH, 1, [waits(15, 25, SH)], True),  # both share: nobody loses
        (SH, 1, [waits(15, 25)], False),
        (EX, 1, [waits(FOREVER_US, FOREVER_US)], True),  # who is promised nothing keeps nobody from anything
    ],
)
def test_who_is_granted_10_to_20(mode, seats, there, granted):
    assert (rules.blockers(mode, 10, 20, there, {"r": seats}) == []) is granted


def test_resources_are_judged_one_by_one():
    there = [taken(0, 30, resource="a"), taken(0, 30, resource="b")]
    assert rules.blockers(EX, 10, 20, there, {"a": 2}) == [there[1]]
    assert rules.blockers(EX, 10, 20, there, {"a": 2, "b": 2}) == []


@pytest.mark.parametrize(
    ("windows", "most"), [([], 0), ([(0, 5), (5, 9)], 1), ([(0, 6), (5, 9)], 2), ([(0, 99), (1, 2), (1, 3)], 3)]
)
def test_the_peak_counts_one_moment(windows, most):
    assert rules.peak([taken(*window) for window in windows], 0, 100) == most


def test_an_end_after_the_last_year_is_no_end():
    assert rules.window_end(0, rules.LAST_US) == rules.LAST_US
    assert rules.window_end(1, rules.LAST_US) == FOREVER_US
    assert rules.window_end(5, FOREVER_US) == FOREVER_US
    assert rules.window_end(FOREVER_US, 1) == FOREVER_US


windows = st.tuples(st.integers(0, 30), st.one_of(st.integers(1, 8), st.just(FOREVER_US)))
bookings = st.builds(
    lambda window, resource, mode: Booking(
        resource, "x", "id", mode, window[0], min(window[0] + window[1], FOREVER_US)
    ),
    windows,
    st.sampled_from("ab"),
    st.sampled_from([EX, EX, SH]),
)


@given(
    there=st.lists(bookings, max_size=8),
    gone=st.lists(bookings, max_size=3),
    mode=st.sampled_from([EX, SH]),
    begin=st.integers(0, 20),
    length=st.one_of(st.integers(1, 9), st.just(FOREVER_US)),
    seats=st.fixed_dictionaries({"a": st.integers(1, 3), "b": st.integers(1, 3)}),
    before=st.one_of(st.integers(0, 40), st.just(FOREVER_US)),
)
def test_the_first_fit_is_what_trying_every_start_finds(there, gone, mode, begin, length, seats, before):
    lines = {name: Timeline(seats[name]) for name in "ab"}
    for booking in [*there, *gone]:
        lines[booking.resource].change(booking.mode, booking.starts_us, booking.ends_us)
    for booking in gone:
        lines[booking.resource].change(booking.mode, booking.starts_us, booking.ends_us, -1)
    fit = first_fit(list(lines.values()), mode, begin, length, before)

    def granted(start):
        return not rules.blockers(mode, start, rules.window_end(start, length), there, seats)

    tried = next((start for start in range(begin, 60) if granted(start)), FOREVER_US)
    assert min(fit, before) == min(tried, before)
    until = next((end for end in range(begin, 60) if not granted_for(lines["a"], mode, begin, end + 1)), FOREVER_US)
    assert lines["a"].free_until(mode, begin) == until


def granted_for(line, mode, begin, end):
    return line.first_fit(mode, begin, end - begin) == begin
