"""Time in a file book never goes back.

The book keeps the latest instant at which anything was written to it, its *mark*. While the machine's clock stands
behind the mark, because somebody or NTP stepped it back, time in the book stands still at the mark: no hold that was
active becomes pending again, and nothing can be booked a second time. Time goes on when the clock has caught up.

A clock that is far behind the mark is not waited for: either it is wrong now, or an earlier one was wrong when the
mark was written. Only a person can tell, so the book refuses to be used until :func:`accept` is called.

A PostgreSQL book takes its time from the server and needs no mark.
"""

from __future__ import annotations

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import UnavailableError
from bespeak.storage.migrations import Component, Migration

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

MOST_BEHIND_US = HOUR_US
"""How far, µs, the machine's clock may stand behind the mark before the book refuses to guess."""

STEADY_CLOCK = Component(
    "clock",
    [
        Migration(
            1,
            sqlite=[
                "CREATE TABLE bespeak_clock (id INTEGER PRIMARY KEY CHECK (id = 1), mark_us BIGINT NOT NULL)",
                "INSERT INTO bespeak_clock (id, mark_us) VALUES (1, 0)",
            ],
            postgresql=[],
        )
    ],
)


def mark(connection: sqlite3.Connection) -> int:
    """Return the latest instant, µs UTC, at which the book was written."""
    (found,) = connection.execute("SELECT mark_us FROM bespeak_clock").fetchone()
    if type(found) is not int:
        raise UnavailableError(f"the book is damaged: its clock holds a {type(found).__name__}")
    return found


def steady(now_us: int, mark_us: int, book: str) -> int:
    """Return the present instant of the book, µs UTC, which is never before its mark.

    Args:
        now_us: what the machine's clock says, µs UTC.
        mark_us: the book's mark, µs UTC.
        book: where the book is, for the message.

    Raises:
        UnavailableError: the clock stands more than :data:`MOST_BEHIND_US` behind the mark.
    """
    if mark_us - now_us > MOST_BEHIND_US:
        from shlex import quote

        from bespeak.base.timeparse import show

        raise UnavailableError(
            f"book {book}: it was last written at {show(mark_us)}, but this machine's clock says {show(now_us)}; "
            f"set the clock, or, if the clock is right now: bespeak --ledger {quote(book)} ledger accept-clock"
        )
    return max(now_us, mark_us)


def raise_mark(connection: sqlite3.Connection, now_us: int) -> None:
    """Move the mark to ``now_us``, µs UTC, unless it is there or later; inside the transaction that writes."""
    connection.execute("UPDATE bespeak_clock SET mark_us = ? WHERE mark_us < ?", (now_us, now_us))


def accept(connection: sqlite3.Connection, now_us: int) -> int:
    """Set the mark to what the machine's clock says, µs UTC, and return the mark that stood there."""
    before_us = mark(connection)
    connection.execute("UPDATE bespeak_clock SET mark_us = ?", (now_us,))
    return before_us
