"""Reservations: make, look, change, give back."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from bespeak.base.errors import UsageError
from bespeak.base.ids import new_id
from bespeak.ledger.model import State
from bespeak.ledger.queue_rights import check_may_wait
from bespeak.server import schemas
from bespeak.server.answers import NUMBER_HEADER, answer, cached, reservation_answer, reservation_document
from bespeak.server.dependencies import (
    SIGNED_IN,
    Book,
    By,
    CallersBook,
    Events,
    FencingToken,
    WaitSeconds,
    Within,
    client_gone,
)
from bespeak.server.events import EventHub
from bespeak.server.problems import plain as problem_answer
from bespeak.server.queue_places import wait_at
from bespeak.server.stream_access import stream_access

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.ledger.model import Reservation
    from bespeak.ledger.service import Ledger

router = APIRouter(tags=["reservations"], dependencies=[SIGNED_IN])

_PROBLEM: dict[str, Any] = {"model": schemas.Problem, "description": "What failed."}
ONE: dict[int | str, dict[str, Any]] = {200: {"model": schemas.ReservationDocument}, "4XX": _PROBLEM, "5XX": _PROBLEM}
_MADE: dict[int | str, dict[str, Any]] = {
    201: {"model": schemas.ReservationDocument, "description": "Granted."},
    202: {
        "model": schemas.ReservationDocument,
        "description": "It waits in the line, or awaits approval; ask for its Location again.",
    },
    "4XX": _PROBLEM,
    "5XX": _PROBLEM,
}
_MOST = 1_000
_USUAL = 200

StateName = Literal["waiting", "awaiting", "pending", "active", "ended"]


def problems(model: type[Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return how a route answers, for the description of the API."""
    return {status: {"model": model}, "4XX": _PROBLEM, "5XX": _PROBLEM}


@router.post("/reservations", status_code=201, responses=_MADE)
async def reserve(
    http: Request, book: Book, events: Events, by: By, wait_seconds: WaitSeconds, asked: schemas.ReservationRequest
) -> Response:
    """Book resources: all of them, or none; with `queue`, wait in the line for them."""
    request = asked.request(by)
    if not asked.queue:
        made = await book.write(lambda ledger: ledger.reserve(request))
        return reservation_answer(made, made.created_us, 202 if made.is_awaiting else 201, made=True)
    if asked.next_fit:
        raise UsageError("queue and next_fit exclude each other: who waits takes the first turn")
    identifier = new_id()
    made = await book.write(lambda ledger: ledger.queue_join(request, identifier, asked.priority))
    if not made.waiting:
        return reservation_answer(made, made.created_us, 201, made=True)
    return await _in_line(http, book, events, made.id, wait_seconds, 201)


async def _in_line(
    http: Request, book: CallersBook, events: EventHub, identifier: str, wait_seconds: float | None, granted: int
) -> Response:
    """Wait at a place in the line; answer with status ``granted`` once it is, else with 202."""
    own = book.without_name()
    access = stream_access(http.app, http.scope, lambda: own.read(lambda ledger: check_may_wait(ledger, identifier)))
    async with client_gone(http) as gone:
        look = await wait_at(
            own,
            events,
            http.app.state.places,
            identifier,
            wait_seconds or 0.0,
            gone,
            access,
        )
    now_us = await book.read(lambda ledger: ledger.now_us())
    waits = look.reservation.waiting
    status, position = (202, look.position) if waits else (granted, None)
    answered = reservation_answer(look.reservation, now_us, status, position=position, made=True)
    if wait_seconds is not None:
        answered.headers["Preference-Applied"] = f"wait={wait_seconds:g}"
    return answered


@router.get("/reservations", responses=problems(schemas.ReservationPage))
async def reservations(
    book: Book,
    by: By,
    holder: Annotated[str | None, Query(description="Only this holder's.")] = None,
    mine: Annotated[bool, Query(description="Only the caller's.")] = False,
    resource: Annotated[list[str], Query(description="Only with one of these.")] = [],  # noqa: B006 FastAPI copies it
    state: Annotated[list[StateName], Query(description="Only in one of these states.")] = [],  # noqa: B006
    every: Annotated[bool, Query(alias="all", description="Also what has ended.")] = False,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = _USUAL,
    cursor: Annotated[str | None, Query(description="Of the page before.", max_length=200)] = None,
) -> Response:
    """List reservations, oldest first."""
    if mine and holder is not None:
        raise UsageError("mine and holder exclude each other")
    after = None if cursor is None else read_cursor(cursor)

    def work(ledger: Ledger) -> tuple[list[Reservation], int]:
        found = ledger.reservations(
            holder=by.user if mine else holder,
            resources=resource,
            states=[State(name) for name in state],
            include_ended=every,
            limit=limit + 1,
            after_id=after,
        )
        return found, ledger.now_us()

    found, now_us = await book.read(work)
    more, found = len(found) > limit, found[:limit]
    return answer(
        {
            "reservations": [reservation_document(one, now_us) for one in found],
            "more": more,
            "cursor": make_cursor(found[-1].id) if more else None,
            "now_us": now_us,
        }
    )


def make_cursor(identifier: str) -> str:
    """Return the text by which the next page is asked for."""
    return base64.urlsafe_b64encode(identifier.encode()).decode().rstrip("=")


