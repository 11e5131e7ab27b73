"""How many streams are open: they stay, so nobody may have so many that others find no connection."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

from bespeak.server import problems
from bespeak.server.dependencies import CALLER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from starlette.responses import Response
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


def too_many(scope: Scope) -> Response:
    """Return what whoever may have no more streams is told."""
    return problems.plain(503, "too many streams are open already", scope, "too_many", Retry_After="10")


class CountedStream(StreamingResponse):
    """An answer that stays open, where there is room for one more stream.

    Args:
        streams: those that are open.
        content: what is sent.
        media_type: of what is sent.
        headers: further headers.
        refused: called where there is no room, as nothing is taken from ``content`` then.
    """

    def __init__(
        self,
        streams: OpenStreams,
        content: AsyncIterator[str | bytes],
        media_type: str,
        headers: Mapping[str, str] | None = None,
        refused: Callable[[], object] = bool,
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._streams = streams
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; asked and counted without a pause between, so that many at once are no more than many."""
        if not self._streams.may_open(scope):
            self._refused()
            await too_many(scope)(scope, receive, send)
            return
        with self._streams.opened(scope):
            await super().__call__(scope, receive, send)


class EventStream(CountedStream):
    """Server-sent events, where there is room for one more stream.

    Args:
        streams: those that are open.
        events: what is sent.
        headers: further headers.
    """

    def __init__(self, streams: OpenStreams, events: AsyncIterator[str], headers: Mapping[str, str]) -> None:
        super().__init__(streams, events, "text/event-stream", {"X-Accel-Buffering": "no", **headers})
