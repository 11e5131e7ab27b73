"""What the processes of a crowd do to a book."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from bespeak.base import failpoints
from bespeak.base.errors import BespeakError
from bespeak.storage import open_engine
from bespeak.storage.migrations import Component, Migration
from bespeak.storage.sqlite import SqliteEngine
from bespeak.storage.sqlite_readonly import ReadOnlySqliteEngine

THINGS = Component(
    "things",
    [
        Migration(1, ["CREATE TABLE things (name TEXT PRIMARY KEY, amount BIGINT NOT NULL)"]),
        Migration(
            2,
            [
                "CREATE TABLE seats (taken_by BIGINT)",
                "CREATE TABLE steps (n BIGINT)",
                "INSERT INTO steps VALUES (1)",
                "INSERT INTO steps VALUES (2)",
            ],
        ),
    ],
)


def open_things(url: str, **options: object):
    return open_engine(url, [THINGS], **options)


def take_the_seat(number: int, url: str) -> bool:
    """Check, then write: right only if the lock is held meanwhile."""
    engine = open_things(url)

    def work(tx):
        if tx.fetch_all("SELECT taken_by FROM seats"):
            return False
        time.sleep(0.02)
        tx.execute("INSERT INTO seats VALUES (:n)", {"n": number})
        return True

    won = engine.transact(["seat"], work)
    engine.close()
    return won


def count_up(number: int, url: str, times: str) -> float:
    """Read, add one, write back, many times; the longest wait in seconds."""
    engine = open_things(url)
    longest = 0.0
    for _ in range(int(times)):
        began = time.monotonic()
        engine.transact(["counter"], add_one)
        longest = max(longest, time.monotonic() - began)
    engine.close()
    return longest


def add_one(tx) -> None:
    row = tx.fetch_one("SELECT amount FROM things WHERE name = 'counter'")
    amount = row[0] + 1 if row else 1
    tx.execute(
        "INSERT INTO things VALUES ('counter', :a) ON CONFLICT (name) DO UPDATE SET amount = excluded.amount",
        {"a": amount},
    )
    tx.notify("counter")


def cross(number: int, url: str, times: str) -> int:
    """Move between two rows that no key locks, in either order: deadlocks that must be tried again."""
    engine = open_things(url)
    names = ["a", "b"] if number % 2 else ["b", "a"]

    def work(tx):
        for name in names:
            tx.execute("UPDATE things SET amount = amount + 1 WHERE name = :name", {"name": name})
            time.sleep(0.002)

    for _ in range(int(times)):
        engine.transact([f"own {number}"], work)
    engine.close()
    return int(times)


def open_it(number: int, url: str) -> list[int]:
    engine = open_things(url)
    found = engine.read(lambda tx: tx.fetch_all("SELECT n FROM steps ORDER BY n"))
    engine.close()
    return [row[0] for row in found]


def open_and_die(number: int, url: str, point: str) -> str:
    failpoints.arm(point)
    open_things(url).close()
    return "opened"


def die_listening(number: int, url: str, *topics: str) -> None:
    open_things(url).listen(topics)
    failpoints.arm("here")
    failpoints.reach("here")


def come_and_go(number: int, url: str, times: str) -> int:
    """Even ones write and wake; odd ones begin to listen, then see whether a write of their own kind is missed."""
    engine = open_things(url)
    missed = 0
    for _ in range(int(times)):
        if number % 2 == 0:
            engine.transact(["t"], lambda tx: tx.notify("t"))
            continue
        listener = engine.listen(["t"])
        engine.transact(["t"], lambda tx: tx.notify("t"))
        missed += not listener.wait(10)
        listener.close()
    engine.close()
    return missed


def ping_pong(number: int, url: str, rounds: str) -> int:
    """Two players change one number in turn, each asleep until woken; a lost wake-up ends the game early."""
    engine = open_things(url)
    listener = engine.listen(["ball"])
    done = 0

    def hit(tx):
        ((amount,),) = tx.fetch_all("SELECT amount FROM things WHERE name = 'ball'")
        if amount >= int(rounds) or amount % 2 != number:
            return amount
        tx.execute("UPDATE things SET amount = amount + 1 WHERE name = 'ball'")
        tx.notify("ball")
        return amount + 1

    while (done := engine.transact(["ball"], hit)) < int(rounds):
        if not listener.wait(10):
            break
    listener.close()
    engine.close()
    return done


def told(engine_call, *args: object) -> tuple[str, str, int]:
    """Return what a failing call raised: type, text, exit code."""
    try:
        engine_call(*args)
    except BespeakError as error:
        return type(error).__name__, str(error), int(error.exit_code)
    return "nothing", "", 0


def look_as_nobody(number: int, url: str) -> list[str]:
    """Look at a book as a user who may only read."""
    assert ReadOnlySqliteEngine, "imported while its file can still be read"
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    engine = open_things(url)
    found = engine.read(lambda tx: [name for (name,) in tx.fetch_all("SELECT name FROM things ORDER BY name")])
    engine.close()
    return found


def as_nobody(number: int, url: str, *what: str) -> list[object]:
    """Use a book as a user without rights: open it, and write to it."""
    assert SqliteEngine, "imported while its file can still be read"

    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    def use() -> None:
        engine = open_things(url)
        engine.transact([], lambda tx: tx.execute("INSERT INTO things VALUES ('x', 1)"))

    return list(told(use))


def names(rows: Iterable[tuple]) -> list:
    return [row[0] for row in rows]
