"""Looking into the book: what is there, who holds it, when it is free, and how it came to be so."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.base.ids import CHARACTERS, ID_LENGTH
from bespeak.base.natural_order import natural_order
from bespeak.ledger import row_mapping, validation, visibility
from bespeak.ledger.availability import Availability
from bespeak.ledger.model import Free, Mode, State
from bespeak.storage.row_shape import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.inventory.model import Label
    from bespeak.ledger.model import Reservation
    from bespeak.storage.interface import Row, Transaction

SHORTEST_PREFIX = 6
_BATCH = 500
_GROWTH = 8
_LARGEST_BATCH = 32_000
_MOST_NAMED = 10
_FEW = 50
"""Of more names, only those that somebody has used are looked at."""
MOST_WAITING = 1_000
"""So many who wait for a resource are listed: the first ones."""
LIVE = "r.ended_us IS NULL AND r.ends_us > :now AND (r.lease_us IS NULL OR r.lease_us > :now)"


def _checked(resources: Iterable[str]) -> set[str]:
    wanted = set(resources)
    for name in wanted:
        validation.check_name("resource", name)
    return wanted


def get(book: LedgerContext, identifier: str) -> Reservation:
    """Return the reservation with this full id.

    Raises:
        NotFoundError: there is none.
        NotAllowedError: the caller of a server may not look at it.
    """
    found = book.engine.read(lambda tx: visibility.checked(book, tx, row_mapping.required(tx, identifier)))
    return book.remember(found)


def find(book: LedgerContext, text: str) -> Reservation:
    """Return the reservation that ``text`` names.

    Args:
        book: the open book.
        text: a full id, or the beginning (6 characters or more) of one id or of one id's last group.

    Raises:
        NotFoundError: no reservation has it.
        UsageError: it is too short, or names several.
    """
    wanted = text.strip().lower()
    if len(wanted) < SHORTEST_PREFIX:
        reason = f"an id begins with at least {SHORTEST_PREFIX} characters; `bespeak list` shows them"
        raise UsageError(f"{text!a} is not an id: {reason}")
    if not CHARACTERS.issuperset(wanted):
        raise NotFoundError(f"no reservation has an id that begins with {text!a}")
    if len(wanted) == ID_LENGTH:
        return get(book, wanted)

    def work(tx: Transaction) -> dict[str, Reservation]:
        return {one.id: one for one in visibility.kept(book, tx, list(_beginning(tx, wanted).values()))}

    found = book.engine.read(work)
    if not found:
        raise NotFoundError(f"no reservation has an id that begins with {text!a}")
    if len(found) > 1:
        every = ", ".join(sorted(found)[:_MOST_NAMED])
        raise UsageError(f"id {text!a} names several reservations: {every}{', ...' * (len(found) > _MOST_NAMED)}")
    return book.remember(next(iter(found.values())))


def reservations(
    book: LedgerContext,
    *,
    holder: str | None = None,
    resources: Iterable[str] = (),
    states: Iterable[State] = (),
    include_ended: bool = False,
    limit: int | None = None,
    after_id: str | None = None,
    newest_first: bool = False,
    from_us: int | None = None,
    to_us: int | None = None,
) -> list[Reservation]:
    """Return reservations, in the order in which they were made.

    Args:
        book: the open book.
        holder: only this user's.
        resources: only those that have one of these.
        states: only those in one of these states; empty means all that have not ended.
        include_ended: ended ones too.
        limit: at most so many.
        after_id: only those that come after the one with this id (for paging).
        newest_first: the other way round.
        from_us: only those that end after this instant, µs UTC.
        to_us: only those that begin before this instant, µs UTC.
    """
    wanted = Wanted(holder, resources, states, from_us, to_us)
    ended = include_ended or State.ENDED in wanted.states

    def work(tx: Transaction) -> list[Reservation]:
        after = None if after_id is None else _seq_of(tx, after_id)
        result: list[Reservation] = []
        for page in scan(book, tx, wanted, ended=ended, newest_first=newest_first, after=after):
            result += page
            if limit is not None and len(result) >= limit:
                break
        return result[:limit]

    return book.engine.read(work)


class Wanted:
    """Which reservations are asked for.

    Args:
        holder: only this user's; None for everybody's.
        names: only those that have one of these resources; empty for all.
        states: only those in one of these states; empty for all that are read.
        from_us: only those that end after this instant, µs UTC.
        to_us: only those that begin before this instant, µs UTC.

    Raises:
        UsageError: a name cannot be one.
    """

    def __init__(
        self,
        holder: str | None,
        names: Iterable[str],
        states: Iterable[State],
        from_us: int | None = None,
        to_us: int | None = None,
    ) -> None:
        self.names, self.states = _checked(names), set(states)
        if holder is not None:
            validation.check_name("user", holder)
        self.holder, self._from_us, self._to_us = holder, from_us, to_us

    def of_states(self, states: Iterable[State]) -> Wanted:
        """Return the same of other states."""
        return Wanted(self.holder, self.names, states, self._from_us, self._to_us)

    def fits(self, found: Reservation, now_us: int) -> bool:
        """Tell whether a reservation of the holder is asked for, as it stands at ``now_us``, µs UTC."""
        return (
            (not self.names or not self.names.isdisjoint(found.resources))
            and (not self.states or found.state(now_us) in self.states)
            and (self._to_us is None or found.starts_us < self._to_us)
            and (self._from_us is None or found.end_us(now_us) > self._from_us)
        )


def scan(
    book: LedgerContext,
    tx: Transaction,
    wanted: Wanted,
    *,
    ended: bool,
    newest_first: bool = False,
    after: int | None = None,
) -> Iterator[list[Reservation]]:
    """Read what is wanted and the caller may see, in the order in which it was made, in portions.

    Each portion of what lives sorts all that lives, so they grow: many small ones would take the square of the time.

    Args:
        book: the open book.
        tx: the transaction.
        wanted: which reservations.
        ended: read ended ones too.
        newest_first: the other way round.
        after: the number of a reservation; only what comes after it.
    """
    sql = _page(ended, of_holder=wanted.holder is not None, newest_first=newest_first)
    seen = visibility.sight_of(book, tx)
    after = (FOREVER_US if newest_first else 0) if after is None else after
    size = _BATCH
    while True:
        page = tx.fetch_all(sql, {"after": after, "now": tx.now_us, "holder": wanted.holder, "batch": size})
        fitting = [one for one in map(row_mapping.reservation, page) if wanted.fits(one, tx.now_us)]
        yield fitting if seen is None else seen.keep(fitting)
        if len(page) < size:
            return
        after = page[-1][0]
        size = size if ended else min(size * _GROWTH, _LARGEST_BATCH)


def _seq_of(tx: Transaction, identifier: str | None) -> int:
    if identifier is None:
        return 0
    if not CHARACTERS.issuperset(identifier):
        raise NotFoundError(f"no reservation {identifier!a}")
    return row_mapping.required(tx, identifier).seq


def labels_of(book: LedgerContext, names: Iterable[str]) -> dict[str, dict[str, Label]]:
    """Return the labels of resources, by name; those without any are left out."""
    wanted = sorted(_checked(names))

    def work(tx: Transaction) -> list[Row]:
        inside, params = row_mapping.in_list("n", wanted)
        return tx.fetch_all(
            f"SELECT name, labels FROM ledger_resources WHERE name IN ({inside}) AND labels <> '{{}}'", params
        )

    return {name: read_json(labels) for name, labels in book.engine.read(work)} if wanted else {}


def now_us(book: LedgerContext) -> int:
    """Return the book's present instant, µs UTC."""
    return book.engine.read(lambda tx: tx.now_us)


