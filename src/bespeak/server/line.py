"""Waiting in the line for many requests at once, none of which costs a thread.

A place in the line is kept by whoever waits at it: each request looks at its own place, when something changed on its
resources and when something is due, and the look moves the place: the grant, the promise, the sign of life.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US

if TYPE_CHECKING:
    from bespeak.ledger.model import LogEntry, QueueLook
    from bespeak.server.dependencies import CallersBook
    from bespeak.server.events import EventHub

_AT_ONCE = 8
"""So many places from the front look at once when something has changed."""
_STEP_SECONDS = 0.02
_LONGEST_STEP_SECONDS = 2.0
_LEAST_SECONDS = 0.01


async def wait_at(
    book: CallersBook, hub: EventHub, identifier: str, seconds: float, gone: asyncio.Future[None]
) -> QueueLook:
    """Keep a place in the line until it is granted or the time is over; return what was seen last.

    Args:
        book: the book, for whoever waits.
        hub: tells of changes.
        identifier: the full id of the reservation that waits.
        seconds: how long.
        gone: done when the client has left; the place is then kept for as long as its lease lasts.

    Raises:
        WrongStateError: the place was taken away or lost.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        seen_up_to = hub.last
        look = await book.write(lambda ledger: ledger.queue_look(identifier, with_held=True))
        left = deadline - loop.time()
        if look.position is None or not look.reservation.waiting or left <= 0 or gone.done():
            return look
        due = loop.time() + max(look.look_again_us / SECOND_US, _LEAST_SECONDS)
        wanted = frozenset(look.reservation.resources)
        await _until_changed(hub, seen_up_to, wanted, identifier, min(due, deadline), gone)
        step = min((look.position.position - _AT_ONCE) * _STEP_SECONDS, _LONGEST_STEP_SECONDS, deadline - loop.time())
        if step > 0:
            await asyncio.wait([gone], timeout=step)


async def _until_changed(
    hub: EventHub, after: int, wanted: frozenset[str], identifier: str, until: float, gone: asyncio.Future[None]
) -> None:
    """Sleep until a change concerns the place, until ``until`` (seconds of the loop), or until the client is gone."""
    loop = asyncio.get_running_loop()
    while (left := until - loop.time()) > 0 and not gone.done():
        events, changed = hub.since(after), hub.changed
        if events is None:
            return
        if any(
            event.entry.reservation_id == identifier or wanted.intersection(event.entry.resources) for event in events
        ):
            return
        after = hub.last
        await asyncio.wait([changed, gone], timeout=left, return_when=asyncio.FIRST_COMPLETED)


def _concerns(entry: LogEntry, wanted: frozenset[str], identifier: str) -> bool:
    return entry.reservation_id == identifier or not wanted.isdisjoint(entry.resources)
