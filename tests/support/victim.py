"""Processes that are killed in the middle of writing a book, and what the next process finds.

    python victim.py steps URL      each kind of write, killed at each of its steps
    python victim.py random URL N   N processes, each killed at a random moment

The program imports once and forks a victim for each kill. It prints one JSON line of what it saw, and fails with a
traceback where the book breaks its promises.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from hammer import Worker
from history import ViolationError, check_book

from bespeak.base import failpoints, ids
from bespeak.base.errors import BespeakError, WrongStateError
from bespeak.ledger import open_ledger, queue
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.queue import advance
from bespeak.ledger.row_mapping import by_id

ALICE, BOB = Holder("alice"), Holder("bob")
SECOND_US = 1_000_000
Kind = tuple[Callable[[Any, str], Any], Callable[[Any, str, Any], Any]]


def want(*names: str, by: Holder = ALICE, **more: Any) -> Request:
    return Request(names, by, **({"duration_us": 3600 * SECOND_US} | more))


def held(book: Any, name: str) -> Any:
    return book.reserve(want(f"{name}/a", f"{name}/b"))


def nothing(book: Any, name: str) -> None:
    return None


def waiter_in_front_of_a_free_place(book: Any, name: str) -> Any:
    first = held(book, name)
    identifier = ids.new_id()
    keys = [f"resource:{name}/a"]
    made = book.engine.transact(keys, lambda tx: queue.join(book, tx, want(f"{name}/a", by=BOB), identifier, 0))
    book.release(first.id, ALICE)
    return made


def grant(book: Any, name: str, waiter: Any) -> Any:
    keys = [f"resource:{name}/a"]
    return book.engine.transact(keys, lambda tx: advance(tx, by_id(tx, waiter.id)))


def wait_in_vain(book: Any, name: str, _: Any) -> None:
    try:
        book.queue(want(f"{name}/a", by=BOB), timeout_us=1000)
    except BespeakError:
        return


def lapsed(book: Any, name: str) -> None:
    book.reserve(want(f"{name}/a", f"{name}/b", keepalive_us=1))
    time.sleep(0.001)


KINDS: dict[str, Kind] = {
    "reserve": (nothing, lambda book, name, _: held(book, name)),
    "reserve next": (held, lambda book, name, _: book.reserve(want(f"{name}/a", by=BOB, next_fit=True))),
    "reserve over a lapsed hold": (lapsed, lambda book, name, _: held(book, name)),
    "queue, granted at once": (nothing, lambda book, name, _: book.queue(want(f"{name}/a", f"{name}/b"))),
    "queue, in vain": (held, wait_in_vain),
    "grant from the line": (waiter_in_front_of_a_free_place, grant),
    "extend": (held, lambda book, _, mine: book.extend(mine.id, ALICE, duration_us=SECOND_US)),
    "shorten": (held, lambda book, _, mine: book.shorten(mine.id, ALICE, duration_us=SECOND_US)),
    "release": (held, lambda book, _, mine: book.release(mine.id, ALICE)),
    "release by name": (held, lambda book, name, _: book.release_resources([f"{name}/a", f"{name}/b"], ALICE)),
    "kick": (held, lambda book, _, mine: book.kick(mine.id, BOB, "needed")),
    "declare a resource": (nothing, lambda book, name, _: book.resource_set(f"{name}/a", ALICE, capacity=2)),
}


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Run ``work`` in a child, with a pipe to acknowledge on; return its process id and the pipe's other end."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status = 1
    try:
        os.close(reading)
        work(writing)
        status = 0
    except BaseException:  # noqa: BLE001 -- the test reads it from stderr, and the status tells
        traceback.print_exc()
    finally:
        os._exit(status)


def actions(book: Any, name: str, after_seq: int) -> list[str]:
    return [e.action.value for e in book.log(after_seq=after_seq) if any(r.startswith(name) for r in e.resources)]


def kill_at(url: str, kind: str, name: str, point: str) -> tuple[int, bool, list[str]]:
    """Kill one write at one point; return the child's status, whether it was acknowledged, and what the log says."""
    prepare, write = KINDS[kind]
    with open_ledger(url) as book:
        ready = prepare(book, name)
        seen = max((entry.seq for entry in book.log(newest_first=True, limit=1)), default=0)

    def victim(acknowledge: int) -> None:
        with open_ledger(url) as mine:
            failpoints.arm(point)
            write(mine, name, ready)
            os.write(acknowledge, b"!")

    pid, reading = forked(victim)
    acknowledged = os.read(reading, 1) == b"!"
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with open_ledger(url) as book:
        check_book(book)
        found = actions(book, name, seen)
        book.reserve(want(f"{name}/next"))  # the next command works
    return status, acknowledged, found


def kill_at_each_step(url: str) -> dict[str, int]:
    """Kill each kind of write at each statement, before and after each commit."""
    kills = {}
    for number, kind in enumerate(KINDS):
        found, whole = [], None
        for point in ("storage.statement", "storage.before_commit", "storage.after_commit"):
            for nth in range(1, 200):
                status, acknowledged, log = kill_at(url, kind, f"k{number}.{point}.{nth}", f"{point}:{nth}")
                if status == 0:
                    whole = log
                    break
                if status != -signal.SIGKILL or acknowledged:
                    raise ViolationError(f"{kind} at {point}:{nth} ended with {status}, acknowledged: {acknowledged}")
                found.append((point, nth, log))
        judge(kind, whole, found)
        kills[kind] = len(found)
    return kills


