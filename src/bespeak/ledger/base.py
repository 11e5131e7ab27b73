"""What every part of the book's service stands on: the open engine, its settings, and one way to write."""

from __future__ import annotations

from bespeak.clock import HOUR_US, iso
from bespeak.errors import BusyError, NotFoundError, OutcomeUnknownError, UnavailableError, WrongStateError
from bespeak.ledger import rows, writes
from bespeak.ledger.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.ledger.model import Actor, Booking, Refusal, Request, Reservation
    from bespeak.storage.port import Engine, T, Transaction

DEFAULT_FOR_US = 4 * HOUR_US
_MOST_REMEMBERED = 10_000


class RefusedError(BusyError):
    """A request that cannot be granted, with who is in the way and when it could be.

    Args:
        refusal: the facts.
        request: what was asked.
    """

    def __init__(self, refusal: Refusal, request: Request) -> None:
        self.refusal = refusal
        self.request = request
        super().__init__("; ".join(_in_the_way(booking) for booking in refusal.conflicts))


class UndeclaredError(NotFoundError):
    """A resource that nobody declared, in a book that is strict.

    Args:
        name: the resource.
        near: declared names that are like it, best first.
    """

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        self.name = name
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        super().__init__(f"resource {name!r} is not declared, and this book is strict{hint}", nearest=list(near))


def _in_the_way(booking: Booking) -> str:
    what = "is promised to" if booking.waiting else "is held by"
    until = iso(booking.ends_us)
    purpose = f" ({booking.purpose})" if booking.purpose else ""
    return f"{booking.resource} {what} {booking.holder} {f'until {until}' if until else 'without an end'}{purpose}"


class Book:
    """The open engine and the book's settings.

    Args:
        engine: the database, with the tables of :data:`bespeak.ledger.tables.LEDGER`.
        strict: refuse resources that nobody declared.
        default_for_us: how long a hold lasts that names no end, µs.
        kickers: who may take holds away from others; None for everybody who can write the book.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        strict: bool = False,
        default_for_us: int = DEFAULT_FOR_US,
        kickers: frozenset[str] | None = None,
    ) -> None:
        self.engine = engine
        self.strict = strict
        self.default_for_us = default_for_us
        self.kickers = kickers
        self._resources: dict[str, tuple[str, ...]] = {}

    def get(self, identifier: str) -> Reservation:
        """Return the reservation with this full id.

        Raises:
            NotFoundError: there is none.
        """
        return self._remember(self.engine.read(lambda tx: fresh(tx, identifier)))

    def _remember(self, found: Reservation) -> Reservation:
        """Keep in mind which resources a reservation has: they never change, and changing it needs their locks."""
        if len(self._resources) >= _MOST_REMEMBERED:
            self._resources.clear()
        self._resources[found.id] = found.resources
        return found

    def _resources_of(self, identifier: str) -> tuple[str, ...]:
        """Return the resources of the reservation with this full id.

        Raises:
            NotFoundError: there is none.
        """
        known = self._resources.get(identifier)
        return self.get(identifier).resources if known is None else known

    def length_us(self, request: Request) -> int:
        """Return how long the request lasts, µs, where it names no end instant."""
        return self.default_for_us if request.duration_us is None else request.duration_us

    def _write(self, resources: Iterable[str], work: Callable[[Transaction], T]) -> T:
        """Run ``work`` under the locks of ``resources``."""
        return self.engine.transact([writes.resource_topic(name) for name in resources], work)

    def _write_new(
        self, resources: Iterable[str], identifier: str, work: Callable[[Transaction], Reservation | T]
    ) -> Reservation | T:
        """Run ``work``, which makes the reservation ``identifier``; find out what became of a lost commit.

        The lost transaction keeps its locks until it is over, so whoever gets them next sees what became of it.
        """
        resources = tuple(resources)
        try:
            return self._write(resources, work)
        except UndeclaredError as refused:
            raise UndeclaredError(refused.name, self._like(refused.name)) from None
        except OutcomeUnknownError as lost:
            try:
                made = self._write(resources, lambda tx: rows.by_id(tx, identifier))
            except UnavailableError:
                raise lost from None
            if made is None:
                raise UnavailableError(f"{lost}: it was not made") from lost
            return made

    def _like(self, name: str) -> list[str]:
        """Return the declared names that are most like ``name``; comparing takes long, so no lock is held for it."""
        from bespeak.text import nearest

        sql = "SELECT name FROM ledger_resources WHERE declared = 1 ORDER BY name"
        return nearest(name, (row[0] for row in self.engine.read(lambda tx: tx.all(sql))))


def fresh(tx: Transaction, identifier: str) -> Reservation:
    """Return the reservation as it is in this transaction.

    Raises:
        NotFoundError: there is none.
    """
    found = rows.by_id(tx, identifier)
    if found is None:
        raise NotFoundError(f"no reservation {identifier}")
    return found


def check_owner(found: Reservation, actor: Actor) -> None:
    """Refuse a change of somebody else's reservation.

    Raises:
        BusyError: it is not the actor's.
    """
    if found.holder != actor.user:
        raise BusyError(f"reservation {found.id} is {found.holder}'s; {actor.user} cannot change it")


def check_live(found: Reservation, now_us: int, number: int | None) -> None:
    """Refuse a change of what has ended, or by somebody whose fencing number is stale.

    Raises:
        WrongStateError: it has ended, or ``number`` is not its number.
    """
    if found.state(now_us) is State.ENDED:
        note = f": {found.ended_note}" if found.ended_note else ""
        raise WrongStateError(
            f"reservation {found.id} ended at {iso(found.end_us(now_us))} ({found.why_ended(now_us)}{note})"
        )
    if number is not None and number != found.number:
        raise WrongStateError(f"number {number} is stale: reservation {found.id} has number {found.number}")
