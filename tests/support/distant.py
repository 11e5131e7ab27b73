"""Clients of a server that is hard to reach: what each was told, and whether the book agrees.

Run as a program, it kills a server at random for long: ``python tests/support/distant.py --kills 100``.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bespeak.base.clock import HOUR_US, MINUTE_US, SECOND_US, now
from bespeak.base.errors import BespeakError, OutcomeUnknownError, UnavailableError
from bespeak.base.frozen import replace
from bespeak.ledger import open_ledger
from bespeak.ledger.actions import Action
from bespeak.ledger.model import Holder, Request
from support import replay

_MOST_LIVE = 20
"""Of one client: so a long run does not end with a book full of reservations."""


class Account:
    """What one client was told of what it asked for."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        """Reservations that were acknowledged: purpose and id."""
        self.unknown: set[str] = set()
        """Purposes of which nobody knows."""
        self.extended: Counter[str] = Counter()
        self.maybe_extended: Counter[str] = Counter()
        self.moved: Counter[str] = Counter()
        self.maybe_moved: Counter[str] = Counter()
        self.released: set[str] = set()
        self.asked = 0


class Client(threading.Thread):
    """Reserves, extends, moves and releases at random; half of what it reserves begins later, with room behind it.

    Args:
        open_book: opens the book as this client sees it.
        user: whose reservations it makes.
        number: of this client.
        steps: how much it does at most.
        resources: how many resources there are.
    """

    def __init__(self, open_book, user: str, number: int, *, steps: int, resources: int) -> None:
        super().__init__()
        self._open = open_book
        self._holder = Holder(user)
        self._number = number
        self._steps = steps
        self._random = random.Random(number)
        self._resources = resources
        self.stop = threading.Event()
        self.account = Account()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Do all steps."""
        try:
            with self._open() as book:
                while not self.stop.is_set() and self.account.asked < self._steps:
                    self.account.asked += 1
                    self._step(book)
        except BaseException as error:  # noqa: BLE001 told by faults_of
            self.failure = error

    def _step(self, book) -> None:
        live = [id_ for id_ in self.account.made.values() if id_ not in self.account.released]
        what = self._random.random()
        if len(live) > _MOST_LIVE:
            self._release(book, self._random.choice(live))
        elif what < 0.5 or not live:
            self._reserve(book)
        elif what < 0.7:
            self._extend(book, self._random.choice(live))
        elif what < 0.8:
            self._move(book, self._random.choice(live))
        else:
            self._release(book, self._random.choice(live))

    def _reserve(self, book) -> None:
        purpose = f"{self._number}-{self.account.asked}"
        wanted = Request(self._names(), self._holder, duration_us=MINUTE_US, purpose=purpose, next_fit=True)
        try:
            made = book.reserve(replace(wanted, starts_us=self._random.choice((None, self._later_us()))))
            self.account.made[purpose] = made.id
        except OutcomeUnknownError:
            self.account.unknown.add(purpose)
        except UnavailableError:
            return

    def _extend(self, book, identifier: str) -> None:
        try:
            book.extend(identifier, self._holder, duration_us=self._random.choice((SECOND_US, HOUR_US)))
            self.account.extended[identifier] += 1
        except OutcomeUnknownError:
            self.account.maybe_extended[identifier] += 1
        except BespeakError:
            return

    def _move(self, book, identifier: str) -> None:
        try:
            book.move(identifier, self._holder, starts_us=self._later_us(), resources=self._names())
            self.account.moved[identifier] += 1
        except OutcomeUnknownError:
            self.account.maybe_moved[identifier] += 1
        except BespeakError:
            return

    def _names(self) -> tuple[str, ...]:
        return tuple({f"r{self._random.randrange(self._resources)}" for _ in range(2)})

    def _later_us(self) -> int:
        return now() + self._random.randrange(1, 1_000) * HOUR_US

    def _release(self, book, identifier: str) -> None:
        self.account.released.add(identifier)  # acknowledged or not, it may be gone from now on
        try:
            book.release(identifier, self._holder)
        except BespeakError:
            return