def who(book: LedgerContext, resource: str, *, limit: int = 20, waiting: int = MOST_WAITING) -> list[Reservation]:
    """Return who holds ``resource`` now, who waits for it, and who has it booked next.

    Args:
        book: the open book.
        resource: which one.
        limit: at most so many who have it booked.
        waiting: at most so many who wait, the first ones.
    """
    validation.check_name("resource", resource)
    sql = (
        f"SELECT {row_mapping.COLUMNS} FROM ledger_bookings b JOIN ledger_reservations r ON r.seq = b.reservation "
        f"WHERE b.resource = :name AND b.starts_us > :now AND b.ends_us > :now AND {LIVE} "
        "ORDER BY b.starts_us LIMIT :limit"
    )

    def work(tx: Transaction) -> list[Reservation]:
        found = [r for _, r in row_mapping.overlapping(tx, [resource], tx.now_us, tx.now_us + 1)]
        found += [r for _, r in row_mapping.named(tx.fetch_all(*row_mapping.queue_query([resource], waiting)))]
        found += map(row_mapping.reservation, tx.fetch_all(sql, {"name": resource, "now": tx.now_us, "limit": limit}))
        live = {r.id: r for r in visibility.kept(book, tx, found) if r.state(tx.now_us) is not State.ENDED}
        order = {State.ACTIVE: 0, State.AWAITING: 1, State.WAITING: 2, State.PENDING: 3}
        return sorted(live.values(), key=lambda r: (order[r.state(tx.now_us)], r.rank, r.starts_us, r.seq))

    return book.engine.read(work)


