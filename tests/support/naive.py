"""The book in its simplest form: a list of holds, and every question answered by looking at every moment.

Time is cut into cells of :data:`CELL` µs; every instant that a test uses lies on the border of two. Nothing here is
fast or shares a line with the real book; it says what the rules of the book mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CELL = 5_000_000
FOREVER = 2**62
LEASE = 6 * CELL
"""How long a waiter lives without a sign of life."""

WAKE = LEASE
"""How late a waiter may look: as long as its place lives without a sign."""

EXCLUSIVE, SHARED = "exclusive", "shared"


Window = tuple[int, int]
Closed = tuple[str, int, int]
Taken = tuple[str, frozenset[str], str, int, int]
"""Whose, what, how, from when, until when."""


class RefusalError(Exception):
    """The book says no; the text is the name of the error's class."""


@dataclass
class Hold:
    """A reservation."""

    id: str
    order: int
    user: str
    names: frozenset[str]
    mode: str
    start: int
    end: int
    keepalive: int | None = None
    lease: int | None = None
    ended: int | None = None
    why: str | None = None
    waiting: bool = False
    wanted: int = 0
    not_before: int = 0
    priority: int = 0
    check_in: int | None = None
    """How long after its start it is given back, as long as nobody has used it."""
    open_end: bool = False
    """It lasts until it is given back: nobody in the queue is promised a time behind it."""

    def lapsed(self, now: int) -> bool:
        """Tell whether its sign of life is overdue, and nothing else ended it first."""
        over = self.lease is not None and self.lease <= now and self.ended is None
        return over and (self.waiting or self.lease < self.end)

    def state(self, now: int) -> str:
        """Return its state."""
        if self.ended is not None or self.lapsed(now):
            return "ended"
        if self.waiting:
            return "waiting"
        if self.start <= now < self.end:
            return "active"
        return "pending" if now < self.start else "ended"

    def live(self, now: int) -> bool:
        """Tell whether it can still be changed."""
        return self.state(now) != "ended"


