"""What every request passes before a handler sees it, as plain ASGI: who may speak, how much, and in which form."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from bespeak.access.model import Caller
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BespeakError
from bespeak.base.ids import new_id
from bespeak.net.connections import PEER_UID
from bespeak.server import problems
from bespeak.server.dependencies import AGAIN, BOOK, CALLER
from bespeak.server.identity import METHOD, PATH, SAFE_METHODS, SCHEME, NotSignedInError, Peer
from bespeak.server.proxy import PEER_ADDRESS
from bespeak.server.rate_limit import Buckets
from bespeak.server.tools import PATH as TOOLS_PATH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bespeak.access.model import Caller
    from bespeak.server.settings import ServerLimits

access = logging.getLogger("bespeak.access")
log = logging.getLogger("bespeak.server")

API_PREFIX = "/api/"
SECRET_PATH = "/calendar/"  # noqa: S105 what follows is the secret
TOO_LARGE = 413
_CLIENT_LEFT = 499
"""In the access log and the numbers: the client has left before its request was whole."""
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # with "no-referrer", browsers send forms with the origin "null"
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_POLICY = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_SAID_ONCE = (b"host", b"origin")
"""Of two, each reader could take another for the one that counts."""
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


class Observed:
    """Numbers each request, answers what no handler caught without a word of it, and tells the access log.

    Args:
        inner: what answers.
        observe: told the method, the path, the status and how long it took (seconds) of each request.
    """

    def __init__(self, inner: ASGIApp, observe: Callable[[Scope, int, float], None]) -> None:
        self._inner = inner
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                if getattr(scope["state"].get(BOOK), "repeated", False):
                    message["headers"].append((b"idempotency-replayed", b"true"))
            await send(message)

        try:
            await self._inner(scope, receive, observed)
        except ClientDisconnect:
            status = status or _CLIENT_LEFT  # nobody is there to be told, and nothing has failed here
        except Exception as error:  # noqa: BLE001 whatever it was, its text is for the log alone
            if not status:
                await problems.internal(scope, error)(scope, receive, observed)
        finally:
            self._observe(scope, status, time.perf_counter() - began)


def to_access_log(scope: Scope, status: int, seconds: float) -> None:
    """Write a request into the access log: no query, no header, no body, no secret part of a path."""
    if not access.isEnabledFor(logging.INFO):
        return
    caller, path = scope["state"].get(CALLER), scope["path"]
    access.info(
        "%s %s %s %d %.1fms %s",
        escape_unprintable(caller.holder) if caller else "-",
        scope["method"],
        SECRET_PATH + "..." if path.startswith(SECRET_PATH) else escape_unprintable(path),
        status,
        seconds * 1000,
        scope["state"]["request_id"],
    )


class SecurityHeaders:
    """Adds to each answer what a browser may do with it.

    Args:
        inner: what answers.
        tls: clients reach this server by TLS, and are told to go on doing so.
    """

    def __init__(self, inner: ASGIApp, *, tls: bool) -> None:
        self._inner = inner
        self._every = (*_SECURITY_HEADERS, *((_STRICT_TRANSPORT,) if tls else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        is_api = scope["path"].startswith(API_PREFIX)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                names = {name.lower() for name, _ in given}
                more = [pair for pair in self._every if pair[0] not in names]
                if b"content-security-policy" not in names:
                    more.append((b"content-security-policy", _POLICY))
                if is_api and b"cache-control" not in names:
                    more.append((b"cache-control", b"no-store"))
                message["headers"] = [*given, *more]
            await send(message)

        await self._inner(scope, receive, guarded)


class KnownHosts:
    """Refuses requests for a host, or from a page of a host, that this server is not known by.

    A page in somebody's browser could otherwise reach it under a name of its own (DNS rebinding), or act in the name
    of whoever looks at the page. An address is no name that could be bound to another machine.

    Args:
        inner: what answers.
        hosts: the names that clients reach it by, in lower case and without ports.
        origins: names whose pages may use it, on any port; those of the host that was asked always may.
    """

    def __init__(self, inner: ASGIApp, hosts: frozenset[str], origins: frozenset[str]) -> None:
        self._inner = inner
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            names = [name for name, _ in scope["headers"]]
            twice = next((name for name in _SAID_ONCE if names.count(name) > 1), None)
            refused = (
                (400, f"{twice.decode()} is said twice") if twice else self._refusal(dict(scope["headers"]), scope)
            )
            if refused is not None:
                await problems.plain(*refused, scope)(scope, receive, send)
                return
        await self._inner(scope, receive, send)

    def _refusal(self, headers: Mapping[bytes, bytes], scope: Scope) -> tuple[int, str] | None:
        asked = headers.get(b"host", b"").decode("latin-1").lower()
        host = host_name(asked)
        if host not in self._hosts and not is_address(host):
            return 421, "this server is not known by that name; start it with --allow-host NAME"
        origin = headers.get(b"origin")
        if origin is None or (origin == b"null" and scope["method"] in SAFE_METHODS):
            return None
        scheme, _, authority = origin.decode("latin-1").lower().partition("://")
        if scheme not in ("http", "https") or (authority != asked and host_name(authority) not in self._origins):
            return 403, "pages of that origin may not use this server"
        return None


class ReadableAddress:
    """Refuses a path or a query that is no UTF-8: different ones would all be read as the same name.

    Args:
        inner: what answers.
    """

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            for part, sent in (("path", scope.get("raw_path") or b""), ("query", scope["query_string"])):
                if not is_utf8(sent):
                    refusal = problems.plain(400, f"the {part} is no percent-encoded UTF-8", scope, "usage")
                    await refusal(scope, receive, send)
                    return
        await self._inner(scope, receive, send)


def is_utf8(encoded: bytes) -> bool:
    """Tell whether a percent-encoded text is UTF-8."""
    if b"%" not in encoded and encoded.isascii():
        return True
    try:
        unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return False
    return True


def host_name(authority: str) -> str:
    """Return a host in lower case, without its port."""
    name, colon, port = authority.lower().rpartition(":")
    return (name if colon and port.isdigit() else authority.lower()).removesuffix(".")


def is_address(host: str) -> bool:
    """Tell whether a host is an address and no name; the zone of an address could be any text."""
    if "%" in host:
        return False
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class BodyLimit:
    """Refuses bodies that are too long, before they are read where their length is said.

    Args:
        inner: what answers.
        most: bytes.
    """

    def __init__(self, inner: ASGIApp, most: int) -> None:
        self._inner = inner
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or int(said) > self._most:
            await self._refuse(scope, receive, send)
            return
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(TOO_LARGE, self._text)
            return message

        await self._inner(scope, limited, send)

    @property
    def _text(self) -> str:
        return f"the body of a request has at most {self._most} bytes"

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = problems.plain(TOO_LARGE, self._text, scope, "too_large", Connection="close")
        await refusal(scope, receive, send)


class Identify(Protocol):
    """Says who calls."""

    def __call__(self, headers: Mapping[str, str], peer: Peer, *, again: bool = False) -> Awaitable[Caller | None]:
        """Return who calls; ``again`` while a request goes on that was let in before."""


class SignIn:
    """Finds out who calls; below ``/api/`` nobody passes who did not say it.

    Args:
        inner: what answers.
        identify: says who calls.
        limits: how often somebody may ask, and how often an address may fail to say who it is.
    """

    def __init__(self, inner: ASGIApp, identify: Identify, limits: ServerLimits) -> None:
        self._inner = inner
        self._identify = identify
        self._requests = Buckets(limits.requests_per_minute)
        self._failures = Buckets(limits.failures_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        answer = await self._check(scope)
        await (self._inner if answer is None else answer)(scope, receive, send)

    async def _check(self, scope: Scope) -> Response | None:
        """Put who calls into the state of the request; return an answer where it ends here."""
        state, client = scope["state"], scope.get("client")
        origin = f"uid {state[PEER_UID]}" if PEER_UID in state else str(client[0] if client else "")
        headers = _headers(scope)
        peer = Peer(state.get(PEER_UID), state.get(PEER_ADDRESS))
        state[AGAIN] = partial(self._identify, headers, peer, again=True)
        try:
            caller = await self._identify(headers, peer)
            if _needs_caller(scope["path"], caller):
                raise NotSignedInError("sign in first: send a token as 'Authorization: Bearer TOKEN'")
        except BespeakError as error:
            if isinstance(error, NotSignedInError) and (wait := self._failures.take(origin)):
                return _too_many(scope, wait)
            return problems.response(error, scope)
        state[CALLER] = caller
        if caller is not None and (wait := self._requests.take(caller.holder)):
            return _too_many(scope, wait)
        return None


def _needs_caller(path: str, caller: Caller | None) -> bool:
    """Tell whether a path is not for whoever calls: a browser's session is not meant for the tools of agents."""
    if path == TOOLS_PATH:
        return caller is None or caller.method == "session"
    return caller is None and path.startswith(API_PREFIX)


def _too_many(scope: Scope, wait: float) -> Response:
    text = "too many requests; come back later"
    return problems.plain(429, text, scope, "too_many", Retry_After=str(math.ceil(wait)))


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers for signing in; what is said twice is joined, so that no second value hides the first."""
    found: dict[str, str] = {METHOD: scope["method"], PATH: scope["path"], SCHEME: scope["scheme"]}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        between = "; " if name == "cookie" else ", "
        found[name] = f"{found[name]}{between}{value}" if name in found else value
    return found
