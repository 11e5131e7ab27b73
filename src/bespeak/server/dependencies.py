"""What handlers are given: the book, who calls, and in whose name."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from bespeak.access.model import Caller
from bespeak.base.errors import UsageError
from bespeak.ledger.current_hold import CurrentHold
from bespeak.ledger.idempotency import is_repeated, once
from bespeak.ledger.model import Holder
from bespeak.net.web import ENDLESS
from bespeak.server.book import ServedBook
from bespeak.server.events import EventHub
from bespeak.server.identity import NotSignedInError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bespeak.ledger.service import Ledger

T = TypeVar("T")

CALLER = "caller"
BOOK = "callers_book"
AGAIN = "who_calls_now"
"""Under this name stands what finds out once more who calls, for what goes on for long."""
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_MEANING = ("bespeak-as-user", "if-match")
"""Headers that a change means something else with: under one name they are the same, as the body is."""
_MOST_DIGITS = 18


class CallersBook:
    """The book for whoever calls: each question and each change is checked for the caller's rights.

    Args:
        served: the book.
        caller: who calls; None for a page that needs nobody, which is asked without a caller.
        named: the caller's name for the request and all that was asked, where it is to be done once.
    """

    def __init__(self, served: ServedBook, caller: Caller | None, named: tuple[str, bytes] | None = None) -> None:
        self.served = served
        self.repeated = False
        """Whether a change was answered from what was written down when it was made."""
        self._caller = caller
        self._named = named

    async def read(self, work: Callable[[Ledger], T]) -> T:
        """Return what ``work`` returns, run in a reading thread."""
        return await self.served.read(lambda ledger: work(self._view(ledger)))

    async def write(self, work: Callable[[Ledger], T]) -> T:
        """Return what ``work`` returns once what it wrote is committed; done once where the request has a name."""
        if self._named is None or self._caller is None:
            return await self.served.write(lambda ledger: work(self._view(ledger)))
        who, (key, asked) = self._caller.holder, self._named

        def work_once(ledger: Ledger) -> tuple[T, bool]:
            view = once(self._view(ledger), who, key, asked)
            return work(view), is_repeated(view)

        result, self.repeated = await self.served.write(work_once)
        return result

    def without_name(self) -> CallersBook:
        """Return the same for what follows on the change that the request names, and may be done again."""
        return CallersBook(self.served, self._caller)

    def _view(self, ledger: Ledger) -> Ledger:
        return ledger if self._caller is None else ledger.as_caller(self._caller)


async def _hub(request: Request) -> EventHub:
    hub: EventHub = request.app.state.events
    return hub


# FastAPI runs plain functions in threads, so what follows is asynchronous although it waits for nothing.


def _caller_of(request: Request) -> Caller | None:
    caller: Caller | None = request.scope["state"].get(CALLER)
    return caller


async def _maybe_who(request: Request) -> Caller | None:
    return _caller_of(request)


async def _who(request: Request) -> Caller:
    caller = _caller_of(request)
    if caller is None:
        raise NotSignedInError("sign in first: send a token as 'Authorization: Bearer TOKEN'")
    return caller


SIGNED_IN = Depends(_who)
"""For routes that need somebody signed in, whoever it is."""


async def _book(
    request: Request,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description="The caller's name for a change: what it names is done once."),
    ] = None,
) -> CallersBook:
    named = None
    if key is not None and request.method not in _SAFE_METHODS:
        meant = "".join(f"{name}: {request.headers[name]}\n" for name in _MEANING if name in request.headers)
        asked = f"{request.method} {request.url.path}?{request.url.query}\n{meant}".encode() + await request.body()
        named = key, asked
    found = CallersBook(request.app.state.book, _caller_of(request), named)
    request.scope["state"][BOOK] = found
    return found


Book = Annotated[CallersBook, Depends(_book)]
Events = Annotated[EventHub, Depends(_hub)]
Who = Annotated[Caller, Depends(_who)]
MaybeWho = Annotated[Caller | None, Depends(_maybe_who)]


async def _holder(
    who: Who,
    as_user: Annotated[
        str | None,
        Header(alias="Bespeak-As-User", description="Act for this user (percent-encoded UTF-8); it is recorded."),
    ] = None,
) -> Holder:
    if not as_user:
        return Holder(who.holder)
    try:
        return Holder(unquote(as_user, errors="strict"), who.holder)
    except UnicodeDecodeError:
        raise UsageError(f"Bespeak-As-User: {as_user[:60]!a} is no percent-encoded UTF-8") from None


By = Annotated[Holder, Depends(_holder)]
"""Whose reservations are meant, and who really asks."""


async def _fencing_token(
    if_match: Annotated[
        str | None,
        Header(alias="If-Match", description='The fencing token that the reservation must have: `"N"`, or `*`.'),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip()
    number = text[1:-1]
    quoted = text.startswith('"') and text.endswith('"')
    if not (quoted and number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise UsageError(f'If-Match: {text[:40]!a} is no fencing token in quotes, such as "17"')
    return int(number)


FencingToken = Annotated[int | None, Depends(_fencing_token)]


async def _within(
    within: Annotated[
        str | None,
        Header(alias="Bespeak-Within", description="The hold of the `bespeak run` around the client: `ID;NUMBER`."),
    ] = None,
) -> CurrentHold | None:
    if not within:
        return None
    identifier, _, number = within.partition(";")
    if not (identifier.isascii() and number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        raise UsageError(f"Bespeak-Within: {within[:60]!a} is no reservation with its number, such as ID;17")
    return CurrentHold(identifier, int(number))


Within = Annotated[CurrentHold | None, Depends(_within)]


MOST_WAIT_SECONDS = 60


async def _wait_seconds(
    prefer: Annotated[
        str | None, Header(alias="Prefer", description="`wait=N`: wait in the line for so many seconds at most.")
    ] = None,
) -> float | None:
    for part in (prefer or "").replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        digits = value.strip('" ')
        if name.strip().lower() == "wait" and digits.isascii() and digits.isdigit():
            return float(min(int(digits[:_MOST_DIGITS]), MOST_WAIT_SECONDS))
    return None


WaitSeconds = Annotated[float | None, Depends(_wait_seconds)]


@asynccontextmanager
async def client_gone(request: Request) -> AsyncIterator[asyncio.Future[None]]:
    """Give a future that is done when the client has left, for who waits; the body must have been read."""

    async def listen() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    request.scope["state"][ENDLESS] = True
    task = asyncio.ensure_future(listen())
    try:
        yield task
    finally:
        task.cancel()
