"""What is done to a host, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import SECOND_US, iso

if TYPE_CHECKING:
    from bespeak.host.base import Host
    from bespeak.host.status import Status


@dataclass(frozen=True, slots=True)
class HostAction:
    """Something that can be done to a host.

    Attributes:
        name: ``on``, ``off``, ``cycle``, ``toggle``, ``selftest``, ``reboot``, ``shutdown``, ``exec``, ``boot``,
            ``console``.
        run: does it; returns how it ended and what was said.
        switches: it needs the host's power controller, and the state before and after is of interest.
        ends_on: it switches the host off and on again, so a host that it leaves off is a fault of its own.
        command: what is typed for it after ``bespeak``; empty when that cannot be told.
        by_manager: the management controller does it, and nothing is switched.
        by: what does it, where that is neither the controller nor the host's own system.
        limit: seconds after which it is given up, whatever it waits for; None when it ends by itself.
        restores: it leaves the host as it was, so one that was on and is left off is a fault of its own.
    """

    name: str
    run: Callable[[Host], Awaitable[tuple[Status, str]]]
    switches: bool = True
    limit: Callable[[Host], float] | None = None
    ends_on: bool = False
    command: str = ""
    by_manager: bool = False
    restores: bool = False
    by: str | None = None


@dataclass(frozen=True, slots=True)
class HostGrant:
    """A grant that lets somebody act on a host: the reservation, and its fencing token."""

    resource: str
    reservation_id: str
    fencing_token: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a action on one host.

    Attributes:
        host: the host's id.
        action: the action's name.
        controller: the type of the power controller, or the kind of the host; None when it has none.
        status: how it ended.
        text: what was said, or why it did not work.
        before: the power state before: ``on``, ``off``, or None when it is not known.
        after: the same afterwards.
        started_us: when it began, µs UTC.
        duration_us: how long it took, µs.
        holds: the grants it was done under.
        refused: it was not done, because a grant was no longer in force.
        logged: the log has it.
        begun: something was done, or at least tried.
        interrupted: a signal, or a fault of this program, broke it off.
        left_off: it was switched off and not seen to be on again, although the action should end with it on.
    """

    host: str
    action: str
    controller: str | None
    status: Status
    text: str
    before: str | None = None
    after: str | None = None
    started_us: int = 0
    duration_us: int = 0
    holds: tuple[HostGrant, ...] = ()
    refused: bool = False
    logged: bool = True
    begun: bool = True
    left_off: bool = False
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status.is_ok


def spent_text(duration_us: int) -> str:
    """Return how long something took, for people: ``0.25 s``."""
    return f"{duration_us / SECOND_US:.2f} s"


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for programs; instants are ISO 8601 in UTC, durations µs."""
    return {
        "host": outcome.host,
        "action": outcome.action,
        "controller": outcome.controller,
        "ok": outcome.ok,
        "status": outcome.status.name,
        "text": outcome.text,
        "before": outcome.before,
        "after": outcome.after,
        "started": iso(outcome.started_us) if outcome.started_us else None,
        "duration_us": outcome.duration_us,
        "reservations": sorted({(hold.reservation_id, hold.fencing_token) for hold in outcome.holds}),
        "refused": outcome.refused,
        "logged": outcome.logged,
        "begun": outcome.begun,
        "left_off": outcome.left_off,
        "interrupted": outcome.interrupted,
    }
