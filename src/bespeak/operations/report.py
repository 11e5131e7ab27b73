"""How a book was used: holds, waiting and no-shows, by resource, user, team or week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.clock import HOUR_US
from bespeak.base.timezones import local_zone
from bespeak.base.wallclock import DAY_S, date_text, days_until
from bespeak.ledger.model import EndReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bespeak.ledger.model import Reservation
    from bespeak.ledger.service import Ledger

BY = ("resource", "user", "team", "week")
_WEEK = 7
_MONDAY = 0


@dataclass(frozen=True, slots=True)
class Use:
    """One line of a report.

    Attributes:
        name: of the resource, the user, the team or the first day of the week.
        holds: how many reservations began.
        used_us: how long something was held, µs, within the time reported on; each resource counts.
        share: which part of all the time (of all seats) that is; None where it is not about a resource.
        waits: how many waited in the queue.
        waited_us: how long they waited together, µs.
        longest_wait_us: the longest of these waits, µs.
        no_shows: how many were promised, or booked with a check-in, and not taken up.
    """

    name: str
    holds: int
    used_us: int
    share: float | None
    waits: int
    waited_us: int
    longest_wait_us: int
    no_shows: int

    @property
    def hours(self) -> float:
        """Return the hours of use."""
        return self.used_us / HOUR_US


class _Sum:
    def __init__(self) -> None:
        self.holds = self.used_us = self.waits = self.waited_us = self.longest_us = self.no_shows = 0

    def add(self, of: Reservation, used_us: int, waited_us: int | None) -> None:
        self.holds += used_us > 0
        self.used_us += used_us
        self.no_shows += of.end_reason is EndReason.NO_SHOW
        if waited_us is not None:
            self.waits += 1
            self.waited_us += waited_us
            self.longest_us = max(self.longest_us, waited_us)


def report_of(book: Ledger, by: str, names: Sequence[str], *, from_us: int, to_us: int) -> list[Use]:
    """Return how a book was used.

    Args:
        book: the open book.
        by: one of :data:`BY`.
        names: only of these resources; empty means all.
        from_us: the first instant reported on, µs UTC.
        to_us: its end, µs UTC.
    """
    seats = {one.name: one.capacity for one in book.resource_list() if not names or one.name in names}
    found = book.reservations(resources=names, include_ended=True, from_us=from_us, to_us=to_us)
    said = book.policy().stored.get("teams")
    teams = said if isinstance(said, dict) else {}
    return report(found, by, from_us=from_us, to_us=to_us, now_us=book.now_us(), seats=seats, teams=teams)


def use_json(of: Use) -> dict[str, object]:
    """Return a line for programs."""
    return {
        "name": of.name,
        "holds": of.holds,
        "used_us": of.used_us,
        "share": None if of.share is None else round(of.share, 4),
        "waits": of.waits,
        "waited_us": of.waited_us,
        "longest_wait_us": of.longest_wait_us,
        "no_shows": of.no_shows,
    }


def report(
    reservations: Iterable[Reservation],
    by: str,
    *,
    from_us: int,
    to_us: int,
    now_us: int,
    seats: Mapping[str, int] | None = None,
    teams: Mapping[str, Iterable[str]] | None = None,
) -> list[Use]:
    """Add up reservations.

    Args:
        reservations: those that overlap the time reported on.
        by: one of :data:`BY`.
        from_us: the first instant reported on, µs UTC.
        to_us: its end, µs UTC; what is still to come is not use.
        now_us: the present, µs UTC.
        seats: how many each resource has, by name; those that were not used are listed too.
        teams: who is in which team, by its name.

    Returns:
        The lines: weeks in order, everything else by use, most first.
    """
    until_us = min(to_us, now_us)
    sums: dict[str, _Sum] = {name: _Sum() for name in seats or ()} if by == "resource" else {}
    names = _names(by, teams or {})
    for one in reservations:
        used_us = _used(one, from_us, until_us, now_us)
        waited_us = _waited(one, from_us, to_us, now_us)
        for name in names(one):
            each = used_us if by == "resource" else used_us * len(one.resources)
            sums.setdefault(name, _Sum()).add(one, each, waited_us)
    span_us = max(until_us - from_us, 1)
    lines = [
        Use(
            name,
            found.holds,
            found.used_us,
            found.used_us / (span_us * (seats or {}).get(name, 1)) if by == "resource" else None,
            found.waits,
            found.waited_us,
            found.longest_us,
            found.no_shows,
        )
        for name, found in sums.items()
    ]
    return sorted(lines, key=lambda line: (0 if by == "week" else -line.used_us, line.name))


def _used(of: Reservation, from_us: int, until_us: int, now_us: int) -> int:
    """Return how long it was held within the time reported on, µs."""
    if of.waiting or of.fencing_token is None:
        return 0
    return max(min(of.end_us(now_us), until_us) - max(of.starts_us, from_us), 0)


def _waited(of: Reservation, from_us: int, to_us: int, now_us: int) -> int | None:
    """Return how long it waited in the queue, µs; None for one that never did, or began to at another time."""
    if not of.rank or not from_us <= of.created_us < to_us:
        return None
    until_us = of.starts_us if of.fencing_token is not None else of.end_us(now_us)
    return max(min(until_us, now_us) - max(of.created_us, of.not_before_us), 0)


def _names(by: str, teams: Mapping[str, Iterable[str]]) -> Callable[[Reservation], Iterable[str]]:
    if by == "resource":
        return lambda of: of.resources
    if by == "user":
        return lambda of: (of.holder,)
    if by == "team":
        members: dict[str, list[str]] = {}
        for team, users in teams.items():
            for user in users:
                members.setdefault(user, []).append(team)
        return lambda of: _teams_of(of.holder, members)
    zone = local_zone()
    return lambda of: (_week(of.starts_us // 1_000_000, zone.at(of.starts_us // 1_000_000)[0]),)


def _teams_of(holder: str, members: Mapping[str, list[str]]) -> Iterable[str]:
    kind, _, team = holder.partition(":")
    return (team,) if kind == "team" else members.get(holder, ["(none)"])


def _week(seconds: int, offset: int) -> str:
    """Return the Monday of the week of an instant."""
    number = (seconds + offset) // DAY_S
    return date_text(number - (_WEEK - days_until(_MONDAY, number)) % _WEEK)
