"""The real server in this process: its sockets, its middleware, its threads; and clients of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
from anyio.from_thread import start_blocking_portal

from bespeak.access.model import Caller, Role
from bespeak.ledger import open_ledger
from bespeak.server.run import Listening, serve_sockets
from bespeak.server.settings import ServerSettings
from bespeak.server.sign_in.authenticator import account_caller

SECONDS = 60.0


class Bearer:
    """The credentials of one token, for a client."""

    def __init__(self, token):
        self._token = token

    def token(self):
        return self._token


class Named:
    """Takes a token for the name of whoever sends it; without one, the account of the Unix socket."""

    def authenticate(self, headers, peer, *, again=False):
        """Return who calls."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind == "Bearer" and token:
            return Caller(token, "user", "token", unruled=Role.MANAGER)
        return None if peer.uid is None else account_caller(peer.uid)


@dataclass(frozen=True)
class Serving:
    """A server that runs.

    Attributes:
        url: of its port.
        socket: the path of its Unix socket.
        book_url: the book that it serves.
    """

    url: str
    socket: str
    book_url: str

    def client(self, user: str | None = None, **headers: str) -> httpx.Client:
        """Return a client over the Unix socket, as ``user`` or as the account of the test."""
        if user is not None:
            headers["Authorization"] = f"Bearer {user}"
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=self.socket),
            base_url="http://localhost/api/v1",
            headers=headers,
            timeout=SECONDS,
        )


@contextmanager
def serving(book_url: str, settings: ServerSettings | None = None, *, authenticator=lambda _: Named(), opening=None):
    """Serve a book for as long as the block runs.

    Args:
        book_url: the book.
        settings: what the server is started with; the port and the socket are chosen here.
        authenticator: makes what says who calls, of an open book.
        opening: opens the book; by default as it is.
    """
    with tempfile.TemporaryDirectory(prefix="bsp-") as folder:
        place = os.path.join(folder, "s")
        settings = replace(settings or ServerSettings(), ledger=book_url, port=0, socket=place)
        sockets = Listening(settings)

        async def run(*, task_status):
            await serve_sockets(
                settings,
                opening or (lambda: open_ledger(book_url, durable=False)),
                sockets,
                task_status.started,
                authenticator,
            )

        try:
            with start_blocking_portal() as portal:
                future, _ = portal.start_task(run)
                yield Serving(sockets.url, place, book_url)
                future.cancel()
        finally:
            sockets.close()
