"""Turns: a promise never moves later, what nobody can use is given out, equals go in order, and nobody starves."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bespeak.base.clock import FOREVER_US, HOUR_US
from bespeak.base.ids import new_id
from bespeak.ledger import open_ledger, queue, row_mapping
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Need, Request, State
from bespeak.ledger.write_operations import resource_topic

CELL = 5_000_000
names = st.sets(st.sampled_from("abcd"), min_size=1, max_size=2).map(lambda found: tuple(sorted(found)))
steps = st.lists(
    st.tuples(
        st.sampled_from(["wait", "wait", "any", "take", "take", "book", "hold", "extend", "release"]),
        names,
        st.integers(1, 6),
    ),
    min_size=4,
    max_size=30,
)


def wish(waiter):
    return waiter.selection or waiter.resources, waiter.wanted_us


class Team:
    """People who come one after the other, and a line in which everybody wakes when something changes."""

    def __init__(self, url):
        self.now = 360_000_000 * CELL
        self.book = open_ledger(url, durable=False, now=lambda: self.now)
        self.promised = {}
        for name in "abcd":
            kind = {"labels": {"kind": "ab" if name in "ab" else "cd"}}
            self.book.inventory_add([name], Holder("root"), kind)
        self.number = itertools.count()

    def do(self, kind, wanted, length):
        holder = Holder(f"user{next(self.number)}")
        waiting, in_the_way = self.waiting(), ()
        try:
            if kind == "wait":
                self.join(wanted, length, holder)
            elif kind == "any":
                self.join((), length, holder, needs=(Need(len(wanted), "kind=ab" if "a" in wanted else ""),))
            elif kind == "hold":
                self.book.reserve(Request(wanted, holder, ends_us=FOREVER_US))
            elif kind in {"take", "book"}:
                self.take(wanted, length, holder, later=kind == "book")
            elif found := self.book.reservations(resources=wanted, states=[State.ACTIVE]):
                if kind == "extend" and found[0].ends_us < FOREVER_US:
                    self.book.extend(found[0].id, Holder(found[0].holder), duration_us=length * CELL)
                else:
                    self.book.release(found[0].id, Holder(found[0].holder))
        except RefusedError as refused:
            in_the_way = refused.refusal.conflicts
        self.wake()
        assert all(booking.starts_us < FOREVER_US for booking in in_the_way)
        assert [r.id for r in waiting if r.id in self.lost()] == []

    def take(self, wanted, length, holder, *, later):
        starts_us = self.now + length * CELL if later else None
        made = self.book.reserve(
            Request(wanted, holder, starts_us=starts_us, duration_us=length * CELL, next_fit=length > 4)
        )
        for other in self.waiting():
            if set(other.resources) & set(made.resources):
                assert made.starts_us >= other.ends_us or made.ends_us <= other.starts_us

    def lost(self):
        """Return whoever must go before another, who wants the same for as long, and does not."""
        waiting = self.waiting()
        return {
            later.id
            for number, earlier in enumerate(waiting)
            for later in waiting[number + 1 :]
            if wish(earlier) == wish(later) and later.starts_us < earlier.starts_us
        }

    def join(self, wanted, length, holder, priority=0, needs=()):
        return self.book.queue_join(Request(wanted, holder, duration_us=length * CELL, needs=needs), new_id(), priority)

    def waiting(self):
        return sorted(self.book.reservations(states=[State.WAITING]), key=lambda r: (r.rank, r.seq))

    def wake(self):
        """Let everybody in the queue look, until nobody moves any more."""
        while True:
            before = self.waiting()
            for waiter in before:
                keys = [resource_topic(name) for name in waiter.resources]
                me = waiter
                self.book.engine.transact(keys, lambda tx, me=me: queue.advance(tx, row_mapping.required(tx, me.id)))
            if [(r.id, r.starts_us) for r in self.waiting()] == [(r.id, r.starts_us) for r in before]:
                return

    def check_promises(self):
        for found in self.book.reservations():
            if found.selection and found.resources:
                assert len(found.resources) == found.selection.needs[0].count
                assert set(found.resources) <= ({"a", "b"} if found.selection.needs[0].label else set("abcd"))
            if found.waiting:
                assert found.starts_us <= self.promised.get(found.id, found.starts_us)
                self.promised[found.id] = found.starts_us
            elif found.id in self.promised:
                assert found.starts_us <= self.promised.pop(found.id)


def test_a_promise_never_moves_later_and_equals_go_in_order(tmp_path, effort):
    numbers = itertools.count()

    @effort(150)
    @given(steps)
    def play(moves):
        team = Team(f"{tmp_path}/{next(numbers)}.db")
        for kind, wanted, length in moves:
            team.do(kind, wanted, length)
            team.check_promises()
            team.now += CELL
            team.wake()
            team.check_promises()
        for forever in [found for found in team.book.reservations() if found.ends_us == FOREVER_US]:
            if not forever.waiting:
                team.book.release(forever.id, Holder(forever.holder))
        for _ in range(400):
            if not team.waiting():
                break
            team.now += CELL
            team.wake()
            team.check_promises()
        assert team.waiting() == []
        team.book.close()

    play()


def test_low_priority_is_overtaken_within_its_handicap_and_then_served(tmp_path):
    team = Team(f"{tmp_path}/book.db")
    patient = team.join(("a",), 12, Holder("patient"), priority=-1)
    assert not patient.waiting
    patient = team.join(("a",), 12, Holder("patient"), priority=-1)
    began = team.now
    served = None
    while served is None:
        team.join(("a",), 12, Holder("busy"))
        for _ in range(12):
            team.now += CELL
            team.wake()
        assert team.now - began < 3 * HOUR_US
        found = team.book.get(patient.id)
        served = found.starts_us if not found.waiting else None
    assert served - began >= HOUR_US / 2
    team.book.close()
