"""Whether what a request has begun may go on: a credential that ends takes its open streams with it.

A stream lives longer than the moment in which its credential was checked. So it is checked again at each sign of life,
and at once where the log has a row that may have ended it: a revoked token, a sign-out, a change of rights.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from bespeak.base.errors import BespeakError, NotAllowedError
from bespeak.server import problems
from bespeak.server.dependencies import AGAIN, CALLER
from bespeak.server.identity import NotSignedInError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bespeak.access.model import Caller
    from bespeak.server.events import EventHub

_MOST_MISSED = 3
"""So many times in a row the book may fail to answer whether a credential still counts."""
_ENDED = "the credential of this request has ended, or has changed"


class StreamAccess:
    """The credential of one open stream.

    Args:
        hub: tells of changes of rights and credentials.
        again: finds out once more who calls.
        caller: who it was when the stream began; None for nobody, which no credential has to keep up.
        every_seconds: how often to look.
        allowed: asked too; raises where the caller may no longer have what the stream tells.
    """

    def __init__(
        self,
        hub: EventHub,
        again: Callable[[], Awaitable[Caller | None]],
        caller: Caller | None,
        every_seconds: float,
        allowed: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.every_seconds = every_seconds
        self._hub = hub
        self._again = again
        self._caller = caller
        self._allowed = allowed
        self._seen = hub.access_changed
        self._due = time.monotonic()  # at once: it may have ended between the question who calls and now
        self._missed = 0

    @property
    def changed(self) -> asyncio.Future[None]:
        """Done as soon as rights or credentials have changed; a new one each time."""
        return self._hub.access_changed

    @property
    def seconds_left(self) -> float:
        """How long nothing has to be looked at; 0 where it has to be now."""
        if self._caller is None:
            return self.every_seconds
        if self._hub.access_changed is not self._seen:
            return 0.0
        return max(self._due - time.monotonic(), 0.0)

    async def lasts(self) -> bool:
        """Tell whether the stream may go on; call it with what is to be sent in hand, before sending it."""
        try:
            await self.require()
        except BespeakError:
            return False
        return True

    async def require(self) -> None:
        """Refuse to go on with a credential or a right that has ended.

        Raises:
            NotSignedInError: the credential has.
            NotAllowedError: the right has.
            UnavailableError: the book cannot be asked, just after a change, or for long.
        """
        if self.seconds_left:
            return
        changed = self._hub.access_changed
        await self._check(known=changed is self._seen)
        self._seen, self._due = changed, time.monotonic() + self.every_seconds

    async def _check(self, *, known: bool) -> None:
        """Ask who calls; a book that cannot be asked ends the stream at once where something has changed."""
        try:
            await self._look()
        except (NotSignedInError, NotAllowedError):
            raise
        except BespeakError:
            self._missed += 1
            if not known or self._missed >= _MOST_MISSED:
                raise
        else:
            self._missed = 0

    async def _look(self) -> None:
        if await self._again() != self._caller:
            raise NotSignedInError(_ENDED)
        if self._allowed is not None:
            await self._allowed()


def stream_access(app: Starlette, scope: Scope, allowed: Callable[[], Awaitable[object]] | None = None) -> StreamAccess:
    """Return the access of the stream that a request begins.

    Args:
        app: the application.
        scope: of the request.
        allowed: asked too, each time; see :class:`StreamAccess`.
    """
    every_seconds, state = app.state.settings.limits.alive_seconds, scope["state"]
    return StreamAccess(app.state.events, state[AGAIN], state.get(CALLER), every_seconds, allowed)


async def serve_with_access(inner: ASGIApp, access: StreamAccess, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request that ``inner`` may answer for long; when its credential ends, it is as if the client had left."""
    ended = started = complete = False

    async def received() -> Message:
        nonlocal ended
        receiving = asyncio.ensure_future(receive())
        try:
            while not receiving.done():
                both: list[asyncio.Future[Any]] = [receiving, access.changed]
                await asyncio.wait(both, timeout=access.seconds_left, return_when=asyncio.FIRST_COMPLETED)
                if not receiving.done() and not await access.lasts():
                    ended = True
                    return {"type": "http.disconnect"}
            return receiving.result()
        finally:
            receiving.cancel()

    async def sent(message: Message) -> None:
        nonlocal started, complete
        started = True
        complete = message["type"] == "http.response.body" and not message.get("more_body")
        await send(message)

    await inner(scope, received, sent)
    if ended and not started:
        await problems.response(NotSignedInError(_ENDED), scope)(scope, receive, send)
    elif ended and not complete:
        await send({"type": "http.response.body", "body": b""})
