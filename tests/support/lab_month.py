"""A simulated month of a lab: the same seed does the same things to any book, and everything is told by the log.

Run it with other sizes by hand::

    python tests/support/lab_month.py --days 30 --resources 50 --users 200 --seed 1 [--book URL]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bespeak import recurrence
from bespeak.base.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from bespeak.base.errors import BespeakError, BusyError, NotAllowedError, NotFoundError, UsageError, WrongStateError
from bespeak.ledger import open_ledger, queue, series
from bespeak.ledger.model import Health, Holder, Mode, Need, Request, State
from bespeak.ledger.policy import parse_value
from support import lab_audit

START = 20_514 * DAY_US
"""Monday, 2 March 2026, 00:00 UTC."""

STEP = 15 * MINUTE_US
PAUSE = 30 * MINUTE_US
SIGN = 20 * SECOND_US
HOURS = "mon-fri 08:00-18:00 UTC"
ACTIVE, LONGEST_HOURS, HOURS_A_WEEK = 4, 12, 30
GROUPS = ("board", "rack", "laser", "bench", "licence", "rig")
ROOT, BOSS, MONITOR = Holder("root"), Holder("boss"), Holder("monitor")
_REFUSALS = (BusyError, NotAllowedError, NotFoundError, WrongStateError, UsageError)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a lab is, and for how long it is watched."""

    days: int = 30
    resources: int = 50
    users: int = 200
    asks_a_day: float = 2.0
    """How often each user does something on a working day."""


