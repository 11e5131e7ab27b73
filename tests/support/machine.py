"""The stateful test of the book: the same steps on the naive book and on real ones, compared after each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bespeak.base.clock import Clock
from bespeak.base.errors import BespeakError
from bespeak.base.frozen import replace
from bespeak.base.ids import new_id
from bespeak.ledger import gate_queries, open_ledger, queue, row_mapping
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Holder, Mode, Request, Reservation
from bespeak.ledger.policy import parse_value
from bespeak.ledger.request_checks import checked
from bespeak.ledger.write_operations import resource_topic

from . import replay
from .naive import CELL, EXCLUSIVE, FOREVER, SHARED, Hold, NaiveBook, RefusalError, later

START = 360_000_000 * CELL
NAMES = tuple(f"r{number}" for number in range(20))
USERS = ("alice", "bob", "carol")

few = st.frozensets(st.sampled_from(NAMES[:3]), min_size=1, max_size=2)
names = st.one_of(few, few, few, st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=4))
users = st.sampled_from(USERS)
modes = st.sampled_from([EXCLUSIVE, EXCLUSIVE, SHARED])
lengths = st.integers(1, 9).map(lambda n: n * CELL if n < 9 else FOREVER)
leases = st.sampled_from([None, None, 4 * CELL])
seldom = st.sampled_from([False, False, False, True])
offsets = st.integers(-8, 8).map(lambda n: n * CELL if n >= 0 else None)
picks = st.integers(0, 1_000_000)


class BookMachine(RuleBasedStateMachine):
    """Random steps.

    Args:
        urls: the books that must all agree with the naive one.
    """

    def __init__(self, urls: list[str]) -> None:
        super().__init__()
        self.naive = NaiveBook(START)
        self.clock = START
        self.books = [self.open_book(url, durable=False, now=self._clock_of(url)) for url in urls]
        self.ids: list[dict[str, str]] = [{} for _ in urls]
        self.count = 0

    def open_book(self, url: str, **options: Any) -> Any:
        """Open one of the books."""
        return open_ledger(url, **options)

    def teardown(self) -> None:
        for book in self.books:
            book.close()

    # Time

    def _clock_of(self, url: str) -> Clock:
        """A file has the machine's clock, which may step back; a server's time is the book's."""
        return (lambda: self.naive.now) if url.startswith("postgresql") else (lambda: self.clock)

    def _pass(self, cells: int) -> None:
        self.clock += cells * CELL
        steady = [book.now_us() for book in self.books if book.engine.dialect == "sqlite"]
        assert len(set(steady)) <= 1
        self.naive.now = max([self.clock, *steady])

    @rule(cells=st.one_of(st.integers(0, 3), st.integers(-6, 12)))
    def time_passes(self, cells: int) -> None:
        self._pass(cells)

    # What constrains resources

    @initialize(kind=st.sampled_from(["plain", "plain", "parts", "pauses", "both"]))
    def constrain(self, kind: str) -> None:
        """Let some resources be wholes and parts, or need a pause between two holds."""
        if kind in ("parts", "both"):
            for book in self.books:
                book.inventory_add(NAMES[:4], Holder("root"), {})
                book.inventory_change(["r1"], Holder("root"), {"parts": ["r2", "r3"]})
                book.inventory_change(["r0"], Holder("root"), {"parts": ["r1"]})
            self.naive.related = {"r0": {"r1", "r2", "r3"}, "r1": {"r0", "r2", "r3"}}
            self.naive.related |= {"r2": {"r0", "r1"}, "r3": {"r0", "r1"}}
        if kind in ("pauses", "both"):
            for book in self.books:
                for name, cells in (("r1", 1), ("r2", 2)):
                    add = book.inventory_change if kind == "both" else book.inventory_add
                    add([name], Holder("root"), {"cooldown": f"{cells * CELL // 1_000_000}s"})
                    self.naive.cooldown[name] = cells * CELL

    @initialize(limited=st.booleans())
    def limit(self, limited: bool) -> None:
        """Let one of the users have little."""
        if limited:
            for book in self.books:
                said = f"carol=active:2 longest:{5 * CELL // 1_000_000}s"
                book.policy_set("quotas", parse_value("quotas", said), Holder("root"))
            self.naive.quotas["carol"] = (2, 5 * CELL)

    @precondition(lambda self: self.count % 3 == 2)
    @rule(name=st.sampled_from(NAMES[:3]), offset=st.integers(0, 8), length=st.integers(1, 6))
    def maintain(self, name: str, offset: int, length: int) -> None:
        start = self.naive.now + offset * CELL
        end = start + length * CELL
        for book in self.books:
            if all(one.name != name for one in book.resource_list()):
                book.resource_set(name, Holder("root"))
        answers = self._all(
            lambda book: book.maintenance_add([name], Holder("root"), starts_us=start, ends_us=end, hit="move")
        )
        told = self.naive.close(name, start, end)
        for answer, ids in zip(answers, self.ids, strict=True):
            assert [hit.before.id for hit in answer.hits] == [ids[hold.id] for hold, _ in told]
            for hit, (hold, what) in zip(answer.hits, told, strict=True):
                assert what in ("ended", "shortened", "moved")
                assert (hit.after.starts_us, hit.after.ends_us) == (hold.start, hold.end)

    @precondition(lambda self: self.count % 5 == 3)
    @rule(name=st.sampled_from(NAMES[:3]), well=st.sampled_from([True, True, False]))
    def fall_ill(self, name: str, well: bool) -> None:
        for book in self.books:
            if all(one.name != name for one in book.resource_list()):
                book.resource_set(name, Holder("root"))
            book.resource_mark([name], Holder("root"), health="ok" if well else "sick", reason="it smells")
        self.naive.unwell = self.naive.unwell - {name} if well else self.naive.unwell | {name}

    # New reservations

    @rule(
        names=names,
        user=users,
        mode=modes,
        offset=offsets,
        length=lengths,
        next_fit=st.booleans(),
        keepalive=leases,
        open_end=seldom,
        check_in=st.sampled_from([None, None, None, CELL, 3 * CELL]),
    )
    def reserve(
        self,
        names: Any,
        user: str,
        mode: str,
        offset: Any,
        length: int,
        *,
        next_fit: bool,
        keepalive: Any,
        open_end: bool = False,
        check_in: int | None = None,
    ) -> None:
        start = self.naive.now + (offset or 0)
        hold = self._hold(names, user, mode, keepalive, open_end=open_end)
        hold.check_in = check_in
        hold.start, hold.end = start, later(start, length)
        wanted = hold.end - hold.start
        request = Request(
            tuple(names),
            Holder(user),
            starts_us=None if offset is None else start,
            ends_us=hold.end,
            mode=Mode(mode),
            next_fit=next_fit,
            keepalive_us=keepalive,
            open_end=open_end,
            check_in_us=check_in,
        )
        answers = self._all(lambda book: book.reserve(request))
        if self.naive.contradicts(names):
            assert {type(answer).__name__ for answer in answers} == {"UsageError"}
            return
        granted = self._naively(answers, lambda: self.naive.reserve(hold, next_fit=next_fit))
        if granted is None:
            return
        if granted:
            self._made(hold, answers)
            return
        free = self.naive.first_fit(hold.names, mode, start, wanted)
        for answer in answers:
            assert isinstance(answer, RefusedError), answer
            assert answer.refusal.next_free_us == (None if free == FOREVER else free)
            assert answer.refusal.conflicts

    @rule(
        names=names,
        user=users,
        mode=modes,
        wanted=lengths,
        offset=offsets,
        priority=st.sampled_from([0, 0, 1]),
        keepalive=leases,
        open_end=seldom,
    )
    def join(
        self,
        names: Any,
        user: str,
        mode: str,
        wanted: int,
        offset: Any,
        priority: int,
        keepalive: Any,
        *,
        open_end: bool = False,
    ) -> None:
        hold = self._hold(names, user, mode, keepalive, open_end=open_end)
        hold.wanted, hold.priority = wanted, priority
        hold.not_before = 0 if offset is None else self.naive.now + offset
        length = {"ends_us": FOREVER} if wanted == FOREVER else {"duration_us": wanted}
        starts_us = None if offset is None else hold.not_before
        request = checked(
            Request(tuple(names), Holder(user), starts_us=starts_us, mode=Mode(mode), keepalive_us=keepalive, **length)
        )
        request = replace(request, open_end=open_end)
        answers = self._all(lambda book: book.queue_join(request, new_id(), priority))
        if self.naive.contradicts(names):
            assert {type(answer).__name__ for answer in answers} == {"UsageError"}
            return
        if self._naively(answers, lambda: self.naive.join(hold) or True):
            self._made(hold, answers)

    @precondition(lambda self: self.count % 4 == 1)
    @rule(
        names=few,
        user=users,
        offset=st.integers(0, 6),
        length=st.integers(1, 3),
        every=st.integers(1, 6),
        times=st.integers(2, 4),
        skip=st.booleans(),
    )
    def reserve_series(
        self, names: Any, user: str, offset: int, length: int, every: int, times: int, *, skip: bool
    ) -> None:
        holds = [self._hold(names, user, EXCLUSIVE, None, open_end=False) for _ in range(times)]
        for number, hold in enumerate(holds):
            hold.start = self.naive.now + (offset + number * every) * CELL
            hold.end = hold.start + length * CELL
        requests = [Request(tuple(names), Holder(user), starts_us=hold.start, ends_us=hold.end) for hold in holds]
        answers = self._all(lambda book: book.reserve_many(requests, skip_conflicts=skip))
        if self.naive.contradicts(names):
            assert {type(answer).__name__ for answer in answers} == {"UsageError"}
            return
        made = self._naively(answers, lambda: self.naive.reserve_series(holds, skip=skip))
        if made is None:
            return
        for answer in answers:
            assert [one.starts_us for one in answer.done] == [hold.start for hold in made]
            assert bool(answer.obstacles) == (len(made) < len(holds))
        for number, hold in enumerate(made):
            self._made(hold, [answer.done[number] for answer in answers])

    @rule(names=few, user=users, length=lengths, cells=st.integers(0, 3))
    def reserve_now(self, names: Any, user: str, length: int, cells: int) -> None:
        self._pass(cells)
        self.reserve(names, user, EXCLUSIVE, None, length, next_fit=False, keepalive=None)

    @rule(names=few, user=users, wanted=lengths)
    def join_now(self, names: Any, user: str, wanted: int) -> None:
        self.join(names, user, EXCLUSIVE, wanted, None, 0, None)

    def _hold(self, names: Any, user: str, mode: str, keepalive: Any, *, open_end: bool) -> Hold:
        self.count += 1
        return Hold(f"h{self.count}", self.count, user, names, mode, 0, 0, keepalive=keepalive, open_end=open_end)

    def _made(self, hold: Hold, answers: list[Any]) -> None:
        for answer, ids in zip(answers, self.ids, strict=True):
            assert isinstance(answer, Reservation), answer
            ids[hold.id] = answer.id

    # Changes

    def _some(self, pick: int, *, waiting: bool = False) -> Hold:
        """Pick a hold: mostly one that can still change."""
        every = list(self.naive.holds.values())
        live = [h for h in every if h.live(self.naive.now) and (h.waiting or not waiting)]
        pool = live if live and (waiting or pick % 8) else every
        return pool[(pick // 8) % len(pool)]

    @precondition(lambda self: self._waiting())
    @rule(pick=picks, cells=st.integers(0, 4))
    def wake_one(self, pick: int, cells: int) -> None:
        self._pass(cells)
        if self._waiting():
            self._advance(self._some(pick, waiting=True))

    @precondition(lambda self: self._waiting())
    @rule(cells=st.integers(0, 4))
    def wake_all(self, cells: int) -> None:
        self._pass(cells)
        for hold in sorted(self._waiting(), key=lambda h: (-h.priority, h.order)):
            self._advance(hold)

    def _waiting(self) -> list[Hold]:
        return [h for h in self.naive.holds.values() if h.waiting and h.live(self.naive.now)]

    def _advance(self, hold: Hold) -> None:
        keys = [resource_topic(name) for name in hold.names]

        def move(book: Any, identifier: str) -> Reservation:
            return book.engine.transact(keys, lambda tx: queue.advance(tx, row_mapping.required(tx, identifier)))

        self._both(hold, move, lambda: self.naive.advance(hold))

    @precondition(lambda self: self.naive.holds)
    @rule(pick=picks, user=st.one_of(st.none(), users), cells=st.integers(-3, 6), forever=st.booleans())
    def stretch(self, pick: int, user: str | None, cells: int, forever: bool) -> None:
        hold = self._some(pick)
        user = user or hold.user
        base = hold.end if hold.end < FOREVER else self.naive.now
        end = FOREVER if forever and cells == 0 else max(base + cells * CELL, 0)
        grow = end >= hold.end

        def change(book: Any, identifier: str) -> Reservation:
            return (book.extend if grow else book.shorten)(identifier, Holder(user), ends_us=end)

        self._both(hold, change, lambda: self.naive.stretch(hold, user, end))

    @precondition(lambda self: self.naive.holds)
    @rule(pick=picks, user=st.one_of(st.none(), st.none(), users), to=users)
    def transfer(self, pick: int, user: str | None, to: str) -> None:
        hold = self._some(pick)
        user = user or hold.user
        self._both(
            hold,
            lambda book, identifier: book.transfer(identifier, to, Holder(user)),
            lambda: self.naive.transfer(hold, user, to),
        )

    @precondition(lambda self: self.naive.holds)
    @rule(pick=picks, user=st.one_of(st.none(), st.none(), users), kick=st.sampled_from([False, False, True]))
    def end(self, pick: int, user: str | None, kick: bool) -> None:
        hold = self._some(pick)
        user = user or hold.user

        def ask(book: Any, identifier: str) -> Reservation:
            if kick:
                return book.kick(identifier, Holder("root"), "needed")
            return book.release(identifier, Holder(user))

        def stop() -> None:
            self.naive.change(hold, hold.user if kick else user)
            self.naive.stop(hold, "kicked" if kick else None)

        self._both(hold, ask, stop)

    @precondition(lambda self: self.count % 3 == 1)
    @rule(names=names, user=users, exact=st.booleans())
    def release_resources(self, names: Any, user: str, exact: bool) -> None:
        held = self.naive.held(user)
        if exact and held:
            names = next(iter(held.values()))[0].names
        mine = {h.id: h for name in names for h in held.get(name, [])}
        answers = self._all(lambda book: book.release_resources(names, Holder(user)))
        if not names <= held.keys():
            assert {type(answer).__name__ for answer in answers} == {"NotFoundError"}
        elif any(not h.names <= names for h in mine.values()):
            assert {type(answer).__name__ for answer in answers} == {"WrongStateError"}
        else:
            for answer, ids in zip(answers, self.ids, strict=True):
                assert {r.id for r in answer} == {ids[name] for name in mine}
            for hold in mine.values():
                self.naive.stop(hold)

    @precondition(lambda self: any(h.keepalive for h in self.naive.holds.values()))
    @rule(pick=picks, stale=st.sampled_from([False, False, True]))
    def keep_alive(self, pick: int, stale: bool) -> None:
        hold = self._some(pick)

        def renew() -> None:
            self.naive.change(hold, hold.user)
            if hold.waiting or stale:
                raise RefusalError("WrongStateError")
            if hold.keepalive is not None:
                hold.lease = self.naive.now + hold.keepalive

        def ask(book: Any, identifier: str) -> Reservation:
            number = book.get(identifier).fencing_token or 0
            return book.keep_alive(identifier, number - stale)

        self._both(hold, ask, renew)

    @precondition(lambda self: any(h.lease for h in self.naive.holds.values() if not h.waiting))
    @rule(pick=picks, user=st.one_of(st.none(), st.none(), users))
    def touch(self, pick: int, user: str | None) -> None:
        hold = self._some(pick)
        user = user or hold.user
        self._both(
            hold, lambda book, identifier: book.touch(identifier, Holder(user)), lambda: self.naive.touch(hold, user)
        )

    @precondition(lambda self: self.count % 4 == 1)
    @rule(name=st.sampled_from(NAMES[:3]), seats=st.integers(1, 3))
    def set_seats(self, name: str, seats: int) -> None:
        self._forget_lapsed()
        taken = [
            h
            for h in self.naive.holds.values()
            if name in h.names
            and h.mode == EXCLUSIVE
            and not h.waiting
            and h.ended is None
            and not h.lapsed(self.naive.now)
        ]
        moments = [max(h.start, self.naive.now) for h in taken]
        most = max([sum(h.start <= at < h.end for h in taken) for at in moments], default=0)
        for answer in self._all(lambda book: book.resource_set(name, Holder("root"), capacity=seats)):
            refused = isinstance(answer, BespeakError)
            assert refused == (most > seats and seats < self.naive.seats.get(name, 1)), answer
        if most <= seats or seats >= self.naive.seats.get(name, 1):
            self.naive.seats[name] = seats

    # Doing and comparing

    def _all(self, ask: Callable[[Any], Any]) -> list[Any]:
        """Ask every book; an error is an answer."""
        answers = []
        for book in self.books:
            try:
                answers.append(ask(book))
            except BespeakError as error:
                answers.append(error)
        shown = {_shown(answer) for answer in answers}
        assert len(shown) == 1, shown
        return answers

    def _naively(self, answers: list[Any], do: Callable[[], Any]) -> Any:
        """Do something on the naive book; None where it refuses, as the others then must have."""
        try:
            return do()
        except RefusalError as error:
            refusal = str(error)
        assert {type(answer).__name__ for answer in answers} == {refusal}, answers
        return None

    def _both(self, hold: Hold, ask: Callable[[Any, str], Any], naive: Callable[[], None]) -> None:
        numbered = iter(self.ids)
        answers = self._all(lambda book: ask(book, next(numbered)[hold.id]))
        expected = "Reservation"
        try:
            naive()
        except RefusalError as refused:
            expected = str(refused)
        assert {type(answer).__name__ for answer in answers} == {expected}, answers

    def _forget_lapsed(self) -> None:
        """A lapse is written down at some time after it happened; see whether it was, and that it is the same."""
        lapsed: list[Hold] = []
        for book, ids in zip(self.books, self.ids, strict=True):
            back = {identifier: name for name, identifier in ids.items()}
            for found in book.reservations(include_ended=True):
                hold = self.naive.holds[back[found.id]]
                if found.ended_us is not None and hold.ended is None and hold.lapsed(self.naive.now):
                    assert found.ended_us == hold.lease
                    if not hold.waiting and hold not in lapsed:
                        self.naive.cool_down(hold, hold.lease)
                        lapsed.append(hold)
                    is_no_show = hold.waiting or hold.check_in is not None
                    hold.ended, hold.why = hold.lease, "no_show" if is_no_show else "lapsed"
                    hold.waiting = False

    @invariant()
    def same_book(self) -> None:
        self._forget_lapsed()
        now = self.naive.now
        for book, ids in zip(self.books, self.ids, strict=True):
            found = {r.id: r for r in book.reservations(include_ended=True)}
            assert found.keys() == set(ids.values())
            for name, hold in self.naive.holds.items():
                _same(found[ids[name]], hold, now)
            live = [r.id for r in book.reservations()]
            assert set(live) == {ids[h.id] for h in self.naive.holds.values() if h.live(now)}

    @invariant()
    def same_holders(self) -> None:
        now = self.naive.now
        active = [h for h in self.naive.holds.values() if h.state(now) == "active"]
        held = {user: {name for h in active if h.user == user for name in h.names} for user in USERS}
        ends = {
            name: {
                user: max(h.end for h in active if h.user == user and name in h.names)
                for user in USERS
                if name in held[user]
            }
            for name in NAMES[:4]
        }
        for book in self.books:
            for user in USERS:
                assert (
                    book.engine.read(lambda tx, user=user: gate_queries.held_among(tx, user, NAMES, now)) == held[user]
                )
                assert book.engine.read(lambda tx, user=user: gate_queries.held_by(tx, user, now)) == held[user]
            for name, holders in ends.items():
                answer = book.engine.read(lambda tx, name=name: gate_queries.holders_of(tx, name, now))
                assert dict(answer) == holders

    @rule(name=st.sampled_from(NAMES[:3]), cells=st.integers(1, 6))
    def look_for_time(self, name: str, cells: int) -> None:
        expected = self.naive.free(name, cells * CELL)
        for book in self.books:
            (found,) = book.free([name], duration_us=cells * CELL)
            assert (found.from_us, found.until_us) == expected

    @rule(name=st.sampled_from(NAMES[:4]))
    def look_who(self, name: str) -> None:
        expected = {h.id for h in self.naive.holds.values() if name in h.names and h.live(self.naive.now)}
        for book, ids in zip(self.books, self.ids, strict=True):
            assert {r.id for r in book.who(name, limit=1000)} == {ids[hold] for hold in expected}

    @invariant()
    def sound(self) -> None:
        for book in self.books:
            assert book.engine.read(replay.compare) == []
            assert book.engine.read(replay.broken) == []


def _same(found: Reservation, hold: Hold, now: int) -> None:
    """Compare a reservation of the book with one of the naive book."""
    assert found.state(now).value == hold.state(now), (found, hold)
    assert found.waiting == hold.waiting, (found, hold)
    assert (found.starts_us, found.ends_us) == (hold.start, hold.end), (found, hold)
    assert found.ended_us == hold.ended, (found, hold)
    assert (found.end_reason.value if found.end_reason else None) == hold.why, (found, hold)
    assert found.holder == hold.user
    assert set(found.resources) == hold.names
    if hold.live(now):
        assert (found.lease_us, found.check_in_us) == (hold.lease, hold.check_in), (found, hold)


def _shown(answer: Any) -> str:
    """Return what two books must say alike; ids differ, and so do numbers, which may leave gaps."""
    if isinstance(answer, RefusedError):
        conflicts = sorted(
            (b.resource, b.holder, b.mode.value, b.starts_us, b.ends_us) for b in answer.refusal.conflicts
        )
        return f"refused {answer.refusal.next_free_us} {conflicts}"
    if isinstance(answer, BespeakError):
        return f"{type(answer).__name__} {answer.exit_code}"
    if isinstance(answer, Reservation):
        return f"{answer.starts_us} {answer.ends_us} {answer.waiting} {answer.end_reason} {answer.lease_us}"
    return type(answer).__name__
