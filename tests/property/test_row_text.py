"""Each row that a book may hold is printed as the reservation that it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US
from bespeak.base.json_text import compact_utf8, one_line
from bespeak.ledger import row_mapping
from bespeak.ledger.row_text import reservation_texts
from bespeak.ledger.serialize import reservation_json
from bespeak.storage.row_shape import DamagedRowError

NOW = 1_800_000_000_000_000
instants = st.one_of(
    st.integers(NOW - 10**13, NOW + 10**13),
    st.sampled_from([0, NOW, NOW - 1, NOW + 1, 10**6, -1, FOREVER_US, 2**62 - 1]),
)
texts = st.one_of(
    st.sampled_from(["", "alice", "team:bringup", "ci:n", 'böard \u2028\x07"\\', "\ud800"]), st.text(max_size=8)
)
maybe = st.one_of(st.none(), st.none(), instants)
ids = st.one_of(st.uuids().map(str), st.sampled_from(['0190a0b0-"', "", "ünique", "a\\b", "a\nb"]))
json_texts = st.one_of(
    st.lists(texts, max_size=3).map(compact_utf8), st.sampled_from(['"abc"', "[]", "[1]", "nothing", "{}", "[[]]"])
)
seldom = st.sampled_from([0, 0, 0, 1])
_KINDS = {
    "r.seq": st.integers(1, 99),
    "r.id": ids,
    "r.fencing_token": st.one_of(st.integers(0, 10**6), st.integers(0, 10**6), st.none()),
    "r.requested_by": st.one_of(st.none(), texts),
    "r.resources": json_texts,
    "r.mode": st.sampled_from(["exclusive", "shared", "exclusive", "other"]),
    **dict.fromkeys(("r.ended_us", "r.lease_us", "r.keepalive_us", "r.gate_seen_us", "r.check_in_us"), maybe),
    "r.end_reason": st.sampled_from([None, None, "released", "kicked", "no_show", "lapsed", "cancelled", "never"]),
    "r.tags": st.sampled_from(["[]", "[]", "[]", '[["a","b"]]', "no"]),
    "r.selection": st.sampled_from([None, None, None, '[[],[[1,"x"]],"",[]]', "?"]),
    "r.approval": st.sampled_from(["", "", "", "asked", "given", "refused", "x"]),
    "r.priority": st.integers(-5, 5),
    **dict.fromkeys(("r.waiting", "r.open_end"), seldom),
    "r.rank": st.integers(-5, 5),
    **dict.fromkeys(("r.starts_us", "r.ends_us", "r.created_us", "r.wanted_us", "r.not_before_us"), instants),
}
_USUAL = {
    "r.id": st.uuids().map(str),
    "r.fencing_token": st.integers(0, 10**6),
    "r.mode": st.sampled_from(["exclusive", "shared"]),
    "r.tags": st.just("[]"),
    "r.resources": st.lists(texts, max_size=3).map(compact_utf8),
    "r.waiting": st.just(0),
    **dict.fromkeys(("r.lease_us", "r.selection", "r.ended_us", "r.end_reason"), st.none()),
    "r.approval": st.just(""),
}
"""What of them most rows have, each of which alone takes the long way otherwise."""


def rows_of(kinds):
    return st.tuples(*(kinds.get(name, texts) for name in row_mapping.COLUMNS.split(", ")))


ended = {"r.ended_us": instants, "r.end_reason": st.sampled_from(["released", "kicked", "no_show", "lapsed"])}
rows = st.one_of(rows_of(_KINDS), rows_of(_KINDS | _USUAL), rows_of(_KINDS | _USUAL | ended))


def shown(make):
    """Return what ``make`` makes, or how it fails."""
    try:
        return make()
    except (DamagedRowError, OverflowError) as error:
        return type(error), str(error)


@pytest.fixture(scope="module")
def many(effort):
    return effort(1500)


def test_a_row_is_printed_as_its_reservation(many):
    seen = set()

    @many
    @given(rows)
    def check(row):
        long_way = shown(lambda: [one_line(reservation_json(row_mapping.reservation(row), NOW))])
        assert shown(lambda: reservation_texts([row], NOW)) == long_way
        seen.add(type(long_way))

    check()
    assert seen == {list, tuple}