def judge(kind: str, whole: list[str] | None, found: list[tuple[str, int, list[str]]]) -> None:
    """Each killed write left a beginning of the whole story, cut at a commit; the last commit completes it."""
    if not whole:
        raise ViolationError(f"{kind}: the write that was left alone logged nothing")
    one_commit = sum(point == "storage.before_commit" for point, _, _ in found) == 1
    for point, nth, log in found:
        if log != whole[: len(log)]:
            raise ViolationError(f"{kind} at {point}:{nth} left {log}, the whole is {whole}")
        # A read that follows the commit is a statement too.
        allowed = {"storage.before_commit": [[]], "storage.after_commit": [whole]}.get(point, [[], whole])
        if one_commit and log not in allowed:
            raise ViolationError(f"{kind} at {point}:{nth} left {log}, which is half of {whole}")
    if found[-1][0] != "storage.after_commit" or found[-1][2] != whole:
        raise ViolationError(f"{kind}: after its last commit the log says {found[-1]}, not {whole}")


class Witness(Worker):
    """A worker that tells what was acknowledged, as soon as it was."""

    def __init__(self, url: str, number: int, acknowledge: int) -> None:
        super().__init__(url, number)
        self.acknowledge = acknowledge

    def request(self, **more: Any) -> Request:
        """Ask for little time, since the dead give nothing back."""
        return super().request(**({"duration_us": 200_000} | more))

    def tell(self, action: str, of: Any) -> None:
        line = json.dumps(
            [action, of.id, of.fencing_token, of.ends_us if action in {"extended", "shortened"} else None]
        )
        os.write(self.acknowledge, line.encode() + b"\n")

    def keep(self, granted: Any) -> bool:
        self.tell("granted", granted)
        return super().keep(granted)

    def release(self) -> bool:
        mine = self.pick()
        if mine:
            self.tell("ended", self.book.release(mine.id, self.me))
        return bool(mine)

    def extend(self) -> bool:
        mine = self.pick()
        if mine:
            self.mine.append(self.book.extend(mine.id, self.me, duration_us=30 * SECOND_US))
            self.tell("extended", self.mine[-1])
        return bool(mine)


def kill_at_random(url: str, kills: int) -> dict[str, int]:
    """Kill processes that work as hard as they can, two at a time, at random moments."""
    dice = random.Random(2)
    told: list[list[Any]] = []
    open_ledger(url).close()
    for pair in range((kills + 1) // 2):
        victims = [forked(lambda out, n=2 * pair + i: forever(url, n, out)) for i in range(2)]
        for pid, reading in victims:
            heard = listen(reading, dice.randrange(1, 5))
            time.sleep(dice.uniform(0, 0.01))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            with os.fdopen(reading) as lines:
                heard += lines.read()
            told += [json.loads(line) for line in heard.split("\n")[:-1] if line]
        if pair % 10 == 9:
            clear(url)
    with open_ledger(url) as book:
        check_book(book)
        check_told(book, told)
        book.reserve(want("next"))
    return {"kills": kills, "acknowledged": len(told)}


def listen(reading: int, lines: int) -> str:
    """Read what the victim tells: that it has opened the book, and some of what was acknowledged to it."""
    heard = ""
    while heard.count("\n") < lines and select.select([reading], [], [], 0.1 if heard else None)[0]:
        heard += os.read(reading, 1000).decode()
    return heard


def forever(url: str, number: int, out: int) -> None:
    worker = Witness(url, number, out)
    os.write(out, b"\n")
    while True:
        worker.step()


def clear(url: str) -> None:
    """Check, and give back what the dead held, so that the living find something free."""
    with open_ledger(url) as book:
        check_book(book)
        for left in book.reservations():
            with contextlib.suppress(WrongStateError):  # its time is over meanwhile
                book.kick(left.id, BOB, "its holder is dead")


def check_told(book: Any, told: list[list[Any]]) -> None:
    """Every acknowledged write is in the log."""
    log = book.log()
    grants = {(e.reservation_id, e.after.get("number")) for e in log if e.action.value in {"reserved", "granted"}}
    ends = {(e.reservation_id, e.after.get("ends_us")) for e in log if e.action.value in {"extended", "shortened"}}
    over = {e.reservation_id for e in log if "ended_us" in e.after}
    for action, identifier, number, ends_us in told:
        known = {"granted": (identifier, number) in grants, "ended": identifier in over}.get(
            action, (identifier, ends_us) in ends
        )
        if not known:
            raise ViolationError(f"acknowledged and lost: {action} {identifier} {number} {ends_us}")


def main() -> int:
    mode, url = sys.argv[1:3]
    if url.startswith("postgresql:"):
        import bespeak.storage.postgres.engine  # noqa: F401 -- imported once, before the forks
    print(json.dumps(kill_at_each_step(url) if mode == "steps" else kill_at_random(url, int(sys.argv[3]))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