class Lab:
    """A lab and its users.

    Args:
        url: of a new book.
        size: how large.
        seed: of what is chosen at random.
    """

    def __init__(self, url: str, size: Size, seed: int) -> None:
        self.now = START
        self.size = size
        self.tally: Counter[str] = Counter()
        self.book = open_ledger(url, now=lambda: self.now, durable=False)
        self._chance = random.Random(seed)
        self._users = [Holder(f"u{number}") for number in range(size.users)]
        self._waiting: dict[str, tuple[Holder, int]] = {}
        self._alive: dict[str, int] = {}
        self._count = 0
        self.story: list[tuple[Any, ...]] = []
        self.names = [f"{GROUPS[n % len(GROUPS)]}{n // len(GROUPS)}" for n in range(size.resources)]
        self._build()

    def _build(self) -> None:
        said: dict[str, dict[str, object]] = {
            "board": {"labels": {"arch": "arm64"}, "cooldown": "30m"},
            "rack": {"labels": {"arch": "x86_64"}},
            "laser": {"approval": ["boss"]},
            "bench": {"hours": HOURS},
            "licence": {"seats": 3},
            "rig": {"check_in": "30m"},
        }
        for group, table in said.items():
            there = [name for name in self.names if name.startswith(group)]
            self.book.inventory_add(there, ROOT, {**table, "groups": [group]})
        racks = [name for name in self.names if name.startswith("rack")]
        for whole, *parts in (racks[at : at + 3] for at in range(0, len(racks), 3)):
            if parts:
                self.book.inventory_change([whole], ROOT, {"parts": parts})
        text = f"*=active:{ACTIVE} longest:{LONGEST_HOURS}h;u1=hours:{HOURS_A_WEEK};boss=longest:365d"
        self.book.policy_set("quotas", parse_value("quotas", text), ROOT)
        self.book.policy_set("strict", True, ROOT)

    # Time

    def live(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Let the days pass; look after each week, and at the end, whether all is well."""
        for day in range(self.size.days):
            for step in range(DAY_US // STEP):
                self.now = START + day * DAY_US + step * STEP
                self._step(step * STEP // HOUR_US, is_weekend=day % 7 >= 5)
            if day % 7 == 6 or day == self.size.days - 1:
                wrong = self.audit()
                told(f"day {day + 1}: {sum(self.tally.values())} requests; wrong: {len(wrong)}")
                assert not wrong, wrong[:10]

    def audit(self) -> list[str]:
        """Return what is wrong with the book; empty if its log explains all of it and nothing was given twice."""
        return self.audit_of(self.book)

    def audit_of(self, book: Any) -> list[str]:
        """Return what is wrong with a book of this lab."""
        rules = lab_audit.Rules(
            pauses={name: PAUSE for name in self.names if name.startswith("board")},
            wholes=book.engine.read(lambda tx: tx.fetch_all("SELECT whole, part FROM ledger_parts")),
            hours={name for name in self.names if name.startswith("bench")},
            active=ACTIVE,
            longest_us=LONGEST_HOURS * HOUR_US,
            unlimited=frozenset({"boss", "u1"}),
        )
        return book.engine.read(lambda tx: lab_audit.audit(tx, rules))

    def _step(self, hour: int, *, is_weekend: bool) -> None:
        self._look_in_line()
        self._keep_alive()
        busy = 0.1 if is_weekend or not 8 <= hour < 19 else 1.0
        expected = self.size.users * self.size.asks_a_day * busy * STEP / (11 * HOUR_US)
        for _ in range(int(expected) + (self._chance.random() < expected % 1)):
            self._act(self._chance.choice(self._users))
        if self._chance.random() < 0.1:
            self._check_health()
        if hour in (9, 15) and not self.now % HOUR_US:
            self._approve()
        if self._chance.random() < 0.01:
            self._look_after()
        self._show_that_they_wait()

    def _look_in_line(self) -> None:
        for identifier in list(self._waiting):
            user, until = self._waiting[identifier]
            if self.now >= until:
                self._try("leave", lambda of=identifier, who=user: self.book.queue_leave(of, who))
            else:
                found = self._try("look", lambda of=identifier: self.book.queue_look(of))
                if found is not None and found.reservation.waiting:
                    continue
                self.tally["granted in line"] += found is not None
            del self._waiting[identifier]

    def _show_that_they_wait(self) -> None:
        """Let the time pass until the next step, with the signs of life of those who wait."""
        last = self.now + STEP
        while self._waiting and self.now < last - SIGN:
            self.now += SIGN
            queue.renew_places(self.book, list(self._waiting))

    def _keep_alive(self) -> None:
        for identifier, token in list(self._alive.items()):
            if (
                self._chance.random() < 0.05
                or self._try("keep alive", lambda of=identifier, n=token: self.book.keep_alive(of, n)) is None
            ):  # it crashed
                del self._alive[identifier]

    def _try(self, what: str, ask: Callable[[], Any]) -> Any:
        """Ask, and count the answer; None where it was refused."""
        try:
            found = ask()
        except _REFUSALS as error:
            self.tally[f"{what}: {type(error).__name__}"] += 1
            return None
        self.tally[what] += 1
        return found

    # Users

    def _act(self, user: Holder) -> None:
        acts: dict[Callable[[Holder], None], int] = {
            self._reserve: 30,
            self._by_need: 10,
            self._wait: 12,
            self._run: 8,
            self._use: 12,
            self._change: 20,
            self._rearrange: 10,
            self._series: 2,
        }
        self._chance.choices(list(acts), list(acts.values()))[0](user)

    def _length(self) -> int:
        return self._chance.choice([1, 2, 2, 4, 4, 8, 16, 32, 60]) * STEP

    def _some(self, most: int = 2) -> tuple[str, ...]:
        return tuple(sorted(self._chance.sample(self.names, self._chance.randint(1, most))))

    def _request(self, user: Holder, **more: Any) -> Request:
        chosen: dict[str, Any] = {"resources": self._some(), "duration_us": self._length()} | more
        mode = Mode.SHARED if self._chance.random() < 0.1 else Mode.EXCLUSIVE
        return Request(holder=user, mode=mode, purpose="a test", **chosen)

    def _reserve(self, user: Holder) -> None:
        ahead = self._chance.choice([None, None, 4, 16, 96, 96 * 5])
        starts = None if ahead is None else self.now + ahead * STEP
        request = self._request(user, starts_us=starts, next_fit=self._chance.random() < 0.3)
        self._try("reserve", lambda: self.book.reserve(request))

    def _by_need(self, user: Holder) -> None:
        need = Need(self._chance.randint(1, 2), self._chance.choice(["arch=arm64", "group=bench", "group=licence"]))
        request = self._request(user, resources=(), needs=(need,))
        self._try("reserve by need", lambda: self.book.reserve(request))

    def _wait(self, user: Holder) -> None:
        identifier = f"0190a0b0-0000-7000-8000-{self._count:012x}"
        self._count += 1
        request = self._request(user)
        if self._try("join", lambda: self.book.queue_join(request, identifier, self._chance.choice([0, 0, 0, 2]))):
            self._waiting[identifier] = (user, self.now + self._chance.randint(1, 24) * STEP)

    def _run(self, user: Holder) -> None:
        request = self._request(user, keepalive_us=2 * STEP)
        held = self._try("run", lambda: self.book.reserve(request))
        if held is not None and held.fencing_token is not None:
            self._alive[held.id] = held.fencing_token

    def _mine(self, user: Holder, *states: State) -> Any:
        found = self.book.reservations(holder=user.user, states=states)
        return self._chance.choice(found) if found else None

    def _use(self, user: Holder) -> None:
        for one in self.book.reservations(holder=user.user, states=[State.ACTIVE]):
            self._try("touch", lambda of=one.id: self.book.touch(of, user))

    def _change(self, user: Holder) -> None:
        mine = self._mine(user)
        if mine is None:
            return
        what = self._chance.choice(["extend", "shorten", "release", "release", "kick"])
        if what == "extend":
            self._try(what, lambda: self.book.extend(mine.id, user, duration_us=self._length()))
        elif what == "shorten":
            self._try(what, lambda: self.book.shorten(mine.id, user, ends_us=max(self.now, mine.ends_us - STEP)))
        elif what == "release":
            self._try(what, lambda: self.book.release(mine.id, user))
        elif self._chance.random() < 0.2:
            self._try(what, lambda: self.book.kick(mine.id, ROOT, "needed"))

    def _rearrange(self, user: Holder) -> None:
        mine = self._mine(user, State.PENDING, State.ACTIVE)
        if mine is None:
            return
        what = self._chance.choice(["move", "transfer", "swap", "release part"])
        other = self._chance.choice(self._users)
        if what == "move":
            starts = mine.starts_us + self._chance.choice([-4, 4, 96]) * STEP
            self._try(what, lambda: self.book.move(mine.id, user, starts_us=starts))
        elif what == "transfer":
            self._try(what, lambda: self.book.transfer(mine.id, other.user, user))
        elif what == "swap":
            theirs = self._mine(user, State.PENDING, State.ACTIVE)
            if theirs.id != mine.id:
                self._try(what, lambda: self.book.swap(mine.id, theirs.id, user))
        elif len(mine.resources) > 1:
            self._try(what, lambda: self.book.release_part(mine.id, [mine.resources[0]], user))

    def _series(self, user: Holder) -> None:
        rule = recurrence.parse(self._chance.choice(["weekday 22:00 UTC", "day 06:00 UTC", "monday 09:00 UTC"]))
        starts = series.starts(rule, self.now, self.now, until=None, count=3, change=recurrence.ClockChange.REFUSE)
        wanted = series.wanted(self._request(user, resources=self._some(1)), rule, starts, HOUR_US)
        made = self._try("series", lambda: self.book.reserve_many(wanted.requests, skip_conflicts=True))
        if not made or not made.done:
            self.tally["series: nothing to be had"] += made is not None
            return
        first, *rest = made.done
        if self._chance.random() < 0.5:
            self._try("series, one cancelled", lambda: self.book.release_many([first.id], user))
        moves = [(one.id, one.starts_us + HOUR_US, one.ends_us + HOUR_US) for one in rest]
        if moves:
            self._try("series, the rest moved", lambda: self.book.move_many(moves, user, skip_conflicts=True))

    # Those who look after the lab

    def _check_health(self) -> None:
        for entry in self.book.inventory(self._chance.sample(self.names, 3)):
            is_well = entry.resource.health is Health.OK
            fails = self._chance.random() < (0.15 if is_well else 0.3)
            self._try(
                "health check failed" if fails else "health check",
                lambda of=entry.name, how=("sick" if fails else "ok"): self.book.resource_mark(
                    [of], MONITOR, health=how, reason="no answer", check="ping"
                ),
            )

    def _approve(self) -> None:
        for one in self.book.to_approve(BOSS):
            if self._chance.random() < 0.3:
                self._try("refuse", lambda of=one.id: self.book.refuse(of, BOSS, "not this week"))
            else:
                self._try("approve", lambda of=one.id: self.book.approve(of, BOSS))

    def _look_after(self) -> None:
        name = self._chance.choice(self.names)
        if self._chance.random() < 0.2:
            self._try("repaired", lambda: self.book.resource_mark([name], ROOT, health="ok"))
            return
        starts = self.now + self._chance.choice([0, 16, 96]) * STEP
        hit = self._chance.choice(["end", "move", "refuse"])
        ends = starts + self._length()
        self._try(
            "maintenance",
            lambda: self.book.maintenance_add([name], ROOT, starts_us=starts, ends_us=ends, hit=hit, reason="fan"),
        )


def simulate(url: str, size: Size, seed: int, told: Callable[[str], None] = lambda _: None) -> Lab:
    """Let a lab live on a new book; return it, closed, with what happened."""
    lab = Lab(url, size, seed)
    try:
        lab.live(told)
        lab.story = lab.book.engine.read(lab_audit.story)
    finally:
        lab.book.close()
    return lab


def main() -> None:
    """Simulate a lab of the size that the command line gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("days", "resources", "users"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Size(), name))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--book", help="the URL of a new book (default: a file that is removed)")
    options = parser.parse_args()
    size = Size(options.days, options.resources, options.users)
    began = process_time()
    with tempfile.TemporaryDirectory() as folder:
        lab = simulate(options.book or f"{folder}/book.db", size, options.seed, print)
    for what, count in sorted(lab.tally.items()):
        print(f"{count:8}  {what}")
    print(f"{process_time() - began:.1f} s of processor time in this process")


if __name__ == "__main__":
    try:
        main()
    except (BespeakError, AssertionError) as error:
        sys.exit(str(error))