def free(
    book: LedgerContext, resources: Iterable[str] = (), *, duration_us: int = 1, from_us: int | None = None
) -> list[Free]:
    """Return, for each resource, its first window that is free for ``duration_us``.

    Args:
        book: the open book.
        resources: which ones; empty means all that the book knows.
        duration_us: how long it must be free, µs.
        from_us: look from here on, µs UTC; None means now.
    """
    wanted = _checked(resources)

    def work(tx: Transaction) -> list[Free]:
        every = natural_order(wanted or (row[0] for row in tx.fetch_all("SELECT name FROM ledger_resources")))
        every = visibility.names(book, tx, every, asked=bool(wanted))
        known = _used(tx) if len(wanted) > _FEW else set(every)
        since_us = max(from_us or 0, tx.now_us)
        return [
            free_window(tx, name, since_us, duration_us) if name in known else Free(name, since_us, None)
            for name in every
        ]

    return book.engine.read(work)


def _used(tx: Transaction) -> set[str]:
    """Return the resources that the book knows, or that somebody waits for; nobody has any other."""
    sql = "SELECT name FROM ledger_resources UNION SELECT resource FROM ledger_queue"
    return {row[0] for row in tx.fetch_all(sql)}


def _page(ended: bool, *, of_holder: bool, newest_first: bool = False) -> str:
    """Return the statement for the next of some reservations.

    What lives is found by its own small index and then sorted; the plus signs keep the planner from walking the whole
    history in order of seq instead.
    """
    seq, where = ("r.seq", []) if ended else ("+r.seq", [LIVE])
    where += [f"{seq} {'<' if newest_first else '>'} :after", *(["r.holder = :holder"] if of_holder else [])]
    return (
        f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r WHERE {' AND '.join(where)} ORDER BY {seq}"
        f"{' DESC' if newest_first else ''} LIMIT :batch"
    )


def free_window(tx: Transaction, name: str, from_us: int, duration_us: int) -> Free:
    """Return the first window of a resource from ``from_us`` (µs UTC) on that is free for ``duration_us``."""
    ground = Availability(tx, [name], sweep=False)
    fit_us = ground.first_fit(Mode.EXCLUSIVE, from_us, duration_us)
    if fit_us is None:
        return Free(name, None, None)
    until_us = ground.free_until(name, Mode.EXCLUSIVE, fit_us)
    return Free(name, fit_us, None if until_us >= FOREVER_US else until_us)


def _beginning(tx: Transaction, text: str) -> dict[str, Reservation]:
    """Return reservations whose id, or its last group, begins with ``text``, by id; a few more than are named."""
    found: dict[str, Reservation] = {}
    for column in ("id", "tail"):
        sql = (
            f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r WHERE r.{column} >= :low AND r.{column} <"
            f" :high LIMIT 11"
        )
        every = map(row_mapping.reservation, tx.fetch_all(sql, {"low": text, "high": text + "~"}))
        found |= {reservation.id: reservation for reservation in every}
    return found
