"""The answer of the gate as a value, and the texts of it, alike on every road to it.

A hook asks the gate at every turn, so this module imports next to nothing.
"""

from __future__ import annotations

from bespeak.base.display import escape_unprintable
from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

UNKNOWN_USER = "<unknown>"


@frozen
class ResourceHolder:
    """Somebody who holds a missing resource.

    Attributes:
        username: who.
        until: when the hold ends, µs UTC; ``FOREVER_US`` for an open end, None if the backend cannot say.
        where: what uses it and on which machine, as far as the backend knows.
        seen: the last sign of life of that, µs UTC; 0 if unknown.
    """

    username: str
    until: int | None = None
    where: str = ""
    seen: int = 0


@frozen
class MissingResource:
    """A resource that is required and not held, and who holds it instead.

    Attributes:
        resource: its name.
        holders: who holds it.
        free_us: from when on it is free, µs UTC; None if it is free now, never is, or if the backend cannot say.
    """

    resource: str
    holders: tuple[ResourceHolder, ...] = ()
    free_us: int | None = None


@frozen
class GateReport:
    """The answer of the gate.

    Attributes:
        lab: the name of the lab.
        username: whose reservations count; None if nobody could be found.
        required: what the lab requires, sorted.
        held: those of them that the user holds, sorted.
        missing: those that the user does not hold, sorted by name.
        skipped: the check was skipped with ``-R``.
        checked: a backend was asked, or nothing was required; False under ``none`` and when skipped.
        backend: the name of the backend.
        decided_by: the settings file that selected the backend; None if none did.
        within: the id of the only reservation that counts, inside ``bespeak run``; None outside.
        book: where the book is that was asked, without secrets; None if none was.
    """

    lab: str
    username: str | None
    required: tuple[str, ...]
    held: tuple[str, ...] = ()
    missing: tuple[MissingResource, ...] = ()
    skipped: bool = False
    checked: bool = True
    backend: str = "none"
    decided_by: str | None = None
    within: str | None = None
    book: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether the lab may be used."""
        return not self.missing

    @property
    def text(self) -> str:
        """The answer for people; names are printed literally, unprintable characters as escapes."""
        if self.skipped:
            return (
                f"\N{WARNING SIGN}  Reservation check SKIPPED for user {self.username or UNKNOWN_USER!r} "
                f"on lab {self.lab!r}. Required resources: {list(self.required)!r}"
            )
        if self.missing:
            names = [(each.resource, [holder.username for holder in each.holders]) for each in self.missing]
            return refusal_text(self.username or UNKNOWN_USER, self.lab, names)
        if not self.checked:
            why = (
                f"{escape_unprintable(self.decided_by)} says backend = 'none'"
                if self.decided_by
                else "no backend is configured"
            )
            return f"Nothing was checked: {why}, so anybody may use lab {self.lab!r}."
        if not self.required:
            return f"Nothing had to be checked: lab {self.lab!r} requires no resources."
        return allowed_text(self.username or UNKNOWN_USER, self.lab)


def missing_resources(
    others: Mapping[str, Iterable[tuple[str, int | None]]],
    free: Mapping[str, int],
    users: Mapping[str, Iterable[tuple[str, str, int]]],
) -> tuple[MissingResource, ...]:
    """Return what is missing, in the order of ``others``.

    Args:
        others: the holders of each resource, with the ends of their holds (µs UTC).
        free: from when on each is free (µs UTC), as far as it is known.
        users: who holds each, what uses it where, and the last sign of life of that (µs UTC), as far as it is known.
    """
    return tuple(
        MissingResource(resource, tuple(_used(*held, users.get(resource, ())) for held in holders), free.get(resource))
        for resource, holders in others.items()
    )


def _used(username: str, until: int | None, users: Iterable[tuple[str, str, int]]) -> ResourceHolder:
    own = [(where, seen) for holder, where, seen in users if holder == username and where]
    where = ", ".join(dict.fromkeys(where for where, _ in own))
    return ResourceHolder(username, until, where, max((seen for _, seen in own), default=0))


def until_when(report: GateReport) -> list[str]:
    """Return lines that say until when what is missing is held, from when on it is free, and which book says so."""
    from bespeak.base import clock, timeparse
    from bespeak.ledger.holders import use_text

    now_us = clock.now()
    alike: dict[str, list[str]] = {}
    for each in report.missing:
        ends = [
            f"{escape_unprintable(of.username + use_text(of.where, of.seen, now_us))} {_until(of.until)}"
            for of in each.holders
            if of.until is not None
        ]
        if ends:
            free = [] if each.free_us is None else [f"free from {timeparse.show(each.free_us)}"]
            alike.setdefault("; ".join([", ".join(ends), *free]), []).append(escape_unprintable(each.resource))
    lines = [f"{', '.join(names)}: {said}" for said, names in alike.items()]
    own = [each.resource for each in report.missing for holder in each.holders if holder.username == report.username]
    if own and report.within is not None:
        lines.append(
            f"inside bespeak run only its own hold counts ({escape_unprintable(report.within)}); "
            f"{escape_unprintable(', '.join(own))} is held under another one"
        )
    if report.missing and report.book is not None:
        lines.append(f"asked: {report.book}")
    return lines


def _until(end_us: int) -> str:
    from bespeak.base import timeparse
    from bespeak.base.clock import FOREVER_US

    return "without an end" if end_us >= FOREVER_US else f"until {timeparse.show(end_us)}"


def report_json(report: GateReport) -> dict[str, Any]:
    """Return the report for programs; instants are ISO 8601 in UTC, None for an open or unknown end."""
    from bespeak.base.clock import FOREVER_US, iso

    return {
        "lab": report.lab,
        "username": report.username,
        "allowed": report.allowed,
        "checked": report.checked,
        "skipped": report.skipped,
        "backend": report.backend,
        "decided_by": report.decided_by,
        "within": report.within,
        "book": report.book,
        "required": list(report.required),
        "held": list(report.held),
        "missing": [
            {
                "resource": each.resource,
                "holders": [
                    {
                        "username": holder.username,
                        "until": iso(holder.until),
                        "open_ended": holder.until is not None and holder.until >= FOREVER_US,
                        "where": holder.where or None,
                        "seen": iso(holder.seen or None),
                    }
                    for holder in each.holders
                ],
                "free_from": iso(each.free_us),
            }
            for each in report.missing
        ],
        "text": report.text,
    }


def refusal_text(username: str, lab: str, missing: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return the documented text of a refusal.

    Args:
        username: who is refused.
        lab: the name of the lab.
        missing: each missing resource with its holders, sorted by resource.
    """
    lines = [f"User {username!r} does not hold all resources required by lab {lab!r}. Missing:"]
    for resource, holders in missing:
        names = ", ".join(escape_unprintable(holder) for holder in holders)
        lines.append(f"  - {escape_unprintable(resource)} ({f'held by {names}' if names else 'unreserved'})")
    return "\n".join(lines)


def allowed_text(username: str, lab: str) -> str:
    """Return the text for who may go on."""
    return f"User {username!r} holds all resources required by lab {lab!r}."
