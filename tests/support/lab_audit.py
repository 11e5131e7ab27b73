"""What a book gave to whom and when, by its log alone, and whether that was right.

None of the book's own code decides here. The log is read row by row; between two rows of a reservation it had its
resources for the window that stood in the log then.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from support import replay

WORDS = "seq, at_us, action, reservation, resources, before, after"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the lab promises beside what every book does.

    Attributes:
        pauses: how long a resource stays free between two holds, µs.
        wholes: pairs of a whole and its part.
        hours: resources that are open on weekdays from 8 to 18, UTC.
        active: reservations that a holder may have at once.
        longest_us: how long one may last, µs.
        unlimited: holders for whom the two last do not count.
    """

    pauses: dict[str, int]
    wholes: list[tuple[str, str]]
    hours: set[str]
    active: int
    longest_us: int
    unlimited: frozenset[str]


@dataclass(slots=True)
class Had:
    """Somebody had a resource for a time."""

    resource: str
    reservation: str
    mode: str
    starts_us: int
    ends_us: int


@dataclass
class Told:
    """What the log tells of the past."""

    had: list[Had] = field(default_factory=list)
    ill: list[tuple[str, int, int]] = field(default_factory=list)
    """When a resource was sick or offline, and until when, in rows of the log."""
    granted: list[tuple[int, str, str, str]] = field(default_factory=list)
    """What was given out: row of the log, action, reservation, resource."""
    most: dict[str, int] = field(default_factory=dict)
    """The most reservations that a holder had at once, as far as they were counted when one was made."""
    longest: dict[str, int] = field(default_factory=dict)


def audit(tx: Any, rules: Rules) -> list[str]:
    """Return what is wrong; empty if the log explains every row, and nobody had what they could not have."""
    told = read(tx)
    seats = dict(tx.fetch_all("SELECT name, capacity FROM ledger_resources"))
    closed = tx.fetch_all("SELECT resource, starts_us, ends_us FROM ledger_closures WHERE kind = 'maintenance'")
    wrong = [*replay.compare(tx), *replay.broken(tx)]
    by_resource = defaultdict(list)
    for one in told.had:
        by_resource[one.resource].append(one)
    for name, some in by_resource.items():
        some.sort(key=lambda one: (one.starts_us, one.ends_us))
        wrong += crowded(name, some, seats[name])
        wrong += no_pause(some, rules.pauses.get(name, 0))
        if name in rules.hours:
            wrong += [f"{name} was had outside its hours: {one}" for one in some if not is_open(one)]
    wrong += had_while_closed(by_resource, closed)
    wrong += both_whole_and_part(by_resource, rules.wholes)
    wrong += [
        f"{identifier} was given {name} ({action}) while it was ill"
        for row, action, identifier, name in told.granted
        for ill, since, until in told.ill
        if ill == name and since < row < until
    ]
    wrong += [
        f"{who} had {count} at once"
        for who, count in told.most.items()
        if count > rules.active and who not in rules.unlimited
    ]
    return wrong + [
        f"{who} had one for {length} us"
        for who, length in told.longest.items()
        if length > rules.longest_us and who not in rules.unlimited
    ]


def story(tx: Any) -> list[tuple[Any, ...]]:
    """Return what happened, without what differs from one run to the next: ids."""
    rows = tx.fetch_all("SELECT at_us, action, who, resources FROM ledger_log ORDER BY seq")
    ended = tx.fetch_all(
        "SELECT holder, resources, starts_us, ends_us, ended_us, end_reason FROM ledger_reservations ORDER BY seq"
    )
    return [*map(tuple, rows), *map(tuple, ended)]


