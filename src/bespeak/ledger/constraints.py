"""What keeps a resource from being given out beside bookings of it: its wholes and parts, closed time, a cool-down.

Most resources have nothing of it, and cost nothing here. Closed time is maintenance, the time outside the opening
hours, and all time of a resource that is sick or offline. It is shown as bookings of nobody.
"""

from __future__ import annotations

from bespeak.base.clock import DAY_US, FOREVER_US
from bespeak.base.errors import UsageError
from bespeak.ledger import opening_hours, row_mapping, write_operations
from bespeak.ledger.inventory import whole_and_parts
from bespeak.ledger.model import Booking, Health, Mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.ledger.model import Resource
    from bespeak.storage.interface import Transaction

HORIZON_US = 400 * DAY_US
"""What has not fitted into the opening hours of so long a time never fits."""

HOURS = "hours"
_WEEKS_US = 15 * DAY_US
"""Hours that ever close do so within two weeks."""
_CLOSURES = """
SELECT starts_us, ends_us, kind, reason FROM ledger_closures
WHERE resource = :name AND ends_us > :starts AND starts_us < :ends ORDER BY starts_us
"""


class Constraints:
    """What constrains some resources.

    Args:
        tx: the transaction.
        known: the resources of the book among those that are asked for, by name.
    """

    def __init__(self, tx: Transaction, known: Mapping[str, Resource]) -> None:
        self._tx = tx
        self._known = dict(known)
        self._related: dict[str, frozenset[str]] | None = None
        self.add(known)

    def add(self, known: Mapping[str, Resource]) -> None:
        """Look at more resources, and at their wholes and parts."""
        self._known |= known
        missing = {other for name in known for other in self.relatives(name)} - self._known.keys()
        if missing:
            self._known |= row_mapping.resources(self._tx, sorted(missing))

    def relatives(self, name: str) -> frozenset[str]:
        """Return the wholes and parts of a resource, also those of its wholes and parts."""
        found = self._known.get(name)
        if found is None or not found.related:
            return frozenset()
        if self._related is None:
            self._related = whole_and_parts.related(self._tx.fetch_all("SELECT whole, part FROM ledger_parts"))
        return self._related.get(name, frozenset())

    def scope(self, names: Iterable[str]) -> list[str]:
        """Return ``names`` with their wholes and parts, sorted."""
        return sorted({other for name in names for other in (name, *self.relatives(name))})

    def cooldown_us(self, name: str) -> int:
        """Return how long a resource stays free between two holds, µs."""
        found = self._known.get(name)
        return 0 if found is None else found.cooldown_us

    def has_hours(self, names: Iterable[str]) -> bool:
        """Tell whether one of the resources is open at times only."""
        return any(name in self._known and self._known[name].hours for name in names)

    def closed_first(self, name: str, from_us: int, until_us: int) -> list[Booking]:
        """Return, of :meth:`closed`, what is in the way: of the time outside the opening hours the first window."""
        days = self.closed(name, from_us, min(until_us, from_us + _WEEKS_US))
        outside = [booking for booking in days if booking.closed == HOURS]
        return [*self.closed(name, from_us, until_us, hours=False), *outside[:1]]

    def closed(self, name: str, from_us: int, until_us: int, *, hours: bool = True) -> list[Booking]:
        """Return when a resource is not given out within ``[from_us, until_us)``, µs UTC, as bookings of nobody.

        Args:
            name: the resource.
            from_us: the first instant, µs UTC.
            until_us: the end, µs UTC.
            hours: also the time outside the opening hours, of the next :data:`HORIZON_US`.
        """
        found = self._known.get(name)
        if found is None:
            return []
        result = []
        if found.health is not Health.OK:
            note = self._tx.fetch_one("SELECT health_note FROM ledger_resources WHERE name = :name", {"name": name})
            reason = str(note[0]) if note else ""
            result.append(_booking(name, found.health.value, reason, self._tx.now_us, FOREVER_US))
        if found.closed_until_us > from_us or found.cooldown_us:
            rows = self._tx.fetch_all(_CLOSURES, {"name": name, "starts": from_us, "ends": until_us})
            result += [_booking(name, kind, reason, starts_us, ends_us) for starts_us, ends_us, kind, reason in rows]
        if found.hours and hours:
            last_us = min(until_us, self._tx.now_us + HORIZON_US)
            windows = opening_hours.closed_windows(opening_hours.parse(found.hours), from_us, last_us)
            result += [_booking(name, HOURS, found.hours, *window) for window in windows]
        return [booking for booking in result if booking.starts_us < until_us and booking.ends_us > from_us]

    def wholes_within(self, names: Iterable[str]) -> set[str]:
        """Return those of ``names`` that are wholes or parts of others of them, of each two the one with more."""
        chosen = set(names)
        found = set()
        for name in chosen:
            for other in self.relatives(name) & chosen:
                found.add(max(name, other, key=lambda one: (len(self.relatives(one)), one)))
        return found

    def check_apart(self, names: Iterable[str]) -> None:
        """Refuse a request for a whole together with its part.

        Raises:
            UsageError: naming them.
        """
        wanted = sorted(names)
        for name in wanted:
            both = sorted(self.relatives(name).intersection(wanted))
            if both:
                raise UsageError(
                    f"{name} and {both[0]} are whole and part: whoever has the whole has its parts; name one"
                )

    def require_locks(self, names: Iterable[str]) -> None:
        """See that the transaction has the locks of the wholes and parts of ``names``."""
        scope = self.scope(names)
        self._tx.require(map(write_operations.resource_topic, scope))


def _booking(name: str, kind: str, reason: str, starts_us: int, ends_us: int) -> Booking:
    return Booking(name, f"({kind})", "", Mode.EXCLUSIVE, starts_us, ends_us, purpose=reason, closed=kind)
