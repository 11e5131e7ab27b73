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

EXCLUSIVE, SHARED = "exclusive", "shared"


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

    def line(self, names: frozenset[str]) -> list[Hold]:
        """Return who waits for any of ``names``, first come first, higher priority before."""
        there = [h for h in self.holds.values() if h.waiting and h.live(self.now) and h.names & names]
        return sorted(there, key=lambda h: (-h.priority, h.order))

    def owed(self, waiter: Hold) -> tuple[int, int]:
        """Return the window a waiter is owed: what was promised, or if all of that is past, as much from now on."""
        if waiter.end > self.now:
            return waiter.start, waiter.end
        return self.now, later(self.now, waiter.wanted)

    def room(
        self, names: frozenset[str], mode: str, start: int, end: int, waiters: list[Hold], but: str | None = None
    ) -> bool:
        """Tell whether every cell of the window has room on every resource, next to what is booked and owed."""
        taken = [
            (h.names, h.mode, h.start, h.end)
            for h in self.holds.values()
            if not h.waiting and h.ended is None and not h.lapsed(self.now) and h.id != but
        ]
        taken += [(h.names, h.mode, *self.owed(h)) for h in waiters if h.id != but]
        for name in names:
            mine = [(m, s, e) for ns, m, s, e in taken if name in ns]
            # The last cell stands for everything behind the last start of anybody.
            last = max([start, *(s for _, s, _ in mine if s < FOREVER)]) + CELL
            for cell in range(start, min(end, last), CELL):
                there = [m for m, s, e in mine if s <= cell < e]
                if mode == SHARED and EXCLUSIVE in there:
                    return False
                if mode == EXCLUSIVE and (SHARED in there or len(there) >= self.seats.get(name, 1)):
                    return False
        return True

    def fits(self, names: frozenset[str], mode: str, start: int, end: int, waiters: list[Hold]) -> bool:
        """Tell whether a window can be granted: there is room, and nobody's turn is taken."""
        for waiter in waiters:
            both_share = waiter.mode == mode == SHARED
            if not both_share and start < self.owed(waiter)[0] and end > waiter.not_before:
                return False
        return self.room(names, mode, start, end, waiters)

    def first_fit(self, names: frozenset[str], mode: str, start: int, length: int, waiters: list[Hold]) -> int:
        """Return the first start that fits, cell by cell."""
        edges = [edge for h in self.holds.values() for edge in (h.start, h.end) if edge < FOREVER]
        edges += [self.owed(h)[1] for h in waiters if self.owed(h)[1] < FOREVER]
        for cell in range(start, max([start, *edges]) + 2 * CELL, CELL):
            if self.fits(names, mode, cell, later(cell, length), waiters):
                return cell
        return FOREVER

    def reserve(self, hold: Hold, *, next_fit: bool) -> bool:
        """Book a window; False when it is refused."""
        length = hold.end - hold.start
        waiters = self.line(hold.names)
        if not self.fits(hold.names, hold.mode, hold.start, hold.end, waiters):
            fit = self.first_fit(hold.names, hold.mode, hold.start, length, waiters) if next_fit else FOREVER
            if fit == FOREVER:
                return False
            hold.start, hold.end = fit, later(fit, length)
        self._keep(hold)
        return True

    def _keep(self, hold: Hold) -> None:
        if hold.keepalive is not None:
            hold.lease = self.now + hold.keepalive
        self.holds[hold.id] = hold

    def join(self, hold: Hold) -> None:
        """Stand in line."""
        hold.waiting, hold.start, hold.end = True, FOREVER, FOREVER
        self.holds[hold.id] = hold
        self.advance(hold)

    def advance(self, me: Hold) -> None:
        """Grant what is waited for if it is this waiter's turn, or promise it for the first time it can be."""
        line = self.line(me.names)
        ahead = line[: line.index(me)]
        fit = self.first_fit(me.names, me.mode, max(self.now, me.not_before), me.wanted, ahead)
        late = me.start < self.now < me.end
        if fit == self.now:
            end = later(self.now, me.wanted)
            if late and not self.room(me.names, me.mode, self.now, end, line, but=me.id):
                end = me.end
            self._grant(me, end)
        elif me.start <= self.now < me.end and self.fits(me.names, me.mode, self.now, me.end, ahead):
            self._grant(me, me.end)
        else:
            me.start, me.end = fit, later(fit, me.wanted)
            me.lease = self.now + LEASE

    def _grant(self, me: Hold, end: int) -> None:
        me.waiting, me.start, me.end = False, self.now, end
        me.lease = None if me.keepalive is None else self.now + me.keepalive

    def change(self, me: Hold, user: str) -> None:
        """Check that ``user`` may change a hold now."""
        if me.user != user:
            raise RefusalError("BusyError")
        if not me.live(self.now):
            raise RefusalError("WrongStateError")

    def stretch(self, me: Hold, user: str, end: int) -> None:
        """Give a hold another end."""
        self.change(me, user)
        if me.waiting:
            raise RefusalError("WrongStateError")
        if end == me.end or (end < me.end and end <= max(self.now, me.start)):
            raise RefusalError("UsageError")
        if end > me.end and not self.room(me.names, me.mode, me.end, end, self.line(me.names), but=me.id):
            raise RefusalError("RefusedError")
        me.end = end

    def stop(self, me: Hold, why: str | None = None) -> None:
        """End a hold now: released when it has begun, cancelled before, unless another reason is given."""
        me.why = why or ("released" if me.state(self.now) == "active" else "cancelled")
        me.ended, me.waiting = self.now, False

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
        waiters = self.line(names)
        fit = self.first_fit(names, EXCLUSIVE, self.now, length, waiters)
        if fit == FOREVER:
            return None, None
        edges = [edge for h in self.holds.values() for edge in (h.start, h.end, h.not_before) if edge < FOREVER]
        for end in range(fit + CELL, max([fit, *edges]) + 2 * CELL, CELL):
            if not self.fits(names, EXCLUSIVE, fit, end + CELL, waiters):
                return fit, end
        return fit, None


def later(start: int, length: int) -> int:
    """Return the end of a window."""
    return FOREVER if start >= FOREVER or length >= 10**15 else start + length
