"""What open pages hear: which resources have changed, and the viewer's notices. Pages then ask for what they show."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from bespeak.access.model import Right
from bespeak.notices import store
from bespeak.web import notice_hints

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from bespeak.ledger.service import Ledger
    from bespeak.server.book import ServedBook
    from bespeak.server.events import Event, EventHub
    from bespeak.server.stream_access import StreamAccess
    from bespeak.web.viewer import Viewer

TOGETHER_SECONDS = 0.1
"""Changes that come in quick succession are told together."""

_RIGHTS_SECONDS = 60.0
"""For so long a stream goes by the rights that it has looked up, where none is changed."""
_TICK_SECONDS = 0.5


class Stream:
    """The events of one open page.

    Args:
        book: the served book.
        hub: the one follower of the log.
        access: the credential of whoever looks.
        viewer_in: makes who looks, in a thread that has the book.
    """

    def __init__(
        self, book: ServedBook, hub: EventHub, access: StreamAccess, viewer_in: Callable[[Ledger], Viewer]
    ) -> None:
        self._book = book
        self._hub = hub
        self._access = access
        self._viewer_in = viewer_in
        self._rights = access.changed
        self._viewer: Viewer | None = None
        self._since = 0.0
        self._user: str | None = None
        self._told = 0
        self._last_notice: int | None = None

    async def events(self, after: int) -> AsyncIterator[str]:
        """Yield what came behind a number of the log, for as long as the credential counts."""
        yield "retry: 1000\n\n"
        self._last_notice = await self._book.read(self._newest_notice)
        quiet = 0.0
        while True:
            changed = self._hub.changed
            text = ""
            if self._hub.last > after:
                after, text = self._hub.last, await self._changes(after)
            text += await self._notices()
            if not await self._access.lasts():
                return
            quiet = 0.0 if text else quiet + _TICK_SECONDS
            if text or quiet >= self._access.every_seconds:
                quiet = 0.0
                yield text or ": alive\n\n"
            done, _ = await asyncio.wait([changed], timeout=_TICK_SECONDS)
            if done:
                await asyncio.sleep(TOGETHER_SECONDS)

    async def _changes(self, after: int) -> str:
        """Return the event that tells what came behind a number; without names where it is too much to name."""
        found = self._hub.since(after)
        if found is None:
            return _event("change", None, self._hub.last)
        names = await self._visible(found)
        return _event("change", names, found[-1].seq) if names and found else ""

    async def _visible(self, found: Sequence[Event]) -> list[str]:
        names = list(dict.fromkeys(name for event in found for name in event.entry.resources))

        def look(ledger: Ledger) -> list[str]:
            allowed = self._viewer_of(ledger).allowed(Right.LOOK, names)
            return [name for name in names if name in allowed]

        return await self._book.read(look)

    def _viewer_of(self, ledger: Ledger) -> Viewer:
        changed = self._access.changed
        if self._viewer is None or changed is not self._rights or time.monotonic() - self._since > _RIGHTS_SECONDS:
            self._viewer, self._since, self._rights = self._viewer_in(ledger), time.monotonic(), changed
        return self._viewer

    def _newest_notice(self, ledger: Ledger) -> int:
        self._user = self._viewer_of(ledger).user
        if self._user is None:
            return 0
        self._told = notice_hints.count(self._user)
        return max((one.seq for one in store.notices(ledger, self._user, limit=1)), default=0)

    async def _notices(self) -> str:
        if self._user is None or notice_hints.count(self._user) == self._told:
            return ""
        self._told = notice_hints.count(self._user)
        user, last = self._user, self._last_notice or 0
        found = await self._book.read(lambda ledger: store.notices(ledger, user, after_seq=last))
        if found:
            self._last_notice = found[0].seq
        return "".join(_event("notice", one.text) for one in reversed(found))


def _event(kind: str, data: object, seq: int | None = None) -> str:
    head = "" if seq is None else f"id: {seq}\n"
    return f"{head}event: {kind}\ndata: {json.dumps(data)}\n\n"
