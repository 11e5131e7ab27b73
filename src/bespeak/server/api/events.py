"""Changes of the book as they happen, as server-sent events; none is lost over a reconnection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from bespeak.base.errors import UsageError
from bespeak.ledger.validation import check_name
from bespeak.ledger.visibility import kept, sight_of
from bespeak.server.api.reservations import problems as answers
from bespeak.server.dependencies import SIGNED_IN, Book, CallersBook, Events
from bespeak.server.events import CHANGES_OF_RIGHTS, Event, EventHub
from bespeak.server.open_streams import EventStream
from bespeak.server.schemas import Problem
from bespeak.server.stream_access import StreamAccess, stream_access

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["events"], dependencies=[SIGNED_IN])

_MOST_INTEGER = 2**63 - 1
_MOST_DIGITS = 18
_BATCH = 500
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events, for as long as the client stays."}
}


@router.get("/events", responses={**answers(Problem), **_STREAM})
async def events(
    http: Request,
    book: Book,
    hub: Events,
    resource: Annotated[list[str], Query(description="Only what concerns one of these.")] = [],  # noqa: B006
    reservation_id: Annotated[str | None, Query(alias="id", description="Only of this reservation.")] = None,
    after: Annotated[int | None, Query(ge=0, le=_MOST_INTEGER, description="Begin behind this row of the log.")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", description="As `after`.")] = None,
) -> Response:
    """Send each change of the book when it is committed, in order; its id is its number in the log."""
    if last_event_id:
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= _MOST_DIGITS):
            raise UsageError("Last-Event-ID: not the number of a row of the log")
        after = int(last_event_id)
    wanted = frozenset(check_name("resource", name) for name in resource)
    identifier = reservation_id and (await book.read(lambda ledger: ledger.find(reservation_id))).id

    def fits(event: Event) -> bool:
        named = not wanted or not wanted.isdisjoint(event.entry.resources)
        return named and identifier in (None, event.entry.reservation_id)

    start = hub.last if after is None else after
    sent = _stream(book, hub, stream_access(http.app, http.scope), start, fits)
    return EventStream(http.app.state.streams, sent, {})


async def _stream(
    book: CallersBook, hub: EventHub, access: StreamAccess, after: int, fits: Callable[[Event], bool]
) -> AsyncIterator[str]:
    """Yield the events behind a number, for as long as the caller's credential counts."""
    view = _View(book)
    yield "retry: 1000\n\n"
    while True:
        changed = hub.changed
        found = hub.since(after)
        if found is None:
            upto = hub.last
            found = await _from_book(book, after, upto)
            after = after if found else upto  # older rows may have been removed
        if not await access.lasts():
            return
        if found:
            after = found[-1].seq
            shown = await view.of([event for event in found if fits(event)])
            if text := "".join(event.text for event in shown):
                yield text
            continue
        done, _ = await asyncio.wait([changed], timeout=access.every_seconds)
        if not done:
            yield ": alive\n\n"


class _View:
    """What one stream is shown: what its caller may see, by the rules as they are when something happens.

    Most callers may see everything, and are asked about again only when a rule has changed: each change of one is a row
    of the log too.
    """

    def __init__(self, book: CallersBook) -> None:
        self._book = book
        self._sees_all: bool | None = None

    async def of(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events that the caller may see."""
        if not events:
            return events
        if self._sees_all is None or any(event.entry.action in CHANGES_OF_RIGHTS for event in events):
            self._sees_all = await self._book.read(lambda book: book.engine.read(lambda tx: sight_of(book, tx) is None))
        return events if self._sees_all else await self._book.read(lambda book: _seen(book, events))


def _seen(book: Ledger, events: Sequence[Event]) -> Sequence[Event]:
    found = book.engine.read(lambda tx: kept(book, tx, [event.entry for event in events]))
    seen = {entry.seq for entry in found}
    return [event for event in events if event.seq in seen]


async def _from_book(book: CallersBook, after: int, upto: int) -> Sequence[Event]:
    """Read what is no longer in memory, up to what the follower of the log has handed out."""

    def work(ledger: Ledger) -> list[Event]:
        entries, _ = ledger.log_rows(after, _BATCH)
        return [Event(entry) for entry in entries if entry.seq <= upto]

    return await book.read(work)
