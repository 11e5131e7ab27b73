"""How many streams of events are open: streams stay, so nobody may have so many that others find no connection."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

from bespeak.server import problems
from bespeak.server.dependencies import CALLER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from starlette.types import Receive, Scope, Send

MOST_STREAMS = 2_048
_PART_OF_CONNECTIONS = 2
_PART_OF_ONE_CALLER = 2
_PART_OF_NOBODY = 2
"""Who is not signed in may have this part of all streams together, and one address a quarter of that."""
_PART_OF_AN_ADDRESS = 8


class OpenStreams:
    """The streams that are open in this process.

    Args:
        connections: how many connections a socket of the server has: streams take a part of them.
    """

    def __init__(self, connections: int) -> None:
        self._most = max(min(MOST_STREAMS, connections // _PART_OF_CONNECTIONS), _PART_OF_AN_ADDRESS)
        self._open: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def may_open(self, scope: Scope) -> bool:
        """Tell whether whoever sent a request may have one more."""
        parts = self._parts(scope)
        return self._count < self._most and all(self._open[who] < self._most // part for who, part in parts.items())

    @contextmanager
    def opened(self, scope: Scope) -> Iterator[None]:
        """Count a stream for as long as the block runs."""
        mine = Counter(self._parts(scope).keys())
        self._count += 1
        self._open += mine
        try:
            yield
        finally:
            self._count -= 1
            self._open -= mine

    @staticmethod
    def _parts(scope: Scope) -> dict[str, int]:
        """Return whose stream it would be, and which part of all streams those may have."""
        caller, client = scope["state"].get(CALLER), scope.get("client")
        if caller is not None:
            return {f"caller {caller.holder}": _PART_OF_ONE_CALLER}
        address = client[0] if client else ""
        return {"nobody": _PART_OF_NOBODY, f"address {address}": _PART_OF_AN_ADDRESS}


class EventStream(StreamingResponse):
    """Server-sent events, where there is room for one more stream.

    Args:
        streams: those that are open.
        events: what is sent.
        headers: further headers.
    """

    def __init__(self, streams: OpenStreams, events: AsyncIterator[str], headers: Mapping[str, str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no", **headers})
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them; asked and counted without a pause between, so that many at once are no more than many."""
        if not self._streams.may_open(scope):
            text = "too many streams are open already"
            await problems.plain(503, text, scope, "too_many", Retry_After="10")(scope, receive, send)
            return
        with self._streams.opened(scope):
            await super().__call__(scope, receive, send)
