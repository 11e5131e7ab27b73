"""Looking into the book: what is there, who holds it, when it is free, and how it came to be so."""

from __future__ import annotations

from bespeak.clock import FOREVER_US
from bespeak.errors import NotFoundError, UsageError
from bespeak.ids import ID_LENGTH
from bespeak.ledger import names, rows
from bespeak.ledger.base import Book
from bespeak.ledger.ground import Ground
from bespeak.ledger.model import Free, Mode, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.model import Reservation
    from bespeak.storage.port import Transaction

SHORTEST_PREFIX = 6
_BATCH = 500
_LIVE = "r.ended_us IS NULL AND r.ends_us > :now AND (r.lease_us IS NULL OR r.lease_us > :now)"


class Queries(Book):
    """Questions; none of them changes anything."""

    def find(self, text: str) -> Reservation:
        """Return the reservation that ``text`` names.

        Args:
            text: a full id, or the beginning (6 characters or more) of one id or of one id's last group.

        Raises:
            NotFoundError: no reservation has it.
            UsageError: it is too short, or names several.
        """
        wanted = text.strip().lower()
        if len(wanted) < SHORTEST_PREFIX:
            raise UsageError(f"id {text!r}: at least {SHORTEST_PREFIX} characters")
        if len(wanted) == ID_LENGTH:
            return self.get(wanted)
        sql = (
            f"SELECT {rows.COLUMNS} FROM ledger_reservations r WHERE r.id >= :low AND r.id < :high UNION "
            f"SELECT {rows.COLUMNS} FROM ledger_reservations r WHERE r.tail >= :low AND r.tail < :high LIMIT 11"
        )
        found = self.engine.read(lambda tx: tx.all(sql, {"low": wanted, "high": wanted + "~"}))
        if not found:
            raise NotFoundError(f"no reservation has an id that begins with {text!r}")
        if len(found) > 1:
            every = ", ".join(sorted(row[1] for row in found[:10]))
            raise UsageError(f"id {text!r} names several reservations: {every}{', ...' if len(found) > 10 else ''}")  # noqa: PLR2004
        return rows.reservation(found[0])

    def reservations(
        self,
        *,
        holder: str | None = None,
        resources: Iterable[str] = (),
        states: Iterable[State] = (),
        include_ended: bool = False,
        limit: int | None = None,
        after_id: str | None = None,
    ) -> list[Reservation]:
        """Return reservations, oldest first.

        Args:
            holder: only this user's.
            resources: only those that have one of these.
            states: only those in one of these states; empty means all that have not ended.
            include_ended: ended ones too.
            limit: at most so many.
            after_id: only those made after the one with this id (for paging).
        """
        wanted_names, wanted_states = set(resources), set(states)
        ended = include_ended or State.ENDED in wanted_states
        where = ["r.seq > :after"] + ([] if ended else [_LIVE]) + (["r.holder = :holder"] if holder else [])
        sql = (
            f"SELECT {rows.COLUMNS} FROM ledger_reservations r WHERE {' AND '.join(where)} ORDER BY r.seq LIMIT :batch"
        )

        def fits(found: Reservation, now_us: int) -> bool:
            named = not wanted_names or not wanted_names.isdisjoint(found.resources)
            return named and (not wanted_states or found.state(now_us) in wanted_states)

        def work(tx: Transaction) -> list[Reservation]:
            after = self._seq_of(tx, after_id)
            result: list[Reservation] = []
            while True:
                page = tx.all(sql, {"after": after, "now": tx.now_us, "holder": holder, "batch": _BATCH})
                result += [found for found in map(rows.reservation, page) if fits(found, tx.now_us)]
                if len(page) < _BATCH or (limit is not None and len(result) >= limit):
                    return result[:limit]
                after = page[-1][0]

        return self.engine.read(work)

    def _seq_of(self, tx: Transaction, identifier: str | None) -> int:
        if identifier is None:
            return 0
        row = tx.one("SELECT seq FROM ledger_reservations WHERE id = :id", {"id": identifier})
        if row is None:
            raise NotFoundError(f"no reservation {identifier}")
        return int(row[0])

    def now_us(self) -> int:
        """Return the book's present instant, µs UTC."""
        return self.engine.read(lambda tx: tx.now_us)

    def who(self, resource: str, *, limit: int = 20) -> list[Reservation]:
        """Return who holds ``resource`` now, who waits for it, and who has it booked next."""
        names.check_name("resource", resource)
        sql = (
            f"SELECT {rows.COLUMNS} FROM ledger_bookings b JOIN ledger_reservations r ON r.seq = b.reservation "
            f"WHERE b.resource = :name AND b.starts_us > :now AND b.ends_us > :now AND {_LIVE} "
            "ORDER BY b.starts_us LIMIT :limit"
        )

        def work(tx: Transaction) -> list[Reservation]:
            found = [r for _, r in rows.overlapping(tx, [resource], tx.now_us, tx.now_us + 1)]
            found += [r for _, r in rows.in_line(tx, [resource])]
            found += map(rows.reservation, tx.all(sql, {"name": resource, "now": tx.now_us, "limit": limit}))
            live = {r.id: r for r in found if r.state(tx.now_us) is not State.ENDED}
            order = {State.ACTIVE: 0, State.WAITING: 1, State.PENDING: 2}
            return sorted(live.values(), key=lambda r: (order[r.state(tx.now_us)], r.rank, r.starts_us, r.seq))

        return self.engine.read(work)

    def free(self, resources: Iterable[str] = (), *, duration_us: int = 1, from_us: int | None = None) -> list[Free]:
        """Return, for each resource, its first window that is free for ``duration_us``.

        Args:
            resources: which ones; empty means all that the book knows.
            duration_us: how long it must be free, µs.
            from_us: look from here on, µs UTC; None means now.
        """
        wanted = list(resources)
        for name in wanted:
            names.check_name("resource", name)

        def work(tx: Transaction) -> list[Free]:
            every = sorted(set(wanted)) or [row[0] for row in tx.all("SELECT name FROM ledger_resources ORDER BY name")]
            return [_free(tx, name, max(from_us or 0, tx.now_us), duration_us) for name in every]

        return self.engine.read(work)


def _free(tx: Transaction, name: str, from_us: int, duration_us: int) -> Free:
    ground = Ground(tx, [name], sweep=False)
    fit_us = ground.first_fit(Mode.EXCLUSIVE, from_us, duration_us)
    if fit_us is None:
        return Free(name, None, None)
    row = tx.one(
        "SELECT MIN(b.starts_us) FROM ledger_bookings b WHERE b.resource = :name AND b.starts_us > :from",
        {"name": name, "from": fit_us},
    )
    promised = [other.starts_us for _, other in ground.line if fit_us < other.starts_us < FOREVER_US]
    following = [start for start in (row[0] if row else None, *promised) if start is not None]
    return Free(name, fit_us, min(following, default=None))
