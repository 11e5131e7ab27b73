"""A long list, read a page at a time in the order of ``listing``: memory has the order, and not what is listed."""

from __future__ import annotations

import struct

from bespeak.base.clock import FOREVER_US
from bespeak.ledger import queries, row_mapping, visibility
from bespeak.ledger.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Reservation
    from bespeak.storage.interface import Transaction

PAGE = 500
_KEY = struct.Struct(">BQQQ")
"""Where somebody comes in the list, and the number of the reservation: its bytes sort as the list does."""

_MIDDLE = 1 << 63
"""Makes numbers of either sign sort as numbers without one."""


_SELECT = f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r"
_ENDS = row_mapping.COLUMNS.split(", ").index("r.ends_us")
_SAME_END = "r.ends_us = :ends AND r.seq > :after ORDER BY r.seq"
_LATER_END = "r.ends_us > :ends ORDER BY r.ends_us, r.seq"


class _Order:
    """The order of a list; the reservations too as long as they are one page, which is what most lists are.

    Args:
        now_us: as of when, µs UTC.
    """

    def __init__(self, now_us: int) -> None:
        self.now_us = now_us
        self.keys: list[bytes] = []
        self.found: dict[int, Reservation] | None = {}

    def add_live(self, one: Reservation) -> None:
        """Put in what is held, booked, or waits."""
        rank = queries.PRESENT_FIRST.get(one.state(self.now_us), 4)
        self._add(one, _KEY.pack(rank, one.rank + _MIDDLE, one.starts_us, one.seq))

    def add_ended(self, one: Reservation) -> None:
        """Put in what has ended: the last that did comes first, of several the newest."""
        self._add(one, _KEY.pack(255, _MIDDLE - one.end_us(self.now_us), _MIDDLE - one.seq, one.seq))

    def _add(self, one: Reservation, key: bytes) -> None:
        self.keys.append(key)
        if self.found is not None:
            self.found[one.seq] = one
            if len(self.found) > PAGE:
                self.found = None


def listing_pages(
    book: LedgerContext,
    *,
    holder: str | None = None,
    resources: Iterable[str] = (),
    states: Iterable[State] = (),
    include_ended: bool = False,
    limit: int | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> Iterator[list[Reservation]]:
    """Yield what ``listing`` returns, in portions; what changes meanwhile is shown as it is when its portion is read.

    The arguments are those of :func:`~bespeak.ledger.queries.listing`. What is gone by then, or does not fit any more,
    is left out.
    """
    asked = set(states)
    live = (asked or set(State)) - {State.ENDED}
    past = {State.ENDED} if (include_ended and not asked) or State.ENDED in asked else set()
    wanted = queries.Wanted(holder, resources, live | past, from_us, to_us)

    def work(tx: Transaction) -> _Order:
        order = _Order(tx.now_us)
        if live:
            of_live = queries.Wanted(holder, resources, live, from_us, to_us)
            for page in _live(book, tx, of_live):
                for one in page:
                    order.add_live(one)
        if past:
            of_past = queries.Wanted(holder, resources, past, from_us, to_us)
            _add_past(order, queries.scan(book, tx, of_past, ended=True, newest_first=True), limit)
        order.keys.sort()
        return order

    order = book.engine.read(work)
    numbers = (_KEY.unpack(key)[3] for key in order.keys[:limit])
    if order.found is not None:
        yield [order.found[number] for number in numbers]
        return
    for page in _portions(numbers):
        yield [one for one in _read(book, page) if wanted.fits(one, order.now_us)]


def _live(book: LedgerContext, tx: Transaction, wanted: queries.Wanted) -> Iterator[list[Reservation]]:
    """Read what lives by its end, as its index has it: no portion has to sort or to skip the others."""
    seen = visibility.sight_of(book, tx)
    holder = "" if wanted.holder is None else "AND r.holder = :holder"
    sql = [f"{_SELECT} WHERE {queries.LIVE} {holder} AND {where} LIMIT {PAGE}" for where in (_SAME_END, _LATER_END)]
    last = {"ends": tx.now_us, "after": FOREVER_US}
    while True:
        params = {**last, "now": tx.now_us, "holder": wanted.holder}
        page = tx.fetch_all(sql[0], params) or tx.fetch_all(sql[1], params)
        if not page:
            return
        last = {"ends": page[-1][_ENDS], "after": page[-1][0]}
        fitting = [one for one in map(row_mapping.reservation, page) if wanted.fits(one, tx.now_us)]
        yield fitting if seen is None else seen.keep(fitting)


def _add_past(order: _Order, pages: Iterable[list[Reservation]], limit: int | None) -> None:
    """Put in what has ended, the newest first, as far as the limit has room for it."""
    if limit is not None and limit <= len(order.keys):
        return
    for page in pages:
        for one in page:
            if limit is not None and limit <= len(order.keys):
                return
            order.add_ended(one)


def _portions(numbers: Iterable[int]) -> Iterator[list[int]]:
    portion: list[int] = []
    for number in numbers:
        portion.append(number)
        if len(portion) == PAGE:
            yield portion
            portion = []
    if portion:
        yield portion


def _read(book: LedgerContext, numbers: list[int]) -> list[Reservation]:
    """Return the reservations that have these numbers, in their order, as far as they are there and may be seen."""

    def work(tx: Transaction) -> list[Reservation]:
        inside, params = row_mapping.in_list("n", numbers)
        rows = tx.fetch_all(f"{_SELECT} WHERE r.seq IN ({inside})", params)
        found = {one.seq: one for one in map(row_mapping.reservation, rows)}
        return visibility.kept(book, tx, [found[number] for number in numbers if number in found])

    return book.engine.read(work)
