"""Lists of reservations as people look for them; a long one a page at a time: memory has its numbers alone."""

from __future__ import annotations

from array import array

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError
from bespeak.base.json_text import one_line
from bespeak.ledger import queries, row_mapping, visibility
from bespeak.ledger.listing_filter import ListingFilter
from bespeak.ledger.model import State
from bespeak.ledger.serialize import reservation_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Reservation
    from bespeak.storage.interface import Row, Transaction

PAGE = 500
MOST_NUMBERS = 1_000
"""So many reservations are read at once by their numbers."""
_LIVE_ORDER = (
    "CASE WHEN r.waiting = 0 THEN CASE WHEN r.starts_us <= :now THEN 0 ELSE 1 END WHEN r.approval = 'asked' THEN 2 "
    "ELSE 3 END, r.rank, r.starts_us, r.seq"
)
_ENDED_US = (
    "CASE WHEN r.ended_us IS NOT NULL THEN r.ended_us "
    "WHEN r.lease_us <= :now AND (r.waiting = 1 OR r.lease_us < r.ends_us) THEN r.lease_us ELSE r.ends_us END"
)
_SELECT = f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r"


def listing(
    book: LedgerContext,
    *,
    holder: str | None = None,
    resources: Iterable[str] = (),
    states: Iterable[State] = (),
    include_ended: bool = False,
    limit: int | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> list[Reservation]:
    """Return reservations as people look for them: what is held, what is booked, who waits; then what has ended.

    The arguments are those of :class:`~bespeak.ledger.listing_filter.ListingFilter`. A limit never cuts off the present
    in favour of the past.
    """
    wanted = ListingFilter(holder, tuple(resources), tuple(states), include_ended, limit, from_us, to_us)
    return book.engine.read(_Asked(book, wanted).read_all)


def listing_pages(book: LedgerContext, wanted: ListingFilter) -> Iterator[list[Reservation]]:
    """Yield what :func:`listing` returns, in portions; what changes meanwhile is shown as it is when it is read.

    What is gone by then, or does not fit any more, is left out.
    """
    asked = _Asked(book, wanted)
    return map(asked.read, portions(asked.find()))


def listing_texts(book: LedgerContext, wanted: ListingFilter) -> Iterator[list[str]]:
    """Yield what :func:`listing_pages` yields, each reservation as one line of JSON, as of the beginning."""
    asked = _Asked(book, wanted)
    return map(asked.read_texts, portions(asked.find()))


def listing_numbers(book: LedgerContext, wanted: ListingFilter) -> list[int]:
    """Return the numbers (``seq``) of what :func:`listing` returns, in its order."""
    return _Asked(book, wanted).find().tolist()


def listing_page(book: LedgerContext, numbers: list[int], wanted: ListingFilter) -> list[Reservation]:
    """Return the reservations with these numbers, in their order, as far as :func:`listing` would return them now.

    Args:
        book: the open book.
        numbers: of :func:`listing_numbers`; at most :data:`MOST_NUMBERS`.
        wanted: as given there.

    Raises:
        UsageError: too many numbers.
    """
    if len(numbers) > MOST_NUMBERS:
        raise UsageError(f"{len(numbers)} numbers of reservations; at most {MOST_NUMBERS} at once")
    return _Asked(book, wanted).read(numbers)


def portions(numbers: array[int]) -> Iterator[list[int]]:
    """Yield the numbers of what is listed, those of a page at a time."""
    return (numbers[first : first + PAGE].tolist() for first in range(0, len(numbers), PAGE))


class _Asked:
    """What is asked for, and the numbers of what fits, in the order of the list."""

    def __init__(self, book: LedgerContext, wanted: ListingFilter) -> None:
        asked = set(wanted.states)
        past = (wanted.include_ended and not asked) or State.ENDED in asked
        live = (asked or set(State)) - {State.ENDED}
        states = live | ({State.ENDED} if past else set())
        self._book = book
        self._wanted = queries.Wanted(wanted.holder, wanted.resources, states, wanted.from_us, wanted.to_us)
        self._plain = not (asked or self._wanted.names or wanted.from_us is not None or wanted.to_us is not None)
        """Whether SQL alone can tell what fits; also whether the caller may see it, once the book was asked."""
        self._has_live, self._has_past = bool(live), past
        self._limit = FOREVER_US if wanted.limit is None else wanted.limit
        self._numbers = array("q")
        self._as_of_us: int | None = None

    def find(self) -> array[int]:
        """Return the numbers of what fits; what is read then is as of this instant."""
        self._book.engine.read(self._find)
        return self._numbers

    def _find(self, tx: Transaction) -> None:
        seen = visibility.sight_of(self._book, tx)
        self._plain = self._plain and seen is None
        self._as_of_us = tx.now_us
        if self._has_live:
            self._find_live(tx, seen)
        if self._has_past and len(self._numbers) < self._limit:
            self._find_past(tx)

    def _params(self, tx: Transaction) -> dict[str, object]:
        room = self._limit - len(self._numbers)
        return {"now": tx.now_us, "holder": self._wanted.holder, "room": room}

    def _where(self, what: str) -> str:
        return f"WHERE {what} {'' if self._wanted.holder is None else 'AND r.holder = :holder'}"

    def _find_live(self, tx: Transaction, seen: visibility.Visibility | None) -> None:
        order = f"{self._where(queries.LIVE)} ORDER BY {_LIVE_ORDER}"
        if self._plain:
            sql = f"SELECT r.seq FROM ledger_reservations r {order} LIMIT :room"
            for page in tx.fetch_pages(sql, self._params(tx), size=PAGE):
                self._numbers.extend(row[0] for row in page)
            return
        for page in tx.fetch_pages(f"{_SELECT} {order}", self._params(tx), size=PAGE):
            fitting = self._fitting(page, tx.now_us)
            self._numbers.extend(one.seq for one in (fitting if seen is None else seen.keep(fitting)))
            if len(self._numbers) >= self._limit:
                del self._numbers[self._limit :]
                return

    def _find_past(self, tx: Transaction) -> None:
        """Find what has ended, the newest as far as there is room; the last that ended comes first."""
        if self._plain:
            newest = f"{self._where(f'NOT ({queries.LIVE})')} ORDER BY r.seq DESC LIMIT :room"
            sql = f"SELECT p.seq FROM (SELECT r.seq, {_ENDED_US} AS ended_us FROM ledger_reservations r {newest}) p"
            for page in tx.fetch_pages(f"{sql} ORDER BY p.ended_us DESC, p.seq DESC", self._params(tx), size=PAGE):
                self._numbers.extend(row[0] for row in page)
            return
        room = self._limit - len(self._numbers)
        ends: list[tuple[int, int]] = []
        of_past = self._wanted.of_states({State.ENDED})
        for portion in queries.scan(self._book, tx, of_past, ended=True, newest_first=True):
            ends += [(one.end_us(tx.now_us), one.seq) for one in portion]
            if len(ends) >= room:
                break
        self._numbers.extend(seq for _, seq in sorted(ends[:room], reverse=True))

    def _fitting(self, rows: Iterable[Row], now_us: int) -> list[Reservation]:
        return [one for one in map(row_mapping.reservation, rows) if self._wanted.fits(one, now_us)]

    def read_all(self, tx: Transaction) -> list[Reservation]:
        """Return all that fits, in the order of the list."""
        self._find(tx)
        return [one for numbers in portions(self._numbers) for one in self._read(tx, numbers)]

    def read(self, numbers: list[int]) -> list[Reservation]:
        """Return the reservations with these numbers, in their order, as far as they fit and may still be seen."""
        return self._book.engine.read(lambda tx: self._read(tx, numbers))

    def _read(self, tx: Transaction, numbers: list[int]) -> list[Reservation]:
        as_of_us = self._as_of_us or tx.now_us
        found = {one.seq: one for one in self._fitting(_rows(tx, numbers, "TRUE", as_of_us), as_of_us)}
        return visibility.kept(self._book, tx, [found[number] for number in numbers if number in found])

    def read_texts(self, numbers: list[int]) -> list[str]:
        """Return the same as lines of JSON, once they were found."""
        from bespeak.ledger.row_text import reservation_texts

        as_of_us = self._as_of_us or 0
        if not self._plain:
            return [one_line(reservation_json(one, as_of_us)) for one in self.read(numbers)]
        where = "TRUE" if self._has_past else queries.LIVE
        rows = {row[0]: row for row in self._book.engine.read(lambda tx: _rows(tx, numbers, where, as_of_us))}
        return reservation_texts((rows[number] for number in numbers if number in rows), as_of_us)


def _rows(tx: Transaction, numbers: list[int], where: str, as_of_us: int) -> list[Row]:
    inside, params = row_mapping.in_list("n", numbers)
    return tx.fetch_all(f"{_SELECT} WHERE r.seq IN ({inside}) AND {where}", params | {"now": as_of_us})