def read_cursor(text: str) -> str:
    """Return what :func:`make_cursor` was given.

    Raises:
        UsageError: it is no cursor.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise UsageError("cursor: not one of this server") from None


@router.get("/reservations/{reservation_id}", responses={**ONE, 202: _MADE[202]})
async def reservation(
    http: Request,
    book: Book,
    events: Events,
    by: By,
    reservation_id: str,
    fencing_token: FencingToken,
    wait_seconds: WaitSeconds,
) -> Response:
    """Show a reservation, named by its id or the beginning (six characters or more) of it or of its last group.

    With `Prefer: wait=N` its holder goes on waiting in the line.
    """

    def work(ledger: Ledger) -> tuple[Reservation, int]:
        found = ledger.find(reservation_id)
        if fencing_token is not None:
            return ledger.hold_in_force(found.id, fencing_token)
        return found, ledger.now_us()

    found, now_us = await book.read(work)
    if wait_seconds is not None and found.holder == by.user and found.state(now_us) is State.WAITING:
        return await _in_line(http, book, events, found.id, wait_seconds, 200)
    headers = {} if found.fencing_token is None else {NUMBER_HEADER: str(found.fencing_token)}
    return cached(http, reservation_document(found, now_us), headers=headers)


@router.post("/reservations/{reservation_id}/extend", responses=ONE)
async def extend(
    book: Book, by: By, reservation_id: str, fencing_token: FencingToken, asked: schemas.Window
) -> Response:
    """Give a reservation a later end; refused if the next holder would lose."""
    length_us, ends_us = asked.length(), asked.end()

    def work(ledger: Ledger) -> Reservation:
        found = ledger.find(reservation_id)
        return ledger.extend(found.id, by, duration_us=length_us, ends_us=ends_us, fencing_token=fencing_token)

    return await changed(book, work)


@router.post("/reservations/{reservation_id}/shorten", responses=ONE)
async def shorten(
    book: Book, by: By, reservation_id: str, fencing_token: FencingToken, asked: schemas.ShortenRequest
) -> Response:
    """Give a reservation an earlier end; the rest is free at once."""
    length_us, ends_us = asked.length(), asked.end()

    def work(ledger: Ledger) -> Reservation:
        found = ledger.find(reservation_id)
        return ledger.shorten(
            found.id,
            by,
            duration_us=length_us,
            ends_us=ends_us,
            fencing_token=fencing_token,
            reason=asked.reason,
        )

    return await changed(book, work)


@router.post("/reservations/{reservation_id}/kick", responses=ONE)
async def kick(book: Book, by: By, reservation_id: str, asked: schemas.KickRequest) -> Response:
    """Take a reservation away from its holder; the reason stays in the log."""
    return await changed(book, lambda ledger: ledger.kick(ledger.find(reservation_id).id, by, asked.reason))


@router.post("/reservations/{reservation_id}/approve", responses=ONE)
async def approve(book: Book, by: By, reservation_id: str) -> Response:
    """Approve a reservation that awaits it; it is a hold from its start on."""
    return await changed(book, lambda ledger: ledger.approve(ledger.find(reservation_id).id, by))


@router.post("/reservations/{reservation_id}/refuse", responses=ONE)
async def refuse(book: Book, by: By, reservation_id: str, asked: schemas.KickRequest) -> Response:
    """Refuse a reservation that awaits approval; its time is free at once."""
    return await changed(book, lambda ledger: ledger.refuse(ledger.find(reservation_id).id, by, asked.reason))


@router.post("/reservations/{reservation_id}/keep-alive", responses=ONE)
async def keep_alive(request: Request, book: Book, reservation_id: str, fencing_token: FencingToken) -> Response:
    """Renew the sign of life of a hold; needs its fencing token in `If-Match`."""
    if fencing_token is None:
        text = "keep-alive: the fencing token is needed, as If-Match"
        return problem_answer(428, text, request.scope, "usage")
    return await changed(book, lambda ledger: ledger.keep_alive(ledger.find(reservation_id).id, fencing_token))


@router.delete("/reservations/{reservation_id}", responses=ONE)
async def release(
    book: Book,
    by: By,
    reservation_id: str,
    fencing_token: FencingToken,
    reason: Annotated[str, Query(description="Why, for the log.", max_length=1_000)] = "",
) -> Response:
    """Give a reservation back, cancel it, or leave the line; answers with the reservation that has ended."""

    def work(ledger: Ledger) -> Reservation:
        return ledger.release(ledger.find(reservation_id).id, by, fencing_token=fencing_token, reason=reason)

    return await changed(book, work)


@router.post("/release", responses=problems(schemas.Reservations))
async def release_several(book: Book, by: By, within: Within, asked: schemas.ReleaseRequest) -> Response:
    """Give back resources that the caller holds now, or everything that is the caller's."""
    if asked.mine == (asked.resources is not None):
        raise UsageError('give either "resources" or "mine": true')

    def work(ledger: Ledger) -> tuple[list[Reservation], int]:
        if asked.resources is None:
            return ledger.release_mine(by, within=within), ledger.now_us()
        return ledger.release_resources(asked.resources, by, within=within), ledger.now_us()

    ended, now_us = await book.write(work)
    return answer({"reservations": [reservation_document(one, now_us) for one in ended], "now_us": now_us})


async def changed(book: CallersBook, work: Callable[[Ledger], Reservation]) -> Response:
    """Do a change, and answer with the reservation as it is then."""

    def inside(ledger: Ledger) -> tuple[Reservation, int]:
        return work(ledger), ledger.now_us()

    changed, now_us = await book.write(inside)
    return reservation_answer(changed, now_us)
