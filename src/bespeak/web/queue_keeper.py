"""Places in the queue that were taken on a page: the server keeps them, because people close their browsers.

A place in the queue needs signs of life (see :mod:`bespeak.ledger.queue`). Whoever waits with a command gives them
with its process; for a page the server does. Such a reservation has the tag ``kept-by`` = ``server``, so a server that
starts again goes on, and of several server processes each may do it: a place is moved under the locks of its resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base import ids
from bespeak.base.clock import SECOND_US
from bespeak.base.errors import NotFoundError, WrongStateError
from bespeak.ledger import row_mapping

if TYPE_CHECKING:
    from bespeak.ledger.model import Request, Reservation
    from bespeak.ledger.service import Ledger
    from bespeak.storage.interface import Transaction

KEPT = ("kept-by", "server")
RENEW_SECONDS = 10.0
"""A place is renewed at least this often, seconds; it lapses after 30."""

_KEPT_WAITING = f"""
SELECT DISTINCT {row_mapping.COLUMNS} FROM ledger_queue l JOIN ledger_reservations r ON r.seq = l.reservation
WHERE r.ended_us IS NULL AND r.tags LIKE '%"kept-by","server"%'
"""


def join(book: Ledger, request: Request) -> Reservation:
    """Take the last place of the queue for a page; granted at once where nothing is in the way.

    Args:
        book: the open book.
        request: what is wanted, with the tag :data:`KEPT`.
    """
    return book.queue_join(request, ids.new_id())


def keep(book: Ledger) -> float:
    """Renew every kept place, and grant those whose turn it is.

    Returns:
        After how many seconds to look again at the latest.
    """
    soonest = RENEW_SECONDS
    for identifier in book.engine.read(_kept):
        try:
            look = book.queue_look(identifier)
        except (WrongStateError, NotFoundError):
            continue  # it ended in between
        if look.reservation.waiting:
            soonest = min(soonest, look.look_again_us / SECOND_US)
    return soonest


def _kept(tx: Transaction) -> list[str]:
    rows = [row_mapping.reservation(row) for row in tx.fetch_all(_KEPT_WAITING)]
    return [one.id for one in rows if KEPT in one.tags and not one.lapsed(tx.now_us)]
