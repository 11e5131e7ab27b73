"""The pages of claims on code, of jobs, and of those who administer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.access.decide import told
from bespeak.access.model import Right
from bespeak.base.clock import SECOND_US
from bespeak.base.display import escape_unprintable
from bespeak.base.natural_order import natural_key
from bespeak.web.views.reservations import resource_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.access.model import Rule, Token
    from bespeak.coord.model import Claim
    from bespeak.jobs.model import JobReservation
    from bespeak.ledger.inventory.model import Entry
    from bespeak.web.read_claims_and_jobs import Claims, Jobs
    from bespeak.web.viewer import Viewer
    from bespeak.web.wallclock import Moment, WallClock

_MOST_MEETINGS = 100


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim of an agent."""

    run: str
    branch: str
    addresses: tuple[str, ...]
    operation: str
    shared: bool
    ends: Moment


@dataclass(frozen=True, slots=True)
class RepositoryClaims:
    """The claims of one repository, and which of them meet."""

    name: str
    rows: tuple[ClaimRow, ...]
    meetings: tuple[tuple[ClaimRow, ClaimRow], ...]


def claims_view(found: Claims, clock: WallClock) -> tuple[RepositoryClaims, ...]:
    """Return the page of claims."""
    return tuple(
        RepositoryClaims(
            escape_unprintable(name) or "this repository",
            tuple(_claim(one, clock) for one in every),
            tuple((_claim(a, clock), _claim(b, clock)) for a, b in found.meetings[name][:_MOST_MEETINGS]),
        )
        for name, every in sorted(found.by_repository.items())
    )


def _claim(of: Claim, clock: WallClock) -> ClaimRow:
    return ClaimRow(
        escape_unprintable(of.run_id),
        escape_unprintable(of.branch),
        tuple(escape_unprintable(text) for text in of.addresses),
        escape_unprintable(of.operation or ""),
        of.shared,
        clock.moment(of.expires_us),
    )


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job, and what has become of it."""

    key: str
    id: str
    command: str
    state: str
    outcome: str
    due: Moment | None
    made: Moment
    error: str


@dataclass(frozen=True, slots=True)
class JobsView:
    """The newest jobs, and how many there are in each state."""

    rows: tuple[JobRow, ...]
    counts: tuple[tuple[str, int], ...]


def jobs_view(found: Jobs, clock: WallClock) -> JobsView:
    """Return the page of jobs."""
    counts = tuple((_words(state), count) for state, count in sorted(found.counts.items()))
    return JobsView(tuple(_job(one, clock) for one in found.jobs), counts)


def _job(of: JobReservation, clock: WallClock) -> JobRow:
    command = " ".join(json.dumps(word, ensure_ascii=False) if not word or " " in word else word for word in of.command)
    return JobRow(
        key=escape_unprintable(of.run_key),
        id=escape_unprintable(of.job_id or ""),
        command=escape_unprintable(command),
        state=_words(of.reservation_status),
        outcome=escape_unprintable(str(getattr(of, "outcome", None) or "")),
        due=None if of.not_before is None else clock.moment(of.not_before * SECOND_US),
        made=clock.moment(of.created_at * SECOND_US),
        error=escape_unprintable(of.last_error or ""),
    )


def _words(state: str) -> str:
    return escape_unprintable(state).lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class AdminResource:
    """A resource as those see it who may change it."""

    name: str
    label: str
    url: str
    capacity: int
    description: str
    labels: str


@dataclass(frozen=True, slots=True)
class AdminToken:
    """A token without its secret."""

    id: str
    holder: str
    name: str
    scopes: str
    ends: Moment
    used: Moment | None
    good: bool


@dataclass(frozen=True, slots=True)
class AdminView:
    """What the viewer may administer; a part is None where it is not for the viewer.

    Attributes:
        rules: id and text of each.
    """

    resources: tuple[AdminResource, ...] | None
    rules: tuple[tuple[str, str], ...] | None
    tokens: tuple[AdminToken, ...]


def admin_view(
    entries: Sequence[Entry], rules: Sequence[Rule], tokens: Sequence[Token], viewer: Viewer, clock: WallClock
) -> AdminView:
    """Return the page of those who administer."""
    changeable = viewer.allowed(Right.RESOURCE, [one.name for one in entries])
    whole = viewer.may(Right.RESOURCE)
    shown = sorted((one for one in entries if one.name in changeable), key=lambda one: natural_key(one.name))
    administers = viewer.may(Right.ADMINISTER)
    return AdminView(
        tuple(map(_resource, shown)) if shown or whole else None,
        tuple((one.id, escape_unprintable(told(one))) for one in rules) if administers else None,
        tuple(_token(one, clock) for one in tokens),
    )


def _resource(of: Entry) -> AdminResource:
    labels = ", ".join(f"{key}={value}" for key, value in of.properties.labels)
    return AdminResource(
        of.name,
        escape_unprintable(of.name),
        resource_url(of.name),
        of.resource.capacity,
        escape_unprintable(of.resource.description),
        escape_unprintable(labels),
    )


def _token(of: Token, clock: WallClock) -> AdminToken:
    return AdminToken(
        of.id,
        escape_unprintable(of.holder),
        escape_unprintable(of.name),
        ", ".join(scope.value for scope in of.scopes),
        clock.moment(of.expires_us),
        None if of.used_us is None else clock.moment(of.used_us),
        of.revoked_us is None and of.expires_us > clock.now_us,
    )