class _Reader:
    """Reads the log row by row.

    Attributes:
        told: what it tells.
        seq: the last row that was read.
    """

    def __init__(self) -> None:
        self.told = Told()
        self.seq = 0
        self._book = replay.Rebuilt()
        self._open: dict[str, list[Had]] = {}
        self._ill_since: dict[str, int] = {}
        self._ended: dict[str, int] = {}

    def take(self, row: tuple[Any, ...]) -> None:
        """Read the next row."""
        self.seq, at_us, action, identifier, names, before, after = row
        resources, facts = json.loads(names), json.loads(after)
        self._book.apply(self.seq, action, identifier, resources, json.loads(before), facts)
        if action == "resource_set":
            self._health(resources[0], facts)
        if identifier in self._book.reservations:
            self._reservation(identifier, action, at_us)

    def _health(self, name: str, facts: dict[str, Any]) -> None:
        if facts.get("health", "ok") != "ok":
            self._ill_since.setdefault(name, self.seq)
        elif name in self._ill_since:
            self.told.ill.append((name, self._ill_since.pop(name), self.seq))

    def _reservation(self, identifier: str, action: str, at_us: int) -> None:
        found = self._book.reservations[identifier]
        for one in self._open.pop(identifier, []):
            one.ends_us = min(one.ends_us, at_us)
            self.told.had.append(one)
        if found["ended_us"] is not None:
            self._ended[identifier] = found["ended_us"]
        elif not found["waiting"]:
            starts_us, names = max(at_us, found["starts_us"]), found["resources"]
            self._open[identifier] = [
                Had(name, identifier, found["mode"], starts_us, found["ends_us"]) for name in names
            ]
            if action in ("reserved", "granted", "moved"):
                self.told.granted += [(self.seq, action, identifier, name) for name in names]
            _count(self.told, self._book, found, at_us)

    def finish(self, leases: dict[str, int], now_us: int) -> None:
        """Cut what was had at the end of its reservation, or of its sign of life."""
        self.told.had += [one for some in self._open.values() for one in some]
        for one in self.told.had:
            one.ends_us = min(one.ends_us, self._ended.get(one.reservation, one.ends_us))
            if one.reservation not in self._ended and leases.get(one.reservation, now_us + 1) <= now_us:
                one.ends_us = min(one.ends_us, leases[one.reservation])
        self.told.had = [one for one in self.told.had if one.ends_us > one.starts_us]
        self.told.ill += [(name, since, self.seq + 1) for name, since in self._ill_since.items()]


def read(tx: Any) -> Told:
    """Read the log from its beginning."""
    reader = _Reader()
    for row in tx.fetch_all(f"SELECT {WORDS} FROM ledger_log ORDER BY seq"):
        reader.take(row)
    leases = dict(tx.fetch_all("SELECT id, lease_us FROM ledger_reservations WHERE lease_us IS NOT NULL"))
    reader.finish(leases, tx.now_us)
    return reader.told


def _count(told: Told, book: replay.Rebuilt, found: dict[str, Any], at_us: int) -> None:
    """Count what a holder has when it gets one; what has lapsed and was not noticed yet makes it too many by those."""
    who = found["holder"]
    told.longest[who] = max(told.longest.get(who, 0), found["ends_us"] - found["starts_us"])
    live = [
        one
        for one in book.reservations.values()
        if one["holder"] == who and one["ended_us"] is None and one["ends_us"] > at_us and not one["waiting"]
        if one["keepalive_us"] is None and one["check_in_us"] is None
    ]
    told.most[who] = max(told.most.get(who, 0), len(live))


def crowded(name: str, some: list[Had], seats: int) -> list[str]:
    """Return where more had a resource at once than it has seats, or somebody beside one who had it alone."""
    wrong = []
    for at, one in enumerate(some):
        there = [other for other in some[:at] if other.ends_us > one.starts_us]
        alone = [other for other in (*there, one) if other.mode == "exclusive"]
        if len(alone) > seats or (alone and len(alone) <= len(there)):
            wrong.append(f"{name} was had twice: {one} beside {there}")
    return wrong


def no_pause(some: list[Had], pause_us: int) -> list[str]:
    """Return which of two that follow each other have no pause between them."""
    pairs = pairwise(some) if pause_us else ()
    return [
        f"no pause between {one} and {other}"
        for one, other in pairs
        if one.reservation != other.reservation
        and one.mode == other.mode == "exclusive"
        and other.starts_us < one.ends_us + pause_us
    ]


def is_open(one: Had) -> bool:
    """Tell whether somebody had it on a weekday between 8 and 18."""
    first, last = (datetime.fromtimestamp(us / 1e6, UTC) for us in (one.starts_us, one.ends_us - 1))
    return first.weekday() < 5 and first.date() == last.date() and first.hour >= 8 and last.hour < 18


def had_while_closed(by_resource: dict[str, list[Had]], closed: list[tuple[str, int, int]]) -> list[str]:
    """Return who had a resource during its maintenance."""
    return [
        f"{name} was had in its maintenance {starts_us}-{ends_us}: {one}"
        for name, starts_us, ends_us in closed
        for one in by_resource[name]
        if one.starts_us < ends_us and one.ends_us > starts_us
    ]


def both_whole_and_part(by_resource: dict[str, list[Had]], wholes: list[tuple[str, str]]) -> list[str]:
    """Return who had a whole while somebody had its part."""
    return [
        f"{whole} and its part {part} were had at once: {one} {other}"
        for whole, part in wholes
        for one in by_resource[whole]
        for other in by_resource[part]
        if one.starts_us < other.ends_us and other.starts_us < one.ends_us
        if "exclusive" in (one.mode, other.mode)
    ]
