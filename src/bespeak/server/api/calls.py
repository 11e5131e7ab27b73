"""The door of bespeak's own client: each method of the book is one operation, with its values as they are.

The paths beside this one are for people and their programs. Here another bespeak calls the methods of the same service
under their own names, so that all its commands work on a book of another machine.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from bespeak import __version__
from bespeak.base.codec import encode
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.base.json_text import compact
from bespeak.coord import operations as claims
from bespeak.coord.claims_book import ClaimsBook
from bespeak.coord.schema import COORD
from bespeak.ledger.callers_gate import CallersGate
from bespeak.ledger.idempotency import forget_requests, know_values
from bespeak.ledger.remote_calls import WELCOME, Welcome
from bespeak.ledger.served import GATE_OPERATIONS, LEDGER_OPERATIONS, Effect, Operations
from bespeak.ledger.visibility import check_topics
from bespeak.net.web import ENDLESS
from bespeak.server.dependencies import SIGNED_IN, Book, Who
from bespeak.server.open_streams import CountedStream, OpenStreams, too_many
from bespeak.server.stream_access import stream_access
from bespeak.server.wakeups import wake_ups
from bespeak.storage.migrations import MIGRATION_KEY, migrate
from bespeak.storage.optional_tables import ensure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.access.model import Caller
    from bespeak.ledger.service import Ledger
    from bespeak.storage.interface import Listener

router = APIRouter(tags=["calls"], dependencies=[SIGNED_IN], include_in_schema=False)

CLAIMS_OPERATIONS = Operations(
    ClaimsBook,
    {Effect.READ: claims.READS, Effect.REPEATABLE: claims.REPEATABLE, Effect.ONCE: claims.ONCE},
    claims.VALUES,
)
"""The claims on code of one repository."""
know_values(claims.VALUES)

_PERSONAL = {"notices": "bespeak.notices.service", "calendars": "bespeak.integrations.calendar_service"}
"""Services about whoever asks, by the group of their operations. Their rooms stand beside this one: found by name."""

_MOST_TOPICS = 2_000
_FORGET_EVERY = 1_000
"""Requests after which those of more than a week ago are forgotten."""


@router.post("/call/{operation}")
async def call(operation: str, request: Request, book: Book, who: Who) -> Response:
    """Do one operation; under the same ``Idempotency-Key`` it is done once."""
    body = await request.body()
    given = _parsed(body)
    if operation == WELCOME:
        return _result(encode(Welcome(who.holder, __version__)))
    group, _, name = operation.rpartition(".")
    operations, service_of = await _service(group, request, book, who)
    effect = operations.effect(name)

    def work(ledger: Ledger) -> Any:
        return operations.perform(service_of(ledger), name, given)

    if effect is Effect.READ:
        return _result(await book.read(work))
    if effect is Effect.ONCE:
        await _forget_old_requests(request, book)
    value = await (book if effect is Effect.ONCE else book.without_name()).write(work)
    return _result(value, {"Idempotency-Replayed": "true"} if book.repeated else None)


async def _service(group: str, request: Request, book: Book, who: Caller) -> tuple[Operations, Callable[[Ledger], Any]]:
    """Return the operations of a service, and what makes it of the open book as the caller sees it."""
    if group == "gate":
        return GATE_OPERATIONS, lambda ledger: CallersGate(ledger, who)
    if group == "claims":
        who.require_scope("coord")
        await _have_claims(request, book)
        repo = request.query_params.get("repo", "")
        return CLAIMS_OPERATIONS, lambda ledger: ClaimsBook(ledger.engine, repo)
    if group in _PERSONAL:
        module, operations = _personal(_PERSONAL[group])
        await book.without_name().write(lambda ledger: ensure(ledger.engine, module.COMPONENT))
        return operations, module.SERVICE
    if group:
        raise NotFoundError(f"no service {group!a:.80}")
    return LEDGER_OPERATIONS, lambda ledger: ledger


@cache
def _personal(name: str) -> tuple[Any, Operations]:
    module = import_module(name)
    know_values(module.VALUES)
    names = {Effect.READ: module.READS, Effect.REPEATABLE: module.REPEATABLE, Effect.ONCE: module.ONCE}
    return module, Operations(module.SERVICE, names, module.VALUES)


async def _have_claims(request: Request, book: Book) -> None:
    """Make the tables of claims in a book that has none yet."""
    state = request.app.state
    if getattr(state, "has_claims", False):
        return
    await book.without_name().write(
        lambda ledger: ledger.engine.transact([MIGRATION_KEY], lambda tx: migrate(tx, [COORD], ledger.name))
    )
    state.has_claims = True


async def _forget_old_requests(request: Request, book: Book) -> None:
    """Forget, with the first of many requests, those that nobody asks for again."""
    state = request.app.state
    state.requests_done = getattr(state, "requests_done", -1) + 1
    if state.requests_done % _FORGET_EVERY == 0:
        await book.without_name().write(forget_requests)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError("the arguments of an operation must be a JSON object") from None


def _result(value: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(compact({"result": value}), 200, headers, "application/json")


@router.get("/wakeups")
async def listen(request: Request, book: Book) -> Response:
    """Send a line whenever something that is named changes, and one now and then to say that we are still there."""
    topics = request.query_params.getlist("topic")
    if not topics or len(topics) > _MOST_TOPICS:
        raise UsageError(f"topic: 1 to {_MOST_TOPICS} of them")

    def check(ledger: Ledger) -> None:
        ledger.engine.read(lambda tx: check_topics(ledger, tx, topics))

    def begin(ledger: Ledger) -> Listener:
        check(ledger)
        return book.served.listen(ledger, topics)

    streams: OpenStreams = request.app.state.streams
    if not streams.may_open(request.scope):
        return too_many(request.scope)
    access = stream_access(request.app, request.scope, lambda: book.read(check))
    listener = await book.read(begin)
    request.scope["state"][ENDLESS] = True
    return CountedStream(streams, wake_ups(listener, access), "text/plain", refused=listener.close)
