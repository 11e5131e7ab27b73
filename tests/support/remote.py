"""Books on a server, as a client far from it sees them; everybody is who they say they are."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import ExitStack, contextmanager

from bespeak.access.model import Caller, Role
from bespeak.base.codec import Codec, encode
from bespeak.base.http_url import parse_http_url
from bespeak.client.requests import Requests
from bespeak.coord.remote_claims import RemoteClaims
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.ledger.operations import VALUES
from bespeak.ledger.remote import RemoteLedger
from bespeak.ledger.rights import asker
from support.machine import BookMachine
from support.server import serving

READER = "reader"
_CALLERS = Codec(VALUES | {"Caller": "bespeak.access.model"}, lenient=False)


class Whoever:
    """Takes a token for the name of whoever sends it: with all rights, so that the policy of the book decides."""

    def authenticate(self, headers, peer, *, again=False):
        """Return who calls."""
        del peer
        token = headers.get("authorization", "").partition(" ")[2]
        return _CALLERS.decode("Caller", json.loads(urlsafe_b64decode(token)), "token")


def token_of(caller: Caller | str) -> str:
    """Return the token that stands for a caller, or for whoever has a name."""
    if isinstance(caller, str):
        caller = Caller(caller, "user", "token", unruled=Role.ADMIN)
    return urlsafe_b64encode(json.dumps(encode(caller)).encode()).decode()


class Masks:
    """Credentials of whoever asks at the moment, in each thread."""

    def __init__(self, caller: Caller | None = None) -> None:
        self._here = threading.local()
        self._caller = caller

    def wear(self, name: str) -> None:
        """Be somebody from now on, in this thread."""
        self._here.name = name

    def token(self) -> str:
        """Return the token of whom we are."""
        return token_of(self._caller or getattr(self._here, "name", READER))


class ManyUsers(RemoteLedger):
    """A book on a server, asked by each user under their own credentials.

    Attributes:
        engine: the database of the server's side, for tests that look inside.
    """

    engine = None

    def __init__(self, url: str, inside=None, caller: Caller | None = None) -> None:
        self._url = url
        self._views: list[ManyUsers] = []
        self._owners: dict[str, str] = {}
        """Who made a reservation, by its id: they keep it alive themselves."""
        self._masks = Masks(caller)
        super().__init__(Requests(parse_http_url(url), self._masks))
        self._inside = inside
        if inside is not None:
            self.engine = inside.engine
        asked = self.calls.ask

        def ask(name, arguments, returns, *, write):
            named = [arguments.get("identifier"), *arguments.get("identifiers", ())]
            who = _asker(arguments) or next((self._owners[one] for one in named if one in self._owners), READER)
            if name == "queue_join":
                self._owners[arguments["identifier"]] = who
            self._masks.wear(who)
            result = asked(name, arguments, returns, write=write)
            if name == "reserve":
                self._owners[result.id] = who
            return result

        self.calls.ask = ask

    def as_caller(self, caller: Caller) -> ManyUsers:
        """Return the same book as one caller sees it."""
        view = ManyUsers(self._url, caller=caller)
        self._views.append(view)
        return view

    def close(self) -> None:
        """Close both sides."""
        for view in self._views:
            view.close()
        super().close()
        if self._inside is not None:
            self._inside.close()


def _asker(arguments) -> str | None:
    for given in arguments.values():
        value = given[0] if isinstance(given, list) and given else given
        holder = value.holder if isinstance(value, Request) else value
        if isinstance(holder, Holder):
            return asker(holder)
    return None


@contextmanager
def served_book(book_url: str, monkeypatch, **options):
    """Serve a book for as long as the block runs; who opens its URL is each user in turn, and may look inside.

    Args:
        book_url: where it is.
        monkeypatch: of the test.
        options: what the server opens it with.
    """

    def open_served():
        return open_ledger(book_url, **options)

    with serving(book_url, authenticator=lambda _: Whoever(), opening=open_served) as server:
        monkeypatch.setattr("bespeak.ledger.remote.open_remote", lambda url: ManyUsers(url, inside=open_served()))
        yield f"unix://{server.socket}"


@contextmanager
def served_claims(book_url: str, repo: str, **options):
    """Serve a book, and open the claims of a repository in it from the other side."""

    def open_served():
        return open_ledger(book_url, **options)

    with serving(book_url, authenticator=lambda _: Whoever(), opening=open_served) as server:
        claims = RemoteClaims(Requests(parse_http_url(f"unix://{server.socket}"), Masks()), repo)
        yield claims
        claims.close()


class DistantMachine(BookMachine):
    """The same with books on a server of their own, seen from the other side."""

    def open_book(self, url: str, **options):
        """Serve a book, and open it from the other side."""
        self._servers = ExitStack()

        def open_served():
            return open_ledger(url, **options)

        server = self._servers.enter_context(serving(url, authenticator=lambda _: Whoever(), opening=open_served))
        return ManyUsers(f"unix://{server.socket}", inside=open_served())

    def teardown(self) -> None:
        """Close the books, and stop the server."""
        super().teardown()
        self._servers.close()