@dataclass
class NaiveBook:
    """Everything there is."""

    now: int
    holds: dict[str, Hold] = field(default_factory=dict)
    seats: dict[str, int] = field(default_factory=dict)
    related: dict[str, set[str]] = field(default_factory=dict)
    """Wholes and parts: nobody is on one while somebody is on the other, unless both share."""
    cooldown: dict[str, int] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    """Windows in which a resource is given to nobody; the rest of a cool-down among them."""
    unwell: set[str] = field(default_factory=set)
    quotas: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How many reservations a user may have at once, and how long one may be."""

    def line(self) -> list[Hold]:
        """Return who waits, first come first, higher priority before."""
        there = [h for h in self.holds.values() if h.waiting and h.live(self.now)]
        return sorted(there, key=lambda h: (-h.priority, h.order))

    def promised(self, waiter: Hold) -> Window | None:
        """Return the window promised to a waiter, if there is one and not all of it is past."""
        return (waiter.start, waiter.end) if waiter.start < FOREVER and waiter.end > self.now else None

    def promises(self, waiters: list[Hold], *, seen_by_waiter: bool = False) -> list[Taken]:
        """Return the time promised to ``waiters``."""
        windows = [(h, self.promised(h)) for h in waiters]
        return [taken(h, window, seen_by_waiter=seen_by_waiter) for h, window in windows if window is not None]

    def booked(self, *, but: str | None = None, seen_by_waiter: bool = False) -> list[Taken]:
        """Return the time that is held or booked."""
        live = [h for h in self.holds.values() if not h.waiting and h.ended is None and h.id != but]
        there = [
            taken(h, (h.start, h.end), seen_by_waiter=seen_by_waiter and h.end > self.now)
            for h in live
            if not h.lapsed(self.now)
        ]
        return there + [
            taken(h, (h.start, h.lease)) for h in live if h.lapsed(self.now) and h.lease and h.start < h.lease
        ]

    def room(self, names: frozenset[str], mode: str, start: int, end: int, taken: list[Taken]) -> bool:
        """Tell whether every cell of the window has room on every resource, next to what is taken."""
        return all(
            self.room_on(name, mode, start, end, taken, self.seats.get(name, 1))
            and all(self.room_on(other, mode, start, end, taken, 1) for other in self.related.get(name, ()))
            for name in names
        )

    def room_on(self, name: str, mode: str, start: int, end: int, taken: list[Taken], seats: int) -> bool:
        """Tell whether every cell of the window has room on one resource, next to what is taken, and for its pause."""
        if name in self.unwell and end > self.now:
            return False
        if any(name == other and s < end and e > start for other, s, e in self.closed):
            return False
        gap = self.cooldown.get(name, 0)
        mine = [(who, m, s, e + gap) for who, ns, m, s, e in taken if name in ns]
        # The last cell stands for everything behind the last start of anybody.
        last = max([start, *(s for _, _, s, _ in mine if s < FOREVER)]) + CELL
        for cell in range(start, min(end + gap, last), CELL):
            there = {who: m for who, m, s, e in mine if s <= cell < e}.values()
            if mode == SHARED and EXCLUSIVE in there:
                return False
            if mode == EXCLUSIVE and (SHARED in there or len(there) >= seats):
                return False
        return True

    def first_room(self, names: frozenset[str], mode: str, start: int, length: int, taken: list[Taken]) -> int:
        """Return the first start with room, cell by cell."""
        for cell in range(start, max([start, *self.edges(taken)]) + 2 * CELL, CELL):
            if self.room(names, mode, cell, later(cell, length), taken):
                return cell
        return FOREVER

    def contradicts(self, names: frozenset[str]) -> bool:
        """Tell whether somebody asks for a whole and its part at once."""
        return any(self.related.get(name, set()) & names for name in names)

    def edges(self, taken: list[Taken]) -> list[int]:
        """Return the instants behind which nothing changes any more, and others."""
        ends = [e for _, _, _, s, e in taken] + [s for _, _, _, s, _ in taken] + [e for _, _, e in self.closed]
        return [end + max(self.cooldown.values(), default=0) for end in ends if end < FOREVER]

    def plan(self, waiters: list[Hold], *, seen_by_waiter: bool) -> list[Taken]:
        """Return the time that ``waiters`` would be promised, each in its turn, if all looked now, by rank."""
        line = self.line()
        windows = {h.id: self.promised(h) for h in line}
        for me in line:
            if me not in waiters:
                continue
            ahead = line[: line.index(me)]
            others = {
                who: [taken(h, windows[h.id], seen_by_waiter=True) for h in some if windows[h.id] and h is not me]
                for who, some in (("ahead", ahead), ("all", line))
            }
            hard = [taken(h, windows[h.id]) for h in ahead if windows[h.id]]
            start, _ = self.turn(me, hard, others["ahead"], others["all"])
            windows[me.id] = (start, later(start, me.wanted)) if start < FOREVER else None
            if self.promised(me) and start == me.start:
                windows[me.id] = (me.start, me.end)
        return [
            taken(h, self._until_it_looks(h, windows[h.id]), seen_by_waiter=seen_by_waiter)
            for h in waiters
            if windows[h.id]
        ]

    def _until_it_looks(self, me: Hold, window: Window) -> Window:
        """Return what is kept for a waiter that would move: it may look, and then start, a little later."""
        return window if window == self.promised(me) else (window[0], later(window[1], WAKE))

    def turn(self, me: Hold, hard: list[Taken], ahead: list[Taken], everybody: list[Taken]) -> tuple[int, bool]:
        """Return the start that a waiter is promised now, and whether it has lost what was promised before.

        Args:
            me: who.
            hard: what is promised to those ahead.
            ahead: the same, as waiters see it.
            everybody: what is promised to all others, as waiters see it.
        """
        soft = self.booked(seen_by_waiter=True)
        begin = max(self.now, me.not_before)
        promised = self.promised(me)
        if promised is None:
            return self.first_room(me.names, me.mode, begin, me.wanted, soft + everybody), False
        if not self.room(me.names, me.mode, max(me.start, self.now), me.end, self.booked() + hard):
            return self.first_room(me.names, me.mode, begin, me.wanted, soft + ahead), True
        if me.start <= self.now:
            return me.start, False
        return min(me.start, self.first_room(me.names, me.mode, begin, me.wanted, soft + everybody)), False

    def for_newcomers(self) -> list[Taken]:
        """Return all time that somebody who comes now cannot have."""
        return self.booked() + self.promises(self.line()) + self.plan(self.line(), seen_by_waiter=False)

    def first_fit(self, names: frozenset[str], mode: str, start: int, length: int) -> int:
        """Return the first start that somebody who comes now is granted."""
        return self.first_room(names, mode, start, length, self.for_newcomers())

    def reserve(self, hold: Hold, *, next_fit: bool) -> bool:
        """Book a window; False when it is refused."""
        length = hold.end - hold.start
        if not self.room(hold.names, hold.mode, hold.start, hold.end, self.for_newcomers()):
            fit = self.first_fit(hold.names, hold.mode, hold.start, length) if next_fit else FOREVER
            if fit == FOREVER:
                return False
            hold.start, hold.end = fit, later(fit, length)
        self.check_quota(hold, hold.end - hold.start)
        self._keep(hold)
        return True

    def reserve_series(self, holds: list[Hold], *, skip: bool) -> list[Hold]:
        """Book several, one after the other; return those that were made: none where one is in the way, without skip.

        Raises:
            RefusalError: a quota is used up; nothing was made.
        """
        made = []
        for hold in holds:
            try:
                made += [hold] if self.reserve(hold, next_fit=False) else []
            except RefusalError:
                self._unmake(made)
                raise
        if len(made) < len(holds) and not skip:
            self._unmake(made)
            return []
        return made

    def _unmake(self, made: list[Hold]) -> None:
        for hold in made:
            del self.holds[hold.id]

    def check_quota(self, me: Hold, length: int, *, another: bool = True, user: str = "") -> None:
        """Refuse what is longer, or one more, than the user, by default whose hold it is, may have."""
        user = user or me.user
        most, longest = self.quotas.get(user, (FOREVER, FOREVER))
        there = [h for h in self.holds.values() if h.user == user and h.live(self.now) and h.end > self.now]
        if length > longest or (another and len(there) >= most):
            raise RefusalError("NotAllowedError")

    def _keep(self, hold: Hold) -> None:
        if hold.keepalive is not None:
            hold.lease = self.now + hold.keepalive
        if hold.start <= self.now:
            hold.check_in = None  # who takes it at once is there
        if hold.check_in is not None:
            hold.lease = hold.start + hold.check_in
        self.holds[hold.id] = hold

    def touch(self, me: Hold, user: str) -> None:
        """Say that a hold is used: check in, or give a sign of life."""
        self.change(me, user)
        if me.state(self.now) != "active":
            raise RefusalError("WrongStateError")
        if me.check_in is not None or me.keepalive is not None:
            me.lease = None if me.keepalive is None else self.now + me.keepalive
        me.check_in = None

    def join(self, me: Hold) -> None:
        """Stand in line: go before those of lower priority, whatever they are promised."""
        self.check_quota(me, me.wanted)
        me.waiting, me.start, me.end = True, FOREVER, FOREVER
        self.holds[me.id] = me
        taken = self.booked(seen_by_waiter=True) + self.of_those_ahead(me)
        self._move(me, self.first_room(me.names, me.mode, max(self.now, me.not_before), me.wanted, taken))

    def of_those_ahead(self, me: Hold) -> list[Taken]:
        """Return what those before a waiter are promised, and what they would be if they looked now."""
        line = self.line()
        ahead = line[: line.index(me)]
        return self.promises(ahead, seen_by_waiter=True) + self.plan(ahead, seen_by_waiter=True)

    def advance(self, me: Hold) -> None:
        """Grant what is waited for if it is this waiter's turn, or promise it for the first time it can be."""
        line = self.line()
        ahead = line[: line.index(me)]
        before = self.of_those_ahead(me)
        everybody = before + self.promises([h for h in line if h is not me], seen_by_waiter=True)
        start, _ = self.turn(me, self.promises(ahead), before, everybody)
        self._move(me, start)

    def _move(self, me: Hold, start: int) -> None:
        if start > self.now:
            me.start, me.end = start, later(start, me.wanted)
            me.lease = self.now + LEASE
            return
        end = later(self.now, me.wanted)
        if me.start < self.now < me.end:
            others = self.booked() + self.promises([h for h in self.line() if h is not me])
            if not self.room(me.names, me.mode, self.now, end, others):
                end = me.end
        self._grant(me, end)

    def _grant(self, me: Hold, end: int) -> None:
        me.waiting, me.start, me.end = False, self.now, end
        me.lease = None if me.keepalive is None else self.now + me.keepalive

    def change(self, me: Hold, user: str) -> None:
        """Check that ``user`` may change a hold now."""
        if me.user != user:
            raise RefusalError("BusyError")
        if not me.live(self.now):
            raise RefusalError("WrongStateError")

    def transfer(self, me: Hold, user: str, to: str) -> None:
        """Give a hold that no process keeps to somebody else."""
        if me.waiting or not me.live(self.now):
            raise RefusalError("WrongStateError")
        self.change(me, user)
        if me.keepalive is not None or to == user:
            raise RefusalError("WrongStateError")
        self.check_quota(me, me.end - me.start, user=to)
        me.user = to

    def stretch(self, me: Hold, user: str, end: int) -> None:
        """Give a hold another end."""
        self.change(me, user)
        if me.waiting:
            raise RefusalError("WrongStateError")
        if end == me.end or (end < me.end and end <= max(self.now, me.start)):
            raise RefusalError("UsageError")
        if end > me.end:
            self.check_quota(me, end - me.start, another=False)
        others = self.booked(but=me.id) + self.promises(self.line())
        if end > me.end and not self.room(me.names, me.mode, me.end, end, others):
            raise RefusalError("RefusedError")
        me.end = end

    def stop(self, me: Hold, why: str | None = None) -> None:
        """End a hold now: released when it has begun, cancelled before, unless another reason is given."""
        me.why = why or ("released" if me.state(self.now) == "active" else "cancelled")
        if not me.waiting:
            self.cool_down(me, self.now)
        me.ended, me.waiting = self.now, False

    def cool_down(self, me: Hold, ended: int) -> None:
        """Keep free what was held until now, where it needs a pause."""
        if me.start < ended:
            self.closed += [(name, ended, ended + gap) for name in me.names if (gap := self.cooldown.get(name))]

    def close(self, name: str, start: int, end: int) -> list[tuple[Hold, str]]:
        """Keep a resource, its wholes and parts from everybody; return who was in the way, and what became of it."""
        scope = {name, *self.related.get(name, ())}
        hit = [h for h in self.holds.values() if h.live(self.now) and not h.waiting and h.names & scope]
        hit = sorted((h for h in hit if h.start < end and h.end > start), key=lambda h: (h.start, h.order))
        self.closed.append((name, start, end))
        told = []
        for hold in hit:
            if hold.state(self.now) == "active" and start > self.now:
                hold.end = start
                told.append((hold, "shortened"))
                continue
            length, hold.ended = hold.end - hold.start, self.now
            at = self.first_fit(hold.names, hold.mode, hold.start, length) if hold.start > self.now else FOREVER
            hold.ended = None
            if at == FOREVER:
                self.stop(hold, "kicked")
                told.append((hold, "ended"))
            else:
                hold.start, hold.end = at, later(at, length)
                hold.lease = hold.lease if hold.check_in is None else at + hold.check_in
                told.append((hold, "moved"))
        return told

    def held(self, user: str) -> dict[str, list[Hold]]:
        """Return what a user holds now, by resource."""
        found: dict[str, list[Hold]] = {}
        for hold in self.holds.values():
            if hold.user == user and hold.state(self.now) == "active":
                for name in hold.names:
                    found.setdefault(name, []).append(hold)
        return found

    def free(self, name: str, length: int) -> tuple[int | None, int | None]:
        """Return a resource's first free window of at least ``length``, and where it ends."""
        names = frozenset({name})
        taken = self.for_newcomers()
        fit = self.first_room(names, EXCLUSIVE, self.now, length, taken)
        if fit == FOREVER:
            return None, None
        for end in range(fit + CELL, max([fit, *self.edges(taken)]) + 2 * CELL, CELL):
            if not self.room(names, EXCLUSIVE, fit, end + CELL, taken):
                return fit, end
        return fit, None


def taken(of: Hold, window: Window | None, *, seen_by_waiter: bool = False) -> Taken:
    """Return the time that a hold or a promise takes."""
    start, end = window or (0, 0)
    return of.id, of.names, of.mode, start, FOREVER if seen_by_waiter and of.open_end else end


def later(start: int, length: int) -> int:
    """Return the end of a window."""
    return FOREVER if start >= FOREVER or length >= 10**15 else start + length