def faults_of(book, clients: list[Client]) -> list[str]:
    """Return what of the book contradicts what the clients were told; empty where all is well."""
    found = [*book.engine.read(replay.compare), *book.engine.read(replay.broken)]
    found += [f"client {client.name}: {client.failure!r}" for client in clients if client.failure is not None]
    every = book.reservations(include_ended=True)
    times = Counter(one.purpose for one in every)
    ids = {one.purpose: one.id for one in every}
    log = book.log()
    extensions, moves = (
        Counter(entry.reservation_id for entry in log if entry.action is action)
        for action in (Action.EXTENDED, Action.MOVED)
    )
    known: set[str] = set()
    for account in (client.account for client in clients):
        known |= account.made.keys() | account.unknown
        found += [f"{purpose} was acknowledged and is lost" for purpose in account.made if not times[purpose]]
        found += [f"{purpose} has another id" for purpose, id_ in account.made.items() if ids.get(purpose) != id_]
        for identifier in account.made.values():
            for what, told, maybe, logged in (
                ("extensions", account.extended, account.maybe_extended, extensions),
                ("moves", account.moved, account.maybe_moved, moves),
            ):
                least = told[identifier]
                if not least <= logged[identifier] <= least + maybe[identifier]:
                    found.append(f"{identifier}: {least} {what} were acknowledged, the log has {logged[identifier]}")
    found += [f"{purpose} was made {count} times" for purpose, count in times.items() if count > 1]
    found += [f"{purpose} was said not to be made, and is there" for purpose in times if purpose not in known]
    return found


class Server:
    """``bespeak serve`` as a process that can be killed and started again.

    Args:
        folder: where its book and its socket are.
    """

    def __init__(self, folder: str) -> None:
        self.book = os.path.join(folder, "book.sqlite3")
        self.socket = os.path.join(folder, "s")
        self.address = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = [sys.executable, "-m", "bespeak", "--ledger", self.book, "serve", "--port", "0"]
        self.process = subprocess.Popen(
            [*words, "--socket", self.socket], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().split()[1]

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    @property
    def url(self) -> str:
        """The URL of its book."""
        return f"unix://{self.socket}"


def under_kills(folder: str, *, kills: int, clients: int, steps: int, seed: int) -> tuple[list[str], dict[str, int]]:
    """Have clients work on a server that is killed at random; return what is wrong, and what was done."""
    server, chance = Server(folder), random.Random(seed)
    server.start()
    with open_ledger(server.url) as book:
        user = str(book.user)
    works = [
        Client(lambda: open_ledger(server.url), user, number, steps=steps, resources=clients)
        for number in range(clients)
    ]
    done = 0
    for one in works:
        one.start()
    while done < kills and any(one.is_alive() for one in works):
        time.sleep(chance.uniform(0.05, 0.5))
        server.kill()
        server.start()
        done += 1
    for one in works:
        one.stop.set()
    for one in works:
        one.join(120)
    server.kill()
    with open_ledger(server.book) as book:
        wrong = faults_of(book, works)
        counts = {
            "kills": done,
            "asked": sum(one.account.asked for one in works),
            "acknowledged": sum(len(one.account.made) for one in works),
            "unknown": sum(len(one.account.unknown) for one in works),
            "extensions": sum(sum(one.account.extended.values()) for one in works),
            "moves": sum(sum(one.account.moved.values()) for one in works),
        }
    return wrong, counts


def main() -> int:
    """Kill a server for long; print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong, counts = under_kills(
            folder, kills=given.kills, clients=given.clients, steps=given.steps, seed=given.seed
        )
    print(counts)
    print("\n".join(wrong) or "no acknowledged write was lost, and none was made twice")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
