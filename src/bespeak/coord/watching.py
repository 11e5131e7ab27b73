"""Watching: each change as it happens, woken by its commit; and expiries, which nothing commits, at their instant."""

from __future__ import annotations

from bespeak.clock import SECOND_US, iso
from bespeak.coord import log, queries
from bespeak.coord.model import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak.coord.service import Coord
    from bespeak.storage.port import Transaction

_LONGEST_SLEEP_SECONDS = 3600.0


def watch(coord: Coord, after_seq: int | None, stop: Callable[[], bool] | None) -> Iterator[Change]:
    """Return each change after one, for ever; see :meth:`bespeak.coord.service.Coord.watch`."""
    listener = coord.engine.listen([log.topic(coord.repo)])
    try:
        seen, seen_us = coord.engine.read(lambda tx: (log.last(tx, coord.repo), tx.now_us))
        seen = seen if after_seq is None else after_seq
        while stop is None or not stop():
            changes, next_us, now_us = coord.engine.read(
                lambda tx, seen=seen, since_us=seen_us: _look(tx, coord.repo, seen, since_us)  # type: ignore[misc]
            )
            for change in changes:
                seen = max(seen, change.seq)
                yield change
            seen_us = now_us
            sleep = _LONGEST_SLEEP_SECONDS if next_us is None else (next_us - now_us) / SECOND_US
            listener.wait(min(max(sleep, 0.0), _LONGEST_SLEEP_SECONDS))
    finally:
        listener.close()


def _look(tx: Transaction, repo: str, seen: int, since_us: int) -> tuple[list[Change], int | None, int]:
    changes = log.since(tx, repo, seen)
    latest = changes[-1].seq if changes else seen
    expired = [
        Change(
            latest, held.expires_us, log.EXPIRED, held.id, held.run_id,
            log.facts(held) | {"expires_at": iso(held.expires_us)},
        )
        for held in queries.expired_between(tx, repo, since_us, tx.now_us)
    ]  # fmt: skip
    return changes + expired, queries.next_expiry_us(tx, repo), tx.now_us
