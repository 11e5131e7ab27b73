"""A web server in an event loop of ours: told to end by whoever runs it, and then ends what never ends by itself."""

from __future__ import annotations

import asyncio
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import anyio
import uvicorn

from bespeak.net import handshakes

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bespeak.net.connections import LimitedConnection, Limits


ENDLESS = "endless"
"""In the state of a request: nobody knows when its answer ends, so that it is not waited for when the server ends."""
_EVENTS = b"text/event-stream"
_ORDERLY_SECONDS = 1.0
"""Between our end of a request and uvicorn's, which leaves no time for an answer."""
_LEAST_HANDSHAKES = 16
_PART_OF_CONNECTIONS = 4
"""Of four connections one may be at its handshake."""


def configuration(
    app: ASGIApp,
    connection: type[LimitedConnection],
    *,
    grace_seconds: float,
    lifespan: Literal["on", "off"],
    tls: tuple[str, str] | None = None,
) -> uvicorn.Config:
    """Return how the connections of one socket are served; no header is believed about where a request is from.

    Args:
        app: what is served.
        connection: the class of the connections, with their limits.
        grace_seconds: how long requests may go on when the server is told to end.
        lifespan: tell the application of its beginning and end.
        tls: the files of the certificate and its key; None for plain HTTP.
    """
    return uvicorn.Config(
        app,
        http=connection,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan=lifespan,
        backlog=connection.limits.waiting,
        timeout_keep_alive=connection.limits.idle_seconds,
        timeout_graceful_shutdown=math.ceil(grace_seconds + _ORDERLY_SECONDS),
        server_header=False,
        proxy_headers=False,
        ssl_certfile=None if tls is None else tls[0],
        ssl_keyfile=None if tls is None else tls[1],
    )


class Web(uvicorn.Server):
    """Leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


class TlsWeb(Web):
    """Limits handshakes, too: before a client has agreed on TLS, no limit of connections counts it.

    Attributes:
        handshakes: those of each listening socket.
    """

    handshakes: tuple[handshakes.Handshakes, ...] = ()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        config, loop = self.config, asyncio.get_running_loop()

        kind: Any = config.http_protocol_class

        def connection() -> asyncio.Protocol:
            made: asyncio.Protocol = kind(config=config, server_state=self.server_state, app_state={}, _loop=loop)
            return made

        assert config.ssl is not None  # noqa: S101 it has a certificate
        limits: Limits = kind.limits
        most = max(limits.connections // _PART_OF_CONNECTIONS, _LEAST_HANDSHAKES)
        self.handshakes = tuple(
            handshakes.Handshakes(config.ssl, connection, most, handshakes.HANDSHAKE_SECONDS) for _ in sockets or ()
        )
        self.servers = [
            await loop.create_server(one.new, sock=bound, backlog=config.backlog)
            for one, bound in zip(self.handshakes, sockets or (), strict=True)
        ]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; nobody waits for who has not finished a handshake."""
        for one in self.handshakes:
            one.drop_all()
        await super().shutdown(sockets)


class Ending:
    """Ends the requests that are open when the server ends; who is answered within the grace is answered.

    Args:
        inner: what answers.
        unanswered: answers for a request that was ended before its answer began.
        grace_seconds: how long requests may go on when the server is told to end.
    """

    def __init__(self, inner: ASGIApp, unanswered: ASGIApp, grace_seconds: float) -> None:
        self._inner = inner
        self._unanswered = unanswered
        self._grace_seconds = grace_seconds
        self._open: dict[asyncio.Task[object], _Progress] = {}
        self._is_ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, which :meth:`end` can end."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 a coroutine that runs has one
        progress = self._open[task] = _Progress(scope, send)
        try:
            await self._inner(scope, receive, progress.send)
        except asyncio.CancelledError:
            if not self._is_ending:
                raise
            if not progress.has_begun:
                await self._unanswered(scope, receive, send)
            elif progress.is_endless:  # this is its end; whatever else is cut off has to be seen as that
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            del self._open[task]

    def end(self) -> None:
        """End what never ends by itself now, and the rest after the grace."""
        self._is_ending = True
        for task, progress in self._open.items():
            if progress.is_endless:
                task.cancel()
        asyncio.get_running_loop().call_later(self._grace_seconds, self._end_all)

    def _end_all(self) -> None:
        for task in self._open:
            task.cancel()


class _Progress:
    """How far the answer to a request has come."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self.has_begun = False
        self._is_stream = False

    async def send(self, message: Message) -> None:
        """Pass on a part of the answer."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            self._is_stream = dict(message.get("headers", ())).get(b"content-type", b"").startswith(_EVENTS)
        await self._send(message)

    @property
    def is_endless(self) -> bool:
        """Whether the request never ends by itself, or waits for what somebody else does."""
        return self._is_stream or ENDLESS in self._scope.get("state", {})


async def serve_until_cancelled(
    webs: Sequence[tuple[Web, socket.socket]], ending: Ending, ready: Callable[[], None]
) -> None:
    """Serve sockets, each with a server of its own; when cancelled, end in order.

    Args:
        webs: the servers and the socket that each listens on.
        ending: around the application of all of them.
        ready: called when clients can connect to every one.
    """
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end, [web for web, _ in webs], ending)
        with anyio.CancelScope(shield=True):
            tasks.start_soon(_announce, [web for web, _ in webs], ready)
            async with anyio.create_task_group() as serving:
                for web, bound in webs:
                    serving.start_soon(web.serve, [bound])
        tasks.cancel_scope.cancel()


async def _announce(webs: Sequence[Web], ready: Callable[[], None]) -> None:
    while not all(web.started for web in webs):  # noqa: ASYNC110 uvicorn has a flag only
        await anyio.sleep(0.01)
    ready()


async def _end(webs: Sequence[Web], ending: Ending) -> None:
    """Wait to be cancelled; then close down in order."""
    try:
        await anyio.sleep_forever()
    finally:
        for web in webs:
            web.should_exit = True
        ending.end()
