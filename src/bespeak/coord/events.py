"""The log of changes, written in the transaction of each; and watching it.

A watcher is woken by commits. Expiries, which nothing commits, are reported at their instant.
"""

from __future__ import annotations

import time

from bespeak.base.clock import SECOND_US, iso
from bespeak.coord import queries
from bespeak.coord.model import Event
from bespeak.coord.states import EventKind
from bespeak.storage.row_shape import RowShape, read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak.coord.claims_protocol import Wakes, WatchedClaims
    from bespeak.coord.model import Claim, Conflict
    from bespeak.storage.interface import Engine, Listener, Row, Transaction

_LONGEST_SLEEP_SECONDS = 3600.0
_STOP_SECONDS = 0.2
_POLL_SECONDS = 1.0
_COLUMNS = "seq, at_us, change, reservation, run_id, facts"
_ROW = RowShape("line of the claims' log", _COLUMNS, "iitTtt")


def topic(repo: str) -> str:
    """Return the topic that listeners of a repository subscribe to."""
    return f"coord:{repo}"


def write(
    tx: Transaction, repo: str, change: EventKind, run_id: str, about: str | None, facts: dict[str, object]
) -> None:
    """Record a change, and wake listeners."""
    import json

    tx.execute_deferred(
        "INSERT INTO coord_log (repo, at_us, change, reservation, run_id, facts) "
        "VALUES (:repo, :at, :what, :id, :run, :f)",
        [{"repo": repo, "at": tx.now_us, "what": change.value, "id": about, "run": run_id, "f": json.dumps(facts)}],
    )
    tx.notify(topic(repo))


def since(tx: Transaction, repo: str, after: int) -> list[Event]:
    """Return the changes after one, in order."""
    sql = f"SELECT {_COLUMNS} FROM coord_log WHERE repo = :repo AND seq > :after ORDER BY seq"
    return [_ROW.read(row, _event) for row in tx.fetch_all(sql, {"repo": repo, "after": after})]


def _event(row: Row) -> Event:
    seq, at_us, change, about, run, packed = row
    queries.check_instant("at_us", at_us)
    found = read_json(packed)
    if not isinstance(found, dict):
        raise TypeError("what changed is no object")
    return Event(seq, at_us, change, about, run, found)


def last(tx: Transaction, repo: str) -> int:
    """Return the number of the latest change; 0 if there is none."""
    row = tx.fetch_one("SELECT MAX(seq) FROM coord_log WHERE repo = :repo", {"repo": repo})
    return int((row and row[0]) or 0)


def facts(of: Claim) -> dict[str, object]:
    """Return the facts of a reservation that the log of changes keeps."""
    return {"addresses": list(of.addresses), "branch": of.branch, "epoch": of.epoch, "operation": of.operation}


class Polling:
    """A listener for a book beside which no wake-up file may be made: it wakes every second."""

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep for a second, or until the time is over; True, for anything may have changed."""
        time.sleep(min(timeout_seconds, _POLL_SECONDS))
        return True

    def close(self) -> None:
        """Nothing is kept open."""


def listen(engine: Engine, repo: str) -> Listener | Polling:
    """Return a listener to the changes of a repository."""
    from bespeak.coord.missing_book import MissingBook
    from bespeak.storage.sqlite_readonly import ReadOnlySqliteEngine

    if isinstance(engine, MissingBook | ReadOnlySqliteEngine):
        return Polling()
    return engine.listen([topic(repo)])


def watch(book: WatchedClaims, after_seq: int | None, stop: Callable[[], bool] | None) -> Iterator[Event]:
    """Return each change after one, for ever; see :meth:`bespeak.coord.service.Coord.watch`."""
    listener = book.listen()
    try:
        seen, seen_us = book.last_change()
        seen = seen if after_seq is None else after_seq
        while stop is None or not stop():
            changes, next_us, now_us = book.changes(seen, seen_us)
            for change in changes:
                seen = max(seen, change.seq)
                yield change
            seen_us = now_us
            sleep = _LONGEST_SLEEP_SECONDS if next_us is None else (next_us - now_us) / SECOND_US
            listener.wait(min(max(sleep, 0.0), _LONGEST_SLEEP_SECONDS))
    finally:
        listener.close()


def wait_free(
    book: WatchedClaims,
    ask: Callable[[], list[Conflict]],
    *,
    timeout_us: int | None,
    stop: Callable[[], bool] | None,
    on_change: Callable[[list[Conflict]], None] | None,
) -> list[Conflict]:
    """Wait until nothing is in the way; see :meth:`bespeak.coord.service.Coord.wait_free`.

    Args:
        book: the claims of the repository.
        ask: what is in the way now.
        timeout_us: wait so long at most, µs.
        stop: asked a few times a second.
        on_change: called with the conflicts that are left, first and whenever they change.
    """
    listener = book.listen()
    deadline = None if timeout_us is None else time.monotonic() + timeout_us / SECOND_US
    told: list[Conflict] = []
    try:
        while True:
            found = ask()
            if not found:
                return found
            if on_change is not None and found != told:
                told = found
                on_change(found)
            left_us = min(one.expires_us for one in found) - book.now_us()
            if not _sleep(listener, time.monotonic() + left_us / SECOND_US, deadline, stop):
                return found
    finally:
        listener.close()


def _sleep(listener: Wakes, until: float, deadline: float | None, stop: Callable[[], bool] | None) -> bool:
    """Sleep until something changes, or an instant has come; False if the time is over before, or to be stopped."""
    while (left := until - time.monotonic()) > 0:
        if stop is not None:
            if stop():
                return False
            left = min(left, _STOP_SECONDS)
        if deadline is not None:
            left = min(left, deadline - time.monotonic())
            if left <= 0:
                return False
        if listener.wait(min(left, _LONGEST_SLEEP_SECONDS)):
            break
    return True


def look(tx: Transaction, repo: str, seen: int, since_us: int) -> tuple[list[Event], int | None, int]:
    """Return changes after one, expiries since an instant among them; when the next expiry is; the present, µs UTC."""
    changes = since(tx, repo, seen)
    latest = changes[-1].seq if changes else seen
    expired = [
        Event(
            latest, held.expires_us, EventKind.EXPIRED, held.id, held.run_id,
            facts(held) | {"expires_at": iso(held.expires_us)},
        )
        for held in queries.expired_between(tx, repo, since_us, tx.now_us)
    ]  # fmt: skip
    return changes + expired, queries.next_expiry_us(tx, repo), tx.now_us
