"""How many jobs run at once, of a tag and on one machine: what has no place is left out of what is due.

Counted are the reservations that are being started, run, or may run, as the book has them: of a site for a tag, of all
sites for a machine. The count and the claim are one transaction under the lock of jobs, so any number of dispatchers
with the same limits keep to them together, and one that is killed leaves the next one the right count.
"""

from __future__ import annotations

from bespeak.base.frozen import field, frozen
from bespeak.jobs.liveness import ON_THIS_MACHINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bespeak.jobs.liveness import DispatcherRecord
    from bespeak.storage.interface import Transaction

TAG_FORM = r"[A-Za-z0-9._:-]{1,100}"
"""How a tag looks."""

_OF_TAG = "site = :site AND replace(tags, :tag, '') <> tags"
_OF_MACHINE = f"(runner_home IS NULL OR {ON_THIS_MACHINE})"
# Two counts, so that each of them finds its rows by an index.
_COUNT = (
    "SELECT (SELECT COUNT(*) FROM reservations WHERE reservation_status IN ('DISPATCHING', 'START_UNKNOWN') AND {of})"
    " + (SELECT COUNT(*) FROM reservations WHERE job_id IS NOT NULL AND outcome IS NULL AND seq > 0 AND {of})"
)


@frozen
class Limits:
    """How many jobs may run at once.

    Args:
        jobs: on the dispatcher's machine, of all sites; None for any number.
        per_tag: of a tag, in the dispatcher's site.
    """

    jobs: int | None = None
    per_tag: Mapping[str, int] = field(default_factory=dict)

    def concern(self, tags: Sequence[str]) -> bool:
        """Tell whether a job with these tags takes a place that another one may wait for."""
        return self.jobs is not None or any(tag in self.per_tag for tag in tags)


NO_LIMITS = Limits()


class FreePlaces:
    """How many more jobs may be started now.

    Args:
        jobs: of any kind; None for any number.
        per_tag: of each limited tag.
    """

    def __init__(self, jobs: int | None, per_tag: dict[str, int]) -> None:
        self.jobs = jobs
        self._per_tag = per_tag

    @property
    def none_left(self) -> bool:
        """Whether no job may be started, whatever its tags."""
        return self.jobs is not None and self.jobs <= 0

    @property
    def full_tags(self) -> list[str]:
        """The tags of which no more may be started."""
        return [tag for tag, left in self._per_tag.items() if left <= 0]

    def at_most(self, count: int) -> int:
        """Return ``count``, or how many places there are if that is less."""
        return count if self.jobs is None else max(min(count, self.jobs), 0)

    def take(self, tags: Sequence[str]) -> bool:
        """Take the places of one job; False, and none is taken, if one of them is not free."""
        limited = [tag for tag in tags if tag in self._per_tag]
        if self.none_left or any(self._per_tag[tag] <= 0 for tag in limited):
            return False
        if self.jobs is not None:
            self.jobs -= 1
        for tag in limited:
            self._per_tag[tag] -= 1
        return True


def free_places(tx: Transaction, me: DispatcherRecord, limits: Limits) -> FreePlaces:
    """Return how many more jobs a dispatcher may start now."""
    jobs = limits.jobs and limits.jobs - _count(tx, _OF_MACHINE, me.here)
    tags = {
        tag: most - _count(tx, _OF_TAG, {"site": me.site, "tag": f",{tag},"}) for tag, most in limits.per_tag.items()
    }
    return FreePlaces(jobs, tags)


def _count(tx: Transaction, of: str, params: dict[str, Any]) -> int:
    row = tx.fetch_one(_COUNT.format(of=of), params)
    return int(row[0]) if row else 0


def without(full: Sequence[str], condition: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a condition and its parameters so that they leave out what has one of the ``full`` tags."""
    named = {f"full{number}": f",{tag}," for number, tag in enumerate(full)}
    return condition + "".join(f" AND replace(tags, :{name}, '') = tags" for name in named), params | named
