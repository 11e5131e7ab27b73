"""The morning view of a book: for each site how its dispatcher is, what ran, failed or was lost, and what is next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US, SECOND_US, iso
from bespeak.jobs.follow import OVERDUE_US
from bespeak.jobs.liveness import all_dispatchers
from bespeak.jobs.model import BAD_OUTCOMES

if TYPE_CHECKING:
    from bespeak.storage.interface import Transaction

_LOST = "LOST"
_BAD_SQL = ", ".join(f"'{outcome}'" for outcome in BAD_OUTCOMES)
_FAILED_SQL = ", ".join(f"'{outcome}'" for outcome in BAD_OUTCOMES if outcome != _LOST)
_NOT_STARTED = "reservation_status IN ('DISPATCH_FAILED', 'EXPIRED')"
_UNKNOWN = "reservation_status = 'START_UNKNOWN'"
_COUNTED = {
    "ran": "ended_us >= :since AND outcome <> 'CANCELLED'",
    "failed": f"ended_us >= :since AND outcome IN ({_FAILED_SQL})",
    "not_started": f"{_NOT_STARTED} AND updated_at >= :since_s",
    "lost": f"(ended_us >= :since AND outcome = '{_LOST}') OR {_UNKNOWN}",
    "running": "job_id IS NOT NULL AND outcome IS NULL",
    "waiting": "reservation_status = 'RESERVED'",
    "unknown": _UNKNOWN,
    "overdue": "reservation_status = 'RESERVED' AND next_us <= :late AND created_at <= :late_s",
}
_COUNTS = (
    "SELECT site, "
    + ", ".join(f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)" for condition in _COUNTED.values())
    + " FROM reservations GROUP BY site ORDER BY site"
)
_OWNERS = "SELECT DISTINCT site, owner FROM reservations WHERE reservation_status = 'DISPATCHING'"
_NEXT = (
    "SELECT run_key, next_us FROM reservations WHERE site = :site AND reservation_status = 'RESERVED'"
    f" AND next_us < {FOREVER_US} ORDER BY next_us, seq LIMIT 1"
)
_AT = "CASE WHEN ended_us IS NULL THEN updated_at * 1000000 ELSE ended_us END"
_LAST_BAD = (
    f"SELECT run_key, reservation_status, outcome, exit_code, last_error, {_AT} FROM reservations WHERE site = :site"
    f" AND (outcome IN ({_BAD_SQL}) OR {_NOT_STARTED} OR {_UNKNOWN}) AND {_AT} >= :since ORDER BY {_AT} DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """How one site is doing.

    Attributes:
        site: its name; empty for jobs of no site.
        dispatcher: ``alive`` or ``absent``.
        why: what is wrong with its dispatching; empty when nothing is.
        counts: how many ran, failed and so on since the asked instant; how many run and wait now.
        upcoming: the run key of what is next, and when, µs UTC (0 for at once); None for nothing.
        last_error: the run key of what went wrong last, when (µs UTC), and what; None for nothing.
    """

    site: str
    dispatcher: str
    why: tuple[str, ...]
    counts: dict[str, int]
    upcoming: tuple[str, int] | None
    last_error: tuple[str, int, str] | None

    @property
    def ok(self) -> bool:
        """Whether nobody has to look."""
        return not (self.why or self.counts["failed"] or self.counts["not_started"] or self.counts["lost"])

    def json(self) -> dict[str, object]:
        """Return it as it is printed."""
        form: dict[str, object] = {"site": self.site, "ok": self.ok, "healthy": not self.why, "why": list(self.why)}
        form["dispatcher"] = self.dispatcher
        form |= {name: self.counts[name] for name in ("ran", "failed", "not_started", "lost", "running", "waiting")}
        form["next"] = None
        if self.upcoming is not None:
            key, at_us = self.upcoming
            form["next"] = {"run_key": key, "at": iso(at_us) if at_us else None}
        form["last_error"] = None
        if self.last_error is not None:
            key, at_us, error = self.last_error
            form["last_error"] = {"run_key": key, "at": iso(at_us), "error": error}
        return form


def summaries(tx: Transaction, since_s: int) -> list[SiteSummary]:
    """Return the sites that have a dispatcher or something open, or in which something happened, by name.

    Args:
        tx: a transaction.
        since_s: what happened before is not counted, seconds since 1970.
    """
    late_us = tx.now_us - OVERDUE_US
    times = {"since": since_s * SECOND_US, "since_s": since_s, "late": late_us, "late_s": late_us // SECOND_US}
    counts = {
        str(site): dict(zip(_COUNTED, map(int, found), strict=True)) for site, *found in tx.fetch_all(_COUNTS, times)
    }
    known = all_dispatchers(tx)
    living = {item.dispatcher_id: item.site for item in known if item.alive(tx.now_us)}
    stuck: dict[str, int] = {}
    for site, owner in tx.fetch_all(_OWNERS):
        stuck[str(site)] = stuck.get(str(site), 0) + (owner not in living)
    sites = {item.site for item in known} | stuck.keys() | {site for site in counts if any(counts[site].values())}
    nothing = dict.fromkeys(_COUNTED, 0)
    return [
        _summary(tx, site, counts.get(site, nothing), stuck.get(site, 0), since_s, is_alive=site in living.values())
        for site in sorted(sites or {""})
    ]


def _summary(
    tx: Transaction, site: str, counts: dict[str, int], stuck: int, since_s: int, *, is_alive: bool
) -> SiteSummary:
    told = ((counts["overdue"], "overdue"), (stuck, "left by dead dispatchers"), (counts["unknown"], "START_UNKNOWN"))
    why = [f"{number} {what}" for number, what in told if number]
    upcoming = tx.fetch_one(_NEXT, {"site": site})
    bad = tx.fetch_one(_LAST_BAD, {"site": site, "since": since_s * SECOND_US})
    return SiteSummary(
        site,
        "alive" if is_alive else "absent",
        tuple(why if is_alive else ["no dispatcher", *why]),
        counts,
        None if upcoming is None else (str(upcoming[0]), int(upcoming[1])),
        None if bad is None else (str(bad[0]), int(bad[5]), _error(*bad[1:5])),
    )


def _error(status: str, outcome: str | None, exit_code: int | None, last_error: str | None) -> str:
    if outcome:
        return outcome if exit_code is None else f"{outcome}, exit code {exit_code}"
    return f"{status}: {last_error}" if last_error else status
