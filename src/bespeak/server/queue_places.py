"""Waiting in the line for many requests at once, none of which costs a thread.

A place in the line is kept by whoever waits at it. Those in front look at their places as soon as something changes on
their resources or something is due, and the look moves the place: the grant, the promise. A look costs more the longer
the line is, so those further back look one at a time and less often; one task gives all places their signs of life.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import BespeakError, NotFoundError
from bespeak.ledger.model import Holder, Request, Selection
from bespeak.ledger.queue import renew_places
from bespeak.ledger.queue_rights import check_own_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.model import QueueLook, Reservation
    from bespeak.server.book import ServedBook
    from bespeak.server.dependencies import CallersBook
    from bespeak.server.events import EventHub
    from bespeak.server.stream_access import StreamAccess

log = logging.getLogger("bespeak.server")

_FRONT = 8
"""So many places from the front look at once when something has changed."""
_STEP_SECONDS = 0.1
_LONGEST_STEP_SECONDS = 30.0
_LEAST_SECONDS = 0.01
_RENEW_SECONDS = 8.0


class KeptPlaces:
    """The places in the line that requests of this process wait at.

    Args:
        book: the book.
    """

    def __init__(self, book: ServedBook) -> None:
        self._book = book
        self._places: set[str] = set()
        self.turn = asyncio.Semaphore(1)
        """Held by whoever is far back and looks."""

    @contextmanager
    def keep(self, identifier: str) -> Iterator[None]:
        """Give a place its signs of life for as long as the block runs."""
        self._places.add(identifier)
        try:
            yield
        finally:
            self._places.discard(identifier)

    async def run(self) -> None:
        """Renew the places, for ever."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            places = sorted(self._places)
            try:
                if places:
                    await self._renew(places)
            except BespeakError as error:
                log.warning("places in the line cannot be renewed: %s", error)

    async def _renew(self, places: list[str]) -> None:
        await self._book.write(lambda ledger: renew_places(ledger, places), first=True)


async def wait_at(
    book: CallersBook,
    hub: EventHub,
    kept: KeptPlaces,
    identifier: str,
    seconds: float,
    gone: asyncio.Future[None],
    access: StreamAccess,
) -> QueueLook:
    """Keep a place in the line until it is granted or the time is over; return what was seen last.

    Args:
        book: the book, for whoever waits.
        hub: tells of changes.
        kept: the places that are kept.
        identifier: the full id of the reservation that waits.
        seconds: how long.
        gone: done when the client has left; the place is then kept for as long as its lease lasts.
        access: the credential of whoever waits.

    Raises:
        NotSignedInError: the credential has ended.
        NotAllowedError: the caller has not asked for the place, or may reserve there no more.
        WrongStateError: the place was taken away or lost.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    await book.read(lambda ledger: check_own_place(ledger, identifier))  # before it is kept, whoever asks
    position = 0
    wanted: frozenset[str] | None = None
    with kept.keep(identifier):
        while True:
            await access.require()
            seen_up_to = hub.last
            look = await _look(book, kept, identifier, far=position > _FRONT)
            if look.position is None or not look.reservation.waiting or loop.time() >= deadline or gone.done():
                return look
            position = look.position.position
            due = max(look.look_again_us / SECOND_US, _LEAST_SECONDS)
            due = max(due, _LONGEST_STEP_SECONDS) if position > _FRONT else due
            wanted = await _wanted(book, look.reservation) if wanted is None else wanted
            until = min(loop.time() + due, deadline)
            await _until_changed(hub, seen_up_to, wanted, identifier, until, gone, access)
            step = min((position - _FRONT) * _STEP_SECONDS, _LONGEST_STEP_SECONDS, deadline - loop.time())
            if step > 0:
                await asyncio.wait([gone], timeout=step)


async def _look(book: CallersBook, kept: KeptPlaces, identifier: str, *, far: bool) -> QueueLook:
    if not far:
        return await book.write(lambda ledger: ledger.queue_look(identifier, with_held=True))
    async with kept.turn:
        return await book.write(lambda ledger: ledger.queue_look(identifier, with_held=True))


async def _wanted(book: CallersBook, waiter: Reservation) -> frozenset[str]:
    """Return the resources whose changes concern a place in the line: also all that could be given to it by need."""
    selection = waiter.selection or Selection(waiter.resources)
    request = Request(
        selection.resources,
        Holder(waiter.holder),
        needs=selection.needs,
        prefer=selection.prefer,
        same=selection.same,
    )
    try:
        names = await book.read(lambda ledger: ledger.candidate_names(request))
    except NotFoundError:  # the book no longer has enough; what the place has been promised still concerns it
        names = ()
    return frozenset({*names, *waiter.resources})


async def _until_changed(
    hub: EventHub,
    after: int,
    wanted: frozenset[str],
    identifier: str,
    until: float,
    gone: asyncio.Future[None],
    access: StreamAccess,
) -> None:
    """Sleep until a change concerns the place, until ``until`` (seconds of the loop), or until the client is gone.

    Raises:
        NotSignedInError: the credential has ended.
    """
    loop = asyncio.get_running_loop()
    while (left := until - loop.time()) > 0 and not gone.done():
        await access.require()
        events, changed = hub.since(after), hub.changed
        if events is None:
            return
        if any(_concerns(event.entry, wanted, identifier) for event in events):
            return
        after = hub.last
        left = min(left, access.every_seconds)
        await asyncio.wait([changed, gone], timeout=left, return_when=asyncio.FIRST_COMPLETED)


def _concerns(entry: LogEntry, wanted: frozenset[str], identifier: str) -> bool:
    return entry.reservation_id == identifier or not wanted.isdisjoint(entry.resources)
